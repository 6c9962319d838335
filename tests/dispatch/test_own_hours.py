"""Her own hours: "not before ten", "not at noon", "no Wednesdays", "never by the machine"; every call keeps them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from models import calling_hours, windows
from models.calling_hours import ANY, Hours
from models.campaigns import CallRule
from models.clock import local
from models.dialing import Attempt, Callback
from models.followups import Reminder, ReturnVisit
from models.session import read, write
from tests.dispatch.town import Town
from tests.support import world
from tests.support.oracle import problems

NO_ANSWER = 19
TEN_TO_FIVE = Hours(((600, 690), (840, 1020)))  # 10:00–11:30, 14:00–17:00
NO_WEDNESDAYS = Hours(not_on=frozenset({3}))


def hers(town: Town, hours: Hours) -> None:
    """王秀英 has these hours from now on."""
    with write() as session:
        calling_hours.put(session, 1, hours, None, town.now)


def harbin(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)


@pytest.mark.parametrize(
    ("own", "at", "due"),
    [
        (ANY, (WEDNESDAY, 9, 30), "25 09:30"),
        (TEN_TO_FIVE, (WEDNESDAY, 9, 30), "25 10:00"),
        (TEN_TO_FIVE, (WEDNESDAY, 11, 30), "25 14:00"),
        (TEN_TO_FIVE, (WEDNESDAY, 17, 0), "26 10:00"),
        (NO_WEDNESDAYS, (WEDNESDAY, 9, 30), "26 09:00"),
        # Outside of everybody's hours hers hold; with workdays alone excluded she is rung on Saturday.
        (Hours(((1200, 1260),)), (WEDNESDAY, 9, 30), "25 20:00"),
        (Hours(not_on=frozenset({1, 2, 3, 4, 5})), (WEDNESDAY, 9, 30), "28 09:00"),
    ],
)
def test_a_return_visit_is_due_within_her_own_hours(
    hotline_dir: object, own: Hours, at: tuple[date, int, int], due: str
) -> None:
    assert f"{local(windows.return_visit(harbin(*at), own)):%d %H:%M}" == due


def test_a_reminder_is_told_on_the_last_day_on_which_she_is_rung(hotline_dir: object) -> None:
    thursday = WEDNESDAY + timedelta(days=1)
    assert windows.reminder_of(thursday) == windows.at(WEDNESDAY, time(18))
    assert windows.reminder_of(thursday, NO_WEDNESDAYS) == windows.at(TUESDAY, time(18))
    assert windows.reminder_of(thursday, TEN_TO_FIVE) == windows.at(WEDNESDAY, time(10)), "her evenings are her own"


@pytest.mark.parametrize(
    "wrong", [((600, 600),), ((0, 1441),), ((600, 700), (650, 800)), tuple((n, n + 1) for n in range(0, 10, 2))]
)
def test_what_is_no_day_is_refused(wrong: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match="hours"):
        Hours(wrong)
    with pytest.raises(ValueError, match="weekdays"):
        Hours(not_on=frozenset(range(1, 8)))


@pytest.mark.parametrize("text", ["10:00-11:30；14:00-18:00", "10:00—11:30, 14:00至18:00", " 10:00-11:30 14:00~18:00 "])
def test_hours_are_read_as_people_write_them(text: str) -> None:
    assert calling_hours.read_spans(text) == ((600, 690), (840, 1080))
    assert calling_hours.written_spans(((600, 690), (840, 1080))) == "10:00-11:30；14:00-18:00"


@pytest.mark.parametrize("text", ["mornings", "10:75-11:00", "10-11", "10:00-11:30 please"])
def test_what_is_no_hour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not hours"):
        calling_hours.read_spans(text)


def test_a_change_ends_what_held_and_nothing_is_written_twice(town: Town) -> None:
    hers(town, TEN_TO_FIVE)
    town.passes(60)
    hers(town, TEN_TO_FIVE)
    assert len(town.all(CallRule)) == 1
    hers(town, ANY)
    town.passes(60)
    with read() as session:
        assert calling_hours.hours_of(session, 1, town.now) == ANY
    assert [row.ended_at is None for row in town.all(CallRule)] == [False, True]


def not_reached(town: Town) -> None:
    """A bath is accepted; she has just ordered, is rung at once, and does not answer."""
    town.orders(wanted_on=date(2026, 11, 27))
    town.works()
    town.accepts()
    town.ended()
    town.works()
    assert town.rung() == [world.BATH, world.WANG], "she waits for it: her hours do not keep it from her"
    town.hangs_up(NO_ANSWER)


def test_a_callback_that_comes_later_keeps_her_hours(town: Town) -> None:
    town.now = harbin(TUESDAY, 17, 30)
    hers(town, Hours(((600, 1200),), frozenset({3})))
    not_reached(town)
    town.passes(3 * 3600)
    town.works()
    assert len(town.rung()) == 2
    due = town.attempt().due_at
    assert f"{local(due):%d %H:%M}" == "26 10:00", "not on Wednesday, and not before ten"
    town.now = due
    town.works()
    assert town.rung()[-1] == world.WANG and len(town.rung()) == 3


def test_the_reminder_and_the_return_visit_keep_them_too(town: Town) -> None:
    town.now = harbin(MONDAY, 9)
    hers(town, TEN_TO_FIVE)
    order = town.orders(wanted_on=WEDNESDAY).order_id
    town.is_agreed()
    (reminder,) = [one for one in town.all(Attempt) if one.reminder_id]
    assert f"{local(reminder.due_at):%d %H:%M}" == "24 10:00" and len(town.all(Reminder)) == 1
    town.now = harbin(WEDNESDAY, 9)
    town.works()
    town.reports(order)
    (visit,) = [one for one in town.all(Attempt) if one.return_visit_id]
    assert f"{local(visit.due_at):%d %H:%M}" == "26 10:00" and len(town.all(ReturnVisit)) == 1


def test_whom_the_machine_never_rings_a_person_rings(town: Town) -> None:
    town.now = harbin(TUESDAY, 9, 30)
    hers(town, Hours(never=True))
    not_reached(town)
    town.passes(3 * 3600)
    for _ in range(3):
        town.works()
        town.passes(600)
    assert town.rung() == [world.BATH, world.WANG], "only while she waited for it"
    assert [one.status for one in town.all(Callback)] == ["failed"] and town.tasks() == ["callback"]
    with read() as session:
        assert problems(session) == []
