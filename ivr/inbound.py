"""An elder rings: who is she, what does she need, is it right; and then the order, or a person."""

from __future__ import annotations

from dataclasses import replace

from asterisk.agi import AGIHangup

from dispatch.orders import OrderRequest
from ivr import handover, inbound_rows, turns
from ivr.agi import Line
from ivr.inbound_rows import Caller, Turn, Words
from ivr.listening import Listener
from ivr.prompts import words
from ivr.prompts.words import line as prompt
from ivr.turns import Ask, GoodBye, Heard, Key, Move, PlaceOrder, Said, State, ToPerson, Unknown
from models import clock, phone
from models.settings import settings

# AGI's agi_callingpres: from here on the network says that the number is not to be shown.
_PROHIBITED = 32


def answer_call(line: Line) -> None:
    """Lead the conversation of one inbound call to its end, or on to a person."""
    caller = inbound_rows.identify(line.env["agi_uniqueid"], _number(line))
    listener = Listener(line, speech=settings().speech and caller.elder is not None)
    try:
        _converse(line, listener, caller, _first_turn(caller, listener))
    except AGIHangup:
        inbound_rows.hung_up(caller.call_id)
        raise
    except Exception:
        inbound_rows.failed(caller.call_id)
        raise
    finally:
        listener.close()


def _number(line: Line) -> phone.Number | None:
    if int(line.env.get("agi_callingpres") or 0) >= _PROHIBITED:
        return None
    return phone.caller(line.env.get("agi_callerid"), settings().area_code)


def _first_turn(caller: Caller, listener: Listener) -> tuple[State, Move]:
    now = clock.local(clock.now())
    elder = caller.elder
    if elder is None:
        # Nobody is asked to explain herself to a machine that does not know her: a person takes the call.
        nobody = State(words.name(""), settings().languages[0], now.date(), now.hour)
        return nobody, ToPerson(caller.how, (prompt("welcome"), prompt("to_person")))
    who = words.form_of_address(elder, elder.language)
    listens = listener.listens_for(elder.language)
    return turns.begin(State(who, elder.language, now.date(), now.hour, listens))


def _converse(line: Line, listener: Listener, caller: Caller, first: tuple[State, Move]) -> None:
    state, move = first
    elder_id = caller.elder.id if caller.elder else None
    while True:
        match move:
            case Ask():
                heard = listener.ask(move, state.language)
                before = state
                listens = listener.listens_for(turns.language_after(state, heard))
                state, move = turns.hear(replace(state, listens=listens), heard)
                turn = _turn(before, state, heard)
                if isinstance(move, PlaceOrder):
                    # The turn that confirms is written with the order, in one transaction.
                    state, move = _place(caller, state, turn)
                else:
                    inbound_rows.keep_turn(caller.call_id, elder_id, turn)
            case ToPerson(reason=reason):
                inbound_rows.to_person(caller.call_id, reason)
                handover.to_person(line, move, state.language)
                return
            case GoodBye(lines=lines):
                listener.say(lines, state.language)
                inbound_rows.goodbye(caller.call_id)
                handover.hang_up(line)
                return


def _turn(before: State, after: State, heard: Heard) -> Turn:
    """Return what this turn leaves in the journal: what was heard, and what changed by it."""
    return Turn(
        before.step,
        type(heard).__name__.lower(),
        key=heard.key if isinstance(heard, Key) else None,
        words=_words(heard, before.language),
        slots=after.slots.as_data() if after.slots != before.slots else None,
        language=after.language if after.language != before.language else None,
        speech_off=before.listens and not after.listens,
    )


def _words(heard: Heard, language: str) -> Words | None:
    match heard:
        case Said(phrase, score, audio):
            return Words(phrase, score, language, audio)
        case Unknown(text, audio) if text or audio:
            return Words(text, 0, language, audio)
    return None


def _place(caller: Caller, state: State, turn: Turn) -> tuple[State, Move]:
    """Write the order; it is spoken of only after the commit."""
    assert caller.elder is not None and state.slots.service and state.slots.part  # noqa: S101 (the turns saw to it)
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
    return turns.order_placed(state, *inbound_rows.place_order(request, turn))
