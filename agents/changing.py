"""Changes to the settings of the house: checked, audited with what stood before, and taken back where that can be.

A kind of setting says how one of it is read as plain values and how values are written. All that is common stands
here: one change at a time, refused when somebody was faster, one transaction with its line in the audit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.changes import SettingChange
from models.users import AuditEvent, Role, User

Values = dict[str, Any]

# Names PostgreSQL's lock of all changes; any number, the same in every process.
_LOCK = 12349


class Refused(ValueError):
    """It cannot be changed like this. `problems`: field to code; "" is the whole. `told`: a sentence that says more."""

    def __init__(self, problems: Mapping[str, str], told: str = "") -> None:
        super().__init__(told or ", ".join(f"{name or 'all'}: {code}" for name, code in problems.items()))
        self.problems, self.told = dict(problems), told


@dataclass(frozen=True)
class By:
    """Who changes something, and when. No user: the command line."""

    user: User | None
    now: datetime


@dataclass(frozen=True)
class Kind:
    """One kind of setting. `read` gives None for what is not there; `write` takes None to take it away.

    `write(session, key, values, now)` returns the key, which a new one gets there; it raises Refused.
    """

    code: str
    read: Callable[[Session, str], Values | None]
    write: Callable[[Session, str | None, Values | None, datetime], str]
    role: Role = Role.ADMIN  # who may change it, and take changes back
    removable: bool = False  # False: once made it stays, for old rows name it
    private: frozenset[str] = field(default_factory=frozenset)  # personal data: the audit's page shows them masked


def token(values: Values | None) -> str:
    """Return a short name for how something stands: a form carries it, so that two do not overwrite each other."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def change(
    session: Session, kind: Kind, which: tuple[str | None, str | None], wanted: Values | None, by: By
) -> str | None:
    """Bring one setting to `wanted` (None: take it away); returns its key, None where nothing would change.

    `which` = (key, None for a new one; `token` of what the form has shown, None where nothing was shown).

    Raises:
        KeyError: there is no such setting.
        Refused: with the fields that are wrong; "": overtaken, kept (it cannot be taken away).
    """
    key, seen = which
    one_at_a_time(session)
    before = kind.read(session, key) if key is not None else None
    if key is not None and seen is not None and seen != token(before):
        raise Refused({"": "overtaken"})
    if wanted is None and before is None:
        raise KeyError(key)
    if wanted is None and not kind.removable:
        raise Refused({"": "kept"})
    return _make(session, kind, Move(key, before, wanted), by)


def undo(session: Session, public_id: str, by: By, kinds: Mapping[str, Kind]) -> SettingChange:
    """Take a change back: what stood before is written as a new change. Returns the change that was taken back.

    Raises:
        KeyError: there is no such change, or it is not for this user.
        Refused: "": undone (already), overtaken (changed again since), kept (what was made cannot be taken away).
    """
    one_at_a_time(session)
    row = session.scalar(select(SettingChange).where(SettingChange.public_id == public_id))
    if row is None or row.kind not in kinds:
        raise KeyError(public_id)
    kind = kinds[row.kind]
    if session.scalar(select(SettingChange.id).where(SettingChange.undoes_id == row.id)) is not None:
        raise Refused({"": "undone"})
    if row.before is None and not kind.removable:
        raise Refused({"": "kept"})
    present = kind.read(session, row.key)
    if present != row.after:
        raise Refused({"": "overtaken"})
    _make(session, kind, Move(row.key, present, row.before, row.id), by)
    return row


def one_at_a_time(session: Session) -> None:
    """Let one change after the other pass: they are rare, and "one administrator stays" looks at many rows.

    SQLite's writers already wait for each other.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:of)"), {"of": _LOCK})
        # What was read before the lock may be old.
        session.expire_all()


@dataclass(frozen=True)
class Move:
    """One setting from one state to another; `undoes`: the change that is taken back by it."""

    key: str | None  # None: a new one
    before: Values | None
    after: Values | None
    undoes: int | None = None


def note(session: Session, kind: Kind, move: Move, by: By) -> None:
    """Write that one setting has changed: a line of the audit, and the values."""
    key, taken_back = move.key or "", move.undoes is not None
    deed = "setting_removed" if move.after is None else "setting_made" if move.before is None else "setting_changed"
    event = AuditEvent(
        at=by.now,
        user_id=by.user.id if by.user else None,
        action="setting_undone" if taken_back else deed,
        subject=kind.code,
        subject_id=int(key) if key.isdigit() else None,
        data={},
    )
    session.add(event)
    session.flush()
    values = {"before": move.before, "after": move.after, "undoes_id": move.undoes}
    session.add(SettingChange(audit_id=event.id, kind=kind.code, key=key, **values))
    session.flush()


def _make(session: Session, kind: Kind, move: Move, by: By) -> str | None:
    if move.after == move.before:
        return None
    key = kind.write(session, move.key, move.after, by.now)
    session.flush()
    after = kind.read(session, key)
    if after == move.before:
        return None
    note(session, kind, Move(key, move.before, after, move.undoes), by)
    return key
