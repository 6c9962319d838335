"""A care visit: how are you, three to five questions as data, a free word; and what an answer proves.

A living person shows by a key, or by fitting exact answers to two different
questions; one recognised "yes" is never proof. Who keeps silent is asked again,
slower, and then rung again later, or a person takes the call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ivr.prompts import words
from ivr.prompts.words import line
from ivr.turns.capture import fill, hear_open, meaning_of
from ivr.turns.state import Ask, Care, Digits, Do, GoodBye, Heard, Key, Next, State, ToPerson
from ivr.turns.steps import Keys, Step, after, ask, miss, missed_again, person, step
from ivr.understanding import Meaning
from models.care_scripts import QUESTIONS, Question

# An answer as she said it: with every letter understood, and exactly so.
EXACT = 100
# So many exact answers by voice show a living person.
ANSWERS_THAT_PROVE = 2
# Whoever wants a chat orders company.
_CHAT = "companionship"


def begin(state: State) -> Next:
    """We have rung her: say at once who rings and why, and ask how she is."""
    care = _care(state)
    assert state.her is not None  # noqa: S101 (the visit is hers)
    hello = [line("care_hello", who=words.form_of_address(state.her, state.language))]
    if care.notice:
        hello.append(line(care.notice))
    state, move = _next_question(state)
    # Whoever has just answered says hello into the first words: nothing is heard into them.
    return state, replace(move, first=tuple(hello)) if isinstance(move, Ask) else move


def ring_back(state: State, *before: words.Line) -> Next:
    """She rings us, and we had rung her in vain: her visit goes on."""
    return _next_question(state, *before, line("care_back"))


def proof(before: State, after_it: State, heard: Heard) -> str | None:
    """Return by what this answer proves that a living person is there: key, answers, or nothing yet."""
    if isinstance(heard, Key | Digits):
        return "key"
    if before.care is None or after_it.care is None:
        return None
    return "answers" if _exact(after_it.care) >= ANSWERS_THAT_PROVE else None


def proved(care: Care) -> bool:
    """Return whether the answers so far prove it by themselves."""
    return any(how == "key" for _, _, how in care.answers) or _exact(care) >= ANSWERS_THAT_PROVE


def _exact(care: Care) -> int:
    return len({question for question, _, how in care.answers if how == "word"})


def _care(state: State) -> Care:
    assert state.care is not None  # noqa: S101 (asked only in a care visit)
    return state.care


def _next_question(state: State, *before: words.Line) -> Next:
    care = _care(state)
    if care.questions:
        return ask(state, f"care_{care.questions[0]}", *before)
    if care.word and not care.worded:
        return ask(replace(state, care=replace(care, worded=True)), "care_word", *before)
    return _over(state, *before)


def _over(state: State, *before: words.Line) -> Next:
    """All is asked: goodbye; whoever has rung us may want something else."""
    care = _care(state)
    if care.back:
        return ask(replace(state, care=replace(care, over=True)), "done", *before)
    return replace(state, care=replace(care, over=True)), GoodBye((*before, line("care_thanks")))


def _answered(state: State, code: str, meaning: Meaning) -> State:
    """Keep the answer, and go on to the next question."""
    care = _care(state)
    question = state.step.removeprefix("care_")
    how = "key" if not state.spoken else "word" if meaning.score >= EXACT else "heard"
    answers = (*(one for one in care.answers if one[0] != question), (question, code, how))
    rest = tuple(one for one in care.questions if one != question)
    return replace(state, care=replace(care, answers=answers, questions=rest))


def _hear(question: Question) -> Callable[[State, Meaning], Next]:
    codes = frozenset(question.answers.values())

    def hear(state: State, meaning: Meaning) -> Next:
        if meaning.intent == "more" and _care(state).back:
            return ask(state, "open")
        if question.code == "company" and meaning.service == _CHAT:
            return fill(_answered(state, "chat", meaning), meaning)
        if meaning.service is not None:
            # "I want a bath" answers every question: the order comes first.
            return hear_open(state, meaning)
        if meaning.code not in codes:
            return miss(state)
        state = _answered(state, meaning.code or "", meaning)
        match question.code, meaning.code:
            case "feel", "help":
                return state, ToPerson("emergency", (line("emergency"),))
            case "feel", "need":
                return ask(state, "care_need")
            case "company", "chat":
                return fill(state, replace(meaning, service=_CHAT))
            case "company", "visit":
                return _next_question(state, line("care_visit_noted"))
        return _next_question(state)

    return hear


def _silent(state: State) -> Next:
    """Nothing came: once more, slower; then it is a class of its own."""
    return _nothing(state, silent=True)


def _unheard(state: State) -> Next:
    """Nothing came that can be understood: a machine's greeting, or somebody who does not speak clearly."""
    return _nothing(state, silent=False)


def _nothing(state: State, silent: bool) -> Next:
    care = _care(state)
    if care.back:
        return missed_again(state, silent)
    if state.misses == 0:
        slow = replace(state.her, pace="slow") if state.her is not None else None
        return ask(replace(state, misses=1, her=slow, care=replace(care, slow=True)), state.step, line("care_again"))
    if care.answers:
        # She was there a moment ago: no machine, and no stranger to the telephone.
        return state, person(state, "not_heard")
    state = replace(state, care=replace(care, silent=True))
    if care.insist:
        return state, Do("agent_free")
    return state, GoodBye((line("care_machine"),))


@after("agent_free")
def _agent(state: State, free: Any) -> Next:
    """She is at high risk, or was silent before: a person listens, if one is free now."""
    if free:
        return state, ToPerson("silent", (line("care_stay"),))
    return state, GoodBye((line("care_machine"),))


def _keys(question: Question) -> Callable[[State], Keys]:
    named = {key: meaning_of(intent="answer", code=code) for key, code in question.answers.items()}

    def keys(state: State) -> Keys:
        if question.code == "feel" and state.care is not None and state.care.back:
            return named | {"8": meaning_of(intent="more")}
        return named

    return keys


for _question in QUESTIONS.values():
    step(
        Step(
            f"care_{_question.code}",
            say=lambda _state, key=f"care_{_question.code}": (line(key),),  # type: ignore[misc]
            hear=_hear(_question),
            keys=_keys(_question),
            grammar=_question.grammar,
            silent=_silent,
            unheard=_unheard,
        )
    )


# She needs something.


def _hear_need(state: State, meaning: Meaning) -> Next:
    if meaning.service is not None:
        return hear_open(state, meaning)
    match meaning.code:
        case "service":
            return ask(state, "open")
        case "later":
            return _next_question(state)
    return miss(state)


def _need_keys(_state: State) -> Keys:
    return {
        "1": meaning_of(intent="answer", code="service"),
        "2": meaning_of(intent="person"),
        "3": meaning_of(intent="answer", code="later"),
    }


step(Step("care_need", lambda _state: (line("care_need"),), _hear_need, _need_keys, "care_need"))


# A free word at the end.


def _hear_word(state: State, meaning: Meaning) -> Next:
    if meaning.code == "yes":
        return state, Do("care_word")
    return _over(state) if meaning.code == "no" else miss(state)


@after("care_word")
def _worded(state: State, _result: Any) -> Next:
    return _over(state)


step(
    Step(
        "care_word",
        lambda _state: (line("care_word"),),
        _hear_word,
        lambda _state: {"1": meaning_of(intent="answer", code="yes"), "2": meaning_of(intent="answer", code="no")},
        "care_yes_no",
        silent=_over,
    )
)
