"""Her orders in the same call: how they stand, another time, cancelling."""

from __future__ import annotations

from typing import Any

from ivr.prompts import words
from ivr.prompts.words import Line, line
from ivr.turns.capture import hear_open, meaning_of, next_question, repeated, slot_values, yes_no
from ivr.turns.state import Do, KnownOrder, Next, Slots, State, replace
from ivr.turns.steps import Keys, Lines, Step, after, ask, miss, person, step
from ivr.understanding import Meaning
from models.orders import CHANGEABLE

# So many orders are told in one breath; an elder who has more is helped by a person.
MOST_ORDERS = 4


@after("orders")
def _orders(state: State, result: Any) -> Next:
    """Her open orders were read."""
    orders: tuple[KnownOrder, ...] = result
    state = replace(state, orders=orders)
    if not orders:
        return ask(state.fresh(), "done", line("no_orders"))
    if len(orders) > MOST_ORDERS:
        return state, person(state, "many_orders")
    fitting = _fitting(state, orders)
    if len(fitting) == 1:
        return _chosen(state, fitting[0])
    return ask(state, "which_order")


def _fitting(state: State, orders: tuple[KnownOrder, ...]) -> tuple[KnownOrder, ...]:
    """Return the orders that she may mean by what she named along with her wish; all of them if none fits."""
    said = state.slots
    fitting = tuple(order for order in orders if said.service in (None, order.service))
    if state.wish != "change" and said.day is not None:
        # Of a change the day is the new one.
        fitting = tuple(order for order in fitting if order.day == said.day)
    return fitting or orders


def _told(state: State, order: KnownOrder, key: str = "order_stands") -> Line:
    """Say how an order stands. What is a matter of health is not named on caller ID alone."""
    values = slot_values(state, order.slots, aloud=False)
    return line(key, **values, status=words.status(order.status, state.language))


def _numbered(state: State) -> Lines:
    return tuple(
        line(
            "order_choice",
            **slot_values(state, order.slots, aloud=False),
            press=words.digits(n, state.language),
        )
        for n, order in enumerate(state.orders, 1)
    )


def _which_keys(state: State) -> Keys:
    return {str(n): meaning_of(code=str(n)) for n in range(1, len(state.orders) + 1)}


def _hear_which(state: State, meaning: Meaning) -> Next:
    if meaning.code is not None and meaning.code in _which_keys(state):
        return _chosen(state, state.orders[int(meaning.code) - 1])
    if meaning.when.every:
        return repeated(state, meaning)
    if meaning.service is None and not meaning.when:
        return hear_open(state.fresh(), meaning) if meaning.intent in ("goodbye", "more", "message") else miss(state)
    # "The bath": an order is chosen by its name as well.
    slots = replace(state.slots, service=meaning.service, day=meaning.when.day or state.slots.day)
    fitting = _fitting(replace(state, slots=slots), state.orders)
    return _chosen(state, fitting[0]) if len(fitting) == 1 else miss(state)


def _chosen(state: State, order: KnownOrder) -> Next:
    state = replace(state, chosen=order.order_id)
    match state.wish:
        case "change":
            return _change(state, order)
        case "cancel":
            return ask(state, "cancel_sure")
    return ask(replace(state, slots=Slots()), "order", _told(state, order))


def _order(state: State) -> KnownOrder:
    return next(order for order in state.orders if order.order_id == state.chosen)


def _order_keys(_state: State) -> Keys:
    return {
        "1": meaning_of(intent="change"),
        "2": meaning_of(intent="cancel"),
        "3": meaning_of(code="something_else"),
        "4": meaning_of(intent="goodbye"),
    }


def _hear_order(state: State, meaning: Meaning) -> Next:
    match meaning.intent:
        case "change" | "cancel" if meaning.when.every:
            return repeated(replace(state, slots=_order(state).slots), meaning)
        case "change":
            when = meaning.when
            return _change(replace(state, slots=Slots(None, when.day, when.part, when.at)), _order(state))
        case "cancel":
            return ask(replace(state, wish="cancel"), "cancel_sure")
    if meaning.code == "something_else" or meaning.intent == "more":
        return ask(state.fresh(), "open")
    return hear_open(state.fresh(), meaning)


def _change(state: State, order: KnownOrder) -> Next:
    if order.status not in CHANGEABLE:
        return state, person(state, "change")
    said, state = state.slots, replace(state, wish="change", slots=order.slots, unnamed=True)
    if said.day is None and said.part is None:
        return ask(state, "day")
    # The new time came along with the wish; another part of the day has another hour.
    part, at = (said.part, said.at) if said.part else (order.part, order.at)
    return next_question(replace(state, slots=Slots(order.service, said.day or order.day, part, at)))


def _hear_cancel(state: State, meaning: Meaning) -> Next:
    order = _order(state)
    if meaning.when.every:
        return repeated(replace(state, slots=order.slots), meaning)  # "Yes, all of them, every week."
    if meaning.service not in (None, order.service) or meaning.when.day not in (None, order.day):
        return miss(state)  # She speaks of another one than was read out.
    match meaning.intent:
        case "yes":
            return state, Do("cancel", state.chosen)
        case "no":
            return ask(state.fresh(), "done", line("nothing_changed"))
    return miss(state)


@after("cancel")
def _cancelled(state: State, result: Any) -> Next:
    return ask(state.fresh(), "done", line("order_cancelled" if result else "order_moved_on"))


@after("change")
def _changed(state: State, result: Any) -> Next:
    return ask(state.fresh(), "done", line("order_changed" if result else "order_moved_on"))


step(Step("which_order", _numbered, _hear_which, _which_keys, "orders"))
step(Step("order", lambda _state: (line("ask_order"),), _hear_order, _order_keys, "open"))
step(
    Step(
        "cancel_sure",
        lambda state: (_told(state, _order(state), "cancel_sure"), line("cancel_keys")),
        _hear_cancel,
        yes_no,
        "confirm",
    )
)
