"""What becomes of an order that stands: cancelled, or wanted at another time; asked for by her or by an agent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import reminders, tasks
from dispatch.attempts import call_off
from dispatch.offers import lock_order
from dispatch.outbox import post
from models.dialing import Callback, CallbackStatus, Offer, OfferStatus
from models.followups import Reminder, ReminderStatus
from models.journal import Entry, note
from models.orders import CHANGEABLE, Order, OrderEvent, OrderStatus, move_order
from models.tasks import TaskKind

CANCELLABLE = CHANGEABLE | {OrderStatus.ACCEPTED}


@dataclass(frozen=True)
class Wanted:
    """When she wants it: the day, the part of it, and her clock where she named one."""

    on: date
    part: str
    at: time | None = None


def cancel_order(session: Session, order_id: int, by: OrderEvent, now: datetime) -> bool:
    """Cancel the order: open offers and callbacks are withdrawn; whoever accepted it is told by an agent.

    Safe to repeat. Returns False where it is too late: the worker has come, or it is done.
    """
    order = lock_order(session, order_id)
    if order.status == OrderStatus.CANCELLED:
        return True
    if order.status not in CANCELLABLE:
        return False
    accepted = order.status == OrderStatus.ACCEPTED
    move_order(session, order, OrderStatus.CANCELLED, now, by)
    withdraw(session, order, now)
    if by.call_id is not None:
        note(session, by.call_id, Entry.ORDER_CANCELLED, now, order_id=order.id)
    for kind in (TaskKind.NO_PROVIDER, TaskKind.LATE):
        tasks.settle_all(session, kind, order.id, now)
    if accepted:
        have_told(session, order, now)
    return True


def have_told(session: Session, order: Order, now: datetime) -> None:
    """Have a person tell the provider that has accepted the order that it has it no longer."""
    of = Offer.order_id == order.id, Offer.provider_id == order.provider_id, Offer.status == OfferStatus.ACCEPTED
    # A provider that loses the same order a second time is told a second time.
    turn = session.scalar(select(func.max(Offer.round)).where(*of)) or 1
    key = f"order:{order.id}:provider:{order.provider_id}:{turn}"
    new = tasks.for_order(TaskKind.TELL_PROVIDER, key, order, provider_id=order.provider_id)
    tasks.open_task(session, new, now)


def change_order(session: Session, order_id: int, wanted: Wanted, by: OrderEvent, now: datetime) -> bool:
    """Give the order another day and part of the day; providers are asked anew.

    Returns False where a person has to see to it: somebody has accepted it for the time that stood.
    """
    order = lock_order(session, order_id)
    if order.status not in CHANGEABLE:
        return False
    if Wanted(order.wanted_on, order.wanted_part, order.wanted_at) == wanted:
        return True
    order.wanted_on, order.wanted_part, order.wanted_at = wanted.on, wanted.part, wanted.at
    withdraw(session, order, now)
    anew = OrderStatus.CONFIRMED if order.status == OrderStatus.OFFERED else OrderStatus(order.status)
    if anew == OrderStatus.CONFIRMED:
        post(session, "offer_order", order.id, now, by.call_id)
    move_order(session, order, anew, now, by)
    if by.call_id is not None:
        data = {"order_id": order.id, "day": wanted.on.isoformat(), "part": wanted.part}
        note(session, by.call_id, Entry.ORDER_CHANGED, now, **data)
    return True


def withdraw(session: Session, order: Order, now: datetime) -> None:
    """Take back what is being asked and told about the order as it was."""
    for offer in session.scalars(select(Offer).where(Offer.order_id == order.id, Offer.status == OfferStatus.OPEN)):
        offer.status, offer.closed_at = OfferStatus.WITHDRAWN, now
        call_off(session, offer, now)
    open_callback = (Callback.order_id == order.id, Callback.status == CallbackStatus.OPEN)
    for callback in session.scalars(select(Callback).where(*open_callback)):
        callback.status, callback.closed_at = CallbackStatus.WITHDRAWN, now
        call_off(session, callback, now)
    # Nobody need tell her of a provider that does not come.
    tasks.settle_all(session, TaskKind.CALLBACK, order.id, now)
    open_reminder = (Reminder.order_id == order.id, Reminder.status == ReminderStatus.OPEN)
    for reminder in session.scalars(select(Reminder).where(*open_reminder)):
        reminders.withdraw(session, reminder, now)
