"""An elder rings: who is she, what does she need, is it right; and the rows that it leaves."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from asterisk.agi import AGIHangup
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from dispatch import tasks
from dispatch.calls import close_call
from dispatch.orders import OrderRequest, place_order
from dispatch.outbox import transaction
from ivr import handover, turns
from ivr.agi import Line
from ivr.listening import Listener
from ivr.prompts import words
from ivr.prompts.words import line as prompt
from ivr.turns import Ask, GoodBye, Heard, Key, Move, PlaceOrder, Said, State, ToPerson
from models import clock, phone
from models.calls import Call, CallEnd, CallState, Direction, Utterance
from models.journal import Entry, note, write_turn
from models.lookup import elders_at, number_row
from models.people import Elder
from models.settings import settings
from models.tasks import TaskKind

log = logging.getLogger(__name__)

# AGI's agi_callingpres: from here on the network says that the number is not to be shown.
_PROHIBITED = 32


@dataclass(frozen=True)
class Caller:
    """Who is on the line: the call's row id, and the elder if exactly one fits the number."""

    call_id: int
    how: str  # one, household, unknown, withheld
    elder: Elder | None


def answer_call(line: Line) -> None:
    """Lead the conversation of one inbound call to its end, or on to a person."""
    caller = _identify(line)
    listener = Listener(line, speech=settings().speech and caller.elder is not None)
    try:
        _converse(line, listener, caller, _first_turn(caller, listener))
    except AGIHangup:
        _hung_up(caller.call_id)
        raise
    except Exception:
        _failed(caller.call_id)
        raise
    finally:
        listener.close()


def _first_turn(caller: Caller, listener: Listener) -> tuple[State, Move]:
    now = clock.local(clock.now())
    if caller.elder is None:
        # Nobody is asked to explain herself to a machine that does not know her: a person takes the call.
        nobody = State(words.name(""), settings().languages[0], now.date(), now.hour)
        return nobody, ToPerson(caller.how, (prompt("welcome"), prompt("to_person")))
    person = caller.elder.person
    who = words.form_of_address(person, person.language)
    listens = listener.listens_for(person.language)
    return turns.begin(State(who, person.language, now.date(), now.hour, listens))


def _identify(line: Line) -> Caller:
    now = clock.now()
    number = phone.caller(line.env.get("agi_callerid"), settings().area_code)
    if int(line.env.get("agi_callingpres") or 0) >= _PROHIBITED:
        number = None
    with transaction() as session:
        elders = elders_at(session, number) if number else []
        how = "withheld" if number is None else {0: "unknown", 1: "one"}.get(len(elders), "household")
        elder = elders[0] if how == "one" else None
        call = Call(
            channel_id=line.env["agi_uniqueid"],
            direction=Direction.IN,
            purpose="inbound",
            state=CallState.TALKING,
            number_id=number_row(session, number).id if number else None,
            elder_id=elder.id if elder else None,
            language=elder.person.language if elder else settings().languages[0],
            started_at=now,
            answered_at=now,
        )
        session.add(call)
        session.flush()
        note(session, call.id, Entry.ANSWERED, now)
        note(session, call.id, Entry.IDENTIFIED, now, how=how)
    return Caller(call.id, how, elder)


def _converse(line: Line, listener: Listener, caller: Caller, first: tuple[State, Move]) -> None:
    state, move = first
    while True:
        match move:
            case Ask():
                heard = listener.ask(move, state.language)
                before = state
                listens = listener.listens_for(turns.language_after(state, heard))
                state, move = turns.hear(replace(state, listens=listens), heard)
                _journal_turn(caller, before, state, heard)
            case PlaceOrder():
                state, move = _place(caller, state)
            case ToPerson():
                _to_person(line, caller.call_id, move, state.language)
                return
            case GoodBye(lines=lines):
                listener.say(lines, state.language)
                with transaction() as session:
                    close_call(session, session.get_one(Call, caller.call_id), CallEnd.GOODBYE, clock.now())
                handover.hang_up(line)
                return


def _journal_turn(caller: Caller, before: State, after: State, heard: Heard) -> None:
    """Write what was heard, and all that is understood by now: whatever happens next, this much is kept."""
    now = clock.now()
    turn: dict[str, object] = {"step": before.step, "heard": type(heard).__name__.lower()}
    if isinstance(heard, Key):
        turn["key"] = heard.key
    elif isinstance(heard, Said):
        turn |= {"utterance_id": _keep_words(caller, before.language, heard), "score": heard.score}
    entries: list[tuple[Entry, dict[str, object]]] = [(Entry.TURN, turn)]
    if after.slots != before.slots:
        entries.append((Entry.SLOT, {"slots": after.slots.as_data()}))
    if before.listens and not after.listens:
        entries.append((Entry.SPEECH_OFF, {}))
    if after.language != before.language:
        entries.append((Entry.LANGUAGE, {"language": after.language}))
        with transaction() as session:
            _remember_language(session, caller, after.language)
    write_turn(caller.call_id, now, entries)


def _keep_words(caller: Caller, language: str, heard: Said) -> int:
    """Keep the words apart from the journal, where they can be erased; return their id."""
    with transaction() as session:
        said = Utterance(
            call_id=caller.call_id, at=clock.now(), language=language, text=heard.phrase, score=heard.score
        )
        session.add(said)
        session.flush()
        return said.id


def _remember_language(session: Session, caller: Caller, language: str) -> None:
    session.get_one(Call, caller.call_id).language = language
    if caller.elder is not None:
        session.get_one(Elder, caller.elder.id).person.language = language


def _place(caller: Caller, state: State) -> tuple[State, Move]:
    """Write the order; it is spoken of only after the commit."""
    assert caller.elder is not None and state.slots.service and state.slots.part  # noqa: S101 (the turns saw to it)
    now = clock.now()
    request = OrderRequest(
        key=f"call:{caller.call_id}:{state.slots.service}:{state.wanted_on}:{state.slots.part}",
        channel="phone",
        elder_id=caller.elder.id,
        service=state.slots.service,
        wanted_on=state.wanted_on,
        wanted_part=state.slots.part,
        language=state.language,
        call_id=caller.call_id,
    )
    with transaction() as session:
        placed = place_order(session, request, now)
    return turns.order_placed(state, placed.order.number, placed.created)


def _to_person(line: Line, call_id: int, move: ToPerson, language: str) -> None:
    """Write where the call goes and why, before it goes; an emergency is an alarm task at once."""
    now = clock.now()
    with transaction() as session:
        call = session.get_one(Call, call_id)
        call.state = CallState.WAITING
        note(session, call_id, Entry.TO_PERSON, now, reason=move.reason)
        if move.reason == "emergency":
            tasks.open_task(session, tasks.for_call(TaskKind.ALARM, call), now)
    handover.to_person(line, move, language)


def _hung_up(call_id: int) -> None:
    now = clock.now()
    with transaction() as session:
        note(session, call_id, Entry.HUNG_UP, now)
        close_call(session, session.get_one(Call, call_id), CallEnd.HUNG_UP, now)


def _failed(call_id: int) -> None:
    """Something of ours broke; the call goes on to a person, and the journal says so if it still can."""
    try:
        with transaction() as session:
            session.get_one(Call, call_id).state = CallState.WAITING
            note(session, call_id, Entry.FAULT, clock.now(), where="conversation")
    except SQLAlchemyError:
        log.warning("the fault could not be written into the journal of call %d", call_id)
