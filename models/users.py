"""People who log in to the console, and the audit of what they read and changed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Pk, PublicId


class Role(StrEnum):
    """What a user may do; each role includes the ones before it."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class User(Base):
    """A console user. The password is an argon2 hash; there is no default password anywhere."""

    __tablename__ = "users"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[Code]
    language: Mapped[str] = mapped_column(String(8), default="zh-CN")
    session_version: Mapped[int] = mapped_column(default=0)  # raised to end all sessions of a user
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    shortcuts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # action to key, where it is not the usual one
    totp_secret: Mapped[str | None] = mapped_column(String(64))  # of the second factor, base32
    totp_since: Mapped[datetime | None]  # since when it is asked for; a secret alone is not confirmed yet
    totp_step: Mapped[int | None]  # the last half minute whose code was taken: none opens twice


class RecoveryCode(Base):
    """A code on paper for whoever has lost the telephone with the app; each opens once."""

    __tablename__ = "recovery_codes"

    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of the code
    used_at: Mapped[datetime | None]


class PasswordLink(Base):
    """A link that lets its user choose a password, once. It takes the place of a default password."""

    __tablename__ = "password_links"

    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of what the link carries
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]  # or replaced by a newer one


class AuditEvent(Base):
    """Who read or changed what, append-only. `data` holds ids and codes only."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_subject", "subject", "subject_id"),
        Index("ix_audit_user", "user_id", "id"),
        Index("ix_audit_action", "action", "id"),
    )

    id: Mapped[Pk]
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    action: Mapped[Code]
    subject: Mapped[Code]
    subject_id: Mapped[int | None]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
