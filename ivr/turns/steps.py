"""The questions of a conversation as typed data, and what holds in every one of them.

A question says what is asked, which keys and words answer it and what follows;
emergency words and 9 come first in every turn, then a person (0), `*` repeats,
`#` changes the language; a `*` with digits right behind it is a worker's code, as
long as nothing was answered. A turn that brings nothing is asked again, differently;
after that a person takes over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

from ivr.prompts.words import Line, line
from ivr.turns.state import Ask, Digits, Do, GoodBye, Heard, Key, Next, Said, Silence, State, ToPerson, replace
from ivr.understanding import Meaning, understand, which
from models import vocabulary

# After so many turns in a row that brought nothing a person takes over: what was said and not understood twice, or
# silence, which may be a hand that looks for the key, once more.
UNKNOWN_BEFORE_PERSON = 2
SILENCES_BEFORE_PERSON = 3
# Whoever has not come to an end after so many answers is not helped by a ninth question (issue 3).
TURNS_BEFORE_PERSON = 8

Lines = tuple[Line, ...]
Keys = Mapping[str, Meaning]
NO_KEYS: Keys = MappingProxyType({})


class Take(Protocol):
    """Takes a number that was keyed."""

    def __call__(self, state: State, keyed: str) -> Next: ...


@dataclass(frozen=True)
class Step:
    """One question.

    `say` is the question; `again` says it differently after it was not understood. `keys` maps a key to what it means,
    `grammar` names the words; both come to `hear`. `take` gets a number keyed to a question with `digits`.
    """

    name: str
    say: Callable[[State], Lines]
    hear: Callable[[State, Meaning], Next]
    keys: Callable[[State], Keys] = lambda _state: NO_KEYS
    grammar: str = "none"
    names: Callable[[State], tuple[str, ...]] = lambda _state: ()
    again: Callable[[State], Lines] | None = None
    digits: int = 1
    take: Take | None = None
    silent: Callable[[State], Next] | None = None  # where silence is an answer
    patience_ms: int | None = None  # None: as long as her pace allows
    unheard: Callable[[State], Next] | None = None  # where words that mean nothing are none of hers, perhaps
    nines: int | None = None  # from so many nines on they may be the number that is asked for; None: they never are


STEPS: dict[str, Step] = {}
# What follows when something was done, by verb: (state, what came of it) → next.
AFTER: dict[str, Callable[[State, Any], Next]] = {}


def step(one: Step) -> Step:
    """Put a question among the steps."""
    STEPS[one.name] = one
    return one


def after(verb: str) -> Callable[[Callable[[State, Any], Next]], Callable[[State, Any], Next]]:
    """Say what follows when the deed `verb` was done."""

    def keep(function: Callable[[State, Any], Next]) -> Callable[[State, Any], Next]:
        AFTER[verb] = function
        return function

    return keep


def ask(state: State, name: str, *before: Line) -> Next:
    """Ask the question `name`, after the sentences `before`."""
    asked = STEPS[name]
    question = asked.say(state)
    # A repetition repeats the question, not what was said before it.
    state = replace(state, step=name, lines=question)
    return state, _listen(state, question).after(*before)


def _listen(state: State, lines: Lines, *behind: Line) -> Ask:
    """Say the lines and listen for what answers the question of the state."""
    here = STEPS[state.step]
    deaf = (*here.say(replace(state, listens=False)), *behind) if state.listens else ()
    return Ask(
        (*lines, *behind),
        here.grammar,
        here.names(state),
        deaf=deaf,
        digits=here.digits,
        star=state.at_door,
        patience_ms=here.patience_ms,
    )


def _same(state: State) -> Lines:
    """Return the question as it was asked; where nobody listens any more, with its keys."""
    return state.lines if state.listens else STEPS[state.step].say(state)


def hear(state: State, heard: Heard) -> Next:
    """Return the next state and move after what was heard."""
    here = STEPS[state.step]
    heard = _pressed_again(here, heard)
    state = replace(state, spoken=isinstance(heard, Said))
    meaning: Meaning | None = None
    match heard:
        case Key(key="#"):
            return ask(replace(state, language=language_after(state, heard)), state.step)
        case Key(key=key):
            meaning = _ALWAYS.get(key) or here.keys(state).get(key)
            if here.take is not None and meaning is None and key.isdigit():
                return _answered(state, partial(here.take, keyed=key))
        case Digits(digits=digits) if state.at_door and digits.startswith("*"):
            return _answered(state, lambda now: (now, Do("worker", digits[1:])))
        case Digits(digits=digits) if here.take is not None:
            return _answered(state, partial(here.take, keyed=digits))
        case Said(phrase=phrase):
            meaning = _meant(state, here, phrase)
    if meaning is None:
        return _missed(state, here, silent=isinstance(heard, Silence))
    match meaning.intent:
        case "emergency":
            return state, ToPerson("emergency", (line("emergency"),))
        case "person":
            return state, person(state, "asked")
        case "repeat":
            return state, _listen(state, _same(state))
    return _answered(state, lambda now: here.hear(now, meaning))


def _pressed_again(here: Step, heard: Heard) -> Heard:
    """Return the key that was pressed several times: frightened people do so where a number is asked for, too."""
    if not isinstance(heard, Digits):
        return heard
    # A star in front of them makes them a worker's code, and no code is of this kind.
    key = always_key(heard.digits.removeprefix("*"))
    may_be_number = key == "9" and here.nines is not None and len(heard.digits) >= here.nines
    return heard if key is None or may_be_number else Key(key)


def always_key(digits: str) -> str | None:
    """Return 9 for nothing but nines, 0 for nothing but zeros, None for any other number."""
    return digits[0] if digits and set(digits) in ({"9"}, {"0"}) else None


def done(state: State, deed: Do, result: Any) -> Next:
    """Return what follows when a deed was done."""
    return _in_time(AFTER[deed.verb](state, result))


def person(state: State, reason: str) -> ToPerson:
    """Return the way to a person, with the sentence that says so."""
    return ToPerson(reason, (line("to_person"),))


def miss(state: State) -> Next:
    """An answer that fits nothing here, although it means something: ask again, or pass on to a person."""
    return _missed(state, STEPS[state.step], silent=False)


def language_after(state: State, heard: Heard) -> str:
    """Return the language in which the next turn will be: `#` goes on to the next one."""
    order = vocabulary.LANGUAGES
    return order[(order.index(state.language) + (heard == Key("#"))) % len(order)]


_ALWAYS: Keys = {
    "0": Meaning(intent="person", score=100),
    "9": Meaning(intent="emergency", score=100),
    "*": Meaning(intent="repeat", score=100),
}


def _meant(state: State, here: Step, phrase: str) -> Meaning | None:
    """Return what the words mean here, None for nothing."""
    meaning = understand(phrase, state.language, here.grammar, state.moment, state.week)
    if meaning.intent in ("emergency", "person"):
        return meaning
    nth = which(phrase, here.names(state), state.language)
    # The nth of the names given along is what the key n means.
    return (here.keys(state).get(str(nth + 1)) if nth is not None else meaning) or None


def _answered(state: State, hear_it: Callable[[State], Next]) -> Next:
    """Let the question have its answer."""
    return _in_time(hear_it(replace(state, misses=0, turns=state.turns + 1, at_door=False)))


def _in_time(following: Next) -> Next:
    """A call that has had too many answers without an end goes on to a person."""
    state, move = following
    if isinstance(move, Ask) and state.turns >= TURNS_BEFORE_PERSON:
        return state, person(state, "too_long")
    return following


def _missed(state: State, here: Step, silent: bool) -> Next:
    if silent and here.silent is not None:
        return here.silent(state)
    if not silent and here.unheard is not None:
        return here.unheard(state)
    return _missed_again(state, here, silent)


def missed_again(state: State, silent: bool) -> Next:
    """It is no answer here after all: ask again, or pass on to a person."""
    return _missed_again(state, STEPS[state.step], silent)


def _missed_again(state: State, here: Step, silent: bool) -> Next:
    misses = state.misses + 1
    # Whoever likes it slow is asked once more.
    patience = SILENCES_BEFORE_PERSON + (state.her is not None and state.her.pace == "slow")
    if misses >= (patience if silent else UNKNOWN_BEFORE_PERSON):
        if state.how == "return_visit" and (silent or not state.turns):
            # We have rung, and nobody is there, or a machine: it is tried another time.
            return state, GoodBye((line("goodbye"),))
        return state, person(state, "not_heard" if silent else "not_understood")
    again = _same(state) if here.again is None else here.again(state)
    sorry = line("not_heard" if silent else "not_understood")
    state = replace(state, misses=misses, lines=again)
    hints = [line("person_hint")]
    if silent and state.at_door and state.matters.visit_due:
        # Whoever keeps silent where a worker is due may be the worker, who does not know how to report.
        hints.insert(0, line("worker_hint"))
    return state, _listen(state, again, *hints).after(sorry)
