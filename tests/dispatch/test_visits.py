"""What a worker's telephone proves, that a report is written once and never for somebody else's order; missed news."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from agents.course import order_course
from dispatch import visits
from dispatch.visits import Report
from ivr.matters import matters
from models.calls import Call
from models.dialing import Callback
from models.lookup import number_row
from models.orders import Order, OrderEvent
from models.people import Person, PersonNumber
from models.phone import normalise
from models.providers import Worker
from models.session import read, write
from models.visits import OrderVisit
from tests.dispatch.town import Town
from tests.support import world

TODAY = date(2026, 11, 22)
NO_ANSWER = 19  # Q.850
MOBILE = "+8611000000001"


def worker(town: Town, provider_id: int = 1, code: str = "4711") -> int:
    with write() as session:
        person = Person(name="孙晓梅", family_name="孙", sex="f", created_at=town.now)
        session.add(made := Worker(provider_id=provider_id, person=person, code=code, since=town.now))
        session.flush()
        return made.id


def accepted(town: Town, **more: object) -> int:
    """An order that the first provider has accepted, due today."""
    order_id = town.orders(**{"wanted_on": TODAY, **more}).order_id  # type: ignore[arg-type]
    with write() as session:
        order = session.get_one(Order, order_id)
        order.status, order.provider_id = "accepted", 1
    return order_id


def rings(town: Town, number: str | None) -> int:
    """A call from this number; returns its id."""
    with write() as session:
        known = number_row(session, normalise(number)).id if number else None
        call = Call(
            channel_id=f"visit-{number}-{town.now}", direction="in", purpose="inbound", state="talking",
            number_id=known, started_at=town.now,
        )  # fmt: skip
        session.add(call)
        session.flush()
        return call.id


def reports(town: Town, order_id: int, worker_id: int, what: str, number: str | None = world.WANG) -> str:
    call_id = rings(town, number)
    town.passes(60)
    with write() as session:
        return visits.report(session, Report(order_id, worker_id, what, call_id), town.now)


@pytest.mark.parametrize(
    ("number", "proof"),
    [(world.WANG, "place"), (MOBILE, "her_phone"), (world.KIM, "unproved"), (None, "unproved")],
)
def test_her_landline_proves_the_place_her_mobile_only_her_and_another_telephone_nothing(
    town: Town, number: str | None, proof: str
) -> None:
    with write() as session:
        row = number_row(session, normalise(MOBILE))
        session.add(PersonNumber(person_id=1, number_id=row.id, role="own", position=1))
    order_id, worker_id = accepted(town), worker(town)
    assert reports(town, order_id, worker_id, "arrived", number) == "arrived"
    assert reports(town, order_id, worker_id, "done", number) == "done"
    (visit,) = town.all(OrderVisit)
    assert (visit.arrived_proof, visit.done_proof) == (proof, proof)
    with read() as session:
        course = order_course(session, town.order().public_id)
        assert course is not None
        told = [(moment.code, moment.name, moment.proof) for moment in course.moments if moment.actor == "worker"]
    assert told == [("arrived", "孙晓梅", proof), ("completed", "孙晓梅", proof)]
    # Both ends of one visit are one thing to check.
    assert town.tasks() == (["check_visit"] if proof == "unproved" else [])


def test_a_report_is_written_once_and_the_end_without_the_beginning_too(town: Town) -> None:
    order_id, worker_id = accepted(town), worker(town)
    assert [reports(town, order_id, worker_id, what) for what in ("done", "done", "arrived")] == [
        "done",
        "known",
        "known",
    ]
    (visit,) = town.all(OrderVisit)
    assert visit.done_at and not visit.arrived_at
    assert [event.to_status for event in town.all(OrderEvent)][1:] == ["completed"]


def test_nobody_reports_the_order_of_another_provider_or_one_that_is_cancelled(town: Town) -> None:
    order_id, stranger, own = accepted(town), worker(town, 2, "222"), worker(town)
    assert reports(town, order_id, stranger, "done") == "gone"
    with write() as session:
        session.get_one(Order, order_id).status = "cancelled"
    assert reports(town, order_id, own, "arrived") == "gone"
    assert town.all(OrderVisit) == []


def test_only_what_is_due_at_this_telephone_by_now_is_offered_and_only_to_its_provider(town: Town) -> None:
    today, late = accepted(town), accepted(town, wanted_on=TODAY - timedelta(days=1), key="late")
    tomorrow = accepted(town, wanted_on=TODAY + timedelta(days=1), key="tomorrow")
    accepted(town, elder_id=2, key="hers")
    ids = worker(town), worker(town, 2, "222")
    with write() as session:
        here = number_row(session, normalise(world.WANG)).id
        own, other = (session.get_one(Worker, worker_id) for worker_id in ids)
        assert [order.id for order in visits.expected(session, own, here, TODAY)] == [today, late]
        assert visits.expected(session, other, here, TODAY) == [] == visits.expected(session, own, None, TODAY)
        number = session.get_one(Order, tomorrow).number
        assert (found := visits.by_number(session, own, str(number))) and found.id == tomorrow
        assert visits.by_number(session, other, str(number)) is None
        assert visits.by_number(session, own, "1*") is None
        assert visits.by_number(session, own, "9" * 10) is None


def test_whoever_has_left_has_no_code_any_more(town: Town) -> None:
    worker_id, call_id = worker(town), rings(town, world.WANG)
    with write() as session:
        assert visits.identify(session, call_id, "4711", town.now) is not None
        call = session.get_one(Call, call_id)
        assert (call.identified_by, call.provider_id) == ("worker", 1)
        session.get_one(Worker, worker_id).ended_at = town.now
        session.flush()
        assert visits.identify(session, call_id, "4711", town.now) is None


def test_whoever_could_not_be_told_who_comes_hears_it_when_she_rings(town: Town) -> None:
    town.orders()
    town.works()
    town.accepts()
    town.ended()
    for _ in range(10):
        town.works()
        if town.open_attempts():
            town.hangs_up(NO_ANSWER)
            town.ended()
        town.passes(3600)
    (callback,) = town.all(Callback)
    assert callback.status == "failed" and town.tasks() == ["callback"]
    with write() as session:
        missed = matters(session, callback.elder_id, town.now).missed
        assert missed is not None and (missed.notice_id, missed.provider) == (callback.id, "康乐助浴")
        session.get_one(Order, callback.order_id).status = "cancelled"
        session.flush()
        assert matters(session, callback.elder_id, town.now).missed is None
