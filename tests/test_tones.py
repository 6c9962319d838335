"""Prompt melodies: distinct, invisible to the digit detector, and readable after a telephone line."""

from itertools import pairwise

import numpy as np
import pytest

from ivr.tones import SAMPLE_RATE, SYMBOLS_HZ, Samples, collisions, render, tone_code
from tests.support import ear, sound

KEYS = [f"prompt_{number}" for number in range(300)] + ["您好", "목욕", "", " ", "a" * 4096, "\udcff"]
DTMF_HZ = (697, 770, 852, 941, 1209, 1336, 1477, 1633)


def alaw(samples: Samples) -> Samples:
    """G.711 A-law there and back: 16 steps in each of its segments, read back in the middle of the step."""
    magnitude = np.minimum(np.abs(samples.astype(np.int32)) >> 3, 4095)
    step = 1 << np.maximum(np.log2(np.maximum(magnitude, 1)).astype(np.int32) - 4, 1)
    quantised = (magnitude // step * step + step // 2) << 3
    signed: Samples = (np.where(samples < 0, -1, 1) * quantised).astype(np.int16)
    return signed


def codes(samples: Samples) -> list[tuple[int, ...]]:
    return [heard.code for heard in ear.decode(samples)]


def test_melodies_are_distinct_and_short() -> None:
    assert collisions([f"prompt_{number}" for number in range(1000)]) == []
    for key in KEYS:
        code = tone_code(key)
        assert all(one != two for one, two in pairwise(code)), "boundaries must be heard"
        assert len(render(key)) <= 0.3 * SAMPLE_RATE


def test_keys_that_share_a_melody_are_found() -> None:
    # The birthday problem: with 12 million melodies some of twenty thousand keys share one.
    found = collisions([f"k{number}" for number in range(20_000)])
    assert found and all(tone_code(one) == tone_code(two) and one != two for one, two in found)


def test_no_tone_is_near_a_digit() -> None:
    assert min(abs(tone - digit) for tone in (1050, *SYMBOLS_HZ) for digit in DTMF_HZ) > 100


@pytest.mark.parametrize("offset", [0, 1, 40, 79, 80, 121, 159])
def test_melodies_are_read_back_to_back_at_any_offset(offset: int) -> None:
    whole = np.concatenate([np.zeros(offset, np.int16), *(render(key) for key in KEYS)])
    assert codes(whole) == [tone_code(key) for key in KEYS]


def test_they_survive_the_telephone() -> None:
    whole = np.concatenate([render(key) for key in KEYS])
    wanted = [tone_code(key) for key in KEYS]
    assert codes(alaw(whole)) == wanted
    assert codes((whole // 20).astype(np.int16)) == wanted, "a quiet line"
    assert codes((whole * 3.4).clip(-32768, 32767).astype(np.int16)) == wanted, "a clipping line"
    hiss = sound.noise(len(whole) / SAMPLE_RATE, 400)
    noisy = whole.astype(np.int32)
    noisy[: len(hiss)] += hiss
    assert codes(noisy.astype(np.int16)) == wanted, "a noisy line"


def test_a_lost_packet_does_not_make_another_prompt() -> None:
    """What is read may miss symbols, but never is another whole melody."""
    for lost in range(0, 2240, 80):
        samples = render("ask_service").copy()
        samples[lost : lost + 160] = 0
        assert {heard.code for heard in ear.decode(samples) if heard.whole} <= {tone_code("ask_service")}


def test_a_prompt_that_is_cut_off_is_heard_in_part() -> None:
    heard = ear.decode(render("ask_service")[:1500])
    assert [one.whole for one in heard] == [False]
    assert heard[0].code == tone_code("ask_service")[: len(heard[0].code)]


def test_other_sounds_are_no_prompts() -> None:
    seconds = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    digit = (6000 * (np.sin(2 * np.pi * 770 * seconds) + np.sin(2 * np.pi * 1336 * seconds))).astype(np.int16)
    for other in (sound.noise(3), sound.music(3), sound.beep(1), digit, sound.spoken("목욕", "ko")):
        assert ear.decode(other) == []


def test_the_ear_takes_packets_as_they_come() -> None:
    """Time stamps are times since the answer, also after a stretch in which nothing was sent."""
    listener = ear.Ear()
    first, second = (render(key).tobytes() for key in ("one", "two"))
    for start in range(0, len(first), 320):
        listener.hears(first[start : start + 320], ms=start / 16 + start % 3 * 9)
        listener.listen()
    for start in range(0, len(second), 320):
        listener.hears(second[start : start + 320], ms=2000 + start / 16)
    heard = listener.listen()
    assert [one.code for one in heard] == [tone_code("one"), tone_code("two")]
    assert heard[0].ms <= 20 and abs(heard[1].ms - 2000) <= 20


def test_the_ear_knows_sound_from_silence() -> None:
    listener = ear.Ear()
    listener.hears(sound.spoken("목욕", "ko").tobytes(), ms=0)
    spoken_ms = listener.ms
    listener.pass_time(spoken_ms + 1060)
    assert 800 <= listener.quiet_ms() <= 1500
    assert 200 <= listener.voice_ms() <= spoken_ms
    last = listener.last_sound_ms()
    assert last is not None and last <= spoken_ms
    assert listener.voice_ms(since_ms=spoken_ms + 100) == 0
