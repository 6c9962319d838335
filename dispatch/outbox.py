"""Commit, then enqueue: the outbox row is written with what made it necessary; the job is only a hint.

Redis may be emptied at any time. The relay (dispatch.sweep) enqueues again
whatever is due and not done.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import cast

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import Table, and_, bindparam, insert, or_, select, update
from sqlalchemy.orm import Session

from models import clock
from models.outbox import OutboxEntry
from models.prepared import Prepared
from models.rows import Rows
from models.session import read, write, write_rows
from models.settings import settings

log = logging.getLogger(__name__)

QUEUE = "dispatch"
# A job reads a row, talks to Asterisk for a moment and writes a row (seconds).
JOB_TIMEOUT_S = 30
# So many errands that are due at the same time share a job: RQ's own work for a job is as much as an errand's.
AT_ONCE = 10
# The clocks of two machines, and two looks at one clock, may differ by this much (s).
CLOCKS_DIFFER_S = 5
_RUN = "dispatch.jobs.run"
_OUTBOX = cast(Table, OutboxEntry.__table__)
_DONE = Prepared(
    update(_OUTBOX)
    .where(_OUTBOX.c.id == bindparam("entry_id"), _OUTBOX.c.done_at.is_(None))
    .values(done_at=bindparam("at"))
)
_INSERT = Prepared(insert(_OUTBOX), "verb", "subject_id", "call_id", "created_at", "due_at")


@cache
def redis() -> Redis:
    """Return this process's Redis client. It gives up fast: whoever waits is on the telephone."""
    return Redis.from_url(settings().redis_location, socket_connect_timeout=1, socket_timeout=None)


@cache
def waker() -> Queue:
    connection = Redis.from_url(settings().redis_location, socket_connect_timeout=0.5, socket_timeout=1)
    return Queue(QUEUE, connection=connection, serializer=JSONSerializer)


def post(session: Session | Rows, verb: str, subject_id: int, due_at: datetime, call_id: int | None = None) -> None:
    """Write an errand for the worker into the open transaction: `verb` is a function of dispatch.jobs."""
    row = {
        "verb": verb,
        "subject_id": subject_id,
        "call_id": call_id,
        "created_at": clock.now(),
        "due_at": due_at,
    }
    entry_id = _INSERT.insert(session, row)
    session.info.setdefault("posted", []).append((entry_id, due_at))


class _Errand(threading.local):
    """The errand that this thread is doing: its row's id, None where it does none or has marked it."""

    entry_id: int | None = None


_errand = _Errand()


@contextmanager
def errand(entry_id: int) -> Iterator[None]:
    """Do the errand of an outbox row inside: it is marked at the end, unless it has done so itself; not on failure."""
    _errand.entry_id = entry_id
    try:
        yield
        if _errand.entry_id is not None:
            with write_rows() as rows:
                settle(rows)
    finally:
        _errand.entry_id = None


def settle(session: Session | Rows) -> None:
    """Mark the errand under way as done in the open transaction: what remains of it, others would finish."""
    if _errand.entry_id is not None:
        _DONE.run(session, {"entry_id": _errand.entry_id, "at": clock.now()})
        _errand.entry_id = None


@contextmanager
def transaction() -> Iterator[Session]:
    """Open a write transaction; after its commit the worker is woken for what was posted in it."""
    with write() as session:
        yield session
    _wake_posted(session)


@contextmanager
def quick_transaction(synced: bool = True) -> Iterator[Rows]:
    """Open the same without the ORM: for what is written while somebody is on the telephone. `synced`: `write_rows`."""
    with write_rows(synced) as rows:
        yield rows
    _wake_posted(rows)


def _wake_posted(unit: Session | Rows) -> None:
    now = clock.now()
    wake([entry_id for entry_id, due_at in unit.info.get("posted", []) if due_at <= now])


def wake(entry_ids: list[int]) -> int:
    """Enqueue jobs for the entries; return how many. A Redis that is away costs nothing: the relay comes by."""
    if not entry_ids:
        return 0
    queue = waker()
    try:
        # All in one question to Redis: somebody may be on the telephone.
        with queue.connection.pipeline(transaction=False) as pipeline:
            for first in range(0, len(entry_ids), AT_ONCE):
                some = entry_ids[first : first + AT_ONCE]
                queue.enqueue_call(
                    _RUN, args=tuple(some), timeout=JOB_TIMEOUT_S * len(some), result_ttl=0, failure_ttl=3600,
                    description=_RUN, pipeline=pipeline,
                )  # fmt: skip
            pipeline.execute()
    except (RedisError, OSError) as error:
        log.warning("Redis is away (%s); the relay will enqueue %d errands", type(error).__name__, len(entry_ids))
        return 0
    return len(entry_ids)


def relay(now: datetime) -> int:
    """Enqueue every entry that is due, not done, and not enqueued lately. Returns how many."""
    again = now - timedelta(seconds=settings().lost_job_s)
    due = (
        select(OutboxEntry.id)
        .where(
            OutboxEntry.done_at.is_(None),
            OutboxEntry.due_at <= now,
            # What was enqueued "in the future" was so before a clock was set back.
            or_(OutboxEntry.enqueued_at.is_(None), OutboxEntry.enqueued_at < again, OutboxEntry.enqueued_at > now),
            # What was written a moment ago is being enqueued by its writer.
            OutboxEntry.created_at < now - timedelta(seconds=1),
        )
        .order_by(OutboxEntry.due_at)
        .limit(500)
    )
    with read() as session:
        ids = list(session.scalars(due))
    if not ids:
        return 0
    # Before the jobs are there: what is done at once must not look as if it were waiting.
    with write() as session:
        session.execute(update(OutboxEntry).where(OutboxEntry.id.in_(ids)).values(enqueued_at=now))
    woken = wake(ids)
    if woken < len(ids):
        # Redis is away: the next round tries them again, not the one after `lost_job_s`.
        with write() as session:
            unheard = OutboxEntry.id.in_(ids[woken:])
            session.execute(update(OutboxEntry).where(unheard).values(enqueued_at=None))
    return woken


def left_behind(now: datetime) -> list[int]:
    """Return what no worker will do soon: Redis did not take it, or it was enqueued and long enough nobody came."""
    unheard = OutboxEntry.enqueued_at.is_(None), OutboxEntry.created_at < now - timedelta(seconds=1)
    forgotten = OutboxEntry.due_at < now - timedelta(seconds=settings().lost_job_s + 10)
    query = (
        select(OutboxEntry.id)
        .where(OutboxEntry.done_at.is_(None), OutboxEntry.due_at <= now, or_(and_(*unheard), forgotten))
        .order_by(OutboxEntry.due_at)
        .limit(50)
    )
    with read() as session:
        return list(session.scalars(query))


def after_a_clock_set_back(now: datetime) -> int:
    """Bring entries back that were written "in the future": they keep their pause, counted from now. Returns how many.

    A clock that runs ahead and is corrected would otherwise leave errands lying until it has caught up.
    """
    ahead = select(OutboxEntry).where(
        OutboxEntry.done_at.is_(None), OutboxEntry.created_at > now + timedelta(seconds=CLOCKS_DIFFER_S)
    )
    with read() as session:
        if session.scalar(ahead.limit(1)) is None:
            return 0
    with write() as session:
        entries = list(session.scalars(ahead))
        for entry in entries:
            entry.due_at, entry.created_at = now + (entry.due_at - entry.created_at), now
            entry.enqueued_at = None
    log.warning("the clock was set back: %d errands are due anew", len(entries))
    return len(entries)
