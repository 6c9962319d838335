"""Tasks for people: the place where everything ends that the machine cannot finish."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from models.calls import Call
from models.orders import Order
from models.session import read, write
from models.tasks import PRIORITY, Task, TaskKind, TaskState, TaskStep, move_task


@dataclass(frozen=True)
class NewTask:
    """What a task is about. `key` names the occasion: the same occasion never makes two tasks."""

    kind: TaskKind
    key: str
    call_id: int | None = None
    order_id: int | None = None
    elder_id: int | None = None
    number_id: int | None = None
    provider_id: int | None = None
    audio_id: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


def dedupe_key(kind: TaskKind, key: str) -> str:
    """Return what the row of the task of this occasion is found by."""
    return f"{kind}:{key}"


def open_of(session: Session, kind: TaskKind, key: str) -> Task | None:
    """Return the task of this occasion, locked, where it is still open."""
    mine = Task.dedupe_key == dedupe_key(kind, key), Task.closed_at.is_(None)
    return session.scalar(select(Task).where(*mine).with_for_update(of=Task))


def for_call(kind: TaskKind, call: Call, audio_id: int | None = None, **data: Any) -> NewTask:
    """Return a task about `call`: at most one of each kind a call."""
    return NewTask(
        kind,
        f"call:{call.id}",
        call_id=call.id,
        elder_id=call.elder_id,
        number_id=call.number_id,
        audio_id=audio_id,
        data=data,
    )


def for_order(kind: TaskKind, key: str, order: Order, **more: Any) -> NewTask:
    """Return a task about `order`; `more` are further fields of `NewTask`."""
    return NewTask(kind, key, order_id=order.id, elder_id=order.elder_id, **more)


def for_message(call: Call, audio_id: int) -> NewTask:
    """Return the task about a message: one for each that was left."""
    return replace(for_call(TaskKind.MESSAGE, call, audio_id=audio_id), key=f"audio:{audio_id}")


def open_task(session: Session, new: NewTask, now: datetime) -> Task:
    """Write the task, or return the one that this occasion has made before."""
    key = dedupe_key(new.kind, new.key)
    known = session.scalar(select(Task).where(Task.dedupe_key == key))
    if known is not None:
        return known
    task = Task(
        kind=new.kind,
        dedupe_key=key,
        priority=PRIORITY[new.kind],
        call_id=new.call_id,
        order_id=new.order_id,
        elder_id=new.elder_id,
        number_id=new.number_id,
        provider_id=new.provider_id,
        audio_id=new.audio_id,
        data=new.data,
        created_at=now,
        changed_at=now,
    )
    session.add(task)
    session.flush()
    return task


def settle(session: Session, kind: TaskKind, key: str, now: datetime) -> None:
    """Close the task of this occasion, if it is open: what it was for has come about by itself."""
    known = open_of(session, kind, key)
    if known is not None:
        _settled(known, now)


def settle_all(session: Session, kind: TaskKind, order_id: int, now: datetime) -> None:
    """Close every open task of this kind about the order."""
    open_ones = select(Task).where(Task.order_id == order_id, Task.kind == kind, Task.closed_at.is_(None))
    for task in session.scalars(open_ones):
        _settled(task, now)


def _settled(task: Task, now: datetime) -> None:
    move_task(task, TaskStep(TaskState.CLOSED, result="not_needed"), now)


def age(now: datetime) -> int:
    """Give tasks back to the pool whose owner has done nothing for too long; return how many."""
    forgotten = (Task.state == TaskState.OWNED, Task.owned_until < now, or_(*unlocked(now)))
    with read() as session:
        if session.scalar(select(Task.id).where(*forgotten).limit(1)) is None:
            return 0
    with write() as session:
        tasks = session.scalars(select(Task).where(*forgotten).with_for_update(of=Task)).all()
        for task in tasks:
            move_task(task, TaskStep(TaskState.POOL, due_at=task.due_at), now)
        return len(tasks)


def unlocked(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the two conditions, one of which holds where nobody has the task open."""
    return Task.locked_until.is_(None), Task.locked_until < now
