"""Time words against the calendar: which day, which part of it, at what time; never one that is over."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from ivr.understanding.meaning import When
from ivr.understanding.time_words import Said

# A part of the day begins and is over at these hours; an order for "this morning" at noon is too late.
BEGINS = {"morning": 7, "noon": 11, "afternoon": 13, "evening": 18}
ENDS = {"morning": 12, "noon": 14, "afternoon": 18, "evening": 22}
EARLIEST_HOUR = 7  # an hour said without its part lies within 7–18: "three o'clock" is 15:00
NIGHT = (22, 5)  # nobody comes from the first of these hours to the second: such an hour is no time of a service
FARTHEST = timedelta(days=366)


def resolve(said: Iterable[Said], now: datetime, week: date | None = None) -> When:
    """Return the time that the words name, seen from `now` (aware, local). The last word of a kind counts.

    A weekday is the next one that is not over; within `week` (a Monday), if she named that before.
    """
    by_kind = {word.kind: word for word in said}
    repeated = by_kind.pop("every", None)
    when = _resolved(by_kind, now, week)
    return replace(when, every=repeated.code) if repeated else when


def _resolved(by_kind: dict[str, Said], now: datetime, week: date | None) -> When:
    if not by_kind:
        return When()
    part, at = _part_and_time(by_kind.get("part"), by_kind.get("clock"))
    if "now" in by_kind and not by_kind.keys() & {"day", "weekday", "date", "holiday"}:
        return _this_moment(part, at, now)
    day, repeats = _day(by_kind, now.date(), week)
    if day is None:
        named = by_kind.get("week")
        if named is not None and (week := _monday(now.date()) + timedelta(weeks=named.n)) >= _monday(now.date()):
            return When(part=part, at=at, week=week)
        return When(
            part=part, at=at, past="day" in by_kind or "weekday" in by_kind or "date" in by_kind or "week" in by_kind
        )
    if day == now.date() and _over(part, at, now):
        if repeats is None:
            return When(day=day, part=part, at=at, past=True) if part or at else When(past=True)
        day += repeats
    if day < now.date() or day > now.date() + FARTHEST:
        return When(part=part, at=at, past=day < now.date())
    return When(day=day, part=part, at=at)


def part_at(at: time) -> str:
    """Return the part of the day that a clock time lies in."""
    return next((part for part in reversed(BEGINS) if at.hour >= BEGINS[part]), "morning")


def _over(part: str | None, at: time | None, now: datetime) -> bool:
    if at is not None:
        return at <= now.time()
    return now.hour >= (ENDS[part] if part else max(ENDS.values()))


def _this_moment(part: str | None, at: time | None, now: datetime) -> When:
    """At once: the rest of today; late in the evening there is none."""
    if now.hour >= max(ENDS.values()) or _over(part, at, now):
        return When(day=now.date(), part=part, at=at, past=True)
    return When(day=now.date(), part=part or next(name for name, hour in ENDS.items() if now.hour < hour), at=at)


def _part_and_time(part: Said | None, clock: Said | None) -> tuple[str | None, time | None]:
    code = part.code if part else None
    if clock is None:
        return (None if code == "night" else code), None
    hour, minute = clock.n, clock.m or 0
    match code if not clock.code else clock.code:
        case "am" | "pm":
            pass  # said twice over: the hour is already the one meant
        case "evening" | "night" if hour < NIGHT[1]:
            return None, None  # two in the night
        case "afternoon" | "evening" if hour < 12:
            hour = 0 if hour == 0 else hour + 12
        case "noon" if hour <= 2:
            hour += 12
        case None if 0 < hour < EARLIEST_HOUR:
            hour += 12
    if 0 < hour < NIGHT[1]:
        return None, None
    if hour == 0 or hour >= NIGHT[0] or (code in ("evening", "night") and hour == 12):
        # Nobody is sent out at midnight; the part is kept, the hour asked.
        return (None if code == "night" else code or "evening"), None
    code = None if code == "night" else code
    at = time(hour, minute)
    return part_at(at) if clock.code else code or part_at(at), at


def _day(said: dict[str, Said], today: date, week: date | None) -> tuple[date | None, timedelta | None]:
    """Return the day, and after how long it comes again if it was named without a week or month."""
    if "month" in said:
        return _in_month(said["month"], today), None
    if "date" in said:
        return _date(said["date"], today), None
    if "holiday" in said:
        # The calendar is large, and seldom asked.
        from models import workdays

        after = timedelta(days=said["holiday"].n)
        feast = workdays.next_holiday(said["holiday"].code, today - after)
        return feast + after if feast else None, None
    if "weekday" in said:
        word = said["weekday"]
        weeks = word.m if word.m is not None else said["week"].n if "week" in said else None
        if weeks is not None or week is not None:
            monday = _monday(today) + timedelta(weeks=weeks) if weeks is not None else week or today
            day = monday + timedelta(days=word.n)
            return day, None
        return today + timedelta(days=(word.n - today.weekday()) % 7), timedelta(days=7)
    if "day" in said:
        return (today + timedelta(days=said["day"].n) if said["day"].n >= 0 else None), None
    return None, None


def _in_month(word: Said, today: date) -> date | None:
    """Return a day of a month counted from this one; None if that month has no such day."""
    years, month = divmod(today.month - 1 + (word.m or 0), 12)
    year, last = today.year + years, calendar.monthrange(today.year + years, month + 1)[1]
    return date(year, month + 1, word.n or last) if word.n <= last else None


def _date(word: Said, today: date) -> date | None:
    """Return the next such date; the 31st waits for a month that has one."""
    year, month = today.year, word.m or today.month
    for _ in range(60):
        if word.n <= calendar.monthrange(year, month)[1] and (found := date(year, month, word.n)) >= today:
            return found
        if word.m:
            year += 1
        else:
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return None


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
