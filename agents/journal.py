"""A call's course, read from its journal, with the words that were heard while they have not been erased."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.lines import CallLine, OrderRef, call_lines, calls_query, order_ref, slots_of
from models.audio import Audio
from models.calls import Call, CallEvent, Utterance
from models.journal import Entry
from models.orders import Order
from models.phone import Number, NumberKind
from models.supervision import Watch
from models.tasks import Task

# Where each kind of entry has the code that tells more than the kind does.
DETAIL: dict[str, str] = {
    Entry.IDENTIFIED: "how",
    Entry.TURN: "key",
    Entry.LANGUAGE: "language",
    Entry.TO_PERSON: "reason",
    Entry.FAULT: "where",
    Entry.ENDED: "end",
    Entry.RECORDING: "how",
}


@dataclass(frozen=True)
class Heard:
    """What was said, and how sure the recogniser was (0–100)."""

    text: str
    score: int


@dataclass(frozen=True)
class JournalLine:
    """One line of the journal. `detail` is a code whose words depend on `kind`; unknown kinds keep their code."""

    at: datetime
    kind: str
    detail: str = ""
    step: str = ""
    how: str = ""
    slots: tuple[tuple[str, str], ...] = ()
    heard: Heard | None = None
    order: OrderRef | None = None
    recording: str | None = None


@dataclass(frozen=True)
class Recording:
    """The recording of the call: her side on the left, ours on the right. Erased: when."""

    public_id: str
    content_key: str
    began_at: datetime
    seconds: int
    erased_at: datetime | None

    def second_of(self, at: datetime) -> float | None:
        """Return where in the recording a moment of the call is (s); None where it was not recorded."""
        second = (at - self.began_at).total_seconds()
        return round(second, 1) if 0 <= second <= self.seconds else None


@dataclass(frozen=True)
class WatchLine:
    """A supervisor who was in the call. `mode`: how, at the end (models.supervision.Watching)."""

    name: str
    mode: str
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class CallCourse:
    """A call and everything that happened in it."""

    line: CallLine
    number: str
    identified_by: str
    caller: str  # who rings on her behalf; empty: she herself
    answered_at: datetime | None
    lines: tuple[JournalLine, ...]
    recordings: tuple[Recording, ...]
    task_ids: tuple[tuple[str, str], ...]
    watches: tuple[WatchLine, ...] = ()


def call_course(session: Session, public_id: str) -> tuple[int, CallCourse] | None:
    """Return the call's id (for the audit) and its course, or None."""
    call = session.scalar(calls_query().where(Call.public_id == public_id))
    if call is None:
        return None
    spoken = {
        row.id: row
        for row in session.scalars(select(Utterance).where(Utterance.call_id == call.id).order_by(Utterance.id))
    }
    events = session.scalars(select(CallEvent).where(CallEvent.call_id == call.id).order_by(CallEvent.id)).all()
    lines = [_line(session, event, spoken) for event in events]
    # What no turn of the journal has claimed is shown by its own time.
    lines += [JournalLine(row.at, "heard", heard=Heard(row.text, row.score)) for row in spoken.values()]
    tasks = session.execute(select(Task.public_id, Task.kind).where(Task.call_id == call.id).order_by(Task.id))
    course = CallCourse(
        line=call_lines(session, [call])[0],
        number=Number(call.number.value, NumberKind(call.number.kind)).national if call.number else "",
        identified_by=call.identified_by,
        caller=call.caller.name if call.caller and call.caller_person_id != call.elder_id else "",
        answered_at=call.answered_at,
        lines=tuple(sorted(lines, key=lambda line: line.at)),
        recordings=tuple(_recordings(session, call, lines)),
        task_ids=tuple(tasks.all()),
        watches=tuple(
            WatchLine(row.user.name, row.mode, row.began_at, row.ended_at)
            for row in session.scalars(select(Watch).where(Watch.call_id == call.id).order_by(Watch.id))
        ),
    )
    return call.id, course


def _recordings(session: Session, call: Call, lines: list[JournalLine]) -> Iterator[Recording]:
    rows = session.scalars(select(Audio).where(Audio.call_id == call.id, Audio.kind == "call").order_by(Audio.id))
    told = [line.at for line in lines if line.kind == Entry.RECORDING and line.detail == "on"]
    for row in rows:
        length = timedelta(milliseconds=row.duration_ms)
        # Where the dialplan began by itself nothing says when; but it ended with the call.
        began = told[0] if told else (call.ended_at or row.created_at) - length
        yield Recording(row.public_id, row.content_key, began, round(row.duration_ms / 1000), row.erased_at)


def _line(session: Session, event: CallEvent, spoken: dict[int, Utterance]) -> JournalLine:
    data: dict[str, Any] = event.data or {}
    utterance = spoken.pop(_id(data, "utterance_id"), None)
    order = session.get(Order, _id(data, "order_id"))
    audio = session.get(Audio, (utterance and utterance.audio_id) or _id(data, "audio_id"))
    return JournalLine(
        at=event.at,
        kind=event.kind,
        detail=str(data.get(DETAIL.get(event.kind, ""), "")),
        step=str(data.get("step", "")),
        how=str(data.get("heard", "")),
        slots=slots_of(data) if event.kind == Entry.SLOT else (),
        heard=Heard(utterance.text, utterance.score) if utterance else None,
        order=order_ref(order) if order else None,
        recording=audio.public_id if audio and audio.erased_at is None else None,
    )


def _id(data: dict[str, Any], name: str) -> int:
    """Return the id under `name`; one that no row has when it is missing, or is no number."""
    value = data.get(name)
    return value if isinstance(value, int) else -1
