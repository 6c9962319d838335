"""A provider rings us: it hears the orders that wait for its answer, one by one, and answers there."""

from __future__ import annotations

from typing import Any

from ivr.prompts import words
from ivr.prompts.words import line
from ivr.turns.capture import meaning_of
from ivr.turns.state import Do, GoodBye, Next, State, replace
from ivr.turns.steps import Keys, Lines, Step, after, ask, miss, person, step
from ivr.understanding import Meaning


def _offer(state: State) -> Lines:
    first = state.offers[0]
    return (
        line(
            "offer",
            district=words.name(first.district),
            day=words.day(first.day, state.today, state.language),
            part=words.part(first.part, state.language),
            service=words.service(first.service, state.language),
        ),
    )


def _keys(_state: State) -> Keys:
    return {"1": meaning_of(code="accept"), "2": meaning_of(code="decline"), "3": meaning_of(intent="repeat")}


def _hear(state: State, meaning: Meaning) -> Next:
    if meaning.code in ("accept", "decline"):
        return state, Do("answer_offer", (state.offers[0].offer_id, meaning.code))
    return miss(state)


@after("answer_offer")
def _answered(state: State, result: Any) -> Next:
    """`result`: accepted, declined, or too_late."""
    number = words.digits(state.offers[0].number, state.language)
    said = line("offer_accepted", number=number) if result == "accepted" else line(f"offer_{result}")
    state = replace(state.fresh(), offers=state.offers[1:])
    if state.offers:
        return ask(state, "provider", said)
    return state, GoodBye((said, line("goodbye")))


def _nobody_there(state: State) -> Next:
    return state, person(state, "provider")


# A key proves a person: an offer is never accepted by a word.
step(Step("provider", _offer, _hear, _keys, "message"))
step(
    Step(
        "provider_idle",
        lambda _state: (line("provider_idle"),),
        lambda state, _meaning: _nobody_there(state),
        grammar="message",
        silent=_nobody_there,
    )
)
