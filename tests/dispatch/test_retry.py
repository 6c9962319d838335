"""Each outcome has its own retry rule, each trunk its own causes: data. Numbers that are dead, forbidden, engaged."""

from __future__ import annotations

import json
import threading

import pytest
from sqlalchemy import select

from dispatch import events, jobs, limits, outbox, retry
from dispatch.attempts import close_attempt
from dispatch.retry import End
from hotline.doctor_service import dialling
from models import register
from models.dialing import Attempt, Callback, Outcome
from models.outbox import OutboxEntry
from models.people import PhoneNumber
from models.phone import NumberKind, normalise
from models.providers import Provider
from models.register import NewElder, NewProvider
from models.session import write
from models.settings import settings
from tests.dispatch.town import Town
from tests.support import world

NO_SUCH_NUMBER, BUSY, NO_ANSWER, SWITCHED_OFF, UNAVAILABLE = 1, 17, 19, 20, 34


def configure(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    """Settings of this test, as the environment gives them."""
    for name, value in values.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value if isinstance(value, str) else json.dumps(value))
    settings.cache_clear()


def accepted(town: Town) -> None:
    """An order is accepted; she is to be told."""
    town.orders()
    town.works()
    town.accepts()
    town.ended()
    town.works()


def waits(town: Town) -> float:
    """How long until the newest attempt is dialled (s)."""
    return (town.attempt().due_at - town.now).total_seconds()


@pytest.mark.parametrize(
    ("cause", "pause"), [(BUSY, 120), (NO_ANSWER, 600), (SWITCHED_OFF, 600), (UNAVAILABLE, 5)]
)  # fmt: skip
def test_each_outcome_waits_in_its_own_way(town: Town, cause: int, pause: int) -> None:
    accepted(town)
    town.hangs_up(cause)
    assert town.attempt().status == "due" and waits(town) == pause


def test_a_machine_is_rung_again_later_and_never_counts_as_told(town: Town) -> None:
    accepted(town)
    town.answers(lambda session, row: close_attempt(session, row, Outcome.NO_KEY, town.now))
    assert town.all(Attempt)[1].outcome == "no_key" and waits(town) == 600
    assert [c.status for c in town.all(Callback)] == ["open"]


def test_a_rule_is_changed_by_a_setting(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {"offer.busy": {"number": "same", "times": 2, "pause_s": 30}}
    configure(monkeypatch, RETRY_RULES=changed)
    town.orders()
    for tries in range(3):
        town.works()
        assert town.rung() == [world.BATH] * (tries + 1)
        town.hangs_up(BUSY)
        town.works()
        assert len(town.rung()) == tries + 1 + (tries == 2)
        town.passes(30)
    town.works()
    assert town.rung()[-1] == world.CARE


@pytest.mark.parametrize("wrong", [{"offer.busy": {"often": 3}}, {"offer.busy": {"number": "any"}}, {"offer.gone": {}}])
def test_what_is_no_rule_is_said_by_the_doctor(
    town: Town, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, object]
) -> None:
    assert [f.status for f in dialling(settings())] == ["ok"]
    configure(monkeypatch, RETRY_RULES=wrong)
    assert [f.status for f in dialling(settings())] == ["failed"]


