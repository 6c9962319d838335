"""Dialects: a list that is data, and which agents speak them. An elder's is among her settings (models.preferences).

A dialect has a queue of its own beside its language's, in which nobody ever waits: whoever speaks it is asked there
first while free (docs/decisions/090-dialects.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, Pk
from models.vocabulary import LANGUAGES

# Of an elder: the usual speech of her language.
NONE = "none"
# A value of an elder's setting has room for so much.
CODE_MAX = 16


class Dialect(Base):
    """A way of speaking a language. Never deleted, for cards and agents name it; `hidden_at` takes it off the list."""

    __tablename__ = "dialects"

    id: Mapped[Pk]
    code: Mapped[str] = mapped_column(String(CODE_MAX), unique=True)  # a-z, 0-9 and _: it is part of a queue's name
    language: Mapped[str] = mapped_column(String(8))
    names: Mapped[dict[str, Any]]  # language to name
    position: Mapped[int] = mapped_column(default=0)
    hidden_at: Mapped[datetime | None]


class AgentDialect(Base):
    """A dialect that an agent speaks. `penalty`: 0 first choice of those who speak it; whoever has more comes after."""

    __tablename__ = "agent_dialects"
    __table_args__ = (UniqueConstraint("user_id", "dialect_id"),)

    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    dialect_id: Mapped[int] = mapped_column(ForeignKey("dialects.id"))
    penalty: Mapped[int] = mapped_column(default=0)


def dialects(session: Session, hidden: bool = False) -> Sequence[Dialect]:
    """Return those on the list, in its order; with `hidden` those off it, too."""
    query = select(Dialect).order_by(Dialect.position, Dialect.id)
    return session.scalars(query if hidden else query.where(Dialect.hidden_at.is_(None))).all()


def names_of(session: Session, code: str) -> Mapping[str, str]:
    """Return a dialect's names by language; empty where there is none of this code."""
    return (code and session.scalar(select(Dialect.names).where(Dialect.code == code))) or {}


def spoken(session: Session) -> dict[int, dict[tuple[str, str], int]]:
    """Return which dialects on the list agents speak: user to (language, code) to penalty."""
    found: dict[int, dict[tuple[str, str], int]] = {}
    rows = session.execute(
        select(AgentDialect.user_id, Dialect.language, Dialect.code, AgentDialect.penalty)
        .join(Dialect, Dialect.id == AgentDialect.dialect_id)
        .where(Dialect.hidden_at.is_(None))
    )
    for user_id, language, code, penalty in rows:
        found.setdefault(user_id, {})[language, code] = penalty
    return found


def words(rows: Sequence[Dialect]) -> Mapping[str, str]:
    """Return word to code, as files have it: names in every language, and the code; the first is the one we write."""
    usual = dict.fromkeys(("无", "普通话", "东北话", "없음", NONE), NONE)
    # Not in the order of the rows' own keys, which PostgreSQL does not keep.
    named = {str(row.names[one]): row.code for row in rows for one in LANGUAGES if one in row.names}
    return {**usual, **named, **{name.lower(): code for name, code in named.items()}, **{r.code: r.code for r in rows}}
