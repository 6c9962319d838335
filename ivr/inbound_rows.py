"""The rows of an inbound call: who rings, what each turn leaves, the order, how it ended.

Plain values go in and come out, and every function is one transaction, committed
when it returns: what is said after it is true. Nothing here touches the line.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from dispatch import heard_audio, orders, waiting
from dispatch.calls import end_call
from dispatch.orders import OrderRequest
from dispatch.outbox import quick_transaction, transaction
from ivr import callers
from ivr.callers import Seen
from models import clock
from models.base import new_public_id
from models.calls import Call, CallEnd, CallState, Direction, Utterance
from models.journal import Entries, Entry, note, note_all, write_turn
from models.phone import Number
from models.preferences import Because, Origin, Setting, put
from models.prepared import Prepared
from models.rows import Rows, orm
from models.service_items import not_offered
from models.session import inserted_id

log = logging.getLogger(__name__)

# This runs while somebody is on the telephone.
_CALLS = cast(Table, Call.__table__)
_INSERT_CALL = Prepared(
    insert(_CALLS), "public_id", "channel_id", "direction", "purpose", "state", "number_id", "elder_id",
    "provider_id", "caller_person_id", "identified_by", "language", "started_at", "answered_at",
)  # fmt: skip
_INSERT_WORDS = insert(cast(Table, Utterance.__table__))
_SET_LANGUAGE = Prepared(
    update(_CALLS).where(_CALLS.c.id == bindparam("of_call")).values(language=bindparam("new_language"))
)


@dataclass(frozen=True)
class Words:
    """What was heard by voice: the text, the engine's score (0..100), and the language it listened for.

    Score 0: it was not understood, and `text` is only a hint for an agent. `audio`
    is the content key of what the speech server kept of it, if anything.
    """

    text: str
    score: int
    language: str
    audio: str = ""


@dataclass(frozen=True)
class Turn:
    """What one turn leaves behind. `step` is the question; `heard` the kind of answer (key, said, silence, …)."""

    step: str
    heard: str
    key: str | None = None
    words: Words | None = None
    slots: dict[str, Any] | None = None  # all that is understood by now, if this turn changed it
    language: str | None = None  # the new language, if this turn changed it
    speech_off: bool = False


@dataclass(frozen=True)
class Opened:
    """The row of a call that has just begun. `public_id` names it to the agents' screens."""

    call_id: int
    public_id: str
    seen: Seen
    off: frozenset[str] = frozenset()  # services that are not offered at present


def open_call(channel_id: str, number: Number | None) -> Opened:
    """Open the call's row; return it and who rings. `number` is None where it is withheld."""
    now, public_id = clock.now(), new_public_id()
    with quick_transaction() as rows:
        seen = callers.look(rows, number, now)
        off = not_offered(rows)
        row = {
            "public_id": public_id,
            "channel_id": channel_id,
            "direction": Direction.IN.value,
            "purpose": "inbound",
            "state": CallState.TALKING.value,
            "number_id": seen.number_id,
            "elder_id": seen.people[0].elder_id if seen.how == "one" else None,
            "provider_id": seen.provider_id,
            "caller_person_id": seen.contact_id,
            "identified_by": seen.identified_by.value,
            "language": seen.language,
            "started_at": now,
            "answered_at": now,
        }
        call_id = _INSERT_CALL.insert(rows, row)
        note_all(rows, call_id, now, [(Entry.ANSWERED, {}), (Entry.IDENTIFIED, {"how": seen.told})])
    return Opened(call_id, public_id, seen, off)


def keep_turn(call_id: int, elder_id: int | None, turn: Turn) -> None:
    """Write what was heard, and all that is understood by now: whatever happens next, this much is kept."""
    if turn.words is None and turn.language is None:
        write_turn(call_id, clock.now(), _entries(turn))
        return
    with quick_transaction() as rows:
        entries = written(rows, call_id, elder_id, turn)
        note_all(rows, call_id, clock.now(), entries)


def keep_request(call_id: int, request: dict[str, Any]) -> None:
    """Write what is understood by now, where it came from elsewhere than an answer."""
    write_turn(call_id, clock.now(), [(Entry.SLOT, {"slots": request})])


def place_order(request: OrderRequest, turn: Turn) -> tuple[int, bool]:
    """Write the order, and the turn that confirmed it; return its spoken number and whether it is new.

    `request.call_id` names the call. The order is spoken of only after this has returned.
    """
    assert request.call_id is not None  # noqa: S101 (the caller's own call)
    with quick_transaction() as rows:
        entries = written(rows, request.call_id, request.elder_id, turn)
        placed = orders.place_order(rows, request, clock.now(), entries)
    return placed.number, placed.created


def to_person(call_id: int, reason: str) -> None:
    """Write that the call goes to a person and why, before it goes; an emergency is an alarm task at once."""
    now = clock.now()
    with transaction() as session:
        waiting.begin(session, session.get_one(Call, call_id), reason, now)


def goodbye(call_id: int) -> None:
    """The conversation came to its designed end."""
    with quick_transaction() as rows:
        end_call(rows, call_id, CallEnd.GOODBYE, clock.now())


def hung_up(call_id: int) -> None:
    """She hung up before the end."""
    with quick_transaction() as rows:
        end_call(rows, call_id, CallEnd.HUNG_UP, clock.now(), Entry.HUNG_UP)


def failed(call_id: int) -> None:
    """Something of ours broke; the call goes on to a person, and the journal says so if it still can."""
    try:
        with transaction() as session:
            waiting.wait_from(session.get_one(Call, call_id), clock.now())
            note(session, call_id, Entry.FAULT, clock.now(), where="conversation")
    except SQLAlchemyError:
        log.warning("the fault could not be written into the journal of call %d", call_id)


def written(rows: Rows, call_id: int, elder_id: int | None, turn: Turn) -> Entries:
    """Write what a turn leaves outside of the journal; return its entries in the journal, still to be written."""
    said = None
    if turn.words is not None:
        with orm(rows) as session:
            said = _keep_words(session, call_id, turn.words)
    if turn.language is not None:
        _SET_LANGUAGE.run(rows, {"of_call": call_id, "new_language": turn.language})
        if elder_id is not None:
            with orm(rows) as session:
                put(session, elder_id, (Setting.LANGUAGE, turn.language), Because(Origin.CALLER), clock.now())
    return _entries(turn, said)


def _entries(turn: Turn, utterance_id: int | None = None) -> Entries:
    data: dict[str, Any] = {"step": turn.step, "heard": turn.heard}
    if turn.key is not None:
        data["key"] = turn.key
    if turn.words is not None:
        data |= {"utterance_id": utterance_id, "score": turn.words.score}
    entries: list[tuple[Entry, dict[str, Any]]] = [(Entry.TURN, data)]
    if turn.slots is not None:
        entries.append((Entry.SLOT, {"slots": turn.slots}))
    if turn.speech_off:
        entries.append((Entry.SPEECH_OFF, {}))
    if turn.language is not None:
        entries.append((Entry.LANGUAGE, {"language": turn.language}))
    return entries


def _keep_words(session: Session, call_id: int, words: Words) -> int:
    """Keep the words apart from the journal, where they can be erased; return their id."""
    now = clock.now()
    recording = heard_audio.recording(session, call_id, words.audio, now) if words.audio else None
    row = {"call_id": call_id, "at": now, "language": words.language, "text": words.text, "score": words.score}
    row["audio_id"] = recording.id if recording else None
    return inserted_id(session.connection().execute(_INSERT_WORDS, row))