def test_a_trunk_that_says_it_differently_has_its_own_table(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    assert retry.outcome_of(End(SWITCHED_OFF, 480)) == Outcome.NO_ANSWER
    configure(monkeypatch, TRUNK_CAUSES={"trunk": {"20": "invalid", "486": "no_answer", "0": "congestion"}})
    assert retry.outcome_of(End(SWITCHED_OFF)) == Outcome.INVALID
    assert retry.outcome_of(End(BUSY)) == Outcome.BUSY and retry.outcome_of(End(BUSY, 486)) == Outcome.NO_ANSWER
    assert retry.outcome_of(End(99)) == Outcome.CONGESTION, "0 is for what no table knows"
    assert retry.outcome_of(End(99), trunk="another") == retry.UNKNOWN_CAUSE
    assert "20 → invalid" in next(iter(dialling(settings()))).detail
    configure(monkeypatch, TRUNK_CAUSES={"trunk": {"20": "accepted"}})
    assert [f.status for f in dialling(settings())] == ["failed"], "no cause may ever count as an answer"


def test_the_sip_answer_reaches_the_table(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, TRUNK_CAUSES={"trunk": {"480": "invalid"}})
    town.orders()
    town.works()
    hangup = {"Event": "Hangup", "Uniqueid": town.attempt().channel_id, "Cause": "19", "TechCause": "480"}
    events.handle(hangup)
    assert town.all(Attempt)[0].outcome == "invalid"


def test_a_trunk_that_tells_a_dead_number_in_a_voice_has_that_in_its_table(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert retry.outcome_of(End(NO_SUCH_NUMBER, 480, early=True)) == Outcome.INVALID, "a Reason header says it"
    assert retry.outcome_of(End(NO_ANSWER, 480, early=True)) == Outcome.NO_ANSWER
    configure(monkeypatch, TRUNK_CAUSES={"trunk": {"early 480": "invalid", "early 21": "busy"}})
    assert retry.outcome_of(End(NO_ANSWER, 480, early=True)) == Outcome.INVALID
    assert retry.outcome_of(End(NO_ANSWER, 480)) == Outcome.NO_ANSWER
    assert retry.outcome_of(End(21, 603, early=True)) == Outcome.BUSY
    assert retry.outcome_of(End(26, 480, early=True)) == Outcome.TOO_LATE, "we have broken it off ourselves"
    assert "early 480 → invalid" in next(iter(dialling(settings()))).detail
    configure(monkeypatch, TRUNK_CAUSES={"trunk": {"late 480": "invalid"}})
    assert [f.status for f in dialling(settings())] == ["failed"]


@pytest.mark.parametrize(("spoken", "after_s", "outcome"), [(True, 5, "invalid"), (False, 5, "no_answer"),
                                                             (True, 30, "no_answer")])  # fmt: skip
def test_an_announcement_counts_until_our_own_ring_time_is_over(
    town: Town, monkeypatch: pytest.MonkeyPatch, spoken: bool, after_s: int, outcome: str
) -> None:
    configure(monkeypatch, TRUNK_CAUSES={"trunk": {"early 487": "invalid"}}, OFFER_RING_S=25)
    town.orders()
    town.works()
    channel = town.attempt().channel_id
    if spoken:
        events.handle({"Event": "DialState", "DialStatus": "PROGRESS", "DestUniqueid": channel})
    town.passes(after_s)
    events.handle({"Event": "Hangup", "Uniqueid": channel, "Cause": "127", "TechCause": "487"})
    assert town.all(Attempt)[0].outcome == outcome


def test_a_dead_number_is_noticed_skipped_reported_and_lives_again_when_it_rings_us(town: Town) -> None:
    for number in range(3):
        town.passes(5)
        town.orders(key=f"k{number}", service=["bathing", "meals", "cleaning"][number])
        town.works()
        assert town.rung()[-1] == world.BATH
        town.hangs_up(NO_SUCH_NUMBER)
        assert town.tasks() == ["dead_number"] * (number == 2)
        town.works()
        town.hangs_up(NO_ANSWER)
        town.works()
        town.hangs_up(NO_ANSWER)
        town.works()
        for task in town.tasks():
            assert task in ("dead_number", "no_provider")
        with write() as session:
            for row in session.scalars(select(Provider)):
                row.paused_until = None
        break_tasks(town)
    town.passes(5)
    town.orders(key="again", service="repairs")
    town.works()
    assert town.rung()[-1] == world.CARE, "the dead number is skipped"
    town.hangs_up(NO_ANSWER)
    town.passes(10)
    town.inbound(world.BATH)
    town.ended()
    town.orders(key="at last", service="companionship")
    town.works()
    assert world.BATH in town.rung()[-2:], "whoever rings us lives"


def break_tasks(town: Town) -> None:
    """Tasks about orders without a provider are none of this story's."""
    from models.tasks import Task

    with write() as session:
        for task in session.scalars(select(Task).where(Task.kind == "no_provider")):
            session.delete(task)


def test_a_fault_of_the_trunk_says_nothing_about_a_number(town: Town) -> None:
    town.orders()
    for cause in (NO_SUCH_NUMBER,):
        town.works()
        town.hangs_up(cause)
    with write() as session:
        bath = session.scalars(select(PhoneNumber).where(PhoneNumber.value == world.BATH)).one()
        assert bath.dead_since is None and not limits.is_dead(session, bath, town.now)


@pytest.mark.parametrize(
    ("value", "kind"),
    [("110", "short_code"), ("120", "short_code"), ("12345", "short_code"), ("+12125550100", "foreign"),
     ("+86451120", "landline"), ("+8610110", "landline"), ("+8616812345", "landline"), ("+8616012345", "mobile")],
)  # fmt: skip
def test_emergency_premium_and_foreign_numbers_are_never_dialled_by_a_rule(
    hotline_dir: object, value: str, kind: str
) -> None:
    assert not limits.may_be_dialled(PhoneNumber(value=value, kind=kind))


def test_exceptions_are_settings(hotline_dir: object, monkeypatch: pytest.MonkeyPatch) -> None:
    abroad, own = PhoneNumber(value="+85221234567", kind="foreign"), PhoneNumber(value="12345", kind="short_code")
    home = PhoneNumber(value=world.WANG, kind=NumberKind.LANDLINE)
    assert [limits.may_be_dialled(n) for n in (abroad, own, home)] == [False, False, True]
    configure(monkeypatch, DIAL_COUNTRIES=["+852"], DIAL_ALLOWED=["12345"], DIAL_NEVER=["+8645110000"])
    assert [limits.may_be_dialled(n) for n in (abroad, own, home)] == [True, True, False]


def test_calls_a_second_and_channels_are_kept_by_all_workers_together(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, TRUNK_CALLS_PER_S=2, TRUNK_CHANNELS=3)
    many_orders(town, 6)
    town.works()
    assert len(town.rung()) == 2, "two in this second"
    town.works()
    assert len(town.rung()) == 2
    town.passes(1)
    town.works()
    assert len(town.rung()) == 3, "and three at once"
    town.passes(5)
    town.works()
    assert len(town.rung()) == 3
    town.ended()
    town.passes(1)
    town.works()
    assert len(town.rung()) == 5
    assert all(attempt.outcome is None for attempt in town.all(Attempt)), "waiting uses up no attempt"


def test_a_clock_set_back_does_not_close_the_trunk(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, TRUNK_CALLS_PER_S=1)
    many_orders(town, 2)
    town.works()
    town.passes(-3600)
    outbox.after_a_clock_set_back(town.now)
    town.passes(1)
    town.works()
    assert len(town.rung()) == 2


def test_two_workers_keep_the_limit_on_postgresql(postgres_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town = postgres_town
    configure(monkeypatch, TRUNK_CALLS_PER_S=2)
    many_orders(town, 6)
    for entry in town.all(OutboxEntry):
        jobs.run(entry.id)
    dials = [entry.id for entry in town.all(OutboxEntry) if entry.verb == "dial"]
    together = threading.Barrier(len(dials))

    def work(entry_id: int) -> None:
        together.wait(5)
        jobs.run(entry_id)

    threads = [threading.Thread(target=work, args=(entry_id,)) for entry_id in dials]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(dials) == 6 and len(town.rung()) == 2


def many_orders(town: Town, count: int) -> None:
    """So many elders order, each served by a provider of her own."""
    services = ("meals", "bathing", "cleaning", "accompaniment", "repairs", "companionship")
    with write() as session:
        for provider in session.scalars(select(Provider)):
            provider.paused_until = town.now.replace(year=2030)
        for n in range(count):
            number = normalise(f"+86451100003{n:02}")
            register.add_provider(session, NewProvider(f"{n}", [number], [services[n]]), town.now)
    for n in range(count):
        town.orders(key=f"many{n}", service=services[n])


def test_an_elder_with_two_telephones_is_rung_on_one_at_a_time(town: Town) -> None:
    with write() as session:
        numbers = [normalise("+8645110000301"), normalise("+8645110000302")]
        elder = register.add_elder(session, NewElder("孙", numbers, area=None), town.now)
    elder_id = elder.id
    for n, service in enumerate(("meals", "repairs")):
        town.orders(key=f"s{n}", elder_id=elder_id, service=service)
        town.works()
        town.accepts()
        for call in town.gateway.rung:
            if call.context == "offer":
                town.over(call.channel_id)
    # The second order's callback would ring her other telephone.
    with write() as session:
        last = session.scalars(select(Attempt).where(Attempt.callback_id.is_not(None)).order_by(Attempt.id)).all()[-1]
        last.number_id = session.scalars(select(PhoneNumber.id).where(PhoneNumber.value == numbers[1].value)).one()
    town.works()
    assert [n for n in town.rung() if n in {one.value for one in numbers}] == [numbers[0].value]
