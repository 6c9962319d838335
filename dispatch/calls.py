"""The end of a call, written once, with whatever must not be forgotten after it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from dispatch import tasks
from models.calls import Call, CallEnd, CallState, Direction
from models.journal import Entry, has_any, last_data, note
from models.tasks import TaskKind


def close_call(session: Session, call: Call, end: CallEnd, now: datetime) -> None:
    """Close the journal of `call`; a request that was not finished becomes a task. Safe to repeat."""
    if call.ended_at is not None:
        return
    # The call itself, an event and the sweep may all come to end it: the first one writes how it ended.
    session.refresh(call, ["ended_at"], with_for_update=True)
    if call.ended_at is not None:
        return
    call.ended_at, call.state, call.end = now, CallState.ENDED, end
    note(session, call.id, Entry.ENDED, now, end=end)
    if call.direction != Direction.IN:
        # Whoever asked for a person in a call of ours, and got none, is owed one all the same.
        if end in (CallEnd.ABANDONED, CallEnd.HUNG_UP, CallEnd.LOST) and _in_vain(session, call):
            _task(session, call, TaskKind.MISSED, now)
        return
    if end == CallEnd.ABANDONED:
        _task(session, call, TaskKind.MISSED, now)
    elif end in (CallEnd.HUNG_UP, CallEnd.LOST) and not _served(session, call):
        _task(session, call, TaskKind.PARTIAL, now)


def _served(session: Session, call: Call) -> bool:
    """Return whether she already has what she rang for: an order, or an alarm in front of a person."""
    return has_any(session, call.id, Entry.ORDER_PLACED, Entry.ORDER_KNOWN, Entry.AGENT_ANSWERED)


def _in_vain(session: Session, call: Call) -> bool:
    """Return whether a person was asked for and none has answered."""
    asked, answered = (last_data(session, call.id, kind) for kind in (Entry.TO_PERSON, Entry.AGENT_ANSWERED))
    return asked is not None and answered is None


def _task(session: Session, call: Call, kind: TaskKind, now: datetime) -> None:
    # What was understood so far goes along, so that the agent does not ask it again.
    slots = (last_data(session, call.id, Entry.SLOT) or {}).get("slots", {})
    if call.number_id is None and not slots:
        return  # A withheld number that said nothing: nobody could be rung back.
    to_person = last_data(session, call.id, Entry.TO_PERSON) or {}
    reason = {"reason": to_person["reason"]} if "reason" in to_person else {}
    tasks.open_task(session, tasks.for_call(kind, call, slots=slots, **reason), now)
