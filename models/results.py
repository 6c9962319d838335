"""What came of a call or of a task: a list that is data, and what was written down by it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.users import User

NOTE_MAX = 500
# The code of a result that an administrator has added begins so.
OWN = "own_"


class Scope(StrEnum):
    """Where a result may be chosen."""

    TASK = "task"
    CALL = "call"
    BOTH = "both"
    VISIT = "visit"  # of the staff's run
    SKIP = "skip"  # why an elder was passed over in it


class CallResult(Base):
    """A result that may be chosen. Never deleted, for old rows name it; `hidden_at` takes it off the list."""

    __tablename__ = "call_results"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    code: Mapped[Code] = mapped_column(unique=True)
    names: Mapped[dict[str, Any]]  # language to name
    scope: Mapped[Code] = mapped_column(default=Scope.BOTH)
    is_final: Mapped[bool] = mapped_column(default=True)  # False: the task is tried again
    retry_s: Mapped[int | None]  # after so long, where it is not final
    needs_note: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    hidden_at: Mapped[datetime | None]
    effect: Mapped[str | None] = mapped_column(String(32))  # of VISIT and SKIP: models.care_runs.Effect


class CallOutcome(Base):
    """What an agent wrote of one call, or of one try of a task. Written once: nothing technical changes it later."""

    __tablename__ = "call_outcomes"

    id: Mapped[Pk]
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"), unique=True)
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id"), index=True)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("care_visits.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    code: Mapped[Code]
    note: Mapped[str] = mapped_column(Text, default="")  # the agent's own words; erasable
    at: Mapped[datetime]

    user: Mapped[User | None] = relationship()


class Note(Base):
    """A note on an elder's card; one that was wrong is struck out, never deleted."""

    __tablename__ = "elder_notes"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))
    text: Mapped[str] = mapped_column(String(NOTE_MAX))
    at: Mapped[datetime]
    struck_at: Mapped[datetime | None]
    struck_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    user: Mapped[User] = relationship(foreign_keys=[user_id])
