"""Tasks: look at one, close one with its result."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.accounts import record
from agents.lines import TaskLine, task_lines, tasks_query
from dispatch import returns
from models.audio import Audio
from models.calls import Call, Utterance
from models.orders import OrderEvent
from models.phone import Number, NumberKind
from models.tasks import Task, TaskKind
from models.users import User

NOTE_MAX = 500


# With these the order waits for an agent, and has come to its end when they are closed.
_AFTER_SERVICE = frozenset({TaskKind.DISSATISFIED, TaskKind.UNREACHABLE})


class TaskResult(StrEnum):
    """How a task was settled. A code, so that results can be counted."""

    DONE = "done"  # what she wanted was arranged
    TOLD = "told"  # she was reached and informed
    PASSED_ON = "passed_on"  # somebody else has it now: emergency service, family, an office
    NOT_REACHED = "not_reached"  # tried, without success
    NOT_NEEDED = "not_needed"  # settled itself, a test, a wrong number


class TaskError(ValueError):
    """The task cannot be closed like this. `code`: closed, result, note_missing, note_long."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the task cannot be closed: {code}")
        self.code = code


@dataclass(frozen=True)
class Transcript:
    """What is said in the task's recording: the words as heard by the machine, or the state that says why not."""

    state: str  # models.audio.Transcript; empty: not tried yet
    text: str
    language: str


@dataclass(frozen=True)
class TaskView:
    """One task with what is needed to work it off: the whole number, the call, the recording."""

    id: int
    line: TaskLine
    number: str
    call: str | None
    recording: str | None
    transcript: Transcript | None
    result: str | None
    note: str
    closed_by: str


def view(session: Session, public_id: str) -> TaskView | None:
    """Return the task of `public_id`, or None."""
    task = session.scalar(tasks_query().where(Task.public_id == public_id))
    if task is None:
        return None
    call = session.get(Call, task.call_id) if task.call_id else None
    audio = session.get(Audio, task.audio_id) if task.audio_id else None
    by = session.get(User, task.closed_by_id) if task.closed_by_id else None
    return TaskView(
        id=task.id,
        line=task_lines([task])[0],
        number=Number(task.number.value, NumberKind(task.number.kind)).national if task.number else "",
        call=call.public_id if call else None,
        recording=audio.public_id if audio and audio.erased_at is None else None,
        transcript=_transcript(session, audio) if audio and audio.erased_at is None else None,
        result=task.result,
        note=task.note,
        closed_by=by.name if by else "",
    )


def _transcript(session: Session, audio: Audio) -> Transcript:
    words = session.scalar(select(Utterance).where(Utterance.audio_id == audio.id))
    if words is None:
        return Transcript(audio.transcript or "", "", "")
    return Transcript(audio.transcript or "", words.text, words.language)


def clean_note(note: str) -> str:
    """Return the note without what cannot be seen; line ends stay."""
    text = unicodedata.normalize("NFC", note).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c == "\n" or not unicodedata.category(c).startswith("C")).strip()


def close(session: Session, public_id: str, result: str, note: str, by: tuple[User, datetime]) -> None:
    """Close a task, once: the second of two agents is told that it is closed already.

    Raises:
        KeyError: no such task.
        TaskError: closed already, no such result, the note is missing or too long.
    """
    user, now = by
    # The row is locked, so that of two agents exactly one closes it.
    task = session.scalar(select(Task).where(Task.public_id == public_id).with_for_update())
    if task is None:
        raise KeyError(public_id)
    if task.closed_at is not None:
        raise TaskError("closed")
    if result not in {known.value for known in TaskResult}:
        raise TaskError("result")
    note = clean_note(note)
    if not note:
        raise TaskError("note_missing")
    if len(note) > NOTE_MAX:
        raise TaskError("note_long")
    # The note stands in the task's own row, which can be erased; the audit gets ids and codes only.
    task.result, task.note = result, note
    task.closed_at, task.closed_by_id = now, user.id
    record(session, user, "task_closed", ("task", task.id), now)
    if task.kind in _AFTER_SERVICE and task.order_id is not None:
        # She has been talked to, or cannot be asked. An order that is to be done again has moved on already.
        returns.conclude(session, task.order_id, OrderEvent(actor="agent", actor_id=user.id), now)
