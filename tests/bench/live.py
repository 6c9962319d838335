"""P3: live calls that one core listens to ÷ what bare Vosk could decode on it.

A live stream is everything that Asterisk sends to the server in one whole order by voice: recorded over SIP at the
beginning of the run (live_call.py), played again by many. In a call the stream is open while our prompts play and while
she listens and thinks. That is most of it, the hiss of a line, and what the gate is for; bare Vosk has to decode it.
Both get exactly the same audio, question by question with the question's phrase list. Callers are anywhere in their
calls, by dice, not evenly spread; whoever was answered goes on as she did when it was recorded, and rings again when
the call is over. That one core carries less of speech without a pause is said by P3dense (streams.py).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from ivr.speech.gate import FRAME_MS
from ivr.speech.protocol import SPEAKING, SUBPROTOCOL
from tests.bench import live_call, streams
from tests.bench.live_call import LANGUAGE, Turn
from tests.bench.report import Figure

GOAL = 0.85
FIRST = 1.7  # of bare Vosk's streams: where the search begins
TRIAL_S = 15
WARM_UP_S = 3.0
# An answer that has not come by then does not come (s).
_LOST_S = 3.0
_FRAME_S = FRAME_MS / 1000
_HISS = 10  # frames at the end of a question, after the end of her words


class Call:
    """One stream to the server, as Asterisk opens it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._idents = itertools.count(1)
        self._agreed: asyncio.Queue[None] = asyncio.Queue()
        self._answered_at: float | None = None

    async def listen(self) -> None:
        """Take what the server says, and acknowledge its results at once."""
        async for message in self._socket:
            told = json.loads(message)
            if "response" in told:
                self._agreed.put_nowait(None)
            elif told.get("request") == "set":
                if told["params"]["results"][0]["text"] != SPEAKING:
                    self._answered_at = time.monotonic()
                await self._socket.send(json.dumps({"response": "set", "id": told["id"]}))

    async def ask(self, request: str, **fields: object) -> None:
        """Send a request; returns when the server has agreed."""
        await self._socket.send(json.dumps({"request": request, "id": str(next(self._idents)), **fields}))
        await self._agreed.get()

    async def play(self, turn: Turn, first: int, until: float) -> tuple[float, float] | None:
        """One question from the frame `first` on: when she had ended, and how long the answer took (ms).

        None where the moment `until` comes before she has ended.
        """
        for params in turn.sets:
            await self.ask("set", params=params)
        self._answered_at = None
        began = time.monotonic() - turn.at[first]
        ended = 0.0
        for number in range(first, len(turn.frames)):
            await self._send(turn.frames[number], began + turn.at[number])
            if number == turn.end:
                ended = time.monotonic()
            if not ended and time.monotonic() > until:
                return None
        # Her line goes on hissing until she is answered.
        for more in itertools.count(1):
            if self._answered_at is not None:
                return ended, max(0.0, self._answered_at - ended) * 1000
            if time.monotonic() - ended > _LOST_S:
                return ended, streams.NEVER_MS
            await self._send(turn.frames[more % _HISS - _HISS], began + turn.seconds + more * _FRAME_S)
        raise AssertionError

    async def _send(self, frame: bytes, due: float) -> None:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        await self._socket.send(frame)


async def caller(port: int, turns: Sequence[Turn], at: float, counted: tuple[float, float]) -> list[float]:
    """Ring again and again, the first time from the second `at` of the call on.

    Returns how long the answers took (ms) to what ended between the moments `counted`.
    """
    since, until = counted
    lags: list[float] = []
    begins = list(itertools.accumulate((turn.seconds for turn in turns), initial=0.0))
    number = next(nth for nth in reversed(range(len(turns))) if begins[nth] <= at)
    first = sum(moment < at - begins[number] for moment in turns[number].at)
    if first >= (turns[number].onset or 0):
        # She is speaking just then: who begins in the middle of a word is no caller. The next question is waited for.
        await asyncio.sleep(begins[number + 1] - at)
        number, first = (number + 1) % len(turns), 0
    while time.monotonic() < until:
        uri = f"ws://127.0.0.1:{port}/{LANGUAGE}"
        async with connect(uri, subprotocols=[SUBPROTOCOL], compression=None, proxy=None, max_queue=None) as socket:  # type: ignore[list-item]
            call = Call(socket)
            listening = asyncio.create_task(call.listen())
            await call.ask("setup", codecs=[{"name": "slin"}], params={"language": LANGUAGE})
            for turn in turns[number:]:
                told = await call.play(turn, first, until)
                first = 0
                if told is not None and told[0] >= since:
                    lags.append(told[1])
                if time.monotonic() > until:
                    break
            number = 0
            listening.cancel()
    return lags


async def crowd(turns: Sequence[Turn], port: int, callers: int) -> list[float]:
    """So many callers at once, each somewhere in her call: how long each of their answers took (ms)."""
    dice = random.Random(callers)
    length, now = sum(turn.seconds for turn in turns), time.monotonic()
    counted = now + WARM_UP_S, now + WARM_UP_S + TRIAL_S
    found = await asyncio.gather(*(caller(port, turns, dice.uniform(0, length), counted) for _ in range(callers)))
    return [lag for one in found for lag in one]


def spoken_share(turns: Sequence[Turn]) -> float:
    """How much of the call the gate lets through, the pre-roll and the endpoint included."""
    open_frames = sum(turn.end - turn.onset for turn in turns if turn.end is not None and turn.onset is not None)
    return open_frames * _FRAME_S / sum(turn.seconds for turn in turns)


def run() -> Figure:
    """P3."""
    with tempfile.TemporaryDirectory(prefix="hotline-live-") as folder:
        turns = live_call.record(Path(folder))
        length = sum(turn.seconds for turn in turns)
        print(f"P3: {len(turns)} questions, {length:.0f} s, the gate open for {spoken_share(turns):.0%} of it")  # noqa: T201
        bare = [(turn.grammar, b"".join(turn.frames)) for turn in turns]
        return streams.search(partial(crowd, turns), bare, FIRST, GOAL)
