"""How dispatch stands, in numbers: for metrics and for whoever looks after the machine. Codes and counts only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from redis.exceptions import RedisError
from rq import Queue, Worker
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import call_audio, disk, outbox, returns
from models.calls import Call
from models.dialing import Attempt
from models.orders import ENDED, Order
from models.outbox import OutboxEntry
from models.people import PhoneNumber
from models.processes import ProcessBeat
from models.sms import SmsMessage
from models.tasks import Task

# A process that has said nothing for so long does not live (s): four of its signs.
SILENT_S = 60
Counts = dict[str, int]


@dataclass(frozen=True)
class Process:
    """One process of dispatch, as it has last said."""

    kind: str
    host: str
    pid: int
    lives: bool
    started_at: datetime
    beat_at: datetime
    done: int
    last_error: str | None
    last_error_at: datetime | None


@dataclass(frozen=True)
class Waiting:
    """Errands of one kind that are not done: how many, how many of them due, since when the oldest is due."""

    verb: str
    waiting: int
    due: int
    failing: int
    oldest_due_at: datetime | None


@dataclass(frozen=True)
class QueueState:
    """What Redis holds: jobs waiting and jobs failed, workers it knows. None where it does not answer."""

    jobs: int
    failed: int
    workers: int


@dataclass(frozen=True)
class Machine:
    """Queues and workers at one moment."""

    processes: tuple[Process, ...]
    errands: tuple[Waiting, ...]
    queue: QueueState | None
    # Where recordings lie: bytes free, whether that is too little for another one, what waits to be taken in.
    disk_free: int
    disk_low: bool
    recordings_waiting: int


def machine(session: Session, now: datetime) -> Machine:
    """Read queues and workers."""
    beats = session.scalars(select(ProcessBeat).order_by(ProcessBeat.kind, ProcessBeat.beat_at.desc()))
    silent = now - timedelta(seconds=SILENT_S)
    processes = tuple(
        Process(
            one.kind, one.host, one.pid, one.beat_at > silent, one.started_at, one.beat_at, one.done,
            one.last_error, one.last_error_at,
        )
        for one in beats
    )  # fmt: skip
    return Machine(
        processes, _errands(session, now), queue_state(), disk.free_bytes(), disk.is_low(), call_audio.waiting()
    )


def _errands(session: Session, now: datetime) -> tuple[Waiting, ...]:
    due = OutboxEntry.due_at <= now
    query = (
        select(
            OutboxEntry.verb,
            func.count(),
            func.count().filter(due),
            func.count().filter(OutboxEntry.failures > 0),
            func.min(OutboxEntry.due_at).filter(due),
        )
        .where(OutboxEntry.done_at.is_(None))
        .group_by(OutboxEntry.verb)
        .order_by(OutboxEntry.verb)
    )
    return tuple(Waiting(*row) for row in session.execute(query))


def queue_state() -> QueueState | None:
    """Ask Redis; it is not waited for long."""
    queue: Queue = outbox.waker()
    try:
        workers = Worker.count(connection=queue.connection)
        return QueueState(queue.count, queue.failed_job_registry.get_job_count(cleanup=False), workers)
    except (RedisError, OSError):
        return None


@dataclass(frozen=True)
class Figures:
    """What is counted for metrics."""

    calls: Counts
    orders: Counts
    late_orders: int
    attempts: Counts
    tasks: Counts
    dead_numbers: int
    sms: Counts
    sms_segments: int


def figures(session: Session, now: datetime) -> Figures:
    """Count what stands in the rows."""

    def counted(column: object, *where: object) -> Counts:
        query = select(column, func.count()).where(*where).group_by(column)  # type: ignore[call-overload]
        return {str(code): count for code, count in session.execute(query)}

    # As the board has it: where the service is done nobody is late any more.
    open_orders = Order.status.not_in(sorted(ENDED | returns.DONE))
    late = select(func.count()).select_from(Order).where(open_orders, Order.due_at <= now)
    dead = select(func.count()).select_from(PhoneNumber).where(PhoneNumber.dead_since.is_not(None))
    return Figures(
        calls=counted(Call.state, Call.ended_at.is_(None)),
        orders=counted(Order.status),
        late_orders=session.scalar(late) or 0,
        attempts=counted(Attempt.outcome, Attempt.outcome.is_not(None)),
        tasks=counted(Task.kind, Task.closed_at.is_(None)),
        dead_numbers=session.scalar(dead) or 0,
        sms=counted(SmsMessage.status),
        sms_segments=session.scalar(select(func.sum(SmsMessage.segments))) or 0,
    )
