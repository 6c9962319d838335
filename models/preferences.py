"""Her way of using the hotline: pace, volume, language, person first; who set it, when, and taken back when.

Append-only: the present value is the newest row that was not undone. Rows are
never changed but for the mark that they were undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import ForeignKey, Index, Select, String, Table, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import dialects
from models.base import Base, Code, Pk
from models.people import Elder
from models.prepared import Prepared
from models.rows import Rows
from models.vocabulary import LANGUAGES


class Setting(StrEnum):
    """What can be set for an elder."""

    PACE = "pace"
    VOLUME = "volume"
    PERSON_FIRST = "person_first"
    LANGUAGE = "language"
    SMS = "sms"
    DIALECT = "dialect"


class Origin(StrEnum):
    """Where a value comes from."""

    AGENT = "agent"  # a user of the console
    LEARNT = "learnt"  # a rule, from her calls
    IMPORT = "import"
    CALLER = "caller"  # she chose it herself, on the telephone


# The legal values; where there is no row, the first holds (of the language: the person's own column).
VALUES: Mapping[Setting, tuple[str, ...]] = {
    Setting.PACE: ("normal", "slow"),
    Setting.VOLUME: ("normal", "loud"),
    Setting.PERSON_FIRST: ("no", "yes"),
    Setting.LANGUAGE: LANGUAGES,
    Setting.SMS: ("no", "yes"),
    # And every dialect on the list: `values_of`.
    Setting.DIALECT: (dialects.NONE,),
}


class ElderSetting(Base):
    """One value of one setting, and its story."""

    __tablename__ = "elder_settings"
    __table_args__ = (Index("ix_elder_settings_elder", "elder_id", "name", "id"),)

    id: Mapped[Pk]
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"))
    name: Mapped[Code]
    value: Mapped[str] = mapped_column(String(16))
    origin: Mapped[Code]
    why: Mapped[Code] = mapped_column(default="")  # the rule that learnt it
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)  # call_ids: from which calls it was learnt
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


@dataclass(frozen=True)
class Preferences:
    """How the conversation is led for one elder. Her language stands with the person."""

    pace: str = "normal"  # normal, slow: slower speech, longer time-outs, more repeats
    volume: str = "normal"  # normal, loud
    person_first: bool = False
    dialect: str = ""  # a code of models.dialects; empty: her language's usual speech


@dataclass(frozen=True)
class Because:
    """Why a value is set: by whom, or by what rule and from which calls."""

    origin: Origin
    by_user_id: int | None = None
    why: str = ""
    call_ids: tuple[int, ...] = ()


# Core columns: this is asked while she waits for the greeting.
_rows = cast(Table, ElderSetting.__table__).c
_PRESENT = Prepared(
    select(_rows.name, _rows.value)
    .where(_rows.elder_id == bindparam("elder_id"), _rows.undone_at.is_(None))
    .order_by(_rows.id)
)


def preferences(session: Session | Rows, elder_id: int) -> Preferences:
    """Return how the conversation is led for this elder now."""
    # Later rows overwrite earlier ones.
    present = dict(_PRESENT.all(session, {"elder_id": elder_id}))
    plain = Preferences()
    return Preferences(
        pace=present.get(Setting.PACE, plain.pace),
        volume=present.get(Setting.VOLUME, plain.volume),
        person_first=present.get(Setting.PERSON_FIRST, "no") == "yes",
        dialect="" if (dialect := present.get(Setting.DIALECT, dialects.NONE)) == dialects.NONE else dialect,
    )


def values_of(session: Session, name: Setting) -> tuple[str, ...]:
    """Return what can be chosen for `name`; the first holds where nobody has set anything."""
    if name is Setting.DIALECT:
        return (*VALUES[name], *(one.code for one in dialects.dialects(session)))
    return VALUES[name]


def wants_sms(session: Session, elder_id: int) -> bool:
    """Return whether this elder wishes to have text messages about her orders."""
    return dict(_PRESENT.all(session, {"elder_id": elder_id})).get(Setting.SMS) == "yes"


def history(session: Session, elder_id: int) -> list[ElderSetting]:
    """Return every row of the elder's settings, the newest first."""
    return list(
        session.scalars(select(ElderSetting).where(ElderSetting.elder_id == elder_id).order_by(ElderSetting.id.desc()))
    )


def put(
    session: Session, elder_id: int, setting: tuple[Setting, str], because: Because, now: datetime
) -> ElderSetting | None:
    """Write `setting` = (name, value); None and no row where that changes nothing.

    Raises:
        ValueError: the setting has no such value.
    """
    name, value = setting
    if value not in values_of(session, name):
        raise ValueError(f"{name} can be {', '.join(values_of(session, name))}, not {value!r}")
    # One writer at a time for one elder: an agent and the learning may come together.
    elder = session.scalars(select(Elder).where(Elder.id == elder_id).with_for_update(of=Elder)).unique().one()
    newest = present_row(session, elder_id, name)
    # What somebody has set, or an earlier lesson, stands above a lesson.
    if newest is not None and because.origin == Origin.LEARNT:
        return None
    # Of the language the person's own column decides: it may have been changed beside these rows.
    holds = name is not Setting.LANGUAGE or elder.person.language == value
    if holds and newest is not None and (newest.value, newest.origin) == (value, because.origin):
        return None
    row = ElderSetting(
        elder_id=elder_id,
        name=name,
        value=value,
        origin=because.origin,
        why=because.why,
        data={"call_ids": list(because.call_ids), **_language_before(elder, name)},
        by_user_id=because.by_user_id,
        at=now,
    )
    session.add(row)
    if name is Setting.LANGUAGE:
        elder.person.language = value
    session.flush()
    return row


def undo(session: Session, elder_id: int, name: Setting, by_user_id: int | None, now: datetime) -> ElderSetting | None:
    """Take back the present value of `name`: the value before it holds again. None where there is nothing to undo."""
    elder = session.scalars(select(Elder).where(Elder.id == elder_id).with_for_update(of=Elder)).unique().one()
    row = present_row(session, elder_id, name)
    if row is None:
        return None
    row.undone_at, row.undone_by_id = now, by_user_id
    if name is Setting.LANGUAGE and elder.person.language == row.value:
        elder.person.language = row.data["before"]
    session.flush()
    return row


def present_row(session: Session, elder_id: int, name: Setting) -> ElderSetting | None:
    """Return the row that holds now, None where nobody has set anything."""
    return session.scalars(_newest(select(ElderSetting), name).where(ElderSetting.elder_id == elder_id)).first()


def present_value(name: Setting) -> Select[tuple[str]]:
    """Return the question for the value that holds now, for whose elder it is still to be said."""
    return _newest(select(ElderSetting.value), name)


def _newest(query: Select[Any], name: Setting) -> Select[Any]:
    holds = ElderSetting.name == name, ElderSetting.undone_at.is_(None)
    return query.where(*holds).order_by(ElderSetting.id.desc()).limit(1)


def _language_before(elder: Elder, name: Setting) -> dict[str, str]:
    # She had a language before anybody set one here: the undo goes back to it.
    return {"before": elder.person.language} if name is Setting.LANGUAGE else {}
