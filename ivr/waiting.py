"""While she waits for a person: her place said honestly, and the promise to ring her back.

The dialplan leads the wait and calls this between two laps of ringing. Whatever
breaks here leaves HOTLINE_NEXT as the dialplan has set it, and it goes on with
prompts of its own.
"""

from __future__ import annotations

from dispatch import waiting
from dispatch.outbox import transaction
from ivr import handover, waiting_turns
from ivr.agi import Line
from ivr.prompts import voice
from ivr.prompts.words import line as prompt
from ivr.turns import Key, Silence
from ivr.turns.steps import always_key
from ivr.waiting_turns import AskDigits, AskKey, Emergency, Move, RingBack, State, WaitOn
from models import clock, phone
from models.calls import Call
from models.journal import Entry, note
from models.phone import Number, NumberKind
from models.settings import settings

# After her place is told she may think so long; the key works while she waits as well (ms).
SHORT_PAUSE_MS = 1500
# Between two digits of a number (ms).
DIGIT_PAUSE_MS = 6000
# More digits than any telephone number has.
LONGEST_NUMBER = 20


def wait(line: Line) -> None:
    """Tell her place, or arrange to ring her back (the dialplan's first argument says which)."""
    told = handover.waiting(line)
    call_id, state = _look_up(line, told)
    begin = waiting_turns.offer_ring_back if told.step == "ring_back" else waiting_turns.tell_place
    state, move = begin(state)
    while isinstance(move, AskKey | AskDigits):
        state, move = _turn(line, state, move)
    _end(line, call_id, state, move)


def _look_up(line: Line, told: handover.Waiting) -> tuple[int, State]:
    now = clock.now()
    with transaction() as session:
        call = waiting.call_on_line(session, line.env["agi_uniqueid"], line.shown_number, told.why or "fault", now)
        place = waiting.place_of(session, call, told.agents, now)
        if told.step == "place":
            note(session, call.id, Entry.WAIT_TOLD, now, place=place.number, minutes=place.minutes or 0)
        number = Number(call.number.value, NumberKind(call.number.kind)) if call.number else None
        call_id = call.id
    language = told.language if told.language in settings().languages else settings().languages[0]
    return call_id, State(language, _ringable(number), place.number, place.minutes)


def _ringable(number: Number | None) -> Number | None:
    return number if number is not None and number.kind in phone.RINGABLE else None


def _turn(line: Line, state: State, move: AskKey | AskDigits) -> tuple[State, Move]:
    file = voice.utterance(move.lines, state.language)
    if isinstance(move, AskKey):
        pause = SHORT_PAUSE_MS if state.step == "place" else settings().answer_timeout_ms
        key = line.ask_key(file, pause)
        return waiting_turns.hear(state, Key(key) if key else Silence())
    digits = line.ask_digits(file, DIGIT_PAUSE_MS, LONGEST_NUMBER)
    # Frightened people press 9 several times, and whoever wants a person 0: no telephone has such a number.
    digits = digits and (always_key(digits) or digits)
    if digits is None or len(digits) < 2:
        return waiting_turns.hear(state, Key(digits) if digits else Silence())
    return waiting_turns.number_keyed(state, _ringable(phone.caller(digits, settings().area_code)))


def _end(line: Line, call_id: int, state: State, move: Move) -> None:
    match move:
        case RingBack(keyed=keyed):
            now = clock.now()
            with transaction() as session:
                call = session.get_one(Call, call_id)
                call.language = state.language
                waiting.ring_back(session, call, keyed, now)
            # Committed: only now is it promised.
            handover.hang_up(line)
            line.play(voice.utterance((prompt("ring_back_noted"), prompt("goodbye")), state.language))
        case Emergency():
            handover.emergency(line, state.language)
        case WaitOn() | AskKey() | AskDigits():
            handover.wait_on(line, state.language)
