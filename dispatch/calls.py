"""The end of a call, written once, with whatever must not be forgotten after it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm import Session

from dispatch import recordings, tasks
from models.calls import Call, CallEnd, CallState, Direction
from models.journal import Entry, last_data, newest_of, note_all
from models.prepared import Prepared
from models.rows import Rows, orm
from models.tasks import TaskKind

# Every call comes to its end here.
_CALLS = cast(Table, Call.__table__)
_END = Prepared(
    update(_CALLS)
    .where(_CALLS.c.id == bindparam("call_id"), _CALLS.c.ended_at.is_(None))
    .values(ended_at=bindparam("at"), state=CallState.ENDED.value, end=bindparam("how"))
    .returning(_CALLS.c.direction)
)


# Whoever hangs up after one of these got what she rang for.
ACHIEVED = (
    Entry.ORDER_PLACED,
    Entry.ORDER_KNOWN,
    Entry.ORDER_CHANGED,
    Entry.ORDER_CANCELLED,
    Entry.ORDERS_TOLD,
    Entry.ORDER_RATED,
    Entry.VISIT,
    Entry.CALLBACK_CONFIRMED,
    Entry.REMINDER_HEARD,
    Entry.OFFER_ACCEPTED,
    Entry.OFFER_DECLINED,
    Entry.MESSAGE,
    Entry.RING_BACK,
    Entry.AGENT_ANSWERED,
)
_NEWEST = newest_of(*ACHIEVED, Entry.SLOT)


def close_call(session: Session, call: Call, end: CallEnd, now: datetime) -> None:
    """Do as `end_call` with a call that is loaded: what the session still holds of it is written first."""
    session.flush()
    end_call(session, call.id, end, now)
    session.expire(call, ["ended_at", "state", "end"])


def end_call(session: Session | Rows, call_id: int, end: CallEnd, now: datetime, *before: Entry) -> None:
    """Close the journal of the call; a request that was not finished becomes a task. Safe to repeat.

    The call itself, an event and the sweep may all come to end it: the first one writes how it ended.
    `before` are entries that stand in the journal in any case, in front of its last one.
    """
    direction = _END.scalar(session, {"call_id": call_id, "at": now, "how": end.value})
    entries: list[tuple[Entry, dict[str, Any]]] = [(kind, {}) for kind in before]
    if direction is not None:
        entries.append((Entry.ENDED, {"end": end.value}))
    if entries:
        note_all(session, call_id, now, entries)
    match direction, end:
        case None, _:
            return
        case Direction.IN, CallEnd.ABANDONED:
            _task(session, call_id, TaskKind.MISSED, now)
        case Direction.IN, CallEnd.HUNG_UP | CallEnd.LOST:
            if not _served(session, call_id):
                _task(session, call_id, TaskKind.PARTIAL, now)
        case Direction.OUT, CallEnd.ABANDONED | CallEnd.HUNG_UP | CallEnd.LOST:
            # Whoever asked for a person in a call of ours, and got none, is owed one all the same.
            if _in_vain(session, call_id):
                _task(session, call_id, TaskKind.MISSED, now)


def _served(session: Session | Rows, call_id: int) -> bool:
    """Return whether she has what she rang for: something was achieved, and no new request begun after it."""
    newest = _NEWEST.scalar(session, {"call_id": call_id})
    return newest is not None and newest != Entry.SLOT


def _in_vain(session: Session | Rows, call_id: int) -> bool:
    """Return whether a person was asked for and none has answered."""
    asked, answered = (last_data(session, call_id, kind) for kind in (Entry.TO_PERSON, Entry.AGENT_ANSWERED))
    return asked is not None and answered is None


def _task(unit: Session | Rows, call_id: int, kind: TaskKind, now: datetime) -> None:
    # What was understood so far goes along, so that the agent does not ask it again.
    slots = (last_data(unit, call_id, Entry.SLOT) or {}).get("slots", {})
    to_person = last_data(unit, call_id, Entry.TO_PERSON) or {}
    reason = {"reason": to_person["reason"]} if "reason" in to_person else {}
    with orm(unit) as session:
        call = session.get_one(Call, call_id)
        if call.provider_id is not None:
            return  # A provider is not waited upon: its offer stands, and is asked for by ourselves.
        if call.number_id is None and not slots:
            return  # A withheld number that said nothing: nobody could be rung back.
        audio_id = recordings.newest(session, call_id)
        tasks.open_task(session, tasks.for_call(kind, call, audio_id, slots=slots, **reason), now)
