"""The append-only journal of a call. Entries hold codes and ids, never names, numbers or words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select
from sqlalchemy.orm import Session

from models.calls import CallEvent
from models.prepared import Prepared
from models.rows import Rows
from models.session import write_rows

# A call writes a dozen entries.
_EVENTS = cast(Table, CallEvent.__table__)
_INSERT = Prepared(insert(_EVENTS), "call_id", "at", "kind", "data")
_OF_CALL = _EVENTS.c.call_id == bindparam("call_id")
_LAST = Prepared(
    select(_EVENTS.c.data).where(_OF_CALL, _EVENTS.c.kind == bindparam("kind")).order_by(_EVENTS.c.id.desc()).limit(1)
)


class Entry(StrEnum):
    """Kinds of journal entries."""

    ANSWERED = "answered"
    IDENTIFIED = "identified"  # data: how (one, household, contact, contacts, provider, unknown, withheld)
    TURN = "turn"  # data: step, heard
    SLOT = "slot"  # data: slots, all that is understood so far
    LANGUAGE = "language"  # data: language
    ORDER_PLACED = "order_placed"  # data: order_id
    ORDER_KNOWN = "order_known"  # data: order_id; she had it already
    ORDER_CHANGED = "order_changed"  # data: order_id, day, part
    ORDER_CANCELLED = "order_cancelled"  # data: order_id
    ORDERS_TOLD = "orders_told"  # data: count; she was told how her orders stand
    ORDER_RATED = "order_rated"  # data: order_id, score
    IDENTIFIED_AS = "identified_as"  # data: how (household, contact, card, worker); elder_id stands with the call
    OFFER_ACCEPTED = "offer_accepted"  # data: offer_id
    OFFER_DECLINED = "offer_declined"  # data: offer_id
    OFFER_TOO_LATE = "offer_too_late"  # data: offer_id
    VISIT = "visit"  # data: order_id, what (arrived, done), proof (models/visits.py); a worker rang
    CALLBACK_CONFIRMED = "callback_confirmed"  # data: callback_id
    CARE = "care"  # data: visit_id, what (proved, silent, machine), by (the kind of proof)
    LOOK_IN = "look_in"  # data: escalation_step_id, answer (promised, cannot)
    TALKED = "talked"  # data: ms; something was talking on the line, whoever or whatever it was
    REMINDER_HEARD = "reminder_heard"  # data: reminder_id
    TO_PERSON = "to_person"  # data: reason
    WAIT_TOLD = "wait_told"  # data: place, minutes (0: not known)
    RING_BACK = "ring_back"  # data: number (shown, keyed)
    AGENT_RUNG = "agent_rung"  # data: user_id
    AGENT_ANSWERED = "agent_answered"  # data: user_id, where the telephone is one in the browser
    AGENT_MISSED = "agent_missed"  # data: user_id; rung, and did not answer or rejected
    AGENT_LOST = "agent_lost"  # data: user_id; cut off, she is put through to people again
    TRANSFERRED = "transferred"  # data: user_id (who did it), to (agent, queue, outside, three)
    MESSAGE = "message"  # data: audio_id
    SPEECH_OFF = "speech_off"  # the speech engine was not to be had; keys only
    RECORDING = "recording"  # data: how (on, disk_full); she was told, and it began
    FAULT = "fault"  # data: where
    HUNG_UP = "hung_up"  # the other side hung up
    ENDED = "ended"  # data: end


# The entries of one moment, in their order: kind and data.
Entries = Sequence[tuple[Entry, dict[str, Any]]]


def note(session: Session | Rows, call_id: int, kind: Entry, now: datetime, **data: Any) -> None:
    """Write one entry."""
    _INSERT.run(session, {"call_id": call_id, "at": now, "kind": kind.value, "data": data})


def note_all(session: Session | Rows, call_id: int, now: datetime, entries: Entries) -> None:
    """Write several entries at once, in their order."""
    rows = [{"call_id": call_id, "at": now, "kind": kind.value, "data": data} for kind, data in entries]
    _INSERT.run_all(session, rows)


def write_turn(call_id: int, now: datetime, entries: Entries) -> None:
    """Write the entries of one turn in a transaction of their own, committed on return: no killed process undoes it.

    The disk is not waited for in each turn: the order, or the end of the call, does that for all before it.
    """
    with write_rows(synced=False) as rows:
        note_all(rows, call_id, now, entries)


def newest_of(*kinds: Entry) -> Prepared:
    """Return what asks for the kind of the newest entry of a call (`call_id`) that is one of `kinds`."""
    return Prepared(
        select(_EVENTS.c.kind).where(_OF_CALL, _EVENTS.c.kind.in_(kinds)).order_by(_EVENTS.c.id.desc()).limit(1)
    )


def last_data(session: Session | Rows, call_id: int, kind: Entry) -> dict[str, Any] | None:
    """Return the data of the newest entry of `kind`, None if there is none."""
    return cast(dict[str, Any] | None, _LAST.scalar(session, {"call_id": call_id, "kind": kind}))
