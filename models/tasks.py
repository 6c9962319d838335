"""Tasks: what a person has to do because the machine cannot, or may not, do it alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.calls import Call
from models.orders import Order
from models.people import Elder, PhoneNumber
from models.providers import Provider
from models.users import User


class TaskKind(StrEnum):
    """Kinds of tasks."""

    ALARM = "alarm"  # she pressed 9 or said an emergency word
    PARTIAL = "partial"  # she hung up half-way; `data` has the slots understood so far
    MESSAGE = "message"  # a message was recorded
    MISSED = "missed"  # she waited for a person and nobody came
    NO_PROVIDER = "no_provider"  # nobody accepted the order
    CALLBACK = "callback"  # she could not be told who comes
    RING_BACK = "ring_back"  # she chose to be rung back, or somebody nobody knows left a number
    TELL_PROVIDER = "tell_provider"  # a provider has an order no longer that it had accepted, and is to be told
    DISSATISFIED = "dissatisfied"  # she was not content with a service
    UNREACHABLE = "unreachable"  # she could not be asked how a service was
    WORD = "word"  # a word of her own after a good service: somebody is to hear it
    LATE = "late"  # an order's deadline has passed
    CHECK_ITEM = "check_item"  # a provider said of a service it is listed with: not ours
    DEAD_NUMBER = "dead_number"  # a number that does not exist any more: a new one is wanted
    CHECK_VISIT = "check_visit"  # a worker reported a visit from a telephone that proves nothing
    CARE = "care"  # a care visit: the machine could not find out whether she is well; a person rings her
    FOLLOW_UP = "follow_up"  # a colleague talked with her in a care visit: somebody is to ring her again
    GO_THERE = "go_there"  # she is not reached by anybody: someone goes there; `data` has the deadline
    SMS = "sms"  # a text message that somebody needs has not arrived, or nobody knows whether it has
    FAULT = "fault"  # something of ours broke on her call


# Of these the provider is rung, not the elder.
RINGS_PROVIDER = frozenset({TaskKind.TELL_PROVIDER, TaskKind.CHECK_ITEM})

# What comes first: an alarm before all else (0), then what concerns a waiting elder.
PRIORITY: dict[TaskKind, int] = {
    TaskKind.ALARM: 0,
    TaskKind.NO_PROVIDER: 1,
    TaskKind.MISSED: 1,
    TaskKind.RING_BACK: 1,
    TaskKind.MESSAGE: 2,
    TaskKind.PARTIAL: 2,
    TaskKind.CALLBACK: 2,
    TaskKind.TELL_PROVIDER: 1,
    TaskKind.DISSATISFIED: 2,
    TaskKind.UNREACHABLE: 3,
    TaskKind.WORD: 3,
    TaskKind.LATE: 1,
    TaskKind.CHECK_ITEM: 3,
    TaskKind.DEAD_NUMBER: 3,
    TaskKind.CHECK_VISIT: 3,
    TaskKind.CARE: 1,
    TaskKind.FOLLOW_UP: 1,
    TaskKind.GO_THERE: 0,
    TaskKind.SMS: 2,
    TaskKind.FAULT: 3,
}


class TaskState(StrEnum):
    """Where a task stands."""

    POOL = "pool"  # whoever is free takes it
    OWNED = "owned"  # somebody's, until `owned_until`
    CLOSED = "closed"  # it has its final result


# The legal moves, each with its sentence. `move_task` is the only writer of `state`.
TASK_MOVES: dict[tuple[TaskState, TaskState], str] = {
    (TaskState.POOL, TaskState.OWNED): "Somebody has taken it.",
    (TaskState.POOL, TaskState.POOL): "Tried without success; it is due again later.",
    (TaskState.POOL, TaskState.CLOSED): "Settled, by a person or by itself.",
    (TaskState.OWNED, TaskState.OWNED): "Kept longer, tried again later, or taken over.",
    (TaskState.OWNED, TaskState.POOL): "Given back, or nobody worked on it for too long.",
    (TaskState.OWNED, TaskState.CLOSED): "Settled, by a person or by itself.",
}


class IllegalTaskMove(RuntimeError):
    """The task's state does not allow this move: a final result is never overwritten."""


class Task(Base):
    """Work for an agent. `dedupe_key` makes its creation safe to repeat."""

    __tablename__ = "tasks"
    __table_args__ = (Index("ix_tasks_open", "closed_at", "priority", "created_at"),)

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    kind: Mapped[Code]
    dedupe_key: Mapped[str] = mapped_column(String(80), unique=True)
    priority: Mapped[int]
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    elder_id: Mapped[int | None] = mapped_column(ForeignKey("elders.id"), index=True)
    number_id: Mapped[int | None] = mapped_column(ForeignKey("phone_numbers.id"))
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("providers.id"))
    audio_id: Mapped[int | None] = mapped_column(ForeignKey("audio.id"))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)  # codes only
    state: Mapped[Code] = mapped_column(default=TaskState.POOL)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    owned_until: Mapped[datetime | None] = mapped_column(index=True)  # then it goes back to the pool by itself
    # Somebody has it open and works on it; nobody else may until then.
    locked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    locked_until: Mapped[datetime | None]
    due_at: Mapped[datetime | None]  # not to be tried before; None: now
    tries: Mapped[int] = mapped_column(default=0)  # results that were not final
    changed_at: Mapped[datetime] = mapped_column(index=True)
    result: Mapped[str | None] = mapped_column(String(32))  # the final one, a code of `call_results`
    note: Mapped[str] = mapped_column(Text, default="")  # the agent's own words; erasable
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    call: Mapped[Call | None] = relationship()
    order: Mapped[Order | None] = relationship()
    elder: Mapped[Elder | None] = relationship()
    number: Mapped[PhoneNumber | None] = relationship()
    provider: Mapped[Provider | None] = relationship()
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id])
    locked_by: Mapped[User | None] = relationship(foreign_keys=[locked_by_id])


@dataclass(frozen=True)
class TaskStep:
    """What a move sets. `owner_id`, `owned_until`: of the new state; `due_at`: when it may be tried again."""

    to: TaskState
    owner_id: int | None = None
    owned_until: datetime | None = None
    due_at: datetime | None = None
    result: str | None = None
    note: str = ""


def move_task(task: Task, step: TaskStep, now: datetime, by_user_id: int | None = None) -> None:
    """Move `task`; closing it takes the lock off.

    Raises:
        IllegalTaskMove: the table of moves does not have it; a closed task stays as it is.
    """
    if (TaskState(task.state), step.to) not in TASK_MOVES:
        raise IllegalTaskMove(f"task {task.id}: {task.state} → {step.to} is not a legal move")
    task.state, task.changed_at, task.due_at = step.to, now, step.due_at
    task.owner_id, task.owned_until = step.owner_id, step.owned_until
    if step.to == TaskState.CLOSED:
        task.result, task.closed_at, task.closed_by_id = step.result, now, by_user_id
        task.locked_by_id = task.locked_until = None
        if step.note:
            task.note = step.note
