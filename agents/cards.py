"""An elder's card: who she is, how she is reached, what she has ordered, what is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.calling import OwnHours, own_hours
from agents.circle import Line, Tie, charges, contacts, household, numbers_of
from agents.lines import (
    CallLine,
    OrderLine,
    OrderRef,
    TaskLine,
    call_lines,
    calls_query,
    order_lines,
    order_ref,
    orders_query,
    task_lines,
    tasks_query,
)
from agents.manners import Manner, manners
from agents.merging import Merged, Twin, merges, twins
from agents.notes import NoteLine, notes
from agents.parties import Party, area_path
from agents.people import Change, changes
from models.calls import Call, Utterance
from models.clock import local_date
from models.orders import Order
from models.people import Elder, Person, card_digits
from models.ratings import OrderRating
from models.tasks import Task

# The newest of each; agents/history.py has the rest.
SHOWN = 20


@dataclass(frozen=True)
class Rating:
    """What she thought of a service: 1 (bad) to 5 (very good), and her words while they have not been erased."""

    order: OrderRef
    service: str
    score: int
    at: datetime
    words: str


@dataclass(frozen=True)
class ElderCard:
    """Everything an agent needs in front of her while she speaks with this elder."""

    public_id: str
    name: str
    family_name: str
    sex: str | None
    born_on: date | None
    age: int | None
    language: str
    area: tuple[str, ...]
    address: str
    card_tail: str | None
    needs: str
    numbers: tuple[Line, ...]
    household: tuple[Party, ...]
    contacts: tuple[Tie, ...]
    charges: tuple[Tie, ...]
    manners: tuple[Manner, ...]
    hours: OwnHours
    ratings: tuple[Rating, ...]
    orders: tuple[OrderLine, ...]
    calls: tuple[CallLine, ...]
    open_tasks: tuple[TaskLine, ...]
    closed_tasks: tuple[TaskLine, ...]
    notes: tuple[NoteLine, ...]
    twins: tuple[Twin, ...]
    merges: tuple[Merged, ...]
    changes: tuple[Change, ...]


def elder_card(session: Session, public_id: str, now: datetime) -> tuple[int, ElderCard] | None:
    """Return the elder's id (for the audit) and her card, or None."""
    elder = session.scalar(select(Elder).join(Elder.person).where(Person.public_id == public_id))
    if elder is None:
        return None
    person = elder.person
    orders = session.scalars(
        orders_query().where(Order.elder_id == elder.id).order_by(Order.id.desc()).limit(SHOWN)
    ).all()
    calls = session.scalars(calls_query().where(Call.elder_id == elder.id).order_by(Call.id.desc()).limit(SHOWN)).all()
    tasks = task_lines(
        session.scalars(
            tasks_query()
            .where(Task.elder_id == elder.id)
            .order_by(Task.closed_at.is_not(None), Task.priority, Task.id.desc())
            .limit(SHOWN)
        ).all()
    )
    card = ElderCard(
        public_id=person.public_id,
        name=person.name,
        family_name=person.family_name,
        sex=person.sex,
        born_on=person.born_on,
        age=age_on(person.born_on, local_date(now)) if person.born_on else None,
        language=person.language,
        area=area_path(session, elder.area_id),
        address=elder.address,
        card_tail=card_tail(elder.card_number),
        needs=elder.needs,
        numbers=numbers_of(person),
        household=household(session, person),
        contacts=contacts(session, elder),
        charges=charges(session, elder),
        manners=manners(session, elder),
        hours=own_hours(session, elder.id, now),
        ratings=_ratings(session, elder.id),
        orders=order_lines(session, orders),
        calls=call_lines(session, calls),
        open_tasks=tuple(task for task in tasks if task.closed_at is None),
        closed_tasks=tuple(task for task in tasks if task.closed_at is not None),
        notes=notes(session, elder.id, SHOWN, struck=True),
        twins=twins(session, elder),
        merges=merges(session, elder.id),
        changes=changes(session, elder.id, SHOWN),
    )
    return elder.id, card


def age_on(born_on: date, today: date) -> int:
    """Return the age in full years; who was born on 29 February turns older on 1 March."""
    return today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))


def card_tail(card_number: str | None) -> str | None:
    """Return the end of a service card's number: enough to compare with what she reads out, useless to anybody else."""
    digits = card_digits(card_number) or card_number or ""
    return digits[-min(4, len(digits) // 2 or 1) :] or None


def _ratings(session: Session, elder_id: int) -> tuple[Rating, ...]:
    rows = session.execute(
        select(OrderRating, Order, Utterance.text)
        .join(Order, Order.id == OrderRating.order_id)
        .outerjoin(Utterance, Utterance.id == OrderRating.utterance_id)
        .where(Order.elder_id == elder_id)
        .order_by(OrderRating.at.desc())
        .limit(SHOWN)
    )
    return tuple(Rating(order_ref(order), order.service, row.score, row.at, words or "") for row, order, words in rows)
