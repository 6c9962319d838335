"""Who is calling: the elder herself, one of a household, somebody for her, a provider, or nobody we know."""

from __future__ import annotations

from typing import Any

from ivr.prompts import words
from ivr.prompts.words import Line, line
from ivr.turns import care
from ivr.turns.capture import hear_open, meaning_of, slot_values, yes_no
from ivr.turns.ratings import begin_return_visit
from ivr.turns.state import Ask, Do, Her, Matters, Next, Slots, State, replace
from ivr.turns.steps import Keys, Lines, Step, after, ask, miss, person, step
from ivr.understanding import Meaning

# So many names are offered by key; a butler with a whole grid behind her keys the card instead.
MOST_NAMES = 4
# In which a worker can begin to key her code (ms).
MOMENT_MS = 800


def begin(state: State) -> Next:
    """Return the first turn of a call: what is known of the caller decides it."""
    match state.how:
        case "return_visit":
            return begin_return_visit(state)
        case "care":
            return care.begin(state)
        case "provider":
            return ask(state, "provider" if state.offers else "provider_idle", line("welcome"))
        case "unknown" | "withheld":
            return ask(state, "stranger", line("welcome"))
    if len(state.people) > MOST_NAMES:
        return ask(state, "card", line("welcome"))
    if len(state.people) == 1:
        return greet(state, state.people[0]) if state.how == "one" else ask(state, "for_her", line("welcome"))
    return ask(state, "which", line("welcome"))


def greet(state: State, her: Her, *before: Line) -> Next:
    """Greet her by name and ask the first question: what we rang for, what she always wants, or the open one."""
    state = replace(state, her=her, turns=0, misses=0)
    hello = (*before, line("greeting", who=words.form_of_address(her, state.language)))
    if her.person_first:
        state, move = ask(state, "person_first")
        return state, replace(move, lines=hello) if isinstance(move, Ask) else move
    if state.matters.missed is not None:
        return ask(state, "missed", *hello)
    if state.matters.asked is not None:
        due = state.matters.asked
        return ask(replace(state, asked=due.orders, visit_id=due.visit_id), "return_visit", *hello)
    if state.matters.care is not None and state.how != "contact":
        return care.ring_back(replace(state, care=state.matters.care), *hello)
    return ask(state, "usual" if state.usual is not None else "open", *hello)


def _to_her_person(state: State) -> Next:
    return state, person(state, "person_first")


# Whoever has a person first hears a greeting and nothing to answer; in a moment the person follows. Only a worker who
# has come to her says more in it, with her star and code.
step(
    Step(
        "person_first",
        lambda state: (line("greeting", who=words.form_of_address(state.her or state.people[0], state.language)),),
        lambda state, _meaning: _to_her_person(state),
        lambda _state: {str(n): meaning_of(intent="more") for n in range(1, 9)},
        silent=_to_her_person,
        patience_ms=MOMENT_MS,
    )
)


def _names(state: State) -> tuple[str, ...]:
    return tuple(words.form_of_address(her, state.language).text for her in state.people)


def _which_lines(state: State) -> Lines:
    key = "choose_self" if state.how == "household" else "choose_other"
    named = (
        line(key, who=words.form_of_address(her, state.language), press=words.digits(n, state.language))
        for n, her in enumerate(state.people, 1)
    )
    return (*named, line("choose_none"))


def _which_keys(state: State) -> Keys:
    return {str(n): meaning_of(code=str(n)) for n in range(1, len(state.people) + 1)} | {"8": meaning_of(intent="more")}


def _hear_which(state: State, meaning: Meaning) -> Next:
    if meaning.intent in ("more", "no"):
        return ask(state, "stranger")
    if meaning.code is not None and meaning.code in _which_keys(state):
        return _take(state, state.people[int(meaning.code) - 1])
    # "Grandmother" is an answer where there is one grandmother.
    sex = {"grandmother": "f", "grandfather": "m"}.get(meaning.code or "")
    fitting = [her for her in state.people if sex and her.sex == sex]
    return _take(state, fitting[0]) if len(fitting) == 1 else miss(state)


def _take(state: State, her: Her) -> Next:
    """It is said who is meant: have it written, and what awaits her read."""
    by = "contact" if state.how == "contact" else "household"
    return state, Do("take", (her.elder_id, by))


@after("take")
def _taken(state: State, result: Any) -> Next:
    her, matters = result
    return _hers(state, her, matters)


def _hers(state: State, her: Her, matters: Matters) -> Next:
    if state.how != "contact":
        return greet(replace(state, language=her.language, matters=matters), her)
    # Whoever orders for her is asked in the language in which the call began; what awaits her is hers to hear.
    state = replace(state, her=her, turns=0, misses=0)
    return ask(state, "open", line("for_whom", who=words.form_of_address(her, state.language)))


def _hear_for_her(state: State, meaning: Meaning) -> Next:
    if meaning.intent == "no":
        return ask(state, "stranger")
    if meaning.intent in ("yes", "behalf"):
        return _take(state, state.people[0])
    return miss(state)


step(Step("which", _which_lines, _hear_which, _which_keys, "who", _names))
step(
    Step(
        "for_her",
        lambda state: (line("ask_for_her", who=words.form_of_address(state.people[0], state.language)),),
        _hear_for_her,
        yes_no,
        "confirm",
    )
)


# Her service card, keyed on a telephone that we do not know.


def _take_card(state: State, keyed: str) -> Next:
    return replace(state, keyed=keyed), Do("card", keyed)


@after("card")
def _card(state: State, result: Any) -> Next:
    if result is None:
        if state.wish == "card":
            return state, person(state, "card_unknown")
        return ask(replace(state, wish="card", keyed=""), "card", line("card_unknown"))
    her, matters = result
    how = state.how if state.how == "contact" else "card"
    return _hers(replace(state, how=how, wish="", keyed=""), her, matters)


step(
    Step(
        "card",
        lambda _state: (line("ask_card"),),
        lambda state, _m: miss(state),
        grammar="message",
        digits=20,
        take=_take_card,
    )
)


# We rang her and she was out: she rings back, and hears it.


def _missed_lines(state: State) -> Lines:
    missed = state.matters.missed
    assert missed is not None  # noqa: S101
    slots = Slots(missed.order.service, missed.order.day, missed.order.part)
    news = line("callback", provider=words.name(missed.provider), **slot_values(state, slots, aloud=False))
    return (line("missed_call"), news, line("missed_call_keys"))


def _missed_keys(state: State) -> Keys:
    return {**yes_no(state), "3": meaning_of(code="something_else")}


def _hear_missed(state: State, meaning: Meaning) -> Next:
    assert state.matters.missed is not None  # noqa: S101
    if meaning.intent == "yes":
        missed = state.matters.missed
        return state, Do("heard_reminder" if missed.reminder else "heard_callback", missed.notice_id)
    if meaning.intent == "no":
        # She wants something about it changed: what it is, a person hears.
        return state, person(state, "callback")
    if meaning.code == "something_else" or meaning.intent == "more":
        return ask(state, "open")
    return hear_open(state, meaning)


@after("heard_reminder")
@after("heard_callback")
def _callback_heard(state: State, _result: Any) -> Next:
    return ask(replace(state.fresh(), matters=replace(state.matters, missed=None)), "done", line("callback_noted"))


step(Step("missed", _missed_lines, _hear_missed, _missed_keys, "anything"))
