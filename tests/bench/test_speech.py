"""The speech benchmarks, a little of each: that they measure, and can fail."""

from __future__ import annotations

import numpy as np
import pytest

from ivr.speech import fillers
from tests.bench import foreign, p4, recog, streams
from tests.speech import test_recognition
from tests.speech.support import hum, silence

pytestmark = [pytest.mark.speech, pytest.mark.xdist_group("korean")]


def test_a_television_that_says_the_right_words_orders_and_one_that_mumbles_does_not() -> None:
    everything: dict[str, list[str | None]] = {"open": ["내일 목욕"], "when": ["오후"], "readback": ["네"]}
    caller, returning = recog.CALLERS.values()
    assert recog.orders(everything, caller, 100) == 100
    assert recog.orders({**everything, "readback": [None]}, caller, 100) == 0
    assert recog.orders({**everything, "open": [None]}, caller, 100) == 0
    # Whoever has a habit is nearer to it: "yes", and the service besides.
    assert recog.orders({"anything": ["네"], "readback": ["네 목욕"]}, returning, 100) == 100
    assert recog.orders({"anything": ["네"], "readback": ["네"]}, returning, 100) == 0
    assert recog.orders({"anything": ["아니요"], "open": [None], "readback": ["네"]}, returning, 100) == 0


def test_what_is_reported_of_foreign_speech_is_none_of_what_the_fillers_were_chosen_on() -> None:
    said = {word for utterance in foreign.REPORTED for word in utterance.split()}
    chosen_on = {word for one in (*test_recognition.FOREIGN, *foreign.CHOSEN_ON) for word in one.split()}
    assert not said & (chosen_on | set(fillers.FILLERS["ko"]))
    assert len(foreign.REPORTED) == len(set(foreign.REPORTED)) >= 72


def test_most_answers_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recog, "ANSWERS", {"day": ("내일", "모레"), "readback": ("좋아요",)})
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


def test_an_answer_is_timed_from_the_end_of_a_word_and_a_missing_one_is_an_error() -> None:
    told, heard = np.zeros(3000, bool), np.zeros(3000, bool)
    told[500:700] = told[800:900] = told[2000:2100] = True  # a pause within the first word
    heard[1650:1800] = heard[2900:] = True
    ends = [end for _, end in p4.spans(told, 600)]
    assert ends == [899, 2099]
    assert p4.answered(ends, heard) == [751, 801]
    with pytest.raises(AssertionError, match="not answered"):
        p4.answered(ends, np.zeros(3000, bool))
