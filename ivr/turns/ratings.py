"""How it was: she rates the last service by herself, or is asked in the return visit.

A key closes at once. A spoken score is read back, so that no lone word, hers or a machine's, is taken for her
opinion. Whoever rings us after our return visit missed her finds the same question, and 8 for anything else.
"""

from __future__ import annotations

from typing import Any

from ivr.prompts import words
from ivr.prompts.words import line
from ivr.turns.capture import hear_open, meaning_of, slot_values, yes_no
from ivr.turns.state import Ask, Do, GoodBye, KnownOrder, Next, State, replace
from ivr.turns.steps import Keys, Lines, Step, after, ask, miss, step
from ivr.understanding import Meaning

SCORES = ("5", "4", "3", "2", "1")


def begin_return_visit(state: State) -> Next:
    """She has answered our call: greet her before anybody listens for words, for whoever answers says hello."""
    hello = line("return_hello", who=words.form_of_address(state.people[0], state.language))
    state, move = ask(replace(state, her=state.people[0], at_door=False), "return_visit")
    return state, replace(move, first=(hello,)) if isinstance(move, Ask) else move


def _order(state: State) -> KnownOrder:
    return state.asked[0]


@after("to_rate")
def _to_rate(state: State, result: Any) -> Next:
    """The last order that is done was looked for."""
    if result is None:
        return ask(state.fresh(), "done", line("nothing_to_rate"))
    return ask(replace(state, asked=(result,)), "score")


def _score_keys(_state: State) -> Keys:
    return {score: meaning_of(code=score) for score in SCORES}


def _return_keys(state: State) -> Keys:
    # In her own call she may have rung for something else.
    scores = _score_keys(state)
    return scores if _we_rang(state) else {**scores, "8": meaning_of(intent="more")}


def _we_rang(state: State) -> bool:
    return state.how == "return_visit"


def _hear_score(state: State, meaning: Meaning) -> Next:
    if meaning.code not in SCORES:
        return miss(state)
    if state.spoken:
        return ask(replace(state, keyed=meaning.code), "score_sure")
    return state, Do("rate", (_order(state).order_id, int(meaning.code)))


def _hear_return(state: State, meaning: Meaning) -> Next:
    if meaning.code in SCORES or _we_rang(state):
        return _hear_score(state, meaning)
    other = replace(state, asked=(), visit_id=None)
    return ask(other, "open") if meaning.intent == "more" else hear_open(other, meaning)


def _hear_sure(state: State, meaning: Meaning) -> Next:
    match meaning.intent:
        case "yes":
            return state, Do("rate", (_order(state).order_id, int(state.keyed)))
        case "no":
            return ask(replace(state, keyed=""), "score" if state.visit_id is None else "return_visit")
    return miss(state)


def _what(state: State) -> Lines:
    return (line("rate_what", **slot_values(state, _order(state).slots, aloud=False)),)


@after("rate")
def _rated(state: State, result: Any) -> Next:
    """`result`: low (an agent rings her) or well. The next order of the return visit, then a word of her own."""
    said = line("rated_low" if result == "low" else "rated")
    if state.visit_id is None:
        return ask(state.fresh(), "done", said)
    state = replace(state.fresh(), asked=state.asked[1:], visit_id=state.visit_id)
    if state.asked:
        return ask(state, "return_visit", said)
    return state, Do("word", (said,))


@after("word")
def _word(state: State, _result: Any) -> Next:
    """What she had to say was recorded, or she kept silent."""
    if _we_rang(state):
        return state, GoodBye((line("return_thanks"),))
    return ask(state.fresh(), "done")


step(Step("score", lambda state: (*_what(state), line("ask_score")), _hear_score, _score_keys, "score"))
step(
    Step(
        "return_visit",
        lambda state: (*_what(state), line("ask_score" if _we_rang(state) else "ask_score_or_else")),
        _hear_return,
        _return_keys,
        "score",
    )
)
step(
    Step(
        "score_sure",
        lambda state: (line("score_readback", score=words.score(int(state.keyed), state.language)),),
        _hear_sure,
        yes_no,
        "confirm",
    )
)
