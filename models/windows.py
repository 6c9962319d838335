"""When a rule may ring people: spans of the day, on workdays or on all days; settings.

What she is waiting for herself does not pass through here: whoever has just ordered hears who comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from models.clock import local, local_date, zone
from models.settings import settings
from models.workdays import is_workday

Spans = Sequence[tuple[time, time]]
# The longest row of days off is shorter than this (days).
_HORIZON = 30


def next_moment(moment: datetime, spans: Spans, workdays: bool = False) -> datetime:
    """Return `moment` if it lies in one of `spans` (local time, the end excluded), else when the next one begins.

    Raises:
        ValueError: there is no span.
    """
    first = local(moment).date()
    for ahead in range(_HORIZON):
        day = first + timedelta(days=ahead)
        if workdays and not is_workday(day):
            continue
        for begins, ends in sorted(spans):
            if at(day, ends) > moment:
                return max(moment, at(day, begins))
    raise ValueError("there is no span in which anybody may be rung")


def return_visit(moment: datetime) -> datetime:
    """Return `moment`, or the next one at which she may be asked how it was."""
    return next_moment(moment, settings().outbound_windows, settings().return_visit_workdays)


def return_visit_after(done_at: datetime) -> datetime:
    """Return from when on she is asked about what was done at `done_at`: the day after, on the next workday."""
    day = local_date(done_at) + timedelta(days=settings().return_visit_days)
    return return_visit(max(done_at, at(day, time())))


def reminder(moment: datetime) -> datetime:
    """Return `moment`, or the next one at which she may be reminded."""
    return next_moment(moment, settings().reminder_windows)


def reminder_of(wanted_on: date) -> datetime:
    """Return when the reminder of `wanted_on` is due: at the beginning of the evening before."""
    return reminder(at(wanted_on - timedelta(days=1), time()))


def callback(moment: datetime) -> datetime:
    """Return `moment`, or the next one at which she may be told who comes."""
    return next_moment(moment, settings().callback_windows)


def at(day: date, hour: time) -> datetime:
    """Return a moment of the elders' calendar and clock."""
    return datetime.combine(day, hour, zone()).astimezone(UTC)
