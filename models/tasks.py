"""Tasks: what a person has to do because the machine cannot, or may not, do it alone."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.calls import Call
from models.orders import Order
from models.people import Elder, PhoneNumber


class TaskKind(StrEnum):
    """Kinds of tasks."""

    ALARM = "alarm"  # she pressed 9 or said an emergency word
    PARTIAL = "partial"  # she hung up half-way; `data` has the slots understood so far
    MESSAGE = "message"  # a message was recorded
    MISSED = "missed"  # she waited for a person and nobody came
    NO_PROVIDER = "no_provider"  # nobody accepted the order
    CALLBACK = "callback"  # she could not be told who comes
    RING_BACK = "ring_back"  # she chose to be rung back, or somebody nobody knows left a number
    TELL_PROVIDER = "tell_provider"  # an accepted order was cancelled: the provider is to be told
    DISSATISFIED = "dissatisfied"  # she was not content with a service
    UNREACHABLE = "unreachable"  # she could not be asked how a service was
    WORD = "word"  # a word of her own after a good service: somebody is to hear it
    LATE = "late"  # an order's deadline has passed
    CHECK_ITEM = "check_item"  # a provider said of a service it is listed with: not ours
    DEAD_NUMBER = "dead_number"  # a number that does not exist any more: a new one is wanted
    CHECK_VISIT = "check_visit"  # a worker reported a visit from a telephone that proves nothing
    CARE = "care"  # a care visit: the machine could not find out whether she is well; a person rings her
    GO_THERE = "go_there"  # she is not reached by anybody: someone goes there; `data` has the deadline
    FAULT = "fault"  # something of ours broke on her call


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
    TaskKind.GO_THERE: 0,
    TaskKind.FAULT: 3,
}


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
    result: Mapped[str | None] = mapped_column(String(32))  # how an agent settled it (agents.tasks.TaskResult)
    note: Mapped[str] = mapped_column(Text, default="")  # the agent's own words; erasable
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    call: Mapped[Call | None] = relationship()
    order: Mapped[Order | None] = relationship()
    elder: Mapped[Elder | None] = relationship()
    number: Mapped[PhoneNumber | None] = relationship()
