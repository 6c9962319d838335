"""What supervisors do: join an agent's running call, and mark how a call was led."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.calls import Call
from models.users import User

# A mark's points for one item.
LOWEST, HIGHEST = 1, 5


class Watching(StrEnum):
    """How a supervisor is in an agent's call. The codes are those of the asks that lead there."""

    LISTEN = "listen"  # she hears both, nobody hears her
    WHISPER = "whisper"  # the agent hears her, the caller does not
    JOIN = "join"  # both hear her
    TAKE_OVER = "take_over"  # the agent is let go, the call is hers


class Watch(Base):
    """A supervisor's telephone in an agent's call, from `began_at` to `ended_at` (None: still)."""

    __tablename__ = "call_watches"
    __table_args__ = (Index("ix_call_watches_open", "ended_at", "agent_id"),)

    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"), index=True)
    mode: Mapped[Code]  # the present one, or the last; each change is in the audit
    channel_id: Mapped[str] = mapped_column(String(64), index=True)  # of the channel to her browser
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(foreign_keys=[user_id])
    agent: Mapped[User] = relationship(foreign_keys=[agent_id])
    call: Mapped[Call] = relationship()


class QualityItem(Base):
    """One thing that a call is marked by. Never deleted, for old marks name it; `hidden_at` takes it off the form."""

    __tablename__ = "quality_items"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    code: Mapped[Code] = mapped_column(unique=True)
    names: Mapped[dict[str, Any]]  # language to name
    weight: Mapped[int]  # its share in the whole, in relation to the other items' weights
    position: Mapped[int] = mapped_column(default=0)
    hidden_at: Mapped[datetime | None]


class QualityMark(Base):
    """What one supervisor thinks of one call of an agent's. Changed marks are kept in `quality_mark_versions`."""

    __tablename__ = "quality_marks"
    __table_args__ = (UniqueConstraint("call_id", "user_id"),)

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    points: Mapped[dict[str, Any]]  # item's code to LOWEST … HIGHEST
    total: Mapped[int]  # the weighted mean as it was worked out when she marked, in hundredths
    comment: Mapped[str] = mapped_column(String(1000), default="")
    marked_at: Mapped[datetime]

    user: Mapped[User] = relationship(foreign_keys=[user_id])
    agent: Mapped[User] = relationship(foreign_keys=[agent_id])
    call: Mapped[Call] = relationship()


class QualityMarkVersion(Base):
    """How a mark stood before it was changed."""

    __tablename__ = "quality_mark_versions"

    id: Mapped[Pk]
    mark_id: Mapped[int] = mapped_column(ForeignKey("quality_marks.id"), index=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    points: Mapped[dict[str, Any]]
    total: Mapped[int]
    comment: Mapped[str] = mapped_column(String(1000))
    marked_at: Mapped[datetime]
