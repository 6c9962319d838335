"""The ears of a call: what is told to the engine, what comes back, and what happens when it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ivr import listening
from ivr.listening import Listener
from ivr.prompts.words import Line
from ivr.turns import Ask, Digits, Heard, Her, Key, Said, Silence, State, Unknown, begin, hear
from models.settings import settings
from tests.ivr.fake_asterisk import line

OK = b"200 result=1\n"
SPEAKS = b'200 result=1 (speech) endpos=0 results=1 score0=0 text0="<speaking>" grammar0=service\n'
KEY = "ab" * 32


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An engine that is well, and prompts that need no rendering."""
    monkeypatch.setattr("ivr.listening.health.listens_for", lambda language: True)
    monkeypatch.setattr("ivr.listening.health.lives", lambda birth: True)
    monkeypatch.setattr("ivr.prompts.voice.utterance", lambda *what: "/prompt")
    monkeypatch.setattr("ivr.prompts.voice.silence", lambda: "/quiet")
    yield


def said(text: str, score: int = 80, grammar: str = "service") -> bytes:
    fields = f'endpos=0 results=1 score0={score} text0="{text}" grammar0={grammar}'
    return f"200 result=1 (speech) {fields}\n".encode()


def test_she_is_heard_and_the_second_recognize_is_silent() -> None:
    with line(OK, OK, OK, SPEAKS, said("내일 오후 목욕")) as (call, asterisk):
        heard = Listener(call, speech=True).ask(Ask((), "service"), "ko")
    assert heard == Said("내일 오후 목욕", 80)
    assert asterisk.commands == [
        'SPEECH CREATE "hotline-ko"',
        'SPEECH SET "grammar" "service"',
        'SPEECH SET "prompt" "/prompt"',
        f'SPEECH RECOGNIZE "/prompt" "{settings().answer_timeout_ms // 1000 + 1}"',
        f'SPEECH RECOGNIZE "/quiet" "{listening.UTTERANCE_S}"',
    ]


def test_a_slow_caller_is_given_time() -> None:
    with line(OK, OK, OK, OK, b"200 result=1 (timeout) endpos=0\n", OK, OK, said("네")) as (call, asterisk):
        listener = Listener(call, speech=True, pace="slow")
        assert listener.ask(Ask((), "service"), "ko") == Silence()
        listener.ask(Ask((), "service"), "ko")
    assert asterisk.commands[1] == 'SPEECH SET "pace" "slow"'
    assert asterisk.commands[4] == f'SPEECH RECOGNIZE "/prompt" "{settings().answer_timeout_slow_ms // 1000 + 1}"'
    assert [command for command in asterisk.commands if "pace" in command] == ['SPEECH SET "pace" "slow"'], "told once"


@pytest.mark.parametrize(("answer", "slowest"), [(b"200 result=0\n", 0.8), (OK, -1.0)], ids=["refused", "late"])
def test_an_engine_that_does_not_answer_is_asked_only_once(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, slowest: float
) -> None:
    # Late: Asterisk says "result=1" all the same, a second after the engine has died.
    monkeypatch.setattr(listening, "SLOWEST_ANSWER_S", slowest)
    with line(OK, answer, OK, b"200 result=2\n", b"200 result=1\n") as (call, asterisk):
        listener = Listener(call, speech=True)
        assert listener.ask(Ask((), "service"), "ko") == Key("2")
        assert listener.ask(Ask((), "day"), "ko") == Key("1")
    assert [command.split(" ", 2)[1] for command in asterisk.commands] == ["CREATE", "SET", "DESTROY", "DATA", "DATA"]


def test_an_engine_that_is_known_to_be_gone_is_not_spoken_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with line(OK, OK, OK, b"200 result=1 (digit) digit=2 endpos=0\n", OK, b"200 result=1\n") as (call, asterisk):
        listener = Listener(call, speech=True)
        assert listener.ask(Ask((), "service"), "ko") == Key("2")
        monkeypatch.setattr("ivr.listening.health.lives", lambda birth: False)
        assert listener.ask(Ask((), "day"), "ko") == Key("1")
    # Each command to it would cost her a second.
    assert [command.split(" ", 2)[1] for command in asterisk.commands[3:]] == ["RECOGNIZE", "DESTROY", "DATA"]


def test_a_slow_caller_is_given_time_for_keys_too() -> None:
    with line(b"200 result=5\n") as (call, asterisk):
        assert Listener(call, speech=False, pace="slow").ask(Ask((), "service"), "ko") == Key("5")
    assert asterisk.commands == [f'GET DATA "/prompt" "{settings().answer_timeout_slow_ms}" "1"']


@pytest.mark.parametrize(
    ("behind", "heard"),
    [
        (b"200 result=1234\n", Digits("*1234")),
        (b"200 result=1234 (timeout)\n", Digits("*1234")),
        (b"200 result= (timeout)\n", Key("*")),
        (b"200 result=2 (timeout)\n", Key("2")),
        (b"200 result=0 (timeout)\n", Key("0")),
        (b"200 result=\n", Key("*")),
        (b"200 result=*12 (timeout)\n", Key("*")),
    ],
)
@pytest.mark.parametrize("by_voice", [False, True])
def test_a_star_waits_a_moment_for_a_workers_code_and_only_where_one_may_come(
    by_voice: bool, behind: bytes, heard: Heard
) -> None:
    spoken = (OK, OK, OK, b"200 result=1 (digit) digit=* endpos=0\n")
    with line(*(spoken if by_voice else (b"200 result=*\n",)), behind) as (call, asterisk):
        assert Listener(call, speech=by_voice).ask(Ask((), "service", star=True), "ko") == heard
    assert asterisk.commands[-1] == f'GET DATA "/quiet" "{listening.BEHIND_STAR_MS}" "8"'
    with line(b"200 result=*\n") as (call, asterisk):
        assert Listener(call, speech=False).ask(Ask((), "service"), "ko") == Key("*")


