"""The rules of dispatch as stories: who is asked, what an outcome leads to, and that nothing is lost or doubled."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from dispatch import jobs
from dispatch.attempts import close_attempt
from dispatch.gateways import GatewayRefused, GatewayUnavailable, OutcomeUnknown
from dispatch.offers import offer_order
from dispatch.sweep import Sweeper, reconcile, sweep
from models import register
from models.calls import Call, CallEnd
from models.dialing import Attempt, Callback, Offer, Outcome
from models.orders import Order, OrderEvent
from models.outbox import OutboxEntry
from models.phone import normalise
from models.providers import Provider
from models.register import NewProvider
from models.session import write
from models.settings import settings
from tests.dispatch.town import Town
from tests.support import world

NO_SUCH_NUMBER, NORMAL, BUSY, NO_ANSWER, REJECTED, UNAVAILABLE = 1, 16, 17, 19, 21, 34


def test_the_same_key_never_makes_two_orders(town: Town) -> None:
    assert town.orders().created
    again = town.orders(service="meals")
    assert not again.created and town.order().service == "bathing"
    assert len(town.all(OutboxEntry)) == 1


def test_the_same_request_while_it_is_expected_is_the_same_order(town: Town) -> None:
    first = town.orders(key="one")
    assert town.orders(key="two").order_id == first.order_id
    assert town.orders(key="three", wanted_part="afternoon").created
    assert town.orders(key="four", wanted_on=date(2026, 11, 24)).created
    assert town.orders(key="five", elder_id=2).created
    with write() as session:
        session.get_one(Order, first.order_id).status = "cancelled"
    assert town.orders(key="six").created


@pytest.mark.parametrize("more", [{"service": "gold"}, {"wanted_part": "night"}])
def test_what_is_not_in_the_vocabulary_is_no_order(town: Town, more: dict[str, str]) -> None:
    with pytest.raises(KeyError):
        town.orders(**more)
    assert town.all(Order) == [] and town.all(OutboxEntry) == []


def test_a_provider_accepts_and_the_elder_is_told(town: Town) -> None:
    town.orders()
    town.works()
    assert town.rung() == [world.BATH]
    assert town.accepts()
    town.ended()
    town.works()
    assert town.order().status == "accepted"
    assert town.rung() == [world.BATH, world.WANG]
    town.confirms()
    assert [c.status for c in town.all(Callback)] == ["confirmed"]
    assert town.tasks() == [] and town.open_attempts() == 0
    assert [(e.from_status, e.to_status) for e in town.all(OrderEvent)] == [
        (None, "confirmed"), ("confirmed", "offered"), ("offered", "accepted")
    ]  # fmt: skip


@pytest.mark.parametrize("cause", [NO_SUCH_NUMBER, NORMAL, BUSY, NO_ANSWER, REJECTED])
def test_who_is_not_reached_is_followed_by_the_next_and_nobody_left_is_a_task(town: Town, cause: int) -> None:
    town.orders()
    for _ in range(3):
        town.works()
        town.hangs_up(cause)
    town.works()
    assert town.rung() == [world.BATH, world.CARE, world.HELP]
    assert town.order().status == "needs_agent"
    assert town.tasks() == ["no_provider"]
    assert [o.status for o in town.all(Offer)] == ["expired"] * 3


def test_a_decline_asks_the_next(town: Town) -> None:
    town.orders()
    town.works()
    town.declines()
    town.works()
    assert [o.status for o in town.all(Offer)] == ["declined", "open"]
    assert town.rung() == [world.BATH, world.CARE]


def test_a_fault_of_the_trunk_is_tried_again_at_the_same_provider_and_not_for_ever(town: Town) -> None:
    town.orders()
    for tries in range(6):
        town.works()
        assert town.rung() == [world.BATH] * (tries + 1)
        town.hangs_up(UNAVAILABLE)
        town.works()
        assert len(town.rung()) == tries + 1 or tries == 5, "the retry waits"
        town.passes(5)
    town.works()
    assert town.rung()[-1] == world.CARE


@pytest.mark.parametrize("number", ["120", "12345", "+12125550100", "+8616812345"])
def test_short_codes_and_foreign_numbers_are_never_dialled_and_the_next_number_is(town: Town, number: str) -> None:
    with write() as session:
        for provider in session.scalars(select(Provider)):
            provider.paused_until = town.now.replace(year=2030)
        numbers = [normalise(number), normalise(world.CARE)]
        register.add_provider(session, NewProvider("新", numbers, ["bathing"]), town.now)
    town.orders()
    town.works()
    assert town.rung() == [world.CARE]
    assert [a.outcome for a in town.all(Attempt)] == ["refused", None]


def test_a_provider_is_asked_for_what_it_does_where_it_works(town: Town) -> None:
    with write() as session:
        for provider in session.scalars(select(Provider)):
            provider.paused_until = town.now.replace(year=2030)
        here, far = register.area_at(session, "道里区"), register.area_at(session, "道外区")
        assert here and far
        new = [
            NewProvider("远", [normalise(world.BATH)], ["bathing"], areas=[far]),
            NewProvider("别的", [normalise(world.BATH)], ["meals"]),
            NewProvider("无电话", [], ["bathing"]),
            NewProvider("近", [normalise(world.HELP)], ["bathing"], areas=[here], position=9),
        ]
        for one in new:
            register.add_provider(session, one, town.now)
    town.orders()
    town.works()
    assert town.rung() == [world.HELP]


def test_a_government_enquiry_is_never_put_to_a_provider(town: Town) -> None:
    town.orders(service="government")
    town.works()
    assert town.rung() == [] and town.tasks() == ["no_provider"]


def test_her_callback_is_tried_three_times_counted_from_dialling(town: Town) -> None:
    town.orders()
    town.works()
    town.accepts()
    town.ended()
    # Nothing rings while Asterisk is away: hours in the queue use up no attempt.
    town.gateway.not_ready = GatewayUnavailable("away")
    for _ in range(20):
        town.works()
        town.passes(60)
    town.gateway.not_ready = None
    for tries in range(3):
        town.works()
        assert town.rung().count(world.WANG) == tries + 1
        town.hangs_up(NO_ANSWER)
        town.works()
        assert town.rung().count(world.WANG) == tries + 1, "ten minutes lie between"
        town.passes(600)
    town.works()
    assert town.rung().count(world.WANG) == 3
    assert town.tasks().count("callback") == 1
    assert [c.status for c in town.all(Callback)] == ["failed"]


def test_a_number_that_does_not_exist_is_not_rung_again(town: Town) -> None:
    town.orders()
    town.works()
    town.accepts()
    town.ended()
    town.works()
    town.hangs_up(NO_SUCH_NUMBER)
    assert town.tasks() == ["callback"]


def test_nobody_is_rung_while_talking_to_us(town: Town) -> None:
    call = town.inbound(world.BATH)
    town.orders()
    town.works()
    assert town.rung() == [] and town.attempt().status == "due"
    with write() as session:
        session.get_one(Call, call.id).ended_at = town.now
    town.passes(5)
    town.works()
    assert town.rung() == [world.BATH]


def test_an_asterisk_that_is_away_leaves_the_attempt_due_and_tells_a_person(town: Town) -> None:
    town.gateway.not_ready = GatewayUnavailable("away")
    town.orders()
    pauses = []
    for _ in range(6):
        town.works()
        entry = town.all(OutboxEntry)[-1]
        pauses.append((entry.due_at - town.now).total_seconds())
        town.now = entry.due_at
    assert town.attempt().status == "due" and town.all(Call) == []
    assert pauses == sorted(pauses) and pauses[0] < pauses[-1] <= jobs.LONGEST_PAUSE_S
    assert town.tasks() == ["fault"]
    town.gateway.not_ready = None
    town.works()
    assert town.rung() == [world.BATH]


@pytest.mark.parametrize("error", [GatewayRefused("no"), GatewayUnavailable("gone between ready and ring")])
def test_a_refusal_ends_call_and_attempt_and_is_tried_again(town: Town, error: Exception) -> None:
    town.gateway.ringing_fails = error  # type: ignore[assignment]
    town.orders()
    town.works()
    assert [a.outcome for a in town.all(Attempt)] == ["congestion", None]
    assert [c.end for c in town.all(Call)] == ["not_answered"], "an open call would keep the number engaged"
    town.gateway.ringing_fails = None
    town.passes(5)
    town.works()
    assert town.rung() == [world.BATH]


def test_an_unknown_outcome_is_never_dialled_again_before_it_is_reconciled(town: Town) -> None:
    town.gateway.ringing_fails = OutcomeUnknown("cut")
    town.orders()
    town.works()
    first = town.attempt()
    town.gateway.ringing_fails = None
    for _ in range(10):
        town.passes(60)
        jobs.run(town.all(OutboxEntry)[1].id)
        town.works()
    assert town.rung() == [] and town.attempt().status == "dialing"
    reconcile({first.channel_id})
    assert town.attempt().status == "dialing", "Asterisk has it: it is ringing"
    reconcile(set())
    assert [a.outcome for a in town.all(Attempt)] == ["lost", None]
    town.passes(5)
    town.works()
    assert town.rung() == [world.BATH]


def test_a_job_may_run_twice_early_late_and_for_nothing(town: Town) -> None:
    town.orders()
    (entry,) = town.all(OutboxEntry)
    for _ in range(3):
        jobs.run(entry.id)
    jobs.run(99_999)
    assert len(town.all(Offer)) == 1 and len(town.all(Attempt)) == 1
    offer_order(town.order().id)
    dial_entry = town.all(OutboxEntry)[-1]
    jobs.run(dial_entry.id)
    with write() as session:
        session.get_one(OutboxEntry, dial_entry.id).done_at = None
    jobs.run(dial_entry.id)
    assert town.rung() == [world.BATH]
    # Nor when it is all over and its retry is only due later.
    town.hangs_up(UNAVAILABLE)
    with write() as session:
        session.get_one(OutboxEntry, dial_entry.id).done_at = None
    jobs.run(dial_entry.id)
    assert town.rung() == [world.BATH]
    assert [entry.failures for entry in town.all(OutboxEntry)] == [0, 0, 0]


def test_an_errand_that_nobody_knows_becomes_a_fault_and_is_kept(town: Town) -> None:
    with write() as session:
        session.add(OutboxEntry(verb="no_such", subject_id=1, created_at=town.now, due_at=town.now))
    for _ in range(7):
        town.works()
        town.passes(100)
    (entry,) = town.all(OutboxEntry)
    assert entry.done_at is None and entry.failures == 7
    assert town.tasks() == ["fault"]


def test_answered_and_then_gone_without_a_word_is_a_fault_of_ours_and_the_same_provider_is_rung_again(
    town: Town,
) -> None:
    """Asterisk and the conversation died together: nobody could write how it ended."""
    town.orders()
    town.works()
    town.answers(lambda session, row: None)
    town.ended()
    town.passes(60)
    sweep()
    assert town.all(Attempt)[0].outcome == "lost" and town.all(Offer)[0].status == "open"
    town.passes(settings().transient_retry_s)
    town.works()
    assert town.rung() == [world.BATH, world.BATH], "not the next one: nobody has heard this one's answer"
    assert town.accepts() and town.order().provider_id == town.all(Offer)[0].provider_id


def test_whoever_presses_nothing_is_not_rung_again_but_the_next_one_is(town: Town) -> None:
    town.orders()
    town.works()
    town.answers(lambda session, row: close_attempt(session, row, Outcome.NO_KEY, town.now))
    town.ended()
    town.works()
    assert town.rung() == [world.BATH, world.CARE]


def test_a_lost_inbound_call_becomes_a_task_and_a_living_one_does_not(town: Town) -> None:
    call = town.inbound()
    town.passes(60)
    reconcile({call.channel_id})
    assert town.all(Call)[0].ended_at is None
    reconcile(set())
    reconcile(set())
    assert town.all(Call)[0].end == CallEnd.LOST
    assert town.tasks() == ["partial"]


@pytest.mark.parametrize(("channels", "asked_after_s"), [(3, [0, 2, 4, 6, 8, 10]), (200, [0, 6]), (9000, [0, 10])])
def test_a_busy_asterisk_is_asked_for_all_its_channels_less_often(
    town: Town, monkeypatch: pytest.MonkeyPatch, channels: int, asked_after_s: list[int]
) -> None:
    clock, asked = SimpleNamespace(s=0.0), []
    monkeypatch.setattr("dispatch.sweep.time", SimpleNamespace(monotonic=lambda: clock.s))

    def living() -> list[str]:
        asked.append(int(clock.s))
        return [f"1.{number}" for number in range(channels)]

    monkeypatch.setattr(town.gateway, "living", living)
    sweeper = Sweeper()
    for clock.s in range(0, 12, 2):
        sweeper.round()
    assert asked == asked_after_s


def test_an_asterisk_that_does_not_answer_has_nothing_declared_lost(town: Town) -> None:
    town.orders()
    town.works()
    town.inbound()
    town.passes(3600)
    town.gateway.not_ready = GatewayUnavailable("away")
    sweep()
    assert town.attempt().status == "dialing" and all(c.ended_at is None for c in town.all(Call))
