"""Reminders: on the evening before, the elder is told once more who comes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import sms
from dispatch.attempts import call_off, close_attempt, new_attempt
from models import clock, windows
from models.calling_hours import hours_of
from models.dialing import Attempt, Outcome
from models.followups import Reminder, ReminderStatus
from models.journal import Entry, note
from models.lookup import numbers_of_elder
from models.orders import Order, OrderStatus


def begin(session: Session, order: Order, now: datetime) -> None:
    """Write the reminder of the accepted order, if its evening is still to come. Safe to repeat.

    Whoever orders on that evening itself hears who comes by the callback, and nothing more.
    """
    evening = windows.reminder_of(order.wanted_on)
    if evening <= now:
        return
    # Whoever wishes text messages reads it instead; should it not arrive, she is rung (dispatch/send_sms.py).
    if sms.tell_elder(session, order, "reminder", now, evening) is None:
        at = _when_rung(session, order, now)
        if at > now:
            _ring(session, order, at, now)


def text_failed(session: Session, order: Order, now: datetime) -> None:
    """The text message has not reached her: she is rung, as long as it is the evening before or earlier."""
    if order.status == OrderStatus.ACCEPTED and clock.local_date(now) < order.wanted_on:
        _ring(session, order, max(now, _when_rung(session, order, now)), now)


def _when_rung(session: Session, order: Order, now: datetime) -> datetime:
    """Return when she is reminded by telephone: on the evening before, or when her own hours allow it before that."""
    return windows.reminder_of(order.wanted_on, hours_of(session, order.elder_id, now))


def _ring(session: Session, order: Order, at: datetime, now: datetime) -> None:
    """Write the reminder by telephone and its first attempt, at `at`. Safe to repeat."""
    numbers = numbers_of_elder(session, order.elder_id)
    if not numbers:
        return
    same = (
        Reminder.order_id == order.id,
        Reminder.provider_id == order.provider_id,
        Reminder.wanted_on == order.wanted_on,
    )
    if session.scalar(select(Reminder.id).where(*same)) is not None:
        return
    reminder = Reminder(
        order_id=order.id, elder_id=order.elder_id, provider_id=order.provider_id, wanted_on=order.wanted_on,
        created_at=now,
    )  # fmt: skip
    session.add(reminder)
    session.flush()
    new_attempt(session, reminder, numbers[0].number_id, at)


def still_true(reminder: Reminder) -> bool:
    """Return whether the one of whom it reminds her is still to come, on that day."""
    order = reminder.order
    return (
        order.status == OrderStatus.ACCEPTED
        and order.provider_id == reminder.provider_id
        and order.wanted_on == reminder.wanted_on
    )


def withdraw(session: Session, reminder: Reminder, now: datetime) -> None:
    """It is not true any more: nobody rings her for it. Safe to repeat."""
    if reminder.status == ReminderStatus.OPEN:
        reminder.status, reminder.closed_at = ReminderStatus.WITHDRAWN, now
        call_off(session, reminder, now)


def heard(session: Session, reminder_id: int, call_id: int, now: datetime) -> None:
    """She rang us and has heard it: nobody need ring her any more. Safe to repeat."""
    reminder = session.get_one(Reminder, reminder_id, with_for_update=True)
    if reminder.status not in (ReminderStatus.OPEN, ReminderStatus.FAILED):
        return
    reminder.status, reminder.closed_at = ReminderStatus.HEARD, now
    note(session, call_id, Entry.REMINDER_HEARD, now, reminder_id=reminder_id)
    call_off(session, reminder, now)


def confirm(session: Session, attempt: Attempt, now: datetime) -> None:
    """She pressed 1: she has heard it."""
    if attempt.call_id is not None:
        note(session, attempt.call_id, Entry.REMINDER_HEARD, now, reminder_id=attempt.reminder_id)
    close_attempt(session, attempt, Outcome.CONFIRMED, now)
