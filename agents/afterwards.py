"""What an agent decides after a service: it is done again, how it was as the elder told her, or it is closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.accounts import record
from dispatch import returns
from dispatch.changes import Wanted
from models import clock, vocabulary
from models.orders import Order, OrderEvent
from models.users import User
from models.workdays import is_workday

# It is done again within so many days, or ordered anew.
LONGEST_AHEAD = 31


@dataclass(frozen=True)
class Again:
    """When it is to be done again, as the form has it: an ISO day and a part of the day."""

    day: str
    part: str


class AfterwardsError(ValueError):
    """It cannot be done like this. `code`: day, part, state."""

    def __init__(self, code: str) -> None:
        super().__init__(f"not possible: {code}")
        self.code = code


def next_workday(today: date) -> date:
    """Return the day that is offered first for doing it again."""
    ahead = (today + timedelta(days=n) for n in range(1, LONGEST_AHEAD))
    return next((day for day in ahead if is_workday(day)), today + timedelta(days=1))


def have_it_done_again(session: Session, public_id: str, wanted: Again, by: tuple[User, datetime]) -> None:
    """Have the order of `public_id` done again at another time.

    Raises:
        KeyError: no such order.
        AfterwardsError: no such day or part of the day, or the order is not one that can be done again.
    """
    user, now = by
    order_id = _order_id(session, public_id)
    today = clock.local_date(now)
    try:
        day = date.fromisoformat(wanted.day)
    except ValueError:
        raise AfterwardsError("day") from None
    if not today <= day <= today + timedelta(days=LONGEST_AHEAD):
        raise AfterwardsError("day")
    if wanted.part not in vocabulary.PART:
        raise AfterwardsError("part")
    if not returns.reopen(session, order_id, Wanted(day, wanted.part), _by(user), now):
        raise AfterwardsError("state")
    record(session, user, "order_reopened", ("order", order_id), now)


def close(session: Session, public_id: str, by: tuple[User, datetime]) -> None:
    """Close the order of `public_id`: the elder has been talked to, or cannot be asked.

    Raises:
        KeyError: no such order.
        AfterwardsError: it is not done yet.
    """
    user, now = by
    order_id = _order_id(session, public_id)
    if not returns.conclude(session, order_id, _by(user), now):
        raise AfterwardsError("state")
    record(session, user, "order_closed", ("order", order_id), now)


def _by(user: User) -> OrderEvent:
    return OrderEvent(actor="agent", actor_id=user.id)


def _order_id(session: Session, public_id: str) -> int:
    found = session.scalar(select(Order.id).where(Order.public_id == public_id))
    if found is None:
        raise KeyError(public_id)
    return found
