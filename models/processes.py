"""The processes of dispatch that live, as they say themselves: for the console, for metrics, for the engineer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Pk


class ProcessBeat(Base):
    """One process: when it last said that it is at work, and what last went wrong. Codes only, never a message."""

    __tablename__ = "process_beats"
    __table_args__ = (UniqueConstraint("kind", "host", "pid"),)

    id: Mapped[Pk]
    kind: Mapped[Code]  # worker, dispatcher
    host: Mapped[str] = mapped_column(String(80))
    pid: Mapped[int]
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
    done: Mapped[int] = mapped_column(default=0)  # errands or rounds since the start
    last_error: Mapped[str | None] = mapped_column(String(80))  # where, and the exception's name
    last_error_at: Mapped[datetime | None]
