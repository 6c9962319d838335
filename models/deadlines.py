"""By when an order must have moved on: the four clocks of its life, their warning and their end.

Feedback within 2 h, 24 h or 7 d, by the category of the service, is Beijing 12345's rule
(draft of 2021); nobody is helped by an answer after the wanted time, so that ends it too.
All figures are settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from models import vocabulary, windows
from models.clock import zone
from models.settings import settings


class Stage(StrEnum):
    """What is waited for."""

    FEEDBACK = "feedback"  # somebody accepts
    ARRIVAL = "arrival"  # the worker comes
    COMPLETION = "completion"  # the work is done
    RETURN_VISIT = "return_visit"  # she is asked how it was


class Lateness(StrEnum):
    """How an order stands to its deadline. The worst comes first."""

    LATE = "late"
    SOON = "soon"  # most of the time has gone
    IN_TIME = "in_time"


@dataclass(frozen=True)
class Slot:
    """What is wanted, and in which part of which day."""

    service: str
    day: date
    part: str


@dataclass(frozen=True)
class Clock:
    """When a person is warned, and when the deadline is missed."""

    warn_at: datetime
    due_at: datetime


def span(slot: Slot) -> tuple[datetime, datetime]:
    """Return when the wanted part of the day begins and ends."""
    begins, ends = settings().part_hours.get(slot.part, (0, 24))
    midnight = datetime.combine(slot.day, time(), zone())
    return midnight + timedelta(hours=begins), midnight + timedelta(hours=ends)


def feedback_h(service: str) -> float:
    """Return within how many hours she is to hear who comes, by the service's category."""
    category = vocabulary.SERVICE[service].category if service in vocabulary.SERVICE else ""
    if category in settings().urgent_categories:
        return settings().urgent_h
    return settings().soon_h if category in settings().soon_categories else settings().general_h


def clock(stage: Stage, slot: Slot, since: datetime) -> Clock:
    """Return the clock of `stage` for an order that entered it at `since`."""
    begins, ends = span(slot)
    match stage:
        case Stage.FEEDBACK:
            allowed = since + timedelta(hours=feedback_h(slot.service))
            # The wanted time counts as long as it is still to come: its beginning, or else its end.
            due_at = min([allowed, *[moment for moment in (begins, ends) if moment > since][:1]])
        case Stage.ARRIVAL:
            due_at = max(ends, since) + timedelta(hours=settings().arrival_grace_h)
        case Stage.COMPLETION:
            due_at = since + timedelta(hours=settings().visit_h)
        case Stage.RETURN_VISIT:
            # After days off the whole day on which she is rung counts.
            asked = windows.return_visit_after(since) + timedelta(hours=24)
            due_at = max(since + timedelta(hours=settings().return_visit_h), asked)
    return Clock(since + (due_at - since) * settings().warn_share, due_at)


# The columns of an order that hold its clock.
COLUMNS = ("due_since", "warn_at", "due_at", "escalate_at")


def columns(service: str, day: date, part: str, now: datetime) -> dict[str, Any]:
    """Return the columns of a fresh order's clock, for the insert that makes it."""
    fresh = clock(Stage.FEEDBACK, Slot(service, day, part), now)
    return dict(zip(COLUMNS, (now, fresh.warn_at, fresh.due_at, fresh.due_at), strict=True))


def lateness(warn_at: datetime | None, due_at: datetime | None, now: datetime) -> Lateness:
    """Return how an order with this clock stands at `now`."""
    if due_at is not None and now >= due_at:
        return Lateness.LATE
    return Lateness.SOON if warn_at is not None and now >= warn_at else Lateness.IN_TIME
