"""Who is sent which words and when; at most one arrives, whatever dies; reports in any order make one state."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations

import pytest
from sqlalchemy import Engine, select

from dispatch import by_hand, jobs, send_sms, sms, sms_text
from dispatch.outbox import transaction
from dispatch.sms_gateways import CarrierSms
from dispatch.twilio_sms import TwilioSms
from models import settings, vocabulary, windows
from models.contacts import Contact
from models.followups import Reminder
from models.lookup import number_row
from models.orders import Order, OrderEvent
from models.outbox import OutboxEntry
from models.people import Elder, Person, PersonNumber, PhoneNumber
from models.phone import normalise
from models.preferences import Because, Origin, Setting, put
from models.providers import Provider, ProviderNumber
from models.session import read, write
from models.sms import FINAL, SMS_MOVES, SmsMessage, SmsStatus
from models.vocabulary.sms import TEMPLATES
from tests.dispatch.town import Town
from tests.support import twilio_box, world
from tests.support.twilio_box import TwilioBox

MOBILE, DAUGHTER, BATH_MOBILE = "+8611000000001", "+8611000000002", "+8611000000003"


class Texts:
    """A town whose people have mobiles and wish text messages; its carrier is Twilio in a box."""

    def __init__(self, town: Town, patch: pytest.MonkeyPatch) -> None:
        self.town, self.box = town, TwilioBox()
        for name, value in {
            "SMS": "twilio", "TWILIO_ACCOUNT": twilio_box.ACCOUNT, "TWILIO_TOKEN": twilio_box.TOKEN,
            "TWILIO_FROM": twilio_box.SENDER, "PUBLIC_URL": "https://hotline.example",
        }.items():  # fmt: skip
            patch.setenv(f"HOTLINE_{name}", value)
        settings.settings.cache_clear()
        gateway = TwilioSms(self.box)
        patch.setattr(send_sms, "sms_gateway", lambda: gateway)
        with write() as session:
            elder = session.get_one(Elder, 1)
            elder.needs, elder.address = "右腿不便", "河畔街1号"
            put(session, 1, (Setting.SMS, "yes"), Because(Origin.AGENT), town.now)
            self._reach(session, 1, MOBILE)
            daughter = Person(name="王小梅", family_name="王", created_at=town.now)
            session.add(daughter)
            session.flush()
            self._reach(session, daughter.id, DAUGHTER)
            session.add(
                Contact(
                    person_id=daughter.id,
                    elder_id=1,
                    relation="child",
                    since=town.now,
                    may_hear_orders=True,
                    wants_sms=True,
                )
            )
            session.get_one(Provider, 1).wants_sms = True
            row = number_row(session, normalise(BATH_MOBILE))
            session.add(ProviderNumber(provider_id=1, number_id=row.id, position=5))

    @staticmethod
    def _reach(session: object, person_id: int, number: str) -> None:
        row = number_row(session, normalise(number))  # type: ignore[arg-type]
        session.add(PersonNumber(person_id=person_id, number_id=row.id, role="own", position=9))  # type: ignore[attr-defined]

    def accepted(self, **more: object) -> None:
        """An order that the first provider has taken."""
        self.town.orders(**more)  # type: ignore[arg-type]
        self.town.works()
        assert self.town.accepts()
        self.town.ended()
        self.town.works()

    def rows(self) -> dict[str, str]:
        """Template to status; but for the reminder that waits for its evening."""
        return {one.template: one.status for one in self.sent_or_due()}

    def sent_or_due(self) -> list[SmsMessage]:
        """Every message but the reminder that waits for its evening."""
        every = self.town.all(SmsMessage)
        return [one for one in every if (one.template, one.status) != ("reminder", "queued")]

    def the(self, template: str = "hand_over") -> SmsMessage:
        (one,) = [one for one in self.town.all(SmsMessage) if one.template == template]
        return one

    def reports(self, *words: str, error: str | None = None, template: str = "hand_over") -> None:
        """Twilio reports, one word after the other."""
        row = self.the(template)
        for word in words:
            status = {"delivered": SmsStatus.DELIVERED, "undelivered": SmsStatus.UNDELIVERED}.get(word, SmsStatus.SENT)
            with write() as session:
                told = CarrierSms(row.carrier_id or "SMx", "", "", status, error)
                send_sms.heard(session, row.id, told, self.town.now)

    def sweeps(self, seconds: float) -> None:
        """Time passes, and what was not heard of is asked after."""
        self.town.passes(seconds)
        send_sms.ask_after(self.town.now)
        self.town.works()


@pytest.fixture(params=["database", "postgres_database"])
def texts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Texts:
    request.getfixturevalue(request.param)
    return Texts(Town(monkeypatch), monkeypatch)


@pytest.fixture
def quick(database: Engine, monkeypatch: pytest.MonkeyPatch) -> Texts:
    """On SQLite alone: what cannot depend on the database."""
    return Texts(Town(monkeypatch), monkeypatch)


def test_who_accepts_gets_the_place_her_daughter_reads_who_comes_and_she_that_it_is_noted(texts: Texts) -> None:
    texts.town.orders()
    texts.town.works()
    assert [one.to for one in texts.box.messages] == [MOBILE]
    everything = " ".join(one.body for one in texts.box.messages)
    assert "河畔街" not in everything and "右腿" not in everything, "nobody has accepted yet"
    assert texts.town.accepts()
    texts.town.ended()
    texts.town.works()
    assert {one.to: one.body for one in texts.box.messages} == {
        MOBILE: "【12349】您的工单1001已记下：11月23日周一上午，助浴。要改请拨12349。",
        BATH_MOBILE: "【12349】工单1001：11月23日周一上午，助浴，王秀英，河畔街1号，请注意：右腿不便。"
        "到达和完成时请用老人家的电话拨12349报到。",
        DAUGHTER: "【12349】王秀英的工单1001：11月23日周一上午，康乐助浴上门，助浴。有事请拨12349。",
    }
    assert texts.rows() == {"confirmed": "sent", "hand_over": "sent", "comes": "sent"}
    assert all(one.segments for one in texts.sent_or_due())


def test_the_hour_that_she_named_is_in_every_text(quick: Texts) -> None:
    quick.accepted(wanted_at=time(9, 30))
    assert len(quick.box.messages) == 3 and all("上午 09:30，" in one.body for one in quick.box.messages)


def test_without_wish_consent_or_mobile_nobody_is_sent_anything(quick: Texts) -> None:
    with write() as session:
        put(session, 1, (Setting.SMS, "no"), Because(Origin.AGENT), quick.town.now)
        session.scalars(select(Contact)).one().may_hear_orders = False
        number = session.scalars(select(PhoneNumber).where(PhoneNumber.value == BATH_MOBILE)).one()
        session.delete(session.scalars(select(ProviderNumber).where(ProviderNumber.number_id == number.id)).one())
    quick.accepted()
    assert quick.box.requests == [] and quick.town.all(SmsMessage) == []


def test_a_health_matter_is_not_named_to_a_contact_without_that_consent(quick: Texts) -> None:
    with write() as session:
        session.scalars(select(Contact)).one().wants_sms = True
    quick.accepted(service="accompaniment")
    bodies = {one.to: one.body for one in quick.box.messages}
    assert "助医" not in bodies[DAUGHTER] and "上门服务" in bodies[DAUGHTER] and "助医" not in bodies[MOBILE]
    assert "助医" in bodies[BATH_MOBILE]


def test_an_errand_that_runs_twice_sends_once(texts: Texts) -> None:
    texts.accepted()
    for entry in texts.town.all(OutboxEntry):
        if entry.verb == "send_sms":
            with write() as session:
                session.get_one(OutboxEntry, entry.id).done_at = None
            jobs.run(entry.id)
    assert len(texts.box.messages) == 3


def test_a_worker_that_dies_before_the_request_the_carrier_does_not_have_it_and_it_is_sent_once(texts: Texts) -> None:
    texts.box.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        texts.accepted()
    killed = [one for one in texts.town.all(SmsMessage) if one.status == "sending"]
    assert len(killed) == 1 and texts.box.messages == []
    texts.town.works()
    assert [one.status for one in texts.town.all(SmsMessage)] == ["sending"], "nobody simply asks again"
    texts.sweeps(30)
    assert texts.box.messages == [], "too early to say that the carrier does not have it"
    texts.sweeps(200)
    assert [one.to for one in texts.box.messages] == [MOBILE] and texts.rows()["confirmed"] == "sent"


def test_a_worker_that_dies_after_the_request_is_found_out_at_the_carrier_and_nothing_doubles(texts: Texts) -> None:
    texts.box.loses = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        texts.accepted()
    assert texts.the("confirmed").status == "sending" and len(texts.box.messages) == 1
    texts.sweeps(200)
    assert len(texts.box.messages) == 1
    assert (texts.the("confirmed").status, texts.the("confirmed").carrier_id) == ("sent", texts.box.messages[0].sid)


def test_an_answer_that_is_lost_is_asked_for_and_a_second_question_sends_nothing(texts: Texts) -> None:
    texts.accepted()
    message_id = texts.the("comes").id
    with write() as session:
        row = session.get_one(SmsMessage, message_id)
        row.status, row.carrier_id, row.look_at = "unknown", None, texts.town.now
    del texts.box.messages[-1]
    texts.town.passes(200)
    send_sms.ask_sms(message_id)
    texts.town.works()
    assert len(texts.box.messages) == 3 and texts.the("comes").attempts == 2
    # An errand of the first doubt that comes late must not take the second request for a lost one.
    with write() as session:
        row = session.get_one(SmsMessage, message_id)
        row.status, row.carrier_id = "sending", None
    taken = texts.box.messages.pop()
    send_sms.ask_sms(message_id)
    texts.town.works()
    texts.box.messages.append(taken)
    assert texts.the("comes").status == "sending" and len(texts.box.messages) == 3


def test_a_carrier_that_never_has_it_is_not_asked_for_ever(quick: Texts) -> None:
    quick.box.takes_nothing = 500
    quick.town.orders()
    quick.town.works()
    for _ in range(settings.settings().sms_attempts):
        quick.sweeps(4000)
    assert (quick.the("confirmed").status, quick.the("confirmed").error) == ("failed", "lost")
    assert quick.the("confirmed").attempts == settings.settings().sms_attempts and quick.box.messages == []


def test_a_carrier_that_is_away_takes_no_attempt_and_the_message_goes_later(texts: Texts) -> None:
    texts.box.fails = 503
    texts.town.orders()
    texts.town.works()
    assert (texts.the("confirmed").status, texts.the("confirmed").attempts) == ("queued", 0)
    texts.town.passes(60)
    texts.town.works()
    assert texts.rows() == {"confirmed": "sent"} and len(texts.box.messages) == 1


def test_who_wishes_texts_is_reminded_by_one_and_rung_if_it_does_not_arrive(texts: Texts) -> None:
    texts.accepted(wanted_on=date(2026, 11, 24))
    reminder = texts.the("reminder")
    assert (reminder.status, reminder.due_at) == ("queued", windows.reminder_of(date(2026, 11, 24)))
    assert texts.town.all(Reminder) == []
    texts.town.now = reminder.due_at
    texts.town.works()
    assert texts.box.messages[-1].body == (
        "【12349】提醒您：11月24日周二上午，康乐助浴上门，助浴，工单1001。要改请拨12349。"
    )
    texts.reports("undelivered", error="30003", template="reminder")
    (row,) = texts.town.all(Reminder)
    assert (row.wanted_on, row.status) == (date(2026, 11, 24), "open")
    texts.town.works()
    assert texts.town.rung()[-1] == world.WANG and "sms" not in texts.town.tasks()


def test_a_refusal_is_final_and_a_number_that_has_opted_out_is_never_asked_again(quick: Texts) -> None:
    quick.accepted()
    quick.reports("undelivered", error="30006")
    assert (quick.the().status, quick.the().error) == ("undelivered", "30006")
    assert quick.town.tasks().count("sms") == 1, "the provider has no address: a person tells it"
    with read() as session:
        assert session.scalars(select(PhoneNumber).where(PhoneNumber.value == BATH_MOBILE)).one().no_sms
    with write() as session:
        assert sms.tell_elder(session, session.get_one(Order, 1), "reminder", quick.town.now) is not None
        sms.accepted(session, session.get_one(Order, 1), quick.town.now + timedelta(days=1))
    assert len([one for one in quick.town.all(SmsMessage) if one.template == "hand_over"]) == 1


@pytest.mark.parametrize("order", sorted(set(permutations(["queued", "sent", "delivered", "delivered"]))))
def test_reports_late_doubled_and_disordered_make_one_state(quick: Texts, order: tuple[str, ...]) -> None:
    """Fault 14."""
    quick.accepted()
    quick.reports(*order)
    quick.reports("undelivered")
    assert quick.the().status == "delivered" and quick.the().look_at is None


def test_a_lost_report_is_asked_for(texts: Texts) -> None:
    """Fault 14."""
    texts.accepted()
    for one in texts.box.messages:
        one.status = "delivered"
    texts.sweeps(settings.settings().sms_poll_s + 1)
    assert set(texts.rows().values()) == {"delivered"}


def test_a_report_that_overtakes_the_answer_and_one_for_a_message_thought_not_taken(quick: Texts) -> None:
    quick.box.fails = 503
    quick.town.orders()
    quick.town.works()
    quick.reports("delivered", template="confirmed")
    quick.town.passes(300)
    quick.town.works()
    assert quick.rows() == {"confirmed": "delivered"} and quick.box.messages == []


def test_in_the_quiet_hours_only_what_is_urgent_goes(quick: Texts) -> None:
    night = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)  # half past ten in Harbin
    quick.town.now = night
    quick.accepted(wanted_on=date(2026, 11, 24))
    assert quick.box.requests == []
    assert {one.due_at for one in quick.sent_or_due()} == {datetime(2026, 11, 23, 0, 0, tzinfo=UTC)}
    quick.town.passes(9.4 * 3600)
    quick.town.works()
    assert quick.box.requests == []
    quick.town.passes(0.2 * 3600)
    quick.town.works()
    assert len(quick.box.messages) == 3


def test_who_must_be_there_at_eight_reads_where_at_once(quick: Texts) -> None:
    quick.town.now = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
    quick.accepted(wanted_on=date(2026, 11, 23))
    assert [one.to for one in quick.box.messages] == [BATH_MOBILE]


@pytest.mark.parametrize(
    ("hour", "quiet", "later"),
    [(21, (21, 8), 11), (7, (21, 8), 1), (8, (21, 8), 0), (20, (21, 8), 0), (13, (12, 14), 1), (3, (0, 0), 0)],
)
def test_quiet_hours_end_in_the_morning(
    hotline_dir: object, monkeypatch: pytest.MonkeyPatch, hour: int, quiet: tuple[int, int], later: int
) -> None:
    monkeypatch.setenv("HOTLINE_SMS_QUIET", str(list(quiet)))
    settings.settings.cache_clear()
    moment = datetime(2026, 11, 22, hour, 0, tzinfo=UTC) - timedelta(hours=8)
    assert sms.after_quiet_hours(moment) - moment == timedelta(hours=later)


def test_what_does_not_hold_any_more_is_not_sent(quick: Texts) -> None:
    quick.town.now = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
    quick.accepted(wanted_on=date(2026, 11, 24))
    with write() as session:
        session.get_one(Order, 1).status = "cancelled"
    quick.town.passes(12 * 3600)
    quick.town.works()
    assert quick.box.requests == [] and set(quick.rows().values()) == {"withdrawn"}


def test_switched_off_nothing_is_written_and_what_was_is_not_sent(
    quick: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.town.now = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
    quick.town.orders(wanted_on=date(2026, 11, 24))
    quick.town.works()
    monkeypatch.setenv("HOTLINE_SMS", "off")
    settings.settings.cache_clear()
    quick.town.accepts()
    quick.town.passes(12 * 3600)
    quick.town.works()
    assert quick.rows() == {"confirmed": "withdrawn"} and quick.box.requests == []


def test_every_status_comes_to_an_end_and_no_end_is_left() -> None:
    assert not [before for before, _ in SMS_MOVES if before in FINAL]
    reachable = {SmsStatus.QUEUED}
    for _ in SmsStatus:
        reachable |= {after for before, after in SMS_MOVES if before in reachable}
    assert reachable == set(SmsStatus)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2),
        ("中" * 70, 1), ("中" * 71, 2), ("中" * 134, 2), ("中" * 135, 3), ("가" * 70, 1), ("😀" * 35, 1),
        ("😀" * 36, 2), ("😀" * 67, 3), ("", 1),
    ],
)  # fmt: skip
def test_segments_as_the_network_counts_them(text: str, parts: int) -> None:
    assert sms_text.segments(text) == parts


@pytest.mark.parametrize("language", vocabulary.LANGUAGES)
def test_every_template_in_every_language_has_no_link_and_is_short(quick: Texts, language: str) -> None:
    quick.accepted()
    with write() as session:
        elder = session.get_one(Elder, 1)
        elder.address = "see https://evil.example/x and " + "楼" * 200
        row = session.scalars(select(SmsMessage)).first()
        assert row is not None
        row.language = language
        for template in ("hand_over", "comes", "confirmed", "reminder"):
            row.template = template
            text = sms_text.render(session, row)
            assert "://" not in text and "www." not in text and "{" not in text
            assert sms_text.segments(text) <= 4
    assert {frozenset(texts) for texts in TEMPLATES.values()} == {frozenset(vocabulary.LANGUAGES)}


def test_the_oracle_knows_world_numbers_are_landlines() -> None:
    """The invented providers have landlines: a test that gives no mobile sends nothing."""
    assert normalise(world.BATH).kind == "landline"


def test_who_got_it_by_hand_is_handed_it_over_in_writing_as_one_who_pressed_1(texts: Texts) -> None:
    """Contacts read of it too; who had it, lost it and has it again is told again."""
    order_id = texts.town.orders().order_id
    for at, (provider_id, had_id) in enumerate([(1, None), (2, 1), (1, 2)], start=1):
        with transaction() as session:
            by = OrderEvent(actor="agent", actor_id=1)
            by_hand.assign(session, order_id, by_hand.Pick(provider_id, had_id=had_id), by, texts.town.now)
        comes = [one for one in texts.town.all(SmsMessage) if one.template == "comes"]
        handed = [one.provider_id for one in texts.town.all(SmsMessage) if one.template == "hand_over"]
        assert (len(comes), handed) == (at, [1, 1][: (at + 1) // 2])
