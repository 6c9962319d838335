"""When a rule may ring people: spans of the day, on workdays or on all days; settings.

What she is waiting for herself does not pass through here: whoever has just ordered hears who comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from models.calling_hours import ANY, DAY_MINUTES, WEEK, Hours
from models.clock import local, local_date, zone
from models.settings import settings
from models.workdays import is_workday

Spans = Sequence[tuple[time, time]]
# The longest row of days off is shorter than this (days).
_HORIZON = 30


def next_moment(moment: datetime, spans: Spans, workdays: bool = False, own: Hours = ANY) -> datetime:
    """Return `moment` if it lies in one of `spans` (local time, the end excluded), else when the next one begins.

    `own` are her exceptions: the spans are narrowed to them, and where none is left hers hold.

    Raises:
        ValueError: there is no span.
    """
    first, usual = local(moment).date(), [(_minute(begins), _minute(ends)) for begins, ends in sorted(spans)]
    for ahead in range(_HORIZON):
        day = first + timedelta(days=ahead)
        if workdays and not own.only_days_off and not is_workday(day):
            continue
        for begins, ends in own.on(day, usual):
            midnight = at(day, time())
            if midnight + timedelta(minutes=ends) > moment:
                return max(moment, midnight + timedelta(minutes=begins))
    raise ValueError("there is no span in which anybody may be rung")


def _minute(hour: time) -> int:
    # The last second of a day is its end: a span cannot be written up to 24:00.
    return DAY_MINUTES if hour >= time(23, 59) else hour.hour * 60 + hour.minute


def return_visit(moment: datetime, own: Hours = ANY) -> datetime:
    """Return `moment`, or the next one at which she may be asked how it was."""
    return next_moment(moment, settings().outbound_windows, settings().return_visit_workdays, own)


def return_visit_after(done_at: datetime) -> datetime:
    """Return from when on she is asked about what was done at `done_at`: the day after, on the next workday."""
    day = local_date(done_at) + timedelta(days=settings().return_visit_days)
    return return_visit(max(done_at, at(day, time())))


def reminder(moment: datetime, own: Hours = ANY) -> datetime:
    """Return `moment`, or the next one at which she may be reminded."""
    return next_moment(moment, settings().reminder_windows, own=own)


def reminder_of(wanted_on: date, own: Hours = ANY) -> datetime:
    """Return when the reminder of `wanted_on` is due: at the beginning of the evening before.

    Whoever is not rung on that day is reminded on the last one before it on which she is.
    """
    before = (reminder(at(wanted_on - timedelta(days=days), time()), own) for days in WEEK)
    return next(moment for moment in before if local_date(moment) < wanted_on)


def callback(moment: datetime, own: Hours = ANY) -> datetime:
    """Return `moment`, or the next one at which she may be told who comes."""
    return next_moment(moment, settings().callback_windows, own=own)


def at(day: date, hour: time) -> datetime:
    """Return a moment of the elders' calendar and clock."""
    return datetime.combine(day, hour, zone()).astimezone(UTC)
