"""P3dense: callers without a pause that one core carries ÷ what bare Vosk could decode; GATE: what the gate costs.

The server and all its recognisers share one core, the callers have another. Streams a core: the most callers of whom
95 % have their answers less than 300 ms after the frame that ended the utterance. They are added until that fails: what
one of ten costs says too little, for a server with much to do takes several pieces of audio each time it wakes up, and
one with little one. Bare Vosk decodes exactly the same audio, with the same phrase lists, in pieces of 100 ms.

P3dense is speech nearly without end, as nobody on a telephone does: a sentence of some 3 s, a pause of 1.2 s, and so
on, the callers evenly spread. There the gate saves nothing, and what is measured is what sockets and processes add to
decoding. P3 is a live call (live.py).
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from ivr.speech.gate import FRAME_BYTES, FRAME_MS, Gate
from ivr.speech.gate import Heard as Activity
from ivr.speech.protocol import SPEAKING
from models.orphans import dies_with
from models.settings import ROOT
from tests.bench.recog import Ears, open_ears
from tests.bench.report import Figure
from tests.speech.support import health, silence
from tests.support.ports import PortBlock

LARGEST_LAG_MS = 300
GRAMMAR = "service"
SENTENCE = "내일 오후에 목욕 하고 싶어요 이야기도 하고 싶어요"
PAUSE_MS = 1200
TRIAL_S = 20
ROUNDS = 3
SEARCHES = 2
# The search begins at this share of what bare Vosk could decode, and goes up by so many callers, or a tenth.
FIRST_DENSE, STEP = 0.6, 4
PIECE_MS = 100
NEVER_MS = 9999.0

# Given the server's port and how many callers there are: how long each of their answers took (ms).
Crowd = Callable[[int, int], Coroutine[Any, Any, list[float]]]


def speech(ears: Ears) -> bytes:
    """One round of a caller, in whole frames."""
    pcm = ears.voice.say(SENTENCE) + silence(PAUSE_MS)
    return pcm[: len(pcm) // FRAME_BYTES * FRAME_BYTES]


def real_time_factor(ears: Ears, turns: Sequence[tuple[str, bytes]]) -> float:
    """CPU time of bare Vosk for a second of audio: (phrase list, audio) one after the other, each by a recogniser."""
    used = 0.0
    for grammar, pcm in turns:
        utterance = ears.model.utterance(ears.grammar(grammar))
        made = time.process_time()
        recogniser = utterance._recogniser  # type: ignore[attr-defined]  # bare: without gate, match and voicing
        for start in range(0, len(pcm), PIECE_MS * 16):
            if recogniser.AcceptWaveform(pcm[start : start + PIECE_MS * 16]):
                recogniser.Result()
        recogniser.FinalResult()
        used += time.process_time() - made
    return used / (sum(len(pcm) for _, pcm in turns) / 16000)


def ends(pcm: bytes) -> int:
    """The frame of `pcm` that ends the utterance."""
    gate = Gate()
    for number in range(len(pcm) // FRAME_BYTES):
        if gate.feed(pcm[number * FRAME_BYTES : (number + 1) * FRAME_BYTES]) is Activity.END:
            return number
    raise AssertionError("the utterance does not end")


async def caller(port: int, pcm: bytes, end: int, until: float, offset_s: float) -> list[float]:
    """Speak in real time; return how long after its end each utterance was answered (ms)."""
    lags: list[float] = []
    uri = f"ws://127.0.0.1:{port}/ko"
    async with connect(uri, subprotocols=["speech_to_text"], compression=None, proxy=None, max_queue=None) as socket:  # type: ignore[list-item]
        setup = {"request": "setup", "id": "1", "codecs": [{"name": "slin"}], "params": {"language": "ko"}}
        for request in (setup, {"request": "set", "id": "2", "params": {"grammar": GRAMMAR}}):
            await socket.send(json.dumps(request))
            await socket.recv()
        due: list[float] = []

        async def listen() -> None:
            async for message in socket:
                told = json.loads(message)
                if told.get("request") != "set":
                    continue
                await socket.send(json.dumps({"response": "set", "id": told["id"]}))
                if told["params"]["results"][0]["text"] != SPEAKING and due:
                    lags.append((time.monotonic() - due.pop(0)) * 1000)

        listening = asyncio.create_task(listen())
        await asyncio.sleep(offset_s)
        began, sent = time.monotonic(), 0
        frames = len(pcm) // FRAME_BYTES
        while time.monotonic() < until:
            number = sent % frames
            await socket.send(pcm[number * FRAME_BYTES : (number + 1) * FRAME_BYTES])
            if number == end:
                due.append(time.monotonic())
            sent += 1
            await asyncio.sleep(max(0.0, began + sent * FRAME_MS / 1000 - time.monotonic()))
        await asyncio.sleep(0.5)
        listening.cancel()
        # What was never answered counts as late.
        return lags + [NEVER_MS] * len(due)


async def dense(pcm: bytes, port: int, streams: int) -> list[float]:
    """So many callers who hardly stop speaking: how long each of their answers took (ms)."""
    until, length, end = time.monotonic() + TRIAL_S, len(pcm) / 16000, ends(pcm)
    offsets = [length * number / streams for number in range(streams)]
    # The first utterances warm up.
    found = await asyncio.gather(*(caller(port, pcm, end, until, offset) for offset in offsets))
    return [lag for one in found for lag in one[1:]]


class Server:
    """`python -m ivr.speech` on a core of its own."""

    def __init__(self, core: int) -> None:
        self._stack = ExitStack()
        self._core = core
        self.port = self.pid = 0

    def _begin(self, parent: int) -> None:
        dies_with(parent, signal.SIGTERM)
        os.sched_setaffinity(0, {self._core})

    def __enter__(self) -> Server:
        block = PortBlock()
        self._stack.callback(block.release)
        self.port = block.take()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="hotline-bench-"))
        env = {**os.environ, "HOTLINE_SPEECH_PORT": str(self.port), "HOTLINE_VAR_DIR": folder}
        log = self._stack.enter_context((Path(folder) / "log").open("w"))
        process = subprocess.Popen(
            [sys.executable, "-m", "ivr.speech"], cwd=ROOT, env=env, stderr=log,
            preexec_fn=partial(self._begin, os.getpid()),
        )  # fmt: skip
        self.pid = process.pid
        self._stack.callback(process.wait)
        self._stack.callback(process.send_signal, signal.SIGTERM)
        for _ in range(300):
            try:
                if health(self.port)[0] == 200:
                    return self
            except OSError:
                time.sleep(0.1)
            time.sleep(0.1)
        self._stack.close()
        raise AssertionError("the speech server does not start")

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def loaded(server: Server, crowd: Crowd, streams: int) -> float:
    """Return the 95th percentile of the lag (ms) of so many callers."""
    began, used = time.monotonic(), _cpu_ms(server.pid)
    try:
        lags = sorted(asyncio.run(crowd(server.port, streams)))
    except InvalidStatus:
        lags = []  # it refuses more: decoding is too far behind already
    lag = lags[math.ceil(0.95 * len(lags)) - 1] if lags else NEVER_MS
    share = (_cpu_ms(server.pid) - used) / 1000 / (time.monotonic() - began)
    while _behind_ms(server.port) > LARGEST_LAG_MS:
        time.sleep(0.2)  # it catches up, and forgets
    print(f"{streams} streams: p95 lag {lag:.0f} ms of {len(lags)} answers, {share:.0%} of the core", flush=True)  # noqa: T201
    return lag


def _behind_ms(port: int) -> float:
    told: Any = health(port)[1]
    return float(told["lag_p95_ms"])


def carried(server: Server, crowd: Crowd, first: int) -> int:
    """Return the largest number of callers whose lag is small enough: in steps up or down, then once a half step more.

    Raises:
        AssertionError: it carries nobody.
    """
    step = max(STEP, first // 10)

    def fits(streams: int) -> bool:
        return loaded(server, crowd, streams) < LARGEST_LAG_MS

    best = first
    if fits(best):
        while fits(best + step):
            best += step
    else:
        best -= step
        while best > 0 and not fits(best):
            best -= step
        if best <= 0:
            raise AssertionError("not one caller is answered in time")
    half = best + step // 2
    return half if fits(half) else best


def search(crowd: Crowd, turns: Sequence[tuple[str, bytes]], first: float, goal: float | None) -> Figure:
    """Add callers until their answers come late, from the share `first` of bare Vosk's streams on.

    Bare Vosk decodes `turns` right before each search, on the same core.
    """
    cores = sorted(os.sched_getaffinity(0))
    ears = open_ears()
    bare, ours = [], []
    try:
        with Server(cores[0]) as server:
            for _ in range(SEARCHES):
                os.sched_setaffinity(0, {cores[0]})
                bare.append(1 / real_time_factor(ears, turns))
                print(f"bare Vosk: {bare[-1]:.1f} streams", flush=True)  # noqa: T201
                os.sched_setaffinity(0, {cores[-1]})
                ours.append(carried(server, crowd, int(bare[0] * first)))
    finally:
        os.sched_setaffinity(0, cores)
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    spread = f"{min(ratios):.3f}–{max(ratios):.3f} over {SEARCHES} searches, p95 lag < {LARGEST_LAG_MS} ms"
    ratio = round(median(ours) / median(bare), 3)
    return Figure(ratio, "higher", goal, round(median(ours), 1), round(median(bare), 1), "streams a core", spread)


def run_dense() -> Figure:
    """P3dense: no goal; it stands beside P3, so that the easier stream hides nothing."""
    pcm = speech(open_ears())
    return search(partial(dense, pcm), [(GRAMMAR, pcm * 3)], FIRST_DENSE, None)


@cache
def gate_ms(seconds: int = 30) -> float:
    """CPU of the gate for a second of audio (ms), speech and pauses."""
    pcm = speech(open_ears())
    gate, began, frames = Gate(), time.process_time(), seconds * 1000 // FRAME_MS
    for number in range(frames):
        start = number * FRAME_BYTES % len(pcm)
        if gate.feed(pcm[start : start + FRAME_BYTES]) in (Activity.END, Activity.TOO_LONG):
            gate.reset()
    return (time.process_time() - began) * 1000 / seconds


def gate() -> Figure:
    """GATE: CPU of the gate ÷ 2 % of the CPU of decoding the same audio."""
    ears = open_ears()
    pcm = speech(ears)
    ratios, ours, other = [], [], []
    for _ in range(ROUNDS):
        gate_ms.cache_clear()
        ours.append(gate_ms())
        began = time.process_time()
        real_time_factor(ears, [(GRAMMAR, pcm * 3)])
        other.append((time.process_time() - began) * 1000 / (len(pcm) * 3 / 16000) * 0.02)
        ratios.append(ours[-1] / other[-1])
    print(f"GATE: transport beside it, a WebSocket frame in and out of the server: {transport_ms():.1f} ms a second")  # noqa: T201
    spread = f"{min(ratios):.2f}–{max(ratios):.2f} over {ROUNDS} rounds"
    return Figure(
        round(median(ratios), 3),
        "lower",
        1.0,
        round(median(ours), 3),
        round(median(other), 3),
        "ms CPU a second",
        spread,
    )


def transport_ms() -> float:
    """CPU of the server's processes for a second of a listening, silent stream, less the gate's (ms)."""
    cores = sorted(os.sched_getaffinity(0))
    with Server(cores[0]) as server:
        used = [_cpu_ms(server.pid)]
        asyncio.run(_silent_streams(server.port, 10, 6.0))
        used.append(_cpu_ms(server.pid))
    return (used[1] - used[0]) / 60 - gate_ms()


def _cpu_ms(pid: int) -> float:
    parent = psutil.Process(pid)
    return sum(sum(one.cpu_times()[:2]) for one in (parent, *parent.children(recursive=True))) * 1000


async def _silent_streams(port: int, streams: int, seconds: float) -> None:
    pcm = silence(2000)
    until = time.monotonic() + seconds
    await asyncio.gather(*(caller(port, pcm, -1, until, 0.002 * number) for number in range(streams)))
