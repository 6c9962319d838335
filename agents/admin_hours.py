"""When people answer, as an administrator sets it: the week, days unlike their weekday; and what would happen when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from agents.changing import Kind, Refused, Values, token
from models import clock, workdays
from models.hours import Hours, OpeningHours, SpecialDay, read_hours, spans_of, told

# There is one week.
WEEK_KEY = "week"
NAME_MAX = 40
# A day is set apart so far ahead at most (days).
AHEAD_DAYS = 400


def week_values(form: Mapping[str, str]) -> Values:
    """Return what a form says: weekday ("0" is Monday) to spans as text; empty: round the clock.

    Raises:
        Refused: with the days that are wrong (`day_0` …: bad); "": never_open.
    """
    if form.get("always") == "yes":
        return {}
    values, problems = {}, {}
    for weekday in range(7):
        try:
            if spans := spans_of(form.get(f"day_{weekday}", "")):
                values[str(weekday)] = told(spans)
        except ValueError:
            problems[f"day_{weekday}"] = "bad"
    if not values and not problems:
        # Without a row the hotline is open round the clock: that is not what an empty form means.
        problems[""] = "never_open"
    if problems:
        raise Refused(problems)
    return values


def _read_week(session: Session, key: str) -> Values | None:
    if key != WEEK_KEY:
        return None
    rows: dict[str, list[tuple[int, int]]] = {}
    for row in session.scalars(select(OpeningHours).order_by(OpeningHours.weekday, OpeningHours.opens)):
        rows.setdefault(str(row.weekday), []).append((row.opens, row.closes))
    return {weekday: told(spans) for weekday, spans in rows.items()}


def _write_week(session: Session, key: str | None, values: Values | None, now: datetime) -> str:
    session.execute(delete(OpeningHours))
    for weekday, text in (values or {}).items():
        session.add_all(
            OpeningHours(weekday=int(weekday), opens=opens, closes=closes) for opens, closes in spans_of(text)
        )
    return WEEK_KEY


WEEK = Kind("week", _read_week, _write_week)


def day_values(form: Mapping[str, str], today: date) -> tuple[str, Values]:
    """Return the key and what a form says of a special day; no hours: closed.

    Raises:
        Refused: with the fields that are wrong.
    """
    problems, hours, on = {}, "", None
    try:
        on = date.fromisoformat(form.get("day", ""))
        if not today <= on <= today + timedelta(days=AHEAD_DAYS):
            problems["day"] = "range"
    except ValueError:
        problems["day"] = "bad"
    name = " ".join(form.get("name", "").split())
    if len(name) > NAME_MAX or not name.isprintable():
        problems["name"] = "long"
    if form.get("closed") != "yes":
        try:
            spans = spans_of(form.get("hours", ""))
            hours = told(spans)
            if len(spans) != 1:
                problems["hours"] = "one_span"
        except ValueError:
            problems["hours"] = "bad"
    if problems or on is None:
        raise Refused(problems)
    return on.isoformat(), {"name": name, "hours": hours}


def _read_day(session: Session, key: str) -> Values | None:
    row = session.scalar(select(SpecialDay).where(SpecialDay.day == date.fromisoformat(key)))
    if row is None:
        return None
    spans = [(row.opens, row.closes)] if row.opens is not None and row.closes is not None else []
    return {"name": row.name, "hours": told(spans)}


def _write_day(session: Session, key: str | None, values: Values | None, now: datetime) -> str:
    on = date.fromisoformat(str(key))
    session.execute(delete(SpecialDay).where(SpecialDay.day == on))
    if values is not None:
        opens, closes = spans_of(values["hours"])[0] if values["hours"] else (None, None)
        session.add(SpecialDay(day=on, name=values["name"], opens=opens, closes=closes))
    return on.isoformat()


DAY = Kind("special_day", _read_day, _write_day, removable=True)


# What the hotline would do.


@dataclass(frozen=True)
class DayLine:
    """One day of the calendar. `why`: special, holiday, make_up (a weekend day that is worked), usual."""

    day: date
    hours: str  # "": closed
    why: str
    name: str


@dataclass(frozen=True)
class Outlook:
    """What a call that wants a person meets at a moment: people are there, or when they are again (None: not soon)."""

    at: datetime
    is_open: bool
    again: datetime | None
    day: DayLine


def calendar(session: Session, first: date, days: int, language: str) -> list[DayLine]:
    """Return each day's hours from `first` on."""
    known = read_hours(session, first)
    names = dict(session.execute(select(SpecialDay.day, SpecialDay.name).where(SpecialDay.day >= first)).all())
    return [_day(known, names, first + timedelta(days=ahead), language) for ahead in range(days)]


def special_days(session: Session, first: date) -> list[tuple[DayLine, str]]:
    """Return the special days from `first` on, each with the token of how it stands."""
    days = session.scalars(select(SpecialDay.day).where(SpecialDay.day >= first).order_by(SpecialDay.day)).all()
    found = []
    for on in days:
        values = _read_day(session, on.isoformat()) or {}
        found.append((DayLine(on, values.get("hours", ""), "special", values.get("name", "")), token(values)))
    return found


def outlook(session: Session, at: datetime, language: str) -> Outlook:
    """Return what would happen at `at` (aware)."""
    on = clock.local(at).date()
    known = read_hours(session, on)
    (line,) = calendar(session, on, 1, language)
    is_open = known.is_open(at)
    return Outlook(at, is_open, None if is_open else known.next_opening(at), line)


def _day(known: Hours, names: Mapping[date, str], on: date, language: str) -> DayLine:
    hours = told(known.spans(on))
    if on in known.special:
        return DayLine(on, hours, "special", names.get(on, ""))
    holiday = workdays.holiday_name(on, language) or ""
    if not known.weekly:
        return DayLine(on, hours, "usual", holiday)
    if workdays.is_workday(on):
        return DayLine(on, hours, "make_up" if on.weekday() >= 5 else "usual", "")
    return DayLine(on, hours, "holiday" if on.weekday() < 5 or holiday else "usual", holiday)
