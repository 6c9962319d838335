"""Opening hours: round the clock unless rows say otherwise; a special day wins over its weekday."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from models.hours import Hours, OpeningHours, SpecialDay, read_hours
from models.session import read, write

HARBIN = ZoneInfo("Asia/Shanghai")
OFFICE = Hours(dict.fromkeys(range(5), ((8 * 60, 17 * 60 + 30),)))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026 in Harbin; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=HARBIN)


def test_without_rows_people_answer_round_the_clock(database: Engine) -> None:
    with read() as session:
        hours = read_hours(session, date(2026, 11, 1))
    assert all(hours.is_open(at(day, hour, 59)) for day in range(22, 30) for hour in range(24))


def test_office_hours_to_the_minute() -> None:
    said = [OFFICE.is_open(at(23, hour, minute)) for hour, minute in ((7, 59), (8, 0), (17, 29), (17, 30))]
    assert said == [False, True, True, False]
    assert not OFFICE.is_open(at(22, 10)), "a Sunday"


def test_when_people_answer_again() -> None:
    assert OFFICE.next_opening(at(23, 6)) == at(23, 8)
    assert OFFICE.next_opening(at(23, 18)) == at(24, 8)
    assert OFFICE.next_opening(at(27, 18)) == at(30, 8), "over the weekend"
    assert Hours({0: ()}).next_opening(at(23, 18)) is None


def test_a_lunch_break_is_two_spans() -> None:
    hours = Hours({0: ((8 * 60, 11 * 60 + 30), (13 * 60, 17 * 60))})
    assert not hours.is_open(at(23, 12)) and hours.next_opening(at(23, 12)) == at(23, 13)


def test_a_special_day_wins_over_its_weekday() -> None:
    hours = Hours(OFFICE.weekly, {date(2026, 11, 23): (), date(2026, 11, 28): ((9 * 60, 12 * 60),)})
    assert not hours.is_open(at(23, 10)) and hours.next_opening(at(23, 10)) == at(24, 8)
    assert hours.is_open(at(28, 11)) and not hours.is_open(at(28, 12))


def test_a_special_day_closes_also_a_line_that_is_always_open() -> None:
    hours = Hours({}, {date(2026, 11, 23): ()})
    assert not hours.is_open(at(23, 10)) and hours.next_opening(at(23, 10)) == at(24, 0)


def test_the_last_minute_of_the_day_is_open() -> None:
    assert Hours({0: ((0, 1440),)}).is_open(at(23, 23, 59))


def test_rows_become_hours(database: Engine) -> None:
    with write() as session:
        session.add_all(OpeningHours(weekday=day, opens=480, closes=1050) for day in range(5))
        session.add(SpecialDay(day=date(2026, 11, 23), name="停电", opens=None, closes=None))
        session.add(SpecialDay(day=date(2026, 1, 1), name="元旦", opens=540, closes=720))
    with read() as session:
        hours = read_hours(session, date(2026, 11, 1))
    assert hours.weekly == OFFICE.weekly and hours.special == {date(2026, 11, 23): ()}


def test_a_holiday_has_sundays_hours_and_a_weekend_day_worked_for_it_mondays() -> None:
    assert OFFICE.spans(date(2026, 10, 1)) == (), "National Day, a Thursday"
    assert OFFICE.spans(date(2026, 10, 10)) == ((480, 1050),), "a Saturday that is worked for it"
    special = Hours(OFFICE.weekly, {date(2026, 10, 1): ((540, 720),)})
    assert special.spans(date(2026, 10, 1)) == ((540, 720),)
