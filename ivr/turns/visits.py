"""A worker rings from where she works: `*` and her code at the first question, then 1 she has come, 2 it is done.

Keys only: nobody else in the room can say it for her. The star and the code are
taken silently in every call; only a silence where a worker is due is answered
with how to do it. So the elder's own way is never longer for it.
"""

from __future__ import annotations

from typing import Any

from ivr.prompts import words
from ivr.prompts.words import line
from ivr.turns.capture import meaning_of
from ivr.turns.state import Do, GoodBye, KnownOrder, Next, State, WorkerHere, replace
from ivr.turns.steps import Keys, Lines, Step, after, ask, miss, person, step
from ivr.understanding import Meaning
from models.orders import FIRST_ORDER_NUMBER

# More orders at one telephone at once are told apart by their numbers.
MOST_VISITS = 4


@after("worker")
def _worker(state: State, here: WorkerHere | None) -> Next:
    """A code was keyed; None is nobody's."""
    if here is None:
        if state.wish == "worker":
            return state, person(state, "worker_unknown")
        return ask(replace(state, wish="worker"), "worker_code", line("worker_unknown"))
    # It is not the elder who talks from here on: neither her language nor anything else is learnt of it.
    state = replace(state, how="worker", her=None, language=here.language, worker_id=here.worker_id, wish="")
    state = replace(state, orders=here.orders)
    if not 0 < len(here.orders) <= MOST_VISITS:
        return ask(state, "visit_number")
    return ask(state, "which_visit") if len(here.orders) > 1 else _take(state, here.orders[0])


def _take(state: State, order: KnownOrder) -> Next:
    return ask(replace(state, chosen=order.order_id, orders=(order,)), "visit")


step(
    Step(
        "worker_code",
        lambda _state: (line("ask_worker_code"),),
        lambda state, _meaning: miss(state),
        digits=8,
        take=lambda state, keyed: (state, Do("worker", keyed.lstrip("*"))),
    )
)


# Several orders under way at one telephone, or none: then the order's number says which.


def _which_lines(state: State) -> Lines:
    return tuple(
        line(
            "visit_choice",
            service=words.service(order.service, state.language),
            press=words.digits(n, state.language),
        )
        for n, order in enumerate(state.orders, 1)
    )


def _which_keys(state: State) -> Keys:
    return {str(n): meaning_of(code=str(n)) for n in range(1, len(state.orders) + 1)}


def _hear_which(state: State, meaning: Meaning) -> Next:
    if meaning.code not in _which_keys(state):
        return miss(state)
    return _take(state, state.orders[int(meaning.code or 1) - 1])


@after("visit_number")
def _number(state: State, order: KnownOrder | None) -> Next:
    if order is not None:
        return _take(replace(state, wish=""), order)
    if state.wish == "number":
        return state, person(state, "worker_unknown")
    return ask(replace(state, wish="number"), "visit_number", line("visit_unknown"))


step(Step("which_visit", _which_lines, _hear_which, _which_keys))
step(
    Step(
        "visit_number",
        lambda _state: (line("ask_visit_number"),),
        lambda state, _meaning: miss(state),
        digits=10,
        nines=len(str(FIRST_ORDER_NUMBER)),
        take=lambda state, keyed: (state, Do("visit_number", keyed)),
    )
)


# What she has to report.


def _keys(_state: State) -> Keys:
    return {"1": meaning_of(code="arrived"), "2": meaning_of(code="done")}


def _hear(state: State, meaning: Meaning) -> Next:
    if meaning.code not in ("arrived", "done"):
        return miss(state)
    return state, Do("visit", (state.chosen, meaning.code))


@after("visit")
def _reported(state: State, result: Any) -> Next:
    """`result`: arrived, done, known, gone (it is not hers any more: a person knows more)."""
    if result == "gone":
        return state, replace(person(state, "visit"), lines=(line("visit_gone"), line("to_person")))
    return state, GoodBye((line(f"visit_{result}"),))


def _visit_lines(state: State) -> Lines:
    return (line("visit", service=words.service(state.orders[0].service, state.language)), line("visit_keys"))


step(Step("visit", _visit_lines, _hear, _keys))
