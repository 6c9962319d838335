"""A provider rings us: it hears the orders that wait for its answer, one by one, and answers there."""

from __future__ import annotations

from typing import Any

from ivr.prompts import words
from ivr.prompts.words import Line, line
from ivr.turns.capture import meaning_of
from ivr.turns.state import Do, GoodBye, Next, State, replace
from ivr.turns.steps import Keys, Lines, Step, after, ask, miss, person, step
from ivr.understanding import Meaning
from models.dialing import DeclineReason


def _offer(state: State) -> Lines:
    first = state.offers[0]
    return (
        line(
            "offer",
            district=words.name(first.district),
            day=words.day(first.day, state.today, state.language),
            part=words.time_of_day(first.part, first.at, state.language),
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
    if result == "declined":
        # The decline stands; why, is asked as in our own call.
        return ask(state, "provider_why")
    number = words.digits(state.offers[0].number, state.language)
    said = line("offer_accepted", number=number) if result == "accepted" else line(f"offer_{result}")
    return _next(state, said)


def _next(state: State, said: Line) -> Next:
    """The next offer, if there is one."""
    state = replace(state.fresh(), offers=state.offers[1:])
    if state.offers:
        return ask(state, "provider", said)
    return state, GoodBye((said, line("goodbye")))


def _why_keys(_state: State) -> Keys:
    return {str(key): meaning_of(code=reason.value) for key, reason in enumerate(DeclineReason, start=1)}


def _hear_why(state: State, meaning: Meaning) -> Next:
    if meaning.code not in set(DeclineReason):
        return miss(state)
    return state, Do("decline_because", (state.offers[0].offer_id, meaning.code))


@after("decline_because")
def _because(state: State, _result: Any) -> Next:
    return _next(state, line("offer_declined"))


def _nobody_there(state: State) -> Next:
    return state, person(state, "provider")


# A key proves a person: an offer is never accepted by a word.
step(Step("provider", _offer, _hear, _keys, "message"))
step(
    Step(
        "provider_why",
        lambda _state: (line("offer_why"),),
        _hear_why,
        _why_keys,
        grammar="message",
        silent=lambda state: _next(state, line("offer_declined")),
    )
)
step(
    Step(
        "provider_idle",
        lambda _state: (line("provider_idle"),),
        lambda state, _meaning: _nobody_there(state),
        grammar="message",
        silent=_nobody_there,
    )
)
