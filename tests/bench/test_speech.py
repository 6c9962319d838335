"""The speech benchmarks, a little of each: that they measure, and can fail."""

from __future__ import annotations

from datetime import date

import pytest

from ivr.understanding import Meaning, When
from tests.bench import recog, streams
from tests.speech.support import hum, silence

pytestmark = [pytest.mark.speech, pytest.mark.xdist_group("korean")]

ORDER = Meaning("order", service="bathing", when=When(date(2026, 3, 5), "morning"))
YES = Meaning("yes")


def test_a_television_that_says_the_right_words_orders_and_one_that_mumbles_does_not() -> None:
    everything: dict[str, list[Meaning | None]] = {asked: [ORDER] for asked in ("open", "service", "day", "part")}
    assert recog.orders({**everything, "confirm": [YES]}, 100) == 100
    assert recog.orders({**everything, "confirm": [None]}, 100) == 0
    assert recog.orders({**everything, "open": [None], "confirm": [YES]}, 100) == 0


def test_most_answers_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recog, "ANSWERS", {"day": ("내일", "모레"), "confirm": ("좋아요",)})
    right, _, total = recog.answers(recog.open_ears(), [("ko", 140, 50)], [None])
    assert right >= 2 and total == 3


def test_the_gate_costs_a_fiftieth_of_decoding_at_most() -> None:
    ears = recog.open_ears()
    pcm = streams.speech(ears)
    assert streams.gate_ms(10) < 0.02 * 1000 * streams.real_time_factor(ears, pcm) * 3


def test_the_frame_that_ends_an_utterance_is_found() -> None:
    pcm = silence(700) + hum(500) + silence(1000)
    assert 1800 <= streams.ends(pcm) * 20 <= 2000
    with pytest.raises(AssertionError):
        streams.ends(silence(3000))