def test_names_of_the_household_go_with_the_grammar() -> None:
    with line(OK, OK, OK, said("김 할머니")) as (call, asterisk):
        names = ("김 할머니", 'a|b"c')
        Listener(call, speech=True).ask(Ask((), "household", names), "ko")
    assert asterisk.commands[1] == 'SPEECH SET "grammar" "household|김 할머니|a b\\"c"'


def test_more_names_than_a_command_carries_are_left_out() -> None:
    with line(OK, OK, OK, said("네")) as (call, asterisk):
        Listener(call, speech=True).ask(Ask((), "household", ("이름" * 20,) * 40), "ko")
    assert len(asterisk.commands[1].encode()) < 1100


def test_what_was_not_understood_comes_with_the_hint_and_the_audio() -> None:
    with line(OK, OK, OK, SPEAKS, said("<unknown> 목욕 어머니", 0, f"service:{KEY}")) as (call, _):
        heard = Listener(call, speech=True).ask(Ask((), "service"), "ko")
    assert heard == Unknown("목욕 어머니", KEY)


DIGIT = b"200 result=1 (digit) digit=0 endpos=0\n"


@pytest.mark.parametrize(
    ("digits", "replies", "heard"),
    [
        (1, (b"200 result=1 (digit) digit=2 endpos=0\n",), Key("2")),
        (1, (b"200 result=1 (digit) digit=0 endpos=0\n",), Key("0")),
        (1, (b"200 result=1 (timeout) endpos=0\n",), Unknown()),
        (2, (DIGIT, b"200 result=5 (timeout)\n"), Digits("05")),
        (20, (DIGIT, b"200 result=0001\n"), Digits("00001")),
        (20, (DIGIT, b"200 result= (timeout)\n"), Key("0")),
    ],
    ids=["a key", "a person", "a cough", "a date", "a card", "a person where a number is asked for"],
)
def test_a_key_after_a_sound_is_the_answer(digits: int, replies: tuple[bytes, ...], heard: Heard) -> None:
    # She coughs, or says "where is it now", and then presses: the prompt has stopped, the key counts all the same.
    with line(OK, OK, OK, SPEAKS, *replies) as (call, asterisk):
        assert Listener(call, speech=True).ask(Ask((), "when", digits=digits), "ko") == heard
    assert [command.split(" ", 2)[1] for command in asterisk.commands[3:5]] == ["RECOGNIZE", "RECOGNIZE"]


def test_a_star_after_a_sound_may_be_a_worker() -> None:
    star = b"200 result=1 (digit) digit=* endpos=0\n"
    with line(OK, OK, OK, SPEAKS, star, b"200 result=1234\n") as (call, _):
        assert Listener(call, speech=True).ask(Ask((), "service", star=True), "ko") == Digits("*1234")


@pytest.mark.parametrize("lost", [said("<unavailable>"), b"200 result=0\n", b"200 result=1 (speech) endpos=0\n"])
def test_an_engine_that_is_lost_leaves_the_turn_to_the_keys_and_the_call_too(lost: bytes) -> None:
    with line(OK, OK, OK, SPEAKS, lost, OK, b"200 result=2\n", b"200 result=3\n") as (call, asterisk):
        listener = Listener(call, speech=True)
        assert listener.ask(Ask((), "service"), "ko") == Key("2")
        assert listener.ask(Ask((), "day"), "ko") == Key("3")
    assert [command.split()[0] for command in asterisk.commands[5:]] == ["SPEECH", "GET", "GET"]


TIMEOUT = b"200 result= (timeout)\n"
UNAVAILABLE = said("<unavailable>")


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ((b"200 result=0\n",), ["greeting", "ask_service"]),
        ((OK, b"200 result=0\n", OK), ["greeting", "ask_service"]),
        ((OK, OK, OK, UNAVAILABLE, OK), ["greeting", "ask_service"]),
        ((OK, OK, OK, SPEAKS, UNAVAILABLE, OK), ["ask_service"]),
    ],
    ids=["not opened", "gone before the first word", "gone in the prompt", "gone while she spoke into it"],
)
def test_whoever_has_heard_nothing_yet_is_greeted_and_led_by_keys_all_the_same(
    monkeypatch: pytest.MonkeyPatch, answers: tuple[bytes, ...], told: list[str]
) -> None:
    rendered: list[list[str]] = []

    def utterance(lines: tuple[Line, ...], *_: object) -> str:
        rendered.append([one.key for one in lines])
        return "/prompt"

    monkeypatch.setattr("ivr.prompts.voice.utterance", utterance)
    kim = Her(1, "김", "f", "ko")
    state, move = begin(State(datetime(2026, 11, 22, 9, tzinfo=UTC), "ko", people=(kim,), listens=True))
    assert isinstance(move, Ask)
    with line(*answers, TIMEOUT) as (call, asterisk):
        assert Listener(call, speech=True).ask(move, "ko") == Silence()
    assert rendered == [["greeting", "ask_service_spoken"], told]
    assert asterisk.commands[-1].startswith("GET DATA")
    # Whoever has it repeated then hears the keys again, not the question that only an ear could answer.
    _, again = hear(replace(state, listens=False), Key("*"))
    assert isinstance(again, Ask) and [one.key for one in again.lines] == ["ask_service"]
