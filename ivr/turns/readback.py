"""Read back, one slot changed at a time, ordered; anything else; and what she orders again and again."""

from __future__ import annotations

from typing import Any

from ivr.prompts import words
from ivr.prompts.words import line
from ivr.turns.capture import (
    changing,
    dropped,
    fill,
    hear_open,
    meaning_of,
    next_question,
    repeated,
    slot_values,
    usual_then,
    yes_no,
)
from ivr.turns.state import Ask, Do, GoodBye, Next, Slots, State, replace
from ivr.turns.steps import Keys, Lines, Step, after, ask, miss, person, step
from ivr.understanding import Meaning
from models.workdays import holiday_name

# Read back; changed one slot at a time; ordered.


def read_back(state: State, change: bool) -> Lines:
    """Return what is read back before an order is made, or changed: to her by telephone, to an agent on the screen."""
    # What she did not name herself in this call is not named to whoever is on the line, if it is a matter of health.
    values = slot_values(state, state.slots, aloud=not state.unnamed)
    said = line("readback_change" if change else "readback", **values)
    holiday = holiday_name(state.slots.day, state.language) if state.slots.day else None
    # Offices and some providers are closed: she may have meant another day.
    return (line("is_holiday", holiday=words.name(holiday)), said) if holiday else (said,)


def _readback(state: State) -> Lines:
    return read_back(state, changing(state))


def _hear_readback(state: State, meaning: Meaning) -> Next:
    if meaning.when.every:
        return repeated(state, meaning)
    if meaning.service is not None or meaning.when:
        # "No, the day after": what she names is taken, the rest stays.
        after, move = fill(state, meaning)
        if after.slots != state.slots or meaning.intent not in ("yes", "no"):
            return after, move
        # "Yes, tomorrow morning" is a yes; "not a bath" names what stands already, and that is what is wrong.
    match meaning.intent:
        case "yes" if changing(state):
            return state, Do("change", state.chosen)
        case "yes" if _doubtful(state) and meaning.service is None and not meaning.when:
            return ask(state, "sure")
        case "yes":
            return state, Do("place")
        case "no" | "change":
            return ask(state, "what_changes")
        case "cancel" | "goodbye":
            return dropped(state)
    return miss(state)


def _doubtful(state: State) -> bool:
    """Return whether a spoken "yes" is too little: the request began as ours, and its service was named by us alone.

    A television says "yes" twice, too; and one word misheard would turn her usual into another service, whose day and
    hour stand already. So the service is hers when she names the one that is being read back to her.
    """
    return state.spoken and state.ours and state.agreed != state.slots.service


def _hear_sure(state: State, meaning: Meaning) -> Next:
    if state.spoken and meaning.service == state.slots.service and meaning.intent in ("yes", "order"):
        return state, Do("place")
    if state.spoken and meaning.intent == "yes":
        return state, person(state, "not_understood")
    return _hear_readback(state, meaning)


def _what_keys(_state: State) -> Keys:
    return {str(n): meaning_of(code=code) for n, code in enumerate(("service", "day", "part", "none"), 1)}


def _hear_what(state: State, meaning: Meaning) -> Next:
    if meaning.service is not None or meaning.when:
        return fill(state, meaning)
    match meaning.code:
        case "service" | "day" | "part":
            # The slot stays as it is until she has said another: hanging up now loses nothing.
            return ask(state, meaning.code)
        case "none":
            return dropped(state)
    return _hear_readback(state, meaning) if meaning.intent in ("cancel", "goodbye") else miss(state)


step(Step("readback", _readback, _hear_readback, yes_no, "readback"))
step(Step("sure", lambda _state: (line("ask_sure"),), _hear_sure, yes_no, "readback"))
step(Step("what_changes", lambda _state: (line("ask_what_changes"),), _hear_what, _what_keys, "change"))


@after("place")
def _placed(state: State, result: Any) -> Next:
    """The order stands on disk: only now is it said to be done."""
    number, created = result
    said = line("order_done" if created else "order_known", number=words.digits(number, state.language))
    if state.others:
        # "Meals and a bath": the same time is offered for the next one, and read back like any other.
        following = Slots(state.others[0], state.slots.day, state.slots.part, state.slots.at)
        state, move = next_question(replace(state.fresh(), slots=following, others=state.others[1:]))
        return state, move.after(said) if isinstance(move, Ask) else move
    return ask(state.fresh(), "done", said, line("order_next"))


# Anything else?


def _hear_done(state: State, meaning: Meaning) -> Next:
    if meaning.intent in ("no", "goodbye"):
        return state, GoodBye((line("goodbye"),))
    if meaning.intent in ("yes", "more"):
        return ask(state, "open")
    return hear_open(state, meaning)


step(
    Step(
        "done",
        lambda _state: (line("ask_anything_else"),),
        _hear_done,
        yes_no,
        "anything",
        silent=lambda state: (state, GoodBye((line("goodbye"),))),
    )
)


# What she orders again and again.


def _usual(state: State) -> Lines:
    assert state.usual is not None  # noqa: S101
    return (line("ask_usual", **slot_values(state, state.usual, aloud=False)), line("usual_keys"))


def _hear_usual(state: State, meaning: Meaning) -> Next:
    usual = state.usual
    assert usual is not None  # noqa: S101
    if meaning.when.every:
        return repeated(replace(state, slots=usual), meaning)
    if meaning.intent in ("yes", "usual") and not meaning.when:
        state = replace(state, slots=usual, unnamed=True, ours=True)
        # A key is a hand on the telephone; a lone spoken "yes" proves nothing, and is read back once more.
        return ask(state, "readback") if state.spoken else (state, Do("place"))
    if meaning.intent == "no" and meaning.service is None and not meaning.when:
        return ask(state, "open")
    if meaning.intent in ("yes", "usual", "order", "no", "change") and meaning.service is None and meaning.when:
        # "Yes, but on Friday": the same, at another time.
        return usual_then(state, usual, meaning)
    return hear_open(state, meaning)


step(Step("usual", _usual, _hear_usual, yes_no, "anything"))
