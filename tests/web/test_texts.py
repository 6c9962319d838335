"""Twilio's reports are believed by their signature alone; staff see each text message and how it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from models import settings
from models.lookup import number_row
from models.orders import Order
from models.outbox import OutboxEntry
from models.phone import normalise
from models.session import read, write
from models.sms import SmsMessage
from tests.support.twilio_box import ACCOUNT, TOKEN
from tests.web.conftest import Browser
from tests.web.world import World, landline
from web.app import create_app
from web.texts import SIGNATURE

PUBLIC = "https://hotline.example"
SID = "SM" + "1" * 32
MOBILE = "+8611000000009"


@pytest.fixture
def app(var_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """A console that Twilio reaches at an address of its own."""
    for name, value in (("TWILIO_ACCOUNT", ACCOUNT), ("TWILIO_TOKEN", TOKEN), ("PUBLIC_URL", PUBLIC)):
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    settings.settings.cache_clear()
    return create_app()


@pytest.fixture
def message(world: World) -> str:
    """A text message that the carrier has; its public id."""
    elder = world.elder("王桂兰", landline(101))
    order = world.order(elder, "bathing")
    with write() as db:
        row = SmsMessage(
            dedupe_key="k", template="confirmed", language="zh-CN", number_id=number_row(db, normalise(MOBILE)).id,
            person_id=elder.id, order_id=order.id, status="sent", carrier_id=SID, attempts=1, segments=2,
            created_at=world.now, due_at=world.now, sending_at=world.now, sent_at=world.now,
        )  # fmt: skip
        db.add(row)
        db.flush()
        return row.public_id


def reports(app: Flask, public_id: str, word: str, **more: str) -> TestResponse:
    """Twilio tells what became of it."""
    form = {"AccountSid": ACCOUNT, "MessageSid": SID, "MessageStatus": word, **more}
    signature = sign(f"{PUBLIC}/twilio/sms/{public_id}", form)
    return app.test_client().post(f"/twilio/sms/{public_id}", data=form, headers={SIGNATURE: signature})


def sign(url: str, form: dict[str, str]) -> str:
    """Sign as Twilio does."""
    signature: str = RequestValidator(TOKEN).compute_signature(url, form)  # type: ignore[no-untyped-call]
    return signature


def status(public_id: str) -> str:
    with read() as db:
        return db.scalars(select(SmsMessage.status).where(SmsMessage.public_id == public_id)).one()


def test_reports_late_doubled_and_out_of_order_make_one_state(app: Flask, message: str) -> None:
    """Fault 14, over HTTP."""
    for word in ("delivered", "sent", "delivered", "queued", "undelivered"):
        assert reports(app, message, word).status_code == 204
        assert status(message) == "delivered"


def test_an_error_is_kept_and_shown_in_words(app: Flask, message: str, world: World, browser: Browser) -> None:
    assert reports(app, message, "undelivered", ErrorCode="30003").status_code == 204
    assert status(message) == "undelivered"
    world.user("陈接线", "agent")
    browser.login("陈接线")
    page = browser.get("/texts?group=trouble").text
    assert "王桂兰" in page and "关机或不在服务区" in page and "11000000009" not in page
    assert "还没有短信" in browser.get("/texts?group=waiting").text


def test_a_forged_report_changes_nothing(app: Flask, message: str) -> None:
    client = app.test_client()
    form = {"AccountSid": ACCOUNT, "MessageSid": SID, "MessageStatus": "delivered"}
    url = f"/twilio/sms/{message}"
    assert client.post(url, data=form).status_code == 403
    assert client.post(url, data=form, headers={SIGNATURE: "x" * 28}).status_code == 403
    right = sign(PUBLIC + url, form)
    for changed in ({"MessageStatus": "failed"}, {"MessageSid": SID[:-1] + "2"}, {"Body": "x"}):
        assert client.post(url, data={**form, **changed}, headers={SIGNATURE: right}).status_code == 403
    # Signed rightly, for another address, by another account, or with another key.
    here = sign("http://localhost" + url, form)
    assert client.post(url, data=form, headers={SIGNATURE: here}).status_code == 403
    host = {SIGNATURE: here, "Host": "evil.example", "X-Forwarded-Proto": "http"}
    assert client.post(url, data=form, headers=host).status_code == 403
    other = {**form, "AccountSid": "AC" + "1" * 32}
    signed = {SIGNATURE: sign(PUBLIC + url, other)}
    assert client.post(url, data=other, headers=signed).status_code == 403
    assert status(message) == "sent"


def test_a_report_for_another_message_or_a_broken_one_changes_nothing(app: Flask, message: str) -> None:
    assert reports(app, message, "delivered", MessageSid="SM" + "2" * 32).status_code == 204
    assert status(message) == "sent"
    assert reports(app, "nosuchmessage", "delivered").status_code == 404
    assert reports(app, message, "").status_code == 400
    assert app.test_client().get(f"/twilio/sms/{message}").status_code == 405


def test_without_an_account_there_is_no_such_page(app: Flask, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_TWILIO_TOKEN", "")
    settings.settings.cache_clear()
    assert reports(app, message, "delivered").status_code == 404


def test_the_order_tells_of_its_text_messages(app: Flask, message: str, world: World, browser: Browser) -> None:
    world.user("陈接线", "agent")
    browser.login("陈接线")
    with read() as db:
        order = db.scalars(select(SmsMessage)).one().order.public_id
    page = browser.get(f"/orders/{order}").text
    assert "下单确认" in page and "已发出" in page


def test_what_did_not_arrive_is_sent_again_by_a_button_once(
    app: Flask, message: str, world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_SMS", "console")
    settings.settings.cache_clear()
    world.user("陈接线", "agent")
    browser.login("陈接线")
    with read() as db:
        order = f"/orders/{db.scalars(select(SmsMessage)).one().order.public_id}"
    again = f"/texts/{message}/again"
    assert again not in browser.get(order).text and browser.post(again, {}, order).status_code == 409
    reports(app, message, "undelivered", ErrorCode="30003")
    assert again in browser.get(order).text
    for _ in range(2):
        assert browser.post(again, {}, order).status_code == 303
    with read() as db:
        first, second = db.scalars(select(SmsMessage).order_by(SmsMessage.id))
        assert (second.status, second.template, second.number_id) == ("queued", first.template, first.number_id)
        errands = db.scalars(select(OutboxEntry.subject_id).where(OutboxEntry.verb == "send_sms")).all()
        assert errands == [second.id], "pressed twice, it goes once"
    assert again not in browser.get(order).text, "nor is it offered any more"


def test_what_does_not_hold_or_may_not_go_there_is_not_sent_again(
    app: Flask, message: str, world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.user("陈接线", "agent")
    browser.login("陈接线")
    reports(app, message, "undelivered", ErrorCode="30003")
    again = f"/texts/{message}/again"
    refused = browser.post(again, {}, "/account")
    assert refused.status_code == 409 and "请打电话" in refused.text, "text messages are switched off"
    with write() as db:
        db.scalars(select(Order)).one().status = "cancelled"
    assert "不再有效" in browser.post(again, {}, "/account").text
    assert browser.post("/texts/nowhere/again", {}, "/account").status_code == 404
