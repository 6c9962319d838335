"""The day after: she is asked how it was, in one call for all that was done; what is bad, or unasked, a person has."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import delete, true

from dispatch import orphans, returns, visits
from dispatch.attempts import close_attempt
from dispatch.changes import Wanted
from dispatch.outbox import transaction
from dispatch.returns import Said
from ivr.matters import matters
from models import deadlines, windows
from models.calls import Call
from models.clock import local
from models.dialing import Attempt, Callback, Offer, Outcome
from models.followups import ReturnVisit, ReturnVisitQuestion
from models.orders import Order, OrderEvent
from models.ratings import OrderRating
from models.session import read, write
from models.tasks import Task
from tests.dispatch.town import Town
from tests.support import world
from tests.support.oracle import problems

NO_ANSWER = 19  # Q.850
MONDAY = date(2026, 11, 23)
DAY = timedelta(days=1)


def wednesday(hour: int, minute: int = 0) -> datetime:
    """A moment of 2026-11-25 in Harbin."""
    return datetime(2026, 11, 25, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def done(town: Town, *services: str) -> list[int]:
    """王秀英 has had these services this Wednesday morning; returns the orders."""
    town.now = wednesday(8)
    ids = []
    for service in services or ("bathing",):
        order_id = town.orders(service=service, key=service, wanted_on=date(2026, 11, 25)).order_id
        town.is_agreed()
        ids.append(order_id)
    for order_id in ids:
        assert town.reports(order_id) == "done"
    return ids


def the_next_day(town: Town) -> None:
    town.now = wednesday(9) + DAY
    town.works()


def says_nothing(town: Town) -> None:
    """Somebody or something has answered, and the call has ended without an answer."""
    with write() as session:
        close_attempt(session, session.get_one(Attempt, town.attempt().id), Outcome.NO_KEY, town.now)
    town.ended()


def clean() -> list[str]:
    with read() as session:
        return problems(session)


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ((2026, 11, 25, 9, 30), "2026-11-25 09:30"),  # a Wednesday
        ((2026, 11, 25, 12, 0), "2026-11-25 14:00"),  # the midday rest
        ((2026, 11, 25, 18, 0), "2026-11-26 09:00"),
        ((2026, 11, 27, 20, 0), "2026-11-30 09:00"),  # the weekend
        ((2026, 10, 1, 10, 0), "2026-10-08 09:00"),  # the national holiday
        ((2026, 10, 10, 10, 0), "2026-10-10 10:00"),  # a Saturday that is worked for it
    ],
)
def test_elders_are_rung_in_the_daytime_of_workdays(hotline_dir: object, moment: tuple[int, ...], due: str) -> None:
    year, month, day, hour, minute = moment
    at = windows.at(date(year, month, day), time(hour, minute))
    assert f"{local(windows.return_visit(at)):%Y-%m-%d %H:%M}" == due


def test_a_friday_is_asked_about_on_monday_and_is_not_late_before(hotline_dir: object) -> None:
    friday = windows.at(date(2026, 11, 27), time(10))
    assert local(windows.return_visit_after(friday)).date() == date(2026, 11, 30)
    slot = deadlines.Slot("bathing", date(2026, 11, 27), "morning")
    assert deadlines.clock(deadlines.Stage.RETURN_VISIT, slot, friday).due_at == windows.at(date(2026, 12, 1), time(9))


def test_with_the_completion_the_return_visit_is_written_and_she_is_rung_the_day_after(town: Town) -> None:
    done(town)
    (visit,) = town.all(ReturnVisit)
    assert (visit.status, visit.asked_on) == ("open", date(2026, 11, 26)) and clean() == []
    town.passes(3600)
    town.works()
    assert town.rung() == [world.BATH, world.WANG]
    the_next_day(town)
    assert town.rung() == [world.BATH, world.WANG, world.WANG]
    call = town.all(Call)[-1]
    assert (call.purpose, call.elder_id, town.gateway.rung[-1].context) == ("return_visit", 1, "return_visit")
    assert town.says_how_it_was(5) == "well"
    town.ended()
    assert town.order().status == "settled" and town.tasks() == [] and clean() == []
    assert [(m.to_status, m.actor) for m in town.all(OrderEvent)][-2:] == [
        ("return_visited", "elder"),
        ("settled", "system"),
    ]
    (rating,) = town.all(OrderRating)
    assert (rating.score, rating.provider_id) == (5, 1)
    assert [a.outcome for a in town.all(Attempt)][-1] == "confirmed"
    assert town.all(ReturnVisit)[0].status == "done"


def test_all_that_was_done_on_one_day_is_one_call(town: Town) -> None:
    bath, meals = done(town, "bathing", "meals")
    (visit,) = town.all(ReturnVisit)
    assert [q.order_id for q in town.all(ReturnVisitQuestion)] == [bath, meals]
    the_next_day(town)
    town.says_how_it_was(4)
    # She hangs up after the first: only the second is asked the next time.
    says_nothing(town)
    assert {o.id: o.status for o in town.all(Order)} == {bath: "settled", meals: "completed"} and clean() == []
    town.passes(5 * 3600)
    town.works()
    assert town.says_how_it_was(5) == "well"
    assert {o.status for o in town.all(Order)} == {"settled"} and clean() == []
    assert town.all(ReturnVisit)[0].status == "done" and town.rung().count(world.WANG) == 4, (visit, town.rung())


def test_what_was_bad_is_a_persons_matter_and_is_done_again_by_somebody_else(town: Town) -> None:
    (order_id,) = done(town)
    the_next_day(town)
    assert town.says_how_it_was(1) == "low"
    town.ended()
    assert town.order().status == "return_visited" and town.tasks() == ["dissatisfied"] and clean() == []
    with write() as session:
        by = OrderEvent(actor="agent", actor_id=None)
        assert returns.reopen(session, order_id, Wanted(date(2026, 11, 30), "morning"), by, town.now)
        assert returns.reopen(session, order_id, Wanted(date(2026, 11, 30), "morning"), by, town.now), "the same twice"
    town.works()
    assert town.order().status == "offered" and [o.provider_id for o in town.all(Offer)] == [1, 2]
    assert clean() == []


def test_the_same_provider_is_not_preferred_when_an_agent_has_it_done_again(town: Town) -> None:
    (order_id,) = done(town)
    town.passes(3600)
    with write() as session:
        assert returns.reopen(
            session, order_id, Wanted(MONDAY + 7 * DAY, "morning"), OrderEvent(actor="agent"), town.now
        )
    town.works()
    newest = town.all(Offer)[-1]
    assert newest.provider_id == 2
    assert {one["provider_id"]: one["why"].get("again") for one in newest.reasons["others"]}[1] == -50
    assert [v.status for v in town.all(ReturnVisit)] == ["withdrawn"] and clean() == []
    # Where nobody else takes it, it may come again; and she is told again who comes.
    for _ in range(2):
        town.declines()
        town.ended()
        town.works()
    assert [o.provider_id for o in town.all(Offer)][-1] == 1 and town.accepts()
    town.ended()
    town.works()
    (again,) = [c for c in town.all(Callback) if c.provider_id == 1]
    assert (again.round, again.status) == (2, "open") and town.rung()[-1] == world.WANG and clean() == []
    town.confirms()
    assert clean() == []
    assert town.reports(order_id) == "done" and len(town.all(ReturnVisit)) == 2 and clean() == []


def test_a_machine_or_silence_is_no_return_visit_and_after_three_an_agent_asks(town: Town) -> None:
    (order_id,) = done(town)
    the_next_day(town)
    for number in range(3):
        assert town.all(ReturnVisit)[0].status == "open", number
        if number == 1:
            town.answers(lambda session, row: None)
            says_nothing(town)
        else:
            town.hangs_up(NO_ANSWER)
        town.ended()
        for attempt in town.all(Attempt):
            if attempt.status == "due":
                assert attempt.due_at - town.now >= timedelta(hours=2)
                town.now = attempt.due_at
        town.works()
    (visit,) = town.all(ReturnVisit)
    assert visit.status == "failed" and town.tasks() == ["unreachable"] and town.all(Task)[0].order_id == order_id
    assert town.order().status == "completed" and clean() == []
    # Now she rings by herself: the return visit goes on where it stood.
    with write() as session:
        asked = matters(session, 1, town.now).asked
        assert asked is not None and [order.order_id for order in asked.orders] == [order_id]
        call = Call(
            channel_id="hers", direction="in", purpose="inbound", state="talking", elder_id=1, started_at=town.now
        )
        session.add(call)
        session.flush()
        assert returns.hear(session, Said(order_id, 4, call.id), town.now) == "well"
    assert town.order().status == "settled" and town.all(Task)[0].result == "not_needed" and clean() == []
    with read() as session:
        assert matters(session, 1, town.now).asked is None


def test_whoever_rates_by_herself_is_not_asked_again(town: Town) -> None:
    (order_id,) = done(town)
    call = town.inbound(channel="rates")
    with write() as session:
        assert returns.hear(session, Said(order_id, 3, call.id), town.now) == "well"
        # The key arrives a second time.
        assert returns.hear(session, Said(order_id, 3, call.id), town.now) == "well"
    town.ended()
    the_next_day(town)
    assert town.rung() == [world.BATH, world.WANG] and town.order().status == "settled" and clean() == []


def test_what_somebody_else_says_for_her_is_no_return_visit(town: Town) -> None:
    (order_id,) = done(town)
    call = town.inbound(channel="daughter")
    with write() as session:
        returns.hear(session, Said(order_id, 2, call.id, herself=False), town.now)
    assert town.order().status == "completed" and town.tasks() == ["dissatisfied"]
    assert town.all(ReturnVisit)[0].status == "open" and clean() == []


def test_an_order_completed_without_a_return_visit_is_found(town: Town) -> None:
    (order_id,) = done(town)
    with write() as session:
        for kind in (Attempt, ReturnVisitQuestion, ReturnVisit):
            link = Attempt.return_visit_id.is_not(None) if kind is Attempt else true()
            session.execute(delete(kind).where(link))
    assert clean() != []
    town.passes(60)
    assert orphans.adopt(town.now) >= 1
    assert clean() == [] and [q.order_id for q in town.all(ReturnVisitQuestion)] == [order_id]
    assert orphans.adopt(town.now) == 0


def test_a_late_errand_does_not_ring_her_in_the_evening(town: Town) -> None:
    done(town)
    town.now = wednesday(20) + DAY
    town.works()
    assert town.rung() == [world.BATH, world.WANG]
    town.now = wednesday(9) + 2 * DAY
    town.works()
    assert town.rung()[-1] == world.WANG and len(town.rung()) == 3


def test_an_agent_closes_what_could_not_be_asked(town: Town) -> None:
    (order_id,) = done(town)
    with write() as session:
        assert returns.conclude(session, order_id, OrderEvent(actor="agent"), town.now)
        assert returns.conclude(session, order_id, OrderEvent(actor="agent"), town.now)
    assert town.order().status == "settled" and town.all(ReturnVisit)[0].status == "withdrawn" and clean() == []


def test_two_of_her_orders_completed_at_once_make_one_call_on_postgresql(postgres_town: Town) -> None:
    town = postgres_town
    town.now = wednesday(8)
    ids = []
    for service in ("bathing", "meals"):
        ids.append(town.orders(service=service, key=service, wanted_on=date(2026, 11, 25)).order_id)
        town.is_agreed()
    worker_id, both = town.worker(), threading.Barrier(2)
    calls = [town.inbound(channel=f"worker-{order_id}").id for order_id in ids]
    with write() as session:
        for order_id in ids:
            session.get_one(Order, order_id).provider_id = 1  # both are hers

    def reports(order_id: int, call_id: int) -> None:
        both.wait(5)
        with transaction() as session:
            visits.report(session, visits.Report(order_id, worker_id, "done", call_id), town.now)

    threads = [threading.Thread(target=reports, args=pair) for pair in zip(ids, calls, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(town.all(ReturnVisit)) == 1 and len(town.all(ReturnVisitQuestion)) == 2
    town.ended()
    the_next_day(town)
    assert [town.says_how_it_was(score) for score in (5, 1)] == ["well", "low"]
    town.ended()
    assert town.rung().count(world.WANG) == 3
    assert [one for one in clean() if "won by" not in one] == []
