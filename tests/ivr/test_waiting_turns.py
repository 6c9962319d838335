"""The talk with a caller who waits: every key at every step, and every path ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ivr import waiting, waiting_turns
from ivr.prompts import words
from ivr.turns import Key, Silence
from ivr.waiting_turns import AskDigits, AskKey, Emergency, Move, RingBack, State, WaitOn
from models.phone import Number, normalise
from models.vocabulary import LANGUAGES
from tests.ivr import fake_asterisk

WANG = normalise("+8645110000001")
MOBILE = normalise("13800000000")
HERE = State("zh-CN", WANG)
KEYS = [*"0123456789*#ABCD"]


def said(move: Move) -> list[str]:
    assert isinstance(move, AskKey | AskDigits)
    return [line.key for line in move.lines]


@pytest.mark.parametrize(
    ("place", "minutes", "lines"),
    [
        (1, None, ["wait_next", "wait_keys"]),
        (2, None, ["wait_place", "wait_keys"]),
        (2, 10, ["wait_place", "wait_minutes", "wait_keys"]),
        (9, 11, ["wait_place", "wait_long", "wait_keys"]),
    ],
)
def test_what_is_said_of_her_place(place: int, minutes: int | None, lines: list[str]) -> None:
    assert said(waiting_turns.tell_place(replace(HERE, place=place, minutes=minutes))[1]) == lines


def test_the_number_is_read_back_before_anything_is_promised() -> None:
    state, move = waiting_turns.hear(waiting_turns.tell_place(HERE)[0], Key("1"))
    assert isinstance(move, AskKey) and move.lines[1].values[0][1].code == WANG.value
    assert waiting_turns.hear(state, Key("1"))[1] == RingBack(None)


def test_another_number_is_read_back_too() -> None:
    state, _ = waiting_turns.offer_ring_back(HERE)
    state, move = waiting_turns.hear(state, Key("2"))
    assert isinstance(move, AskDigits)
    state, move = waiting_turns.number_keyed(state, None)
    assert said(move) == ["ring_back_bad", "ask_number"]
    state, move = waiting_turns.number_keyed(state, MOBILE)
    assert isinstance(move, AskKey) and move.lines[1].values[0][1].code == MOBILE.value
    assert waiting_turns.hear(state, Key("1"))[1] == RingBack(MOBILE)


@pytest.mark.parametrize(
    ("keys", "ends"), [("9", Emergency()), ("999", Emergency()), ("0", WaitOn()), ("00", WaitOn())]
)
def test_nine_and_zero_pressed_several_times_are_no_number(
    monkeypatch: pytest.MonkeyPatch, keys: str, ends: Move
) -> None:
    monkeypatch.setattr("ivr.prompts.voice.utterance", lambda *_: "/prompt")
    state, move = waiting_turns.offer_ring_back(State("ko"))
    assert isinstance(move, AskDigits)
    with fake_asterisk.line(f"200 result={keys} (timeout)\n".encode()) as (call, _):
        assert waiting._turn(call, state, move)[1] == ends


def test_whoever_shows_no_number_is_asked_for_one() -> None:
    assert isinstance(waiting_turns.offer_ring_back(State("ko"))[1], AskDigits)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", [None, WANG])
def test_every_path_ends_and_0_and_9_lead_out_of_every_turn(language: str, number: Number | None) -> None:
    begin = State(language, number, place=2, minutes=3)
    seen: set[tuple[State, Move]] = set()
    todo = [waiting_turns.tell_place(begin), waiting_turns.offer_ring_back(begin)]
    while todo:
        state, move = todo.pop()
        if (state, move) in seen or not isinstance(move, AskKey | AskDigits):
            continue
        seen.add((state, move))
        assert 1 <= len(move.lines) <= 3
        for line in move.lines:
            assert line.text(state.language)
        assert waiting_turns.hear(state, Key("0"))[1] == WaitOn()
        assert waiting_turns.hear(state, Key("9"))[1] == Emergency()
        todo += [waiting_turns.hear(state, Key(key)) for key in KEYS]
        todo += [waiting_turns.number_keyed(state, keyed) for keyed in (None, MOBILE) if state.step == "key_in"]
        # Silence never holds her here: after a few turns without a key she waits on.
        for _ in range(waiting_turns.MISSES):
            state, move = waiting_turns.hear(state, Silence())
        assert move == WaitOn()
    assert {state.step for state, _ in seen} == {"place", "number", "key_in"}


def test_a_number_of_the_own_town_is_read_without_its_area_code_a_mobile_and_a_distant_one_whole() -> None:
    assert words.phone_number(WANG, "zh-CN").text == "幺 零 零 零， 零 零 零 幺"
    assert words.phone_number(MOBILE, "en").text == "1 3 8, 0 0 0 0, 0 0 0 0"
    assert words.phone_number(normalise("+8624100000001"), "en").text.startswith("0 2 4,")
