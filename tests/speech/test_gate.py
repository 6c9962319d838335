"""When the gate opens and shuts: silence, noise, tones and a voice."""

from __future__ import annotations

import numpy as np
import pytest

from ivr.speech.gate import FRAME_BYTES, FRAME_MS, Gate, GateSettings, Heard, level_dbfs
from ivr.speech.voicing import is_tone, is_voice, voiced_ms
from tests.speech.support import Voice, hum, noise, silence, tone

EVENTS = (Heard.ONSET, Heard.END, Heard.TOO_LONG)


def events(pcm: bytes, gate: Gate | None = None) -> list[tuple[Heard, int]]:
    """What happened, and at which millisecond; the gate is reset after each utterance."""
    gate = gate or Gate()
    seen = []
    for start in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
        heard = gate.feed(pcm[start : start + FRAME_BYTES])
        if heard in EVENTS:
            seen.append((heard, (start + FRAME_BYTES) // 16))
        if heard in (Heard.END, Heard.TOO_LONG):
            gate.reset()
    return seen


def test_silence_never_opens_it() -> None:
    assert events(silence(10_000)) == []


@pytest.mark.parametrize("level", [-60, -50, -45, -40])
def test_the_noise_of_a_line_never_opens_it(level: int) -> None:
    assert events(noise(20_000, level)) == []


def test_loud_steady_noise_is_learnt_and_shuts_it_again() -> None:
    seen = events(noise(40_000, -30))
    assert len(seen) <= 2, seen


def test_a_click_does_not_open_it() -> None:
    assert events(silence(500) + noise(20, -6) + silence(500) + noise(40, -6) + silence(500)) == []


@pytest.mark.parametrize("hertz", [440, 1000])
def test_a_tone_does_not_hold_it_open_for_ever(hertz: int) -> None:
    seen = [heard for heard, _ in events(tone(15_000, hertz))]
    assert seen[:2] in ([Heard.ONSET, Heard.END], [Heard.ONSET, Heard.TOO_LONG], [])


def test_it_opens_within_120_ms_of_a_voice_and_shuts_after_the_endpoint() -> None:
    [(first, opened), (second, shut)] = events(silence(500) + hum(600) + silence(1500))
    assert (first, second) == (Heard.ONSET, Heard.END)
    assert 500 < opened <= 620
    assert 1100 + 700 - 20 <= shut <= 1100 + 700 + 60


def test_a_pause_shorter_than_the_endpoint_does_not_end_the_utterance() -> None:
    seen = events(hum(400) + silence(600) + hum(400) + silence(1000))
    assert [heard for heard, _ in seen] == [Heard.ONSET, Heard.END]


def test_a_longer_endpoint_gives_her_longer_pauses() -> None:
    gate = Gate()
    gate.endpoint_ms = 1500
    seen = events(hum(400) + silence(1300) + hum(400) + silence(2000), gate)
    assert [heard for heard, _ in seen] == [Heard.ONSET, Heard.END]


def test_an_endless_voice_is_cut() -> None:
    (_, opened), (heard, cut), *_ = events(hum(4000), Gate(GateSettings(max_utterance_ms=3000)))
    assert heard is Heard.TOO_LONG
    assert cut - opened == 3000


def test_the_half_second_before_the_onset_is_kept() -> None:
    gate = Gate()
    marked = noise(800, -70) + hum(500)
    for start in range(0, len(marked), FRAME_BYTES):
        if gate.feed(marked[start : start + FRAME_BYTES]) is Heard.ONSET:
            break
    opened = start + FRAME_BYTES
    assert gate.pre_roll == marked[opened - len(gate.pre_roll) : opened]
    assert len(gate.pre_roll) // 16 >= 500 + 5 * FRAME_MS


def test_nothing_of_the_last_utterance_is_left_in_the_next() -> None:
    gate = Gate()
    events(hum(500), gate)
    gate.reset()
    assert gate.pre_roll == b""
    assert not gate.is_open


def test_a_frame_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="320"):
        Gate().feed(b"\0" * 160)


def test_a_voice_vibrates_and_noise_does_not() -> None:
    assert voiced_ms(hum(500)) >= 400
    assert voiced_ms(silence(1000)) == voiced_ms(b"") == voiced_ms(silence(20)) == 0
    assert max(voiced_ms(noise(1000, level)) for level in (-60, -40, -20)) == 0


@pytest.mark.parametrize("hertz", [350, 450, 1000])
def test_a_tone_is_no_voice_and_a_voice_no_tone(hertz: int) -> None:
    line = np.frombuffer(noise(1000, -50), dtype="<i2").astype(int)
    one, two = (np.frombuffer(tone(1000, h, -20), dtype="<i2") for h in (hertz, 440))
    assert is_tone((one + line).astype("<i2").tobytes())
    assert is_tone((one + two + line).astype("<i2").tobytes())
    assert not is_tone(hum(1000))
    assert not is_tone(silence(1000)) and not is_tone(b"")


def test_a_voice_is_found_wherever_it_is() -> None:
    assert is_voice(hum(500) + silence(3000), 80) and is_voice(silence(3000) + hum(500), 80)
    assert not is_voice(silence(3000) + hum(60), 80)
    assert not any(is_voice(tone(ms, 450), 80) for ms in (500, 3000))


def test_levels() -> None:
    assert level_dbfs(silence(20)) == -96
    assert level_dbfs(tone(20, 1000, -10)) == pytest.approx(-10, abs=0.2)
    assert level_dbfs(b"\x00\x80" * 160) == pytest.approx(0)


@pytest.mark.speech
@pytest.mark.parametrize("quieter_db", [0, 12, 20])
def test_words_open_it_once_each_even_from_a_quiet_voice(voice: Voice, quieter_db: int) -> None:
    opened = 0
    words = ("네", "목욕", "병원", "이야기", "월요일", "좋아요")
    for word in words:
        loud = np.frombuffer(silence(1000) + voice.say(word) + silence(1500), dtype="<i2").astype(float)
        line = np.frombuffer(noise(len(loud) // 8 + 1, -65), dtype="<i2")[: len(loud)]
        seen = events((loud * 10 ** (-quieter_db / 20) + line).astype("<i2").tobytes())
        opened += [heard for heard, _ in seen] == [Heard.ONSET, Heard.END]
    assert opened >= len(words) - (1 if quieter_db == 20 else 0)
