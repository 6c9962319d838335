"""Callbacks: the elder is told by telephone who comes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import tasks
from dispatch.attempts import close_attempt, new_attempt
from models.dialing import Attempt, AttemptStatus, Callback, CallbackStatus, Outcome
from models.journal import Entry, note
from models.lookup import numbers_of_elder
from models.orders import Order
from models.tasks import TaskKind


def begin(session: Session, order: Order, now: datetime) -> Callback:
    """Write the callback for the accepted order and its first attempt; safe to repeat."""
    known = session.scalar(
        select(Callback).where(Callback.order_id == order.id, Callback.provider_id == order.provider_id)
    )
    if known is not None:
        return known
    callback = Callback(order_id=order.id, elder_id=order.elder_id, provider_id=order.provider_id, created_at=now)
    session.add(callback)
    session.flush()
    numbers = numbers_of_elder(session, order.elder_id)
    if numbers:
        new_attempt(session, callback, numbers[0].number_id, now)
    else:
        callback.status, callback.closed_at = CallbackStatus.FAILED, now
        task = tasks.NewTask(TaskKind.CALLBACK, f"callback:{callback.id}", order_id=order.id, elder_id=order.elder_id)
        tasks.open_task(session, task, now)
    return callback


def heard(session: Session, callback_id: int, call_id: int, now: datetime) -> None:
    """She rang us and has heard who comes: nobody need ring her any more. Safe to repeat."""
    callback = session.get_one(Callback, callback_id, with_for_update=True)
    if callback.status not in (CallbackStatus.OPEN, CallbackStatus.FAILED):
        return
    callback.status, callback.closed_at = CallbackStatus.CONFIRMED, now
    note(session, call_id, Entry.CALLBACK_CONFIRMED, now, callback_id=callback_id)
    due = select(Attempt).where(Attempt.callback_id == callback_id, Attempt.status == AttemptStatus.DUE)
    for attempt in session.scalars(due):
        close_attempt(session, attempt, Outcome.TOO_LATE, now)
    tasks.settle(session, TaskKind.CALLBACK, f"callback:{callback_id}", now)


def confirm(session: Session, attempt: Attempt, now: datetime) -> None:
    """She pressed 1: she knows who comes."""
    if attempt.call_id is not None:
        note(session, attempt.call_id, Entry.CALLBACK_CONFIRMED, now, callback_id=attempt.callback_id)
    close_attempt(session, attempt, Outcome.CONFIRMED, now)
