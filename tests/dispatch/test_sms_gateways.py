"""The contract of gateways of text messages: the real Twilio library against Twilio in a box, and the console twin."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ConnectTimeout, ReadTimeout

from dispatch.gateways import GatewayUnavailable, OutcomeUnknown
from dispatch.sms_gateways import ConsoleSms, OutboundSms, SmsGateway, SmsRefused
from dispatch.twilio_sms import TwilioSms
from models import settings
from models.sms import SmsStatus
from tests.support import twilio_box
from tests.support.twilio_box import TwilioBox

MOBILE = "+8611000000001"
TEXT = "【12349】工单1001"


@pytest.fixture
def box(hotline_dir: Path, monkeypatch: pytest.MonkeyPatch) -> TwilioBox:
    for name, value in (
        ("ACCOUNT", twilio_box.ACCOUNT), ("TOKEN", twilio_box.TOKEN), ("FROM", twilio_box.SENDER),
    ):  # fmt: skip
        monkeypatch.setenv(f"HOTLINE_TWILIO_{name}", value)
    monkeypatch.setenv("HOTLINE_PUBLIC_URL", "https://hotline.example")
    settings.settings.cache_clear()
    return TwilioBox()


@pytest.fixture(params=["twilio", "console"])
def gateway(request: pytest.FixtureRequest, box: TwilioBox, tmp_path: Path) -> SmsGateway:
    return TwilioSms(box) if request.param == "twilio" else ConsoleSms(tmp_path / "sms.jsonl")


def test_what_was_taken_has_an_id_and_is_found_by_it_and_by_its_number(gateway: SmsGateway) -> None:
    assert list(gateway.sent_to(MOBILE)) == []
    taken = gateway.send(OutboundSms("p1", MOBILE, TEXT))
    other = gateway.send(OutboundSms("p2", MOBILE, "2"))
    gateway.send(OutboundSms("p3", "+8611000000002", TEXT))
    assert taken.carrier_id != other.carrier_id and taken.status == SmsStatus.SENT
    assert gateway.look_up(taken.carrier_id).text == TEXT
    found = {(one.carrier_id, one.number, one.text) for one in gateway.sent_to(MOBILE)}
    assert found == {(taken.carrier_id, MOBILE, TEXT), (other.carrier_id, MOBILE, "2")}


def test_what_it_never_took_it_does_not_know(gateway: SmsGateway) -> None:
    with pytest.raises(GatewayUnavailable):
        gateway.look_up("SM" + "f" * 32)


# What only a network and a carrier with rules can do.


@pytest.mark.parametrize(
    ("number", "code", "for_good"),
    [
        ("+15005550001", "21211", "unreachable"),
        ("+15005550004", "21610", "opted_out"),
        ("+15005550009", "21614", "unreachable"),
    ],
)
def test_a_refusal_is_for_good_and_says_whether_for_the_number(
    box: TwilioBox, number: str, code: str, for_good: str
) -> None:
    with pytest.raises(SmsRefused) as caught:
        TwilioSms(box).send(OutboundSms("p1", number, TEXT))
    assert (caught.value.code, caught.value.for_good) == (code, for_good)
    with pytest.raises(SmsRefused) as caught:
        TwilioSms(box).send(OutboundSms("p1", MOBILE, "x" * 1601))
    assert (caught.value.code, caught.value.for_good) == ("21617", "")


@pytest.mark.parametrize("fault", [401, 429, 503, ConnectTimeout()])
def test_what_was_surely_not_taken_may_be_tried_again(box: TwilioBox, fault: int | Exception) -> None:
    box.fails = fault
    with pytest.raises(GatewayUnavailable):
        TwilioSms(box).send(OutboundSms("p1", MOBILE, TEXT))
    assert box.messages == []


@pytest.mark.parametrize("fault", [500, 502, ReadTimeout(), NoConnection("reset by peer")])
def test_a_lost_answer_is_no_refusal_and_the_list_has_the_message(box: TwilioBox, fault: int | Exception) -> None:
    box.loses = fault
    with pytest.raises(OutcomeUnknown):
        TwilioSms(box).send(OutboundSms("p1", MOBILE, TEXT))
    assert [one.text for one in TwilioSms(box).sent_to(MOBILE)] == [TEXT]


def test_the_request_names_where_to_report_and_a_messaging_service_sends(
    box: TwilioBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    TwilioSms(box).send(OutboundSms("p1", MOBILE, TEXT))
    assert box.messages[0].callback == "https://hotline.example/twilio/sms/p1"
    monkeypatch.setenv("HOTLINE_TWILIO_FROM", "MG" + "1" * 32)
    monkeypatch.setenv("HOTLINE_PUBLIC_URL", "")
    settings.settings.cache_clear()
    TwilioSms(box).send(OutboundSms("p2", MOBILE, TEXT))
    assert box.messages[1].callback == ""


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("accepted", "sent"), ("queued", "sent"), ("sending", "sent"), ("sent", "sent"), ("delivered", "delivered"),
        ("undelivered", "undelivered"), ("failed", "failed"), ("read", "delivered"), ("a new word", "sent"),
    ],
)  # fmt: skip
def test_twilios_words_for_where_a_message_stands(box: TwilioBox, word: str, status: str) -> None:
    taken = TwilioSms(box).send(OutboundSms("p1", MOBILE, TEXT))
    box.messages[0].status, box.messages[0].error_code = word, 30003 if status == "undelivered" else None
    told = TwilioSms(box).look_up(taken.carrier_id)
    assert (told.status, told.error) == (status, "30003" if status == "undelivered" else None)


def test_without_an_account_nothing_is_sent_and_its_log_holds_no_numbers(hotline_dir: Path) -> None:
    with pytest.raises(GatewayUnavailable, match="TWILIO"):
        TwilioSms(TwilioBox())
    assert not logging.getLogger("twilio.http_client").isEnabledFor(logging.INFO)
