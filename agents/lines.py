"""Calls, orders and tasks as lists show them: one typed line each, for the board and for the cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, selectinload

from agents.parties import Party, party
from models import clock, deadlines
from models.calls import Call
from models.dialing import Attempt, Callback, Offer, OfferStatus
from models.followups import Reminder
from models.orders import Order
from models.tasks import Task

# What a half-understood request may hold; anything else in `data` is not for the screen.
SLOTS = ("wish", "service", "every", "day", "part", "at", "others")


@dataclass(frozen=True)
class OrderRef:
    """What is needed to name an order and to link to it."""

    public_id: str
    number: int


@dataclass(frozen=True)
class CallLine:
    """One call in a list."""

    public_id: str
    direction: str
    purpose: str
    state: str
    end: str | None
    party: Party
    language: str
    started_at: datetime
    ended_at: datetime | None
    order: OrderRef | None


@dataclass(frozen=True)
class OrderLine:
    """One order in a list. `provider` has it, or is being asked just now."""

    public_id: str
    number: int
    status: str
    service: str
    wanted_on: date
    wanted_part: str
    wanted_at: time | None
    elder: Party
    provider: str
    offers: int
    callback: str | None
    created_at: datetime
    changed_at: datetime
    due_at: datetime | None
    lateness: str  # models.deadlines.Lateness


@dataclass(frozen=True)
class TaskLine:
    """One task in a list."""

    public_id: str
    kind: str
    priority: int
    party: Party
    order: OrderRef | None
    slots: tuple[tuple[str, str], ...]
    created_at: datetime
    closed_at: datetime | None
    owner: str = ""
    due_at: datetime | None = None
    tries: int = 0


def calls_query() -> Select[Call]:
    """Calls with what a line shows of them."""
    return select(Call).options(selectinload(Call.elder), selectinload(Call.provider), selectinload(Call.number))


def orders_query() -> Select[Order]:
    """Orders with what a line shows of them."""
    return select(Order).options(selectinload(Order.elder), selectinload(Order.provider))


def tasks_query() -> Select[Task]:
    """Tasks with what a line shows of them."""
    together = (Task.elder, Task.provider, Task.number, Task.order, Task.owner)
    return select(Task).options(*(selectinload(each) for each in together))


def order_ref(order: Order) -> OrderRef:
    """Name `order`."""
    return OrderRef(order.public_id, order.number)


def call_lines(session: Session, calls: Sequence[Call]) -> tuple[CallLine, ...]:
    """Return a line for each call, with the order it is about."""
    refs = _order_refs(session, [call.id for call in calls])
    return tuple(
        CallLine(
            public_id=call.public_id,
            direction=call.direction,
            purpose=call.purpose,
            state=call.state,
            end=call.end,
            party=party(call.elder, call.provider, call.number),
            language=call.language,
            started_at=call.started_at,
            ended_at=call.ended_at,
            order=refs.get(call.id),
        )
        for call in calls
    )


def _order_refs(session: Session, call_ids: Sequence[int]) -> dict[int, OrderRef]:
    """Return which order each call is about: the one placed in it, or the one it offers or reports."""
    if not call_ids:
        return {}
    refs: dict[int, OrderRef] = {}
    for order in session.scalars(select(Order).where(Order.call_id.in_(call_ids))):
        if order.call_id is not None:
            refs[order.call_id] = order_ref(order)
    dialed = session.scalars(
        select(Attempt)
        .where(Attempt.call_id.in_(call_ids))
        .options(
            selectinload(Attempt.offer).selectinload(Offer.order),
            selectinload(Attempt.callback).selectinload(Callback.order),
            selectinload(Attempt.reminder).selectinload(Reminder.order),
        )
    )
    for attempt in dialed:
        about = attempt.order
        if about is not None and attempt.call_id is not None:
            refs[attempt.call_id] = order_ref(about)
    return refs


def order_lines(session: Session, orders: Sequence[Order]) -> tuple[OrderLine, ...]:
    """Return a line for each order, with who is being asked and whether she has been told."""
    ids = [order.id for order in orders]
    if not ids:
        return ()
    now = clock.now()
    counted = select(Offer.order_id, func.count()).where(Offer.order_id.in_(ids)).group_by(Offer.order_id)
    offers: dict[int, int] = dict(session.execute(counted).all())
    asked = {
        offer.order_id: offer.provider.name
        for offer in session.scalars(
            select(Offer)
            .where(Offer.order_id.in_(ids), Offer.status == OfferStatus.OPEN)
            .options(selectinload(Offer.provider))
        )
    }
    told: dict[int, str] = {
        row.order_id: row.status
        for row in session.execute(
            select(Callback.order_id, Callback.status).where(Callback.order_id.in_(ids)).order_by(Callback.id)
        )
    }
    return tuple(
        OrderLine(
            public_id=order.public_id,
            number=order.number,
            status=order.status,
            service=order.service,
            wanted_on=order.wanted_on,
            wanted_part=order.wanted_part,
            wanted_at=order.wanted_at,
            elder=party(order.elder, None, None),
            provider=order.provider.name if order.provider else asked.get(order.id, ""),
            offers=offers.get(order.id, 0),
            callback=told.get(order.id),
            created_at=order.created_at,
            changed_at=order.changed_at,
            due_at=order.due_at,
            lateness=deadlines.lateness(order.warn_at, order.due_at, now),
        )
        for order in orders
    )


def task_lines(tasks: Sequence[Task]) -> tuple[TaskLine, ...]:
    """Return a line for each task."""
    return tuple(
        TaskLine(
            public_id=task.public_id,
            kind=task.kind,
            priority=task.priority,
            party=party(task.elder, task.provider, task.number),
            order=order_ref(task.order) if task.order else None,
            slots=slots_of(task.data),
            created_at=task.created_at,
            closed_at=task.closed_at,
            owner=task.owner.name if task.owner and task.closed_at is None else "",
            due_at=task.due_at,
            tries=task.tries,
        )
        for task in tasks
    )


def slots_of(data: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return what was understood of a request, in the order in which it is asked."""
    nested = data.get("slots")
    found = {**data, **nested} if isinstance(nested, dict) else data
    return tuple((slot, str(found[slot])) for slot in SLOTS if found.get(slot))
