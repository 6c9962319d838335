"""Callers whom nobody knows: a card, or a name and a number to ring back; staying on the line brings a person."""

from __future__ import annotations

from typing import Any

from ivr.prompts import words
from ivr.prompts.words import line
from ivr.turns.capture import meaning_of, yes_no
from ivr.turns.state import Do, GoodBye, Next, State, replace
from ivr.turns.steps import Keys, Lines, Step, after, ask, miss, person, step
from ivr.understanding import Meaning
from models import phone
from models.settings import settings


def _keys(_state: State) -> Keys:
    return {"1": meaning_of(code="card"), "2": meaning_of(code="ring_back")}


def _hear(state: State, meaning: Meaning) -> Next:
    match meaning.code:
        case "card":
            return ask(state, "card")
        case "ring_back":
            return state, Do("name")
    return state, person(state, state.how)


def _on_to_person(state: State) -> Next:
    return state, person(state, state.how)


step(Step("stranger", lambda _state: (line("ask_stranger"),), _hear, _keys, "message", silent=_on_to_person))


@after("name")
def _named(state: State, _result: Any) -> Next:
    """Her name was recorded (or she kept silent): now the number."""
    shown = state.number if state.number and _number(state.number).kind in phone.RINGABLE else ""
    return ask(replace(state, keyed=shown), "this_number" if shown else "number")


def _this_number(state: State) -> Lines:
    spoken = line("this_number", phone=words.phone_number(_number(state.keyed), state.language))
    return (line("ask_this_number"), spoken, line("right_or_wrong"))


def _hear_this_number(state: State, meaning: Meaning) -> Next:
    match meaning.intent:
        case "yes":
            return state, Do("ring_back", state.keyed)
        case "no":
            return ask(replace(state, keyed=""), "number")
    return miss(state)


def _take_number(state: State, keyed: str) -> Next:
    try:
        number = _number(keyed)
    except phone.BadNumber:
        return miss(state)
    if number.kind not in phone.RINGABLE:
        return miss(state)
    return ask(replace(state, keyed=number.value), "this_number")


def _number(text: str) -> phone.Number:
    return phone.normalise(text, settings().area_code)


@after("ring_back")
def _noted(state: State, _result: Any) -> Next:
    return state, GoodBye((line("ring_back_noted"), line("goodbye")))


step(Step("this_number", _this_number, _hear_this_number, yes_no, "confirm"))
step(
    Step(
        "number",
        lambda _s: (line("ask_number"),),
        lambda state, _m: miss(state),
        grammar="message",
        digits=20,
        take=_take_number,
    )
)


# A message, recorded.


@after("message")
def _message(state: State, result: Any) -> Next:
    """The message was recorded; nothing was said: a person is offered instead."""
    if not result:
        return ask(state.fresh(), "done", line("no_message"))
    return ask(state.fresh(), "done", line("message_noted"))
