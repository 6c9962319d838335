"""The network around the hotline is proved by itself: its telephones ring each other over SIP."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from ivr.tones import render
from tests.support import habits, sound
from tests.support.call import Call
from tests.support.call_state import StoryError
from tests.support.carrier import Carrier
from tests.support.patience import PATIENCE
from tests.support.phone import Phone

pytestmark = [pytest.mark.call, pytest.mark.xdist_group("carrier")]

PROMPTS = ("greeting", "ask_service", "goodbye")


@pytest.fixture(scope="module")
def shared() -> Iterator[Carrier]:
    with Carrier() as network:
        network.learn(PROMPTS)
        yield network


@pytest.fixture
def network(shared: Carrier) -> Iterator[Carrier]:
    yield shared
    for call in shared.calls:
        call.hangs_up()
    shared.raise_problems()


@pytest.fixture
def wang(network: Carrier, request: pytest.FixtureRequest) -> Phone:
    """A caller with a number of her own in each test."""
    return network.phone(f"+86451{abs(hash(request.node.name)) % 10**8:08d}1")


@pytest.fixture
def other(network: Carrier, request: pytest.FixtureRequest) -> Phone:
    """The one she rings."""
    return network.phone(f"+86451{abs(hash(request.node.name)) % 10**8:08d}2")


def says_prompts(call: Call) -> None:
    """A hotline of three prompts and one key."""
    call.rings_for(0).answers().plays(render("greeting")).plays(render("ask_service"))
    call.receives("1").plays(render("goodbye")).hangs_up()


def test_a_call_with_prompts_and_a_key(wang: Phone, other: Phone) -> None:
    other.when_called(says_prompts)
    call = wang.rings(other.number).answered(within=3)
    call.hears("greeting", "ask_service").presses("1").hears("goodbye").is_hung_up_by_hotline(within=3)
    assert [what for _, what in call.heard] == ["greeting", "ask_service", "goodbye"]
    assert call.cause == 16
    assert call.did_not_hear("order_done")
    assert other.was_rung(times=1).calls_received[0].other == wang.number


def test_sound_goes_both_ways_at_once_and_soon(wang: Phone, other: Phone) -> None:
    other.listens(ring=0)
    call = wang.rings(other.number).answered()
    answer = other.is_rung().answered()
    call.wait_for(lambda: call.has_audio and answer.has_audio, 2)
    began = time.monotonic()
    call.plays(render("greeting"), wait=False)
    answer.plays(render("goodbye"), wait=False)
    answer.hears("greeting")
    call.hears("goodbye")
    # 280 ms of melody; the rest is the way.
    assert time.monotonic() - began < 0.28 + 0.25 * PATIENCE


def test_keys_arrive_in_order_and_once(wang: Phone, other: Phone) -> None:
    other.listens(ring=0)
    call = wang.rings(other.number).answered()
    call.presses("1234567890*#ABCD", duration=0.08, gap=0.06)
    call.presses("11")
    answer = other.is_rung()
    answer.receives("1234567890*#ABCD11", within=2)
    assert len(answer.keys_received) == 18


def test_a_prompt_that_is_interrupted_is_named(wang: Phone, other: Phone) -> None:
    def interrupted(call: Call) -> None:
        call.rings_for(0).answers().plays(render("greeting"), wait=False)
        call.is_silent(0.2).stop_speaking()
        call.plays(render("goodbye")).is_silent(9)

    other.when_called(interrupted)
    call = wang.rings(other.number).answered().hears("goodbye")
    assert [what for _, what in call.heard] == ["greeting (cut off)", "goodbye"]


def test_keys_in_the_middle_of_speech(wang: Phone, other: Phone) -> None:
    other.listens(ring=0)
    call = wang.rings(other.number).answered()
    call.plays(sound.music(1.5), wait=False)
    call.presses("7")
    other.is_rung().receives("7", within=1)


@pytest.mark.parametrize(
    ("habit", "causes"),
    [
        (Phone.is_busy, {17}),
        (Phone.rejects, {21}),
        (Phone.is_unreachable, {34, 42}),
        (Phone.number_is_dead, {1}),
        (Phone.is_switched_off, {18, 19, 20, 31}),
    ],
)
def test_calls_that_are_not_answered(wang: Phone, other: Phone, habit: object, causes: set[int]) -> None:
    assert callable(habit)
    habit(other)
    call = wang.rings(other.number).is_refused(within=8)
    assert call.cause in causes and call.answered_at is None
    other.was_rung(times=1)


def test_a_number_that_nobody_has(wang: Phone) -> None:
    wang.rings("+864519999999").is_refused(1)


def test_nobody_answers_and_the_caller_gives_up(wang: Phone, other: Phone) -> None:
    other.does_not_answer()
    call = wang.rings(other.number).is_ringing()
    call.is_silent(0.5).hangs_up()
    answer = other.is_rung().waits_until_it_ends(within=2)
    assert answer.answered_at is None and not answer.ended_by_us
    assert 0.4 < answer.seconds_ringing < 2


def test_a_caller_who_hangs_up_before_it_rings(wang: Phone, other: Phone) -> None:
    other.does_not_answer()
    began = time.monotonic()
    wang.rings(other.number).hangs_up()
    assert time.monotonic() - began < 2 * PATIENCE


def test_the_called_one_hangs_up_at_once(wang: Phone, other: Phone) -> None:
    other.hangs_up_at_once()
    wang.rings(other.number).answered().is_hung_up_by_hotline(within=2)


def test_the_caller_hangs_up(wang: Phone, other: Phone) -> None:
    other.answers_and_stays_silent()
    call = wang.rings(other.number).answered().is_silent(0.2).hangs_up()
    assert call.ended_by_us and call.cause == 16
    other.is_rung().is_hung_up_by_hotline(within=2)


def test_habits_one_a_call(wang: Phone, other: Phone) -> None:
    other.when_called(habits.rejects(486), habits.listens(ring=0))
    wang.rings(other.number).is_refused(17)
    wang.rings(other.number).answered().hangs_up()
    wang.rings(other.number).answered().hangs_up()
    other.was_rung(times=3)


def test_a_line_in_a_call_is_busy(network: Carrier, wang: Phone, other: Phone) -> None:
    other.listens(ring=0)
    wang.rings(other.number).answered()
    network.phone("+864519000003").rings(other.number).is_refused(17)


def test_a_provider_hears_the_offer_out_and_accepts(wang: Phone, other: Phone) -> None:
    """Seen from the hotline: the key comes after the end of the prompt, not into it."""
    other.accepts(ring=0)
    call = wang.rings(other.number).answered()
    call.plays(sound.spoken("내일 오전 목욕", "ko")).plays(render("ask_service"))
    ended_ms = call.now_ms
    call.receives("1", within=3)
    assert 600 <= call.keys_received[0][0] - ended_ms <= 1500


def test_speech_is_audible_and_its_end_is_noticed(wang: Phone, other: Phone) -> None:
    other.listens(ring=0)
    call = wang.rings(other.number).answered()
    answer = other.is_rung().answered()
    call.says("목욕", language="ko")
    answer.waits_for_end_of_speech(within=3)
    length = len(sound.spoken("목욕", "ko")) / 8
    assert 0.4 * length < answer.ear.voice_ms() < length + 100
    # Nothing more is said, so a second prompt never ends.
    with pytest.raises(StoryError, match=r"to hear speech and then"):
        answer.presses("1").waits_for_end_of_speech(within=1)


def test_voicemail_answers_and_presses_nothing(wang: Phone, other: Phone) -> None:
    other.has_voicemail()
    call = wang.rings(other.number).answered().waits_for_end_of_speech(within=8)
    assert call.ear.voice_ms() > 1000 and call.keys_received == []


@pytest.mark.parametrize("name", ['a"; $(reboot) \\', "王" * 1300, "김순자, 할머니", "\udcff\udcfe", "a' OR 1=1 --"])
def test_odd_names_are_shown(wang: Phone, other: Phone, name: str) -> None:
    other.does_not_answer()
    call = wang.rings(other.number, display_name=name).is_ringing()
    answer = other.is_rung()
    answer.wait_for(lambda: bool(answer.sip_from), 2)
    shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")[:20]
    # Asterisk leaves SIP's backslashes in a quoted name, and cuts it at 79 bytes.
    unquoted = re.sub(r"\\(.)", r"\1", answer.shown_name)
    assert unquoted.startswith(shown) and answer.other == wang.number
    if len(name) > 1000:
        assert name in answer.sip_from, "4 KB on the wire"
    call.hangs_up()


def test_numbers_in_odd_forms_are_shown(wang: Phone, other: Phone) -> None:
    other.does_not_answer()
    for number in ("0086451123", "84510000", "abc def", "+86 451-1", "1" * 200):
        call = wang.rings(other.number, as_number=number).is_ringing()
        assert other.is_rung().other.startswith(number[:70])
        call.hangs_up()
        other.calls_received[-1].waits_until_it_ends(2)


def test_withheld_and_asserted_numbers(wang: Phone, other: Phone) -> None:
    other.does_not_answer()
    stories = [
        ({"withheld": True}, "anonymous", "anonymous@anonymous.invalid", ""),
        ({"withheld": True, "identity": "+86451"}, "+86451", "anonymous@anonymous.invalid", "+86451@"),
        ({"identity": "+8610"}, "+8610", wang.number, "+8610@"),
        ({"as_number": "anonymous", "identity": ""}, "anonymous", "sip:anonymous@", ""),
    ]
    for options, shown, in_from, in_identity in stories:
        call = wang.rings(other.number, **options).is_ringing()  # type: ignore[arg-type]
        answer = other.is_rung()
        answer.wait_for(lambda answer=answer: answer.sip_from, 2)  # type: ignore[misc]
        assert answer.other == shown and in_from in answer.sip_from and in_identity in answer.sip_identity
        assert bool(in_identity) == bool(answer.sip_identity)
        call.hangs_up()
        answer.waits_until_it_ends(2)


def test_a_wrong_prompt_fails_with_the_whole_story(wang: Phone, other: Phone) -> None:
    other.when_called(says_prompts)
    call = wang.rings(other.number).answered()
    with pytest.raises(StoryError) as failure:
        call.hears("ask_service", "greeting", within=1)
    text = str(failure.value)
    assert "to hear 'greeting': not within 1 s" in text
    assert "hears ask_service" in text and " s  answered" in text
    with pytest.raises(StoryError, match="not to hear 'ask_service'"):
        call.did_not_hear("ask_service")
    call.presses("1").hears("goodbye").is_hung_up_by_hotline()
    began = time.monotonic()
    with pytest.raises(StoryError, match="the call had ended"):
        call.hears("greeting", within=30)
    assert time.monotonic() - began < 2 * PATIENCE, "an ended call is not waited for"


def test_expectations_that_are_not_met_fail(wang: Phone, other: Phone) -> None:
    other.does_not_answer()
    call = wang.rings(other.number)
    with pytest.raises(StoryError, match="to be answered"):
        call.answered(within=0.3)
    with pytest.raises(StoryError, match="not answered"):
        call.presses("1")
    with pytest.raises(StoryError, match="was rung 1 times, not 2 times"):
        other.was_rung(times=2)
    call.hangs_up()
    with pytest.raises(StoryError, match="not by this telephone"):
        call.is_hung_up_by_hotline()
    with pytest.raises(StoryError, match="to be rung within"):
        wang.is_rung(within=0.1)


def test_a_habit_need_not_explain_a_call_that_the_test_ended(network: Carrier, wang: Phone, other: Phone) -> None:
    def sings(call: Call) -> None:
        call.answers().plays(sound.music(5))

    other.when_called(sings)
    wang.rings(other.number).answered()
    answer = other.is_rung().answered().is_silent(0.2)
    answer.hangs_up()
    time.sleep(0.3)
    network.raise_problems()
