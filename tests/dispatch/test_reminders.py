"""The evening before she is reminded who comes; who is out hears it when she rings; nobody is reminded twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from dispatch import offers, reminders
from dispatch.changes import cancel_order
from ivr.matters import matters
from models.calls import Call
from models.dialing import Attempt
from models.followups import Reminder
from models.orders import Order, OrderEvent
from models.session import read, write
from tests.dispatch.town import Town
from tests.support import world
from tests.support.oracle import problems

NO_ANSWER = 19  # Q.850
EVENING = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)  # 18:00 in Harbin


def accepted(town: Town, **more: object) -> int:
    """A bath for tomorrow that somebody has accepted; she knows it."""
    order_id = town.orders(**more).order_id  # type: ignore[arg-type]
    town.is_agreed()
    return order_id


def clean() -> list[str]:
    with read() as session:
        return problems(session)


def test_she_is_reminded_on_the_evening_before_and_presses_1(town: Town) -> None:
    accepted(town)
    town.now = EVENING - timedelta(seconds=1)
    town.works()
    assert town.rung() == [world.BATH, world.WANG]
    town.now = EVENING
    town.works()
    assert town.rung() == [world.BATH, world.WANG, world.WANG]
    assert (town.all(Call)[-1].purpose, town.gateway.rung[-1].context) == ("reminder", "reminder")
    town.reminded()
    assert [r.status for r in town.all(Reminder)] == ["heard"] and town.open_attempts() == 0 and clean() == []


def test_whoever_is_out_is_tried_again_and_then_hears_it_when_she_rings(town: Town) -> None:
    order_id = accepted(town)
    town.now = EVENING
    for pause in (0, 900):
        town.passes(pause)
        town.works()
        town.hangs_up(NO_ANSWER)
        town.ended()
    (reminder,) = town.all(Reminder)
    assert reminder.status == "failed" and town.tasks() == [], "she knows who comes: that is nobody's task"
    town.passes(3600)
    town.works()
    assert len(town.rung()) == 4 and clean() == []
    with write() as session:
        missed = matters(session, 1, town.now).missed
        assert missed is not None and missed.reminder
        assert (missed.notice_id, missed.order.order_id, missed.provider) == (reminder.id, order_id, "康乐助浴")
    call = town.inbound(channel="hers")
    with write() as session:
        reminders.heard(session, reminder.id, call.id, town.now)
        assert matters(session, 1, town.now).missed is None
    assert [r.status for r in town.all(Reminder)] == ["heard"]


def test_the_evening_ends_and_with_it_the_attempts(town: Town) -> None:
    accepted(town)
    town.now = EVENING + timedelta(hours=1, minutes=50)
    town.works()
    town.hangs_up(NO_ANSWER)
    assert [r.status for r in town.all(Reminder)] == ["failed"] and town.open_attempts() == 0


@pytest.mark.parametrize(("hour", "wanted"), [(18, date(2026, 11, 23)), (9, date(2026, 11, 22))])
def test_what_is_ordered_that_evening_or_for_today_is_not_reminded_of(town: Town, hour: int, wanted: date) -> None:
    town.now = EVENING + timedelta(hours=hour - 18)
    accepted(town, wanted_on=wanted)
    assert town.all(Reminder) == []


@pytest.mark.parametrize("what", ["cancelled", "arrived", "somebody else"])
def test_what_is_not_true_any_more_is_not_reminded_of(town: Town, what: str) -> None:
    order_id = accepted(town)
    with write() as session:
        order = offers.lock_order(session, order_id)
        if what == "cancelled":
            assert cancel_order(session, order_id, OrderEvent(actor="elder"), town.now)
        elif what == "arrived":
            order.status = "arrived"
        else:
            order.provider_id = 2
    town.now = EVENING
    town.works()
    assert town.rung() == [world.BATH, world.WANG]
    assert [r.status for r in town.all(Reminder)] == ["withdrawn"]
    assert {a.outcome for a in town.all(Attempt) if a.reminder_id} == {"too_late"}


def test_a_callback_at_night_waits_for_the_morning_unless_she_has_just_ordered(town: Town) -> None:
    town.now = EVENING + timedelta(hours=3)  # 21:00
    order_id = town.orders(wanted_on=date(2026, 11, 25)).order_id
    town.works()
    town.passes(2 * 3600)
    town.accepts()
    town.ended()
    town.works()
    assert town.rung() == [world.BATH], "nobody is rung at eleven at night"
    town.now = EVENING + timedelta(hours=13)  # 7:00
    town.works()
    assert town.rung() == [world.BATH, world.WANG]
    with read() as session:
        assert session.get_one(Order, order_id).status == "accepted"


def test_whoever_has_just_ordered_is_told_at_once_at_any_hour(town: Town) -> None:
    town.now = EVENING + timedelta(hours=4)
    accepted(town, wanted_on=date(2026, 11, 25))
    assert town.rung() == [world.BATH, world.WANG]
