"""When an elder may be rung, as her card shows it and as it is changed there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.accounts import record
from models import calling_hours
from models.calling_hours import DAY_MINUTES, Hours, Minutes
from models.clock import hours_minutes
from models.people import Elder, Person
from models.users import User

# The form has room for so many spans; more come by an import only.
SPANS = 2


class HoursError(ValueError):
    """These are no hours in which anybody could be rung."""


@dataclass(frozen=True)
class OwnHours:
    """Her hours: spans as a form has them ("10:00" or empty), days without a call, and who said so."""

    spans: tuple[tuple[str, str], ...]
    not_on: frozenset[int]
    never: bool
    by: str
    since: datetime | None


def own_hours(session: Session, elder_id: int, now: datetime) -> OwnHours:
    """Return the elder's own hours for her card."""
    row = calling_hours.rule_of(session, elder_id, now)
    hours = calling_hours.hours_in(row) if row is not None else calling_hours.ANY
    spans = [(_shown(begins, 0), _shown(ends, DAY_MINUTES)) for begins, ends in hours.spans]
    spans += [("", "")] * (SPANS - len(spans))
    user = session.get(User, row.by_user_id) if row is not None and row.by_user_id else None
    since = row.since if row is not None and hours != calling_hours.ANY else None
    return OwnHours(tuple(spans), hours.not_on, hours.never, user.name if user and since else "", since)


def _shown(minute: int, open_end: int) -> str:
    return "" if minute == open_end else hours_minutes(minute)


@dataclass(frozen=True)
class HoursForm:
    """The form as it was sent: the beginnings and ends of the spans, the weekdays without a call, never."""

    begins: Sequence[str]
    ends: Sequence[str]
    not_on: Sequence[str] = ()
    never: bool = False


def change(session: Session, public_id: str, form: HoursForm, by: tuple[User, datetime]) -> None:
    """Set her hours for the elder of `public_id`; audited.

    Raises:
        KeyError: there is no such elder.
        HoursError: the form says no hours in which anybody could be rung.
    """
    elder_id = session.scalar(select(Elder.id).join(Elder.person).where(Person.public_id == public_id))
    if elder_id is None:
        raise KeyError(public_id)
    try:
        spans = tuple(
            _span(begins, ends) for begins, ends in zip(form.begins, form.ends, strict=True) if begins or ends
        )
        hours = Hours(spans, frozenset(int(day) for day in form.not_on), form.never)
    except ValueError as error:
        raise HoursError(str(error)) from error
    set_hours(session, elder_id, hours, by)


def set_hours(session: Session, elder_id: int, hours: Hours, by: tuple[User, datetime]) -> None:
    """Let `hours` hold for the elder from now on; audited where that changes anything."""
    user, now = by
    if calling_hours.put(session, elder_id, hours, user.id, now) is not None:
        record(session, user, "set_call_hours", ("elder", elder_id), now)


def _span(begins: str, ends: str) -> Minutes:
    (found,) = calling_hours.read_spans(f"{begins or '00:00'}-{ends or '24:00'}")
    return found
