"""The outbox: what must still be done, written in the transaction that made it necessary.

The row is the truth; the job in Redis is only a hint that it is due. A row is
done when `done_at` is set, in the transaction that had its effect.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Pk


class OutboxEntry(Base):
    """One errand for a worker: a verb and the id it is about. Holds ids only."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_open", "done_at", "due_at"),)

    id: Mapped[Pk]
    verb: Mapped[Code]  # the name of the function in dispatch.jobs
    subject_id: Mapped[int]
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))
    created_at: Mapped[datetime]  # when `due_at` was set: written, or put off after a failure
    due_at: Mapped[datetime]
    enqueued_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
