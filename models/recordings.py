"""Prompts that a person has recorded, and the codes that let staff record them by telephone."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.users import User


class Source(StrEnum):
    """How a recording was made."""

    TELEPHONE = "telephone"
    UPLOAD = "upload"


class PromptRecording(Base):
    """One recording of one prompt in one language. The newest that is live and not retired is what callers hear.

    The bytes lie in the store of audio under `content_key`. `live_at` is empty while its
    language is incomplete.
    """

    __tablename__ = "prompt_recordings"
    __table_args__ = (Index("ix_prompt_recordings_prompt", "key", "language", "id"),)

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    key: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(8))
    content_key: Mapped[str] = mapped_column(String(64))  # SHA-256, hexadecimal
    duration_ms: Mapped[int]
    source: Mapped[Code]
    made_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime]
    live_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]

    made_by: Mapped[User] = relationship(lazy="joined")


class StudioCode(Base):
    """Six digits shown in the console, for one prompt in one language; used once, within its time."""

    __tablename__ = "studio_codes"

    id: Mapped[Pk]
    code: Mapped[str] = mapped_column(String(6), index=True)
    key: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(8))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="joined")


def present(session: Session, live: bool = True) -> dict[tuple[str, str], PromptRecording]:
    """Return the newest recording of each (key, language) that is not retired; `live`: that callers hear."""
    query = select(PromptRecording).where(PromptRecording.retired_at.is_(None)).order_by(PromptRecording.id)
    if live:
        query = query.where(PromptRecording.live_at.is_not(None))
    return {(row.key, row.language): row for row in session.scalars(query)}
