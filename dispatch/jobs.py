"""The worker's one job: do the errands of outbox rows. Safe to run twice, at any time, by two workers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from dispatch import tasks
from dispatch.dial import dial
from dispatch.gateways import GatewayUnavailable
from dispatch.offers import offer_order, tell_others
from dispatch.outbox import errand
from dispatch.send_sms import ask_sms, send_sms
from models import clock
from models.dialing import Attempt
from models.orders import Order
from models.outbox import OutboxEntry
from models.prepared import Prepared
from models.session import read_rows, write
from models.settings import settings
from models.sms import SmsMessage
from models.tasks import TaskKind

log = logging.getLogger(__name__)

# What an errand can be: the outbox's verb names one of these.
VERBS: dict[str, Callable[[int], None]] = {
    "offer_order": offer_order,
    "tell_others": tell_others,
    "dial": dial,
    "send_sms": send_sms,
    "ask_sms": ask_sms,
}

# Every errand of every order passes here.
_OUTBOX = cast(Table, OutboxEntry.__table__)
_OPEN = _OUTBOX.c.id == bindparam("entry_id"), _OUTBOX.c.done_at.is_(None)
_WAITING = Prepared(select(_OUTBOX.c.verb, _OUTBOX.c.subject_id, _OUTBOX.c.due_at).where(*_OPEN))

# Told of every errand that failed by a fault; a process puts its own in.
on_failure: list[Callable[[str, Exception], None]] = []

# After so many failures in a row a person is told; the errand is still tried again.
FAILURES_BEFORE_TASK = 5
LONGEST_PAUSE_S = 60


def run(*entry_ids: int) -> None:
    """Do the errands of these outbox rows, one after another; each is marked done, or on failure tried again later."""
    for entry_id in entry_ids:
        _run(entry_id)


def _run(entry_id: int) -> None:
    with read_rows() as rows:
        waiting = _WAITING.first(rows, {"entry_id": entry_id})
    if waiting is None:
        return
    verb, subject_id, due_at = waiting
    if due_at > clock.now():
        return
    try:
        with errand(entry_id):
            VERBS[verb](subject_id)
    except GatewayUnavailable as error:
        log.warning("errand %d (%s %d) waits: %s", entry_id, verb, subject_id, error)
        _postpone(entry_id)
        return
    except Exception as error:
        log.exception("errand %d (%s %d) failed", entry_id, verb, subject_id)
        for tell in on_failure:
            tell(verb, error)
        _postpone(entry_id)
        return


def _postpone(entry_id: int) -> None:
    now = clock.now()
    with write() as session:
        entry = session.get_one(OutboxEntry, entry_id)
        entry.failures += 1
        pause = min(settings().transient_retry_s * 2 ** min(entry.failures - 1, 6), LONGEST_PAUSE_S)
        entry.created_at, entry.due_at, entry.enqueued_at = now, now + timedelta(seconds=pause), None
        if entry.failures == FAILURES_BEFORE_TASK:
            order = _order_of(session, entry)
            fault = tasks.NewTask(
                TaskKind.FAULT, f"outbox:{entry_id}", order_id=order.id if order else None,
                elder_id=order.elder_id if order else None, data={"verb": entry.verb},
            )  # fmt: skip
            tasks.open_task(session, fault, now)


def _order_of(session: Session, entry: OutboxEntry) -> Order | None:
    """Return the order that waits for this errand, so that whoever has the task sees it."""
    if entry.verb in ("offer_order", "tell_others"):
        return session.get(Order, entry.subject_id)
    if entry.verb in ("send_sms", "ask_sms"):
        message = session.get(SmsMessage, entry.subject_id)
        return message.order if message else None
    attempt = session.get(Attempt, entry.subject_id) if entry.verb == "dial" else None
    return attempt.order if attempt else None
