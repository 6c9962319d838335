"""The whole graph of turns, walked in every language: it always ends at a person, an order or a goodbye."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr import outbound_turns
from ivr.outbound_turns import CALLBACK_KEYS, OFFER_KEYS, Notice
from ivr.prompts import words
from ivr.prompts.words import line
from ivr.turns import (
    GRAMMAR,
    MISSES_BEFORE_PERSON,
    Ask,
    GoodBye,
    Heard,
    Key,
    Move,
    PlaceOrder,
    Said,
    Silence,
    State,
    ToPerson,
    Unknown,
    begin,
    hear,
    order_placed,
)
from models.vocabulary import ALWAYS, GRAMMARS, LANGUAGES

TODAY = date(2026, 11, 22)
HOURS = range(24)


def start(language: str, hour: int = 9, listens: bool = False) -> State:
    return State(words.name("王奶奶"), language, TODAY, hour, listens=listens)


def answers(state: State) -> Iterator[Heard]:
    """Everything that answers the question of this state, by key and by word."""
    for concept in GRAMMARS[GRAMMAR[state.step]]:
        yield Key(concept.key)
        for phrase in concept.phrases[state.language]:
            yield Said(phrase, 90)


@cache
def walk(language: str, hour: int) -> list[tuple[State, Move]]:
    """Every state that answers, the 8 and the end of an order lead to, with the move that was made on the way."""
    seen: set[tuple[State, type[Move]]] = set()
    found: list[tuple[State, Move]] = []
    waiting = [begin(start(language, hour))]
    while waiting:
        state, move = waiting.pop()
        if (state, type(move)) in seen:
            continue
        seen.add((state, type(move)))
        found.append((state, move))
        if isinstance(move, PlaceOrder):
            waiting += [order_placed(state, 1001, True), order_placed(state, 1001, False)]
        elif isinstance(move, Ask):
            waiting += [hear(state, heard) for heard in (*answers(state), Key("8"))]
    return found


@pytest.fixture(params=LANGUAGES)
def questions(request: pytest.FixtureRequest) -> list[State]:
    """Every state in which something is asked, in the morning, in one language."""
    return [state for state, move in walk(request.param, 9) if isinstance(move, Ask)]


def test_every_step_is_walked_and_every_prompt_can_be_said(questions: list[State]) -> None:
    assert {state.step for state in questions} == set(GRAMMAR)
    for state in questions:
        _, move = hear(state, Key("*"))
        assert isinstance(move, Ask)
        assert all(said.text(state.language) and said.codes() for said in move.lines)


def test_every_answer_is_taken_by_key_and_by_word_alike(questions: list[State]) -> None:
    for state in questions:
        for concept in GRAMMARS[GRAMMAR[state.step]]:
            by_key = hear(state, Key(concept.key))
            for phrase in concept.phrases[state.language]:
                assert hear(state, Said(phrase, 90)) == by_key


def test_help_is_one_key_or_one_word_away_at_every_moment(questions: list[State]) -> None:
    emergency, person, repeat = ALWAYS
    for state in questions:
        for concept, reason in ((emergency, "emergency"), (person, "asked")):
            every: list[Heard] = [Key(concept.key), *(Said(phrase, 1) for phrase in concept.phrases[state.language])]
            for heard in every:
                _, move = hear(state, heard)
                assert isinstance(move, ToPerson) and move.reason == reason, (state.step, heard)
        again: list[Heard] = [Key("*"), *(Said(phrase, 1) for phrase in repeat.phrases[state.language])]
        for heard in again:
            assert hear(state, heard) == (state, Ask(state.lines, GRAMMAR[state.step]))


def test_hash_goes_through_all_languages_and_back_to_the_same_question(questions: list[State]) -> None:
    for state in questions:
        again, seen = state, []
        for _ in LANGUAGES:
            again, move = hear(again, Key("#"))
            assert isinstance(move, Ask) and again.step == state.step and again.slots == state.slots
            seen.append(again.language)
            assert [value.text for said in move.lines for _, value in said.values] == [
                value.text for said in again.lines for _, value in said.values
            ]
        assert sorted(seen) == sorted(LANGUAGES)
        assert again.lines == state.lines, "back in her language it is said as at first"


@pytest.mark.parametrize("nothing", [Silence(), Unknown(), Key("A"), Key("D")], ids=repr)
def test_silence_and_nonsense_end_at_a_person_or_after_the_order_with_goodbye(
    questions: list[State], nothing: Heard
) -> None:
    for first in questions:
        state, said = replace(first, misses=0), 0
        while True:
            state, move = hear(state, nothing)
            said += 1
            if not isinstance(move, Ask):
                break
        assert said <= MISSES_BEFORE_PERSON
        assert isinstance(move, GoodBye if first.step == "done" else ToPerson), first.step


def test_an_answer_makes_good_what_was_missed(questions: list[State]) -> None:
    for state in questions:
        tired = replace(state, misses=2)
        for heard in (*answers(state), *([Key("8")] if state.step in ("service", "more") else [])):
            after, _ = hear(tired, heard)
            assert after.misses == 0, (state.step, heard)


@pytest.mark.parametrize("hour", HOURS)
def test_no_order_lies_in_the_past(hour: int) -> None:
    confirmed = [state for state, move in walk("zh-CN", hour) if isinstance(move, PlaceOrder)]
    assert {(state.wanted_on - TODAY).days for state in confirmed} == ({0, 1, 2} if hour < 17 else {1, 2})
    for state in confirmed:
        if state.wanted_on == TODAY:
            assert state.slots.part == "afternoon" or hour < 12


def test_every_way_ends(questions: list[State]) -> None:
    ends = {
        type(move) for state in questions for heard in (*answers(state), Silence()) for move in [hear(state, heard)[1]]
    }
    assert ends == {Ask, ToPerson, PlaceOrder, GoodBye}


def test_the_question_invites_to_speak_only_where_somebody_listens() -> None:
    for listens, key in ((True, "ask_service_spoken"), (False, "ask_service")):
        _, move = begin(start("ko", listens=listens))
        assert isinstance(move, Ask) and [said.key for said in move.lines] == ["greeting", key]


def test_the_number_is_spoken_in_the_language_of_the_moment() -> None:
    state, _ = order_placed(start("ko"), 1001, True)
    _, move = hear(state, Key("#"))
    assert isinstance(move, Ask)
    assert "일" not in move.lines[0].text("en")


PHRASES = sorted({p for g in (ALWAYS, *GRAMMARS.values()) for c in g for ps in c.phrases.values() for p in ps})
anything = st.one_of(
    st.sampled_from([Silence(), Unknown()]),
    st.sampled_from("0123456789*#ABCD").map(Key),
    st.sampled_from(PHRASES).map(lambda phrase: Said(phrase, 90)),
    st.text(max_size=8).map(lambda text: Said(text, 5)),
    st.text(max_size=3).map(Key),
)


@settings(max_examples=300, deadline=None)
@given(language=st.sampled_from(LANGUAGES), hour=st.sampled_from(HOURS), heard=st.lists(anything, max_size=40))
def test_whatever_is_heard_an_order_has_all_its_slots_and_a_yes(language: str, hour: int, heard: list[Heard]) -> None:
    state, move = begin(start(language, hour))
    for one in heard:
        if isinstance(move, PlaceOrder):
            state, move = order_placed(state, 1001, True)
        if not isinstance(move, Ask):
            return
        before, (state, move) = state, hear(state, one)
        if isinstance(move, PlaceOrder):
            assert None not in (state.slots.service, state.slots.day, state.slots.part)
            assert before.step == "confirm"
            yes = GRAMMARS["confirm"][0]
            assert one == Key(yes.key) or (isinstance(one, Said) and one.phrase in yes.phrases[before.language])
        assert isinstance(move, (Ask, ToPerson, PlaceOrder, GoodBye))


# Our own calls.

SPOKEN = tuple((language, (line("callback_confirmed"),)) for language in LANGUAGES)
NOTICES = [Notice(SPOKEN, keys) for keys in (OFFER_KEYS, CALLBACK_KEYS)]


@pytest.mark.parametrize("notice", NOTICES, ids=["offer", "callback"])
def test_our_own_calls_end_in_silence(notice: Notice) -> None:
    for nothing in (Silence(), Unknown(), Said("네", 100), Key("7")):
        state, said = notice, 0
        while True:
            state, move = outbound_turns.hear(state, nothing)
            said += 1
            if not isinstance(move, Ask):
                break
        assert move == GoodBye() and said == outbound_turns.REPEATS + 1


@settings(deadline=None)
@given(notice=st.sampled_from(NOTICES), heard=st.lists(anything, max_size=20))
def test_no_word_ever_accepts_and_no_key_but_its_own(notice: Notice, heard: list[Heard]) -> None:
    for one in heard:
        notice, move = outbound_turns.hear(notice, one)
        if isinstance(move, outbound_turns.Answer):
            assert isinstance(one, Key) and dict(notice.answers)[one.key] == move.code
        if isinstance(move, ToPerson):
            assert one in (Key("0"), Key("9"))
        if not isinstance(move, Ask):
            return


@pytest.mark.parametrize("notice", NOTICES, ids=["offer", "callback"])
def test_the_hash_key_says_our_own_calls_in_the_next_language(notice: Notice) -> None:
    heard_in = [notice.language]
    for _ in LANGUAGES:
        notice, move = outbound_turns.hear(notice, Key("#"))
        assert move == notice.ask
        heard_in.append(notice.language)
    assert sorted(heard_in[:-1]) == sorted(LANGUAGES) and heard_in[-1] == heard_in[0]
