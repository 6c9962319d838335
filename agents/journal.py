"""A call's course, read from its journal, with the words that were heard while they have not been erased."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.lines import CallLine, OrderRef, call_lines, calls_query, order_ref, slots_of
from models.calls import Call, CallEvent, Utterance
from models.orders import Order
from models.phone import Number, NumberKind
from models.tasks import Task

# How a turn was answered, in the order in which the journal's data is looked at.
TURNS = ("key", "said", "silence", "unknown")


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
    task: str | None = None


@dataclass(frozen=True)
class CallCourse:
    """A call and everything that happened in it."""

    line: CallLine
    number: str
    answered_at: datetime | None
    lines: tuple[JournalLine, ...]
    task_ids: tuple[tuple[str, str], ...]


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
        answered_at=call.answered_at,
        lines=tuple(sorted(lines, key=lambda line: line.at)),
        task_ids=tuple(tasks.tuples().all()),
    )
    return call.id, course


def _line(session: Session, event: CallEvent, spoken: dict[int, Utterance]) -> JournalLine:
    data = event.data or {}
    how = next((turn for turn in TURNS if turn in data and data[turn] is not False), "")
    detail, heard = _detail(event.kind, data, how), None
    if how == "said":
        utterance = spoken.pop(_id(data.get("utterance", data["said"])), None)
        heard = Heard(utterance.text, utterance.score) if utterance else None
    order = session.get(Order, _id(data.get("order_id"))) if "order_id" in data else None
    task = session.get(Task, _id(data.get("task_id"))) if "task_id" in data else None
    return JournalLine(
        at=event.at,
        kind=event.kind,
        detail=detail,
        step=str(data.get("step", "")),
        how=how,
        slots=slots_of(data) if event.kind == "slot" else (),
        heard=heard,
        order=order_ref(order) if order else None,
        task=task.public_id if task else None,
    )


def _detail(kind: str, data: dict[str, Any], how: str) -> str:
    """Return the one code that tells more than the kind does."""
    if how in ("key", "said"):
        # A bare number behind `said` is the id of an utterance, not something to show.
        return "" if isinstance(data[how], int | bool) and how == "said" else str(data[how])
    names = {"to_person": "reason", "ended": "end", "fault": "where", "language": "language"}
    return str(data.get(names.get(kind, ""), ""))


def _id(value: object) -> int:
    return value if isinstance(value, int) else -1
