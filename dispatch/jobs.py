"""The worker's one job: do the errand of an outbox row. Safe to run twice, at any time, by two workers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from dispatch import tasks
from dispatch.dial import dial
from dispatch.gateways import GatewayUnavailable
from dispatch.offers import offer_order, tell_others
from models import clock
from models.outbox import OutboxEntry
from models.session import read, write
from models.settings import settings
from models.tasks import TaskKind

log = logging.getLogger(__name__)

# What an errand can be: the outbox's verb names one of these.
VERBS: dict[str, Callable[[int], None]] = {"offer_order": offer_order, "tell_others": tell_others, "dial": dial}

# After so many failures in a row a person is told; the errand is still tried again.
FAILURES_BEFORE_TASK = 5
LONGEST_PAUSE_S = 60


def run(entry_id: int) -> None:
    """Do the errand of outbox row `entry_id`, and mark it done; on failure try again later."""
    with read() as session:
        entry = session.get(OutboxEntry, entry_id)
        if entry is None or entry.done_at is not None or entry.due_at > clock.now():
            return
        verb, subject_id = entry.verb, entry.subject_id
    try:
        VERBS[verb](subject_id)
    except GatewayUnavailable as error:
        log.warning("errand %d (%s %d) waits: %s", entry_id, verb, subject_id, error)
        _postpone(entry_id)
        return
    except Exception:
        log.exception("errand %d (%s %d) failed", entry_id, verb, subject_id)
        _postpone(entry_id)
        return
    with write() as session:
        entry = session.get_one(OutboxEntry, entry_id)
        entry.done_at = entry.done_at or clock.now()


def _postpone(entry_id: int) -> None:
    now = clock.now()
    with write() as session:
        entry = session.get_one(OutboxEntry, entry_id)
        entry.failures += 1
        pause = min(settings().transient_retry_s * 2 ** min(entry.failures - 1, 6), LONGEST_PAUSE_S)
        entry.due_at, entry.enqueued_at = now + timedelta(seconds=pause), None
        if entry.failures == FAILURES_BEFORE_TASK:
            fault = tasks.NewTask(TaskKind.FAULT, f"outbox:{entry_id}", data={"verb": entry.verb})
            tasks.open_task(session, fault, now)
