"""Changes to who an elder is: each with what stood before, so that it can be taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Pk, PublicId
from models.users import User


class ElderChange(Base):
    """Fields of one elder were changed. Values are personal data: they stand here, erasable, and not in the audit."""

    __tablename__ = "elder_changes"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    user: Mapped[User | None] = relationship(foreign_keys=[user_id])
    undone_by: Mapped[User | None] = relationship(foreign_keys=[undone_by_id])


class ElderMerge(Base):
    """Two registrations of one elder became one. `moved`: table.column to the ids of the rows that went over."""

    __tablename__ = "elder_merges"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    # No foreign keys: these rows say what was, and are not re-pointed by the next merge.
    kept_id: Mapped[int] = mapped_column(index=True)
    gone_id: Mapped[int] = mapped_column(index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    moved: Mapped[dict[str, Any]]
    filled: Mapped[dict[str, Any]]  # fields that the kept one did not have, and what was filled in
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    user: Mapped[User | None] = relationship(foreign_keys=[user_id])
