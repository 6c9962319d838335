"""Callbacks: the elder is told by telephone who comes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import reminders, tasks
from dispatch.attempts import call_off, callback_key, close_attempt, new_attempt
from models.dialing import Attempt, Callback, CallbackStatus, Outcome
from models.journal import Entry, note
from models.lookup import numbers_of_elder
from models.orders import Order
from models.tasks import TaskKind


def begin(session: Session, order: Order, now: datetime) -> Callback:
    """Write the callback for the order that was just accepted, its first attempt, and the reminder of it.

    While she has still to be told by this provider's callback, nothing is written again.
    """
    callback = session.scalar(
        select(Callback).where(Callback.order_id == order.id, Callback.provider_id == order.provider_id)
    )
    if callback is not None and callback.status == CallbackStatus.OPEN:
        return callback
    if callback is None:
        callback = Callback(order_id=order.id, elder_id=order.elder_id, provider_id=order.provider_id, created_at=now)
        session.add(callback)
    else:
        # The same provider has taken it once more: she is told of the new time.
        newest = session.scalar(select(func.max(Attempt.id)).where(Attempt.callback_id == callback.id))
        callback.round, callback.since_attempt_id = callback.round + 1, newest or 0
        callback.status, callback.created_at, callback.closed_at = CallbackStatus.OPEN, now, None
    session.flush()
    numbers = numbers_of_elder(session, order.elder_id)
    if numbers:
        new_attempt(session, callback, numbers[0].number_id, now)
    else:
        callback.status, callback.closed_at = CallbackStatus.FAILED, now
        tasks.open_task(session, tasks.for_order(TaskKind.CALLBACK, callback_key(callback), order), now)
    reminders.begin(session, order, now)
    return callback


def heard(session: Session, callback_id: int, call_id: int, now: datetime) -> None:
    """She rang us and has heard who comes: nobody need ring her any more. Safe to repeat."""
    callback = session.get_one(Callback, callback_id, with_for_update=True)
    if callback.status not in (CallbackStatus.OPEN, CallbackStatus.FAILED):
        return
    callback.status, callback.closed_at = CallbackStatus.CONFIRMED, now
    note(session, call_id, Entry.CALLBACK_CONFIRMED, now, callback_id=callback_id)
    call_off(session, callback, now)
    tasks.settle(session, TaskKind.CALLBACK, callback_key(callback), now)


def confirm(session: Session, attempt: Attempt, now: datetime) -> None:
    """She pressed 1: she knows who comes."""
    if attempt.call_id is not None:
        note(session, attempt.call_id, Entry.CALLBACK_CONFIRMED, now, callback_id=attempt.callback_id)
    close_attempt(session, attempt, Outcome.CONFIRMED, now)
