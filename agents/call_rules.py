"""The list of those whom no machine rings, or only at their own hours (models.calling_hours)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from agents.calling import set_hours
from agents.parties import Party
from models import calling_hours
from models.calling_hours import ANY, Hours
from models.campaigns import CallRule
from models.people import Elder, Person
from models.users import User

SHOWN = 500


@dataclass(frozen=True)
class RuleRow:
    """One elder's exception in force."""

    elder: Party
    hours: Hours
    since: datetime
    by: str


def in_force(session: Session, now: datetime) -> list[RuleRow]:
    """Return the exceptions that hold, by name."""
    rows = session.execute(
        select(CallRule, Person, User.name)
        .join(Person, Person.id == CallRule.elder_id)
        .outerjoin(User, User.id == CallRule.by_user_id)
        .where(calling_hours.in_force(now))
        .order_by(Person.name, CallRule.id)
        .limit(SHOWN)
    )
    found = [
        RuleRow(
            Party("elder", person.name, person.public_id), calling_hours.hours_in(row), row.since, by or ""
        )
        for row, person, by in rows
    ]  # fmt: skip
    return [one for one in found if one.hours != ANY]


def put(session: Session, written: str, never: bool, user: User, now: datetime) -> None:
    """Let no machine ring the elder of a card number or a public id; or take back what is listed of her. Audited.

    Her own hours stay beside the wish not to be rung, and are there again when it is taken back.

    Raises:
        KeyError: nobody.
    """
    query = select(Elder).join(Elder.person)
    elder = session.scalar(query.where(or_(Elder.card_number == written, Person.public_id == written)))
    if elder is None or not written:
        raise KeyError(written)
    stands = calling_hours.hours_of(session, elder.id, now)
    wanted = replace(stands, never=never) if never or stands.never else ANY
    set_hours(session, elder.id, wanted, (user, now))
