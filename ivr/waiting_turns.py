"""The talk with a caller who waits, as pure turns: her place, and the promise to ring her back. Keys only.

In every turn 0 goes on waiting (a person is where she is going already), 9 is an
emergency, `*` repeats, `#` changes the language.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ivr.prompts import words
from ivr.prompts.words import Line, line
from ivr.turns import Key, Silence
from models import vocabulary
from models.phone import Number

# After so many turns in a row without a use, she goes on waiting.
MISSES = 2
# Beyond this a number of minutes is no comfort and no knowledge.
MOST_MINUTES = 10


@dataclass(frozen=True)
class State:
    """Where the talk stands. `number`: the telephone to ring, None if unknown."""

    language: str
    number: Number | None = None
    place: int = 1
    minutes: int | None = None
    keyed: bool = False  # the number is one that she keyed in
    step: str = "place"  # place, number, key_in
    misses: int = 0


@dataclass(frozen=True)
class AskKey:
    """Say the lines and take one key."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class AskDigits:
    """Say the lines and take a number, closed by `#` or a pause."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class WaitOn:
    """Back to where she waits."""


@dataclass(frozen=True)
class Emergency:
    """She pressed 9."""


@dataclass(frozen=True)
class RingBack:
    """She confirmed: ring this number. `keyed` is None for the number that the network shows."""

    keyed: Number | None


Move = AskKey | AskDigits | WaitOn | Emergency | RingBack


def tell_place(state: State) -> tuple[State, Move]:
    """Tell her where she stands."""
    state = replace(state, step="place")
    return state, AskKey(_lines(state))


def offer_ring_back(state: State) -> tuple[State, Move]:
    """She wants to be rung back: read the number, or ask for it."""
    state = replace(state, step="number" if state.number else "key_in")
    return state, _ask(state)


def hear(state: State, heard: Key | Silence) -> tuple[State, Move]:
    """Return the next state and move after one key, or none; whole numbers come by `number_keyed`."""
    match state.step, heard.key if isinstance(heard, Key) else "":
        case _, "9":
            return state, Emergency()
        case _, "0":
            return state, WaitOn()
        case _, "*":
            return state, _ask(state)
        case (("place" | "number"), "#"):
            order = vocabulary.LANGUAGES
            state = replace(state, language=order[(order.index(state.language) + 1) % len(order)])
            return state, _ask(state)
        case "place", "1":
            return offer_ring_back(state)
        case "place", _:
            return state, WaitOn()
        case "number", "1":
            return state, RingBack(state.number if state.keyed else None)
        case "number", "2":
            state = replace(state, step="key_in", misses=0)
            return state, _ask(state)
    return _missed(state)


def number_keyed(state: State, number: Number | None) -> tuple[State, Move]:
    """She keyed in a number; None if it is none. It is read back first."""
    if number is None:
        return _missed(state, line("ring_back_bad"))
    state = replace(state, number=number, keyed=True, step="number", misses=0)
    return state, _ask(state)


def _missed(state: State, *before: Line) -> tuple[State, Move]:
    state = replace(state, misses=state.misses + 1)
    if state.misses >= MISSES:
        return state, WaitOn()
    return state, _ask(state, *before)


def _ask(state: State, *before: Line) -> Move:
    lines = (*before, *_lines(state))
    return AskDigits(lines) if state.step == "key_in" else AskKey(lines)


def _lines(state: State) -> tuple[Line, ...]:
    if state.step == "number" and state.number is not None:
        said = words.phone_number(state.number, state.language)
        return (line("ask_this_number"), line("this_number", phone=said), line("right_or_wrong"))
    if state.step == "key_in":
        return (line("ask_number"),)
    place = (
        line("wait_next") if state.place == 1 else line("wait_place", place=words.place(state.place, state.language))
    )
    return (place, *_minutes(state), line("wait_keys"))


def _minutes(state: State) -> tuple[Line, ...]:
    if state.minutes is None:
        return ()
    if state.minutes > MOST_MINUTES:
        return (line("wait_long"),)
    return (line("wait_minutes", minutes=words.minutes(state.minutes, state.language)),)
