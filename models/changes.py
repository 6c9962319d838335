"""What was changed in the settings of the house: each change with what stood before, so that it can be taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.users import AuditEvent


class SettingChange(Base):
    """One thing of one kind was made, changed or taken away. The audit says who and when; the values stand here.

    `before` is empty where it was made, `after` where it was taken away. A change that takes another one back names it.
    """

    __tablename__ = "setting_changes"
    __table_args__ = (Index("ix_setting_changes_subject", "kind", "key"),)

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    audit_id: Mapped[int] = mapped_column(ForeignKey("audit_events.id"), unique=True)
    kind: Mapped[Code]
    key: Mapped[str] = mapped_column(String(40))  # which one of its kind: an id, a code, a day
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("setting_changes.id"), unique=True)

    audit: Mapped[AuditEvent] = relationship(lazy="joined", innerjoin=True)


class Upload(Base):
    """A file that was checked and waits to be applied. Its content goes when it was applied, or after a day."""

    __tablename__ = "uploads"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[Code]
    name: Mapped[str] = mapped_column(String(80))
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
    rows: Mapped[int] = mapped_column(default=0)
