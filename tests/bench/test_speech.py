"""The speech benchmarks, a little of each: that they measure, and can fail."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve

from ivr.speech import fillers
from tests.bench import foreign, live, live_call, p4, recog, streams
from tests.bench.telephone import linear
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
    assert streams.gate_ms(10) < 0.02 * 1000 * streams.real_time_factor(ears, [(streams.GRAMMAR, pcm)]) * 3


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


@pytest.mark.parametrize(("first", "limit", "found"), [(40, 47, 46), (40, 44, 44), (40, 33, 32), (40, 39, 38)])
def test_callers_are_added_or_taken_away_until_their_answers_come_in_time(
    first: int, limit: int, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "loaded", lambda _server, _crowd, count: 100.0 if count <= limit else 400.0)
    assert streams.carried(None, None, first) == found  # type: ignore[arg-type]
    monkeypatch.setattr(streams, "loaded", lambda *_: streams.NEVER_MS)
    with pytest.raises(AssertionError, match="not one caller"):
        streams.carried(None, None, first)  # type: ignore[arg-type]


SPOKEN = silence(300) + hum(400) + silence(900)


def passed(grammar: str, began: float) -> list[tuple[float, str | bytes]]:
    """What a tap notes of one question: its sets, and frames of 20 ms in pieces of 200 bytes."""
    sets = [json.dumps({"request": "set", "params": params}) for params in ({"grammar": grammar}, {"prompt": "/p"})]
    pieces = [SPOKEN[at : at + 200] for at in range(0, len(SPOKEN), 200)]
    sound = [(began + 0.05 + nth / 80, piece) for nth, piece in enumerate(pieces)]
    return [(began, sets[0]), (began, '{"response": "set"}'), (began, sets[1]), *sound]


def test_a_call_is_cut_into_its_questions_with_their_sound_and_the_end_of_the_words() -> None:
    one, other = live_call.turns_of([(0.0, '{"request": "setup"}'), *passed("open", 1.0), *passed("when", 4.0)])
    assert (one.grammar, other.grammar, one.sets[1]) == ("open", "when", {"prompt": "/p"})
    assert b"".join(one.frames) == SPOKEN and one.at[0] == pytest.approx(0.0625) and one.seconds < 1.8
    assert one.onset is not None and 15 <= one.onset < 25 and other.end == streams.ends(SPOKEN)
    assert 0.5 < live.spoken_share([one, other]) < 0.8


def test_a_telephone_speaks_a_law_as_it_hears_it() -> None:
    said = np.array([-30000, -500, -8, 8, 500, 30000])
    heard = [(1 if code & 0x80 else -1) * linear(code) for code in live_call.a_law(said)]
    assert heard == pytest.approx(said, rel=0.04)


@pytest.mark.parametrize(("answers", "lag"), [(True, 40), (False, streams.NEVER_MS)])
def test_an_answer_in_a_call_is_timed_and_one_that_never_comes_is_late(
    answers: bool, lag: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_LOST_S", 0.3)
    [turn] = live_call.turns_of(passed("open", 0.0))
    assert turn.end is not None
    asked: list[str] = []
    result = {"request": "set", "id": "r", "params": {"results": [{"text": "네"}]}}

    async def speech_server(socket: ServerConnection) -> None:
        frames = 0
        async for message in socket:
            if isinstance(message, bytes):
                frames += 1
                if answers and frames == turn.end + 1:  # type: ignore[operator]
                    await asyncio.sleep(0.04)
                    await socket.send(json.dumps(result))
            elif "request" in (told := json.loads(message)):
                asked.append(told.get("params", {}).get("grammar", ""))
                await socket.send(json.dumps({"response": told["request"], "id": told["id"]}))

    async def one_call() -> list[float]:
        async with serve(speech_server, "127.0.0.1", 0, subprotocols=["speech_to_text"]) as server:  # type: ignore[list-item]
            now = asyncio.get_running_loop().time()
            return await live.caller(server.sockets[0].getsockname()[1], [turn], 0.0, (now, now + 1.6))

    assert asyncio.run(one_call()) == [pytest.approx(lag, abs=40)]
    assert "open" in asked
