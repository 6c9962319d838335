"""Notes on an elder's card: written, shown, struck out; never deleted by a click.

Of a note that was erased on request (`dispatch.retention`) the row stays, without its words, and is not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from agents.accounts import record
from agents.merging import present_elder
from agents.tasks import NOTE_MAX, TaskError, clean_note
from models.calls import Call
from models.people import Person
from models.results import Note
from models.users import User


@dataclass(frozen=True)
class NoteLine:
    """One note."""

    public_id: str
    text: str
    by: str
    at: datetime
    struck: bool


def notes(session: Session, elder_id: int, limit: int, struck: bool = False) -> tuple[NoteLine, ...]:
    """Return the newest notes; those struck out only if asked for."""
    query = select(Note).where(Note.elder_id == elder_id, Note.text != "").options(selectinload(Note.user))
    if not struck:
        query = query.where(Note.struck_at.is_(None))
    rows = session.scalars(query.order_by(Note.id.desc()).limit(limit))
    return tuple(NoteLine(row.public_id, row.text, row.user.name, row.at, row.struck_at is not None) for row in rows)


def add_note(session: Session, elder: str, said: tuple[str, str], user: User, now: datetime) -> None:
    """Write `said` = (text, public id of the call it is about, or "") on the card of `elder`.

    Raises:
        KeyError: no such elder.
        TaskError: the note is missing or too long.
    """
    text, call = clean_note(said[0]), said[1]
    elder_id = present_elder(session, elder).id
    if not text:
        raise TaskError("note_missing")
    if len(text) > NOTE_MAX:
        raise TaskError("note_long")
    call_id = session.scalar(select(Call.id).where(Call.public_id == call)) if call else None
    session.add(Note(elder_id=elder_id, user_id=user.id, call_id=call_id, text=text, at=now))
    record(session, user, "note_written", ("elder", elder_id), now)


def strike(session: Session, wish: tuple[str, bool], user: User, now: datetime) -> str:
    """Strike a note out, or take that back: `wish` = (public id, whether it is to be struck). Returns the elder's id.

    Safe to repeat: of two who strike the same note neither restores it.

    Raises:
        KeyError: no such note.
    """
    public_id, struck = wish
    row = session.scalar(select(Note).where(Note.public_id == public_id).with_for_update(of=Note))
    if row is None:
        raise KeyError(public_id)
    if struck != (row.struck_at is not None):
        row.struck_at, row.struck_by_id = (now, user.id) if struck else (None, None)
        record(session, user, "note_struck" if struck else "note_restored", ("elder", row.elder_id), now)
    return session.get_one(Person, row.elder_id).public_id
