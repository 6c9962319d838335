"""P1m: memory of the FastAGI server with 200 calls open, all at the first question, and what one of them takes."""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path

import psutil

from tests.bench import journey
from tests.bench.journey import Journey
from tests.bench.load import Load
from tests.bench.report import Figure
from tests.bench.room import Room

# On one Asterisk: two name calls of the same second alike now and then, and rows of calls are told by that name.
CALLS = 200
RATE = 15.0  # begun a second
HELD_S = 25
START_S = 60


def parked(seconds: float) -> Journey:
    """Return the journey of somebody who says nothing and presses nothing, and hangs up after so long."""
    return Journey((), (round(seconds * 1000) - journey.THINKS_MS,), keys=())


def run() -> Figure:
    """Print and return resident memory with all calls open against that before the first (MB)."""
    still = partial(journey.dialplan, Journey((), ()))
    with Room(still, SPEECH="false", VOICE="espeak", ANSWER_TIMEOUT_MS=120_000) as room:
        server = psutil.Process(room.pids["FastAGI server"])
        _ring(room, 1, 1.0)  # What the first call loads is no call's own.
        empty = _mb(server)
        held = _ring(room, CALLS, HELD_S, server)
        left = _mb(server)
    print(  # noqa: T201
        f"P1m: {empty:.1f} MB at rest, {held:.1f} MB with {CALLS} calls open "
        f"({(held - empty) * 1000 / CALLS:.0f} kB a call), {left:.1f} MB after them"
    )
    a_call = f"{(held - empty) * 1000 / CALLS:.0f} kB a call; {left:.1f} MB after"
    return Figure(round(held / empty, 3), "lower", None, round(held, 1), round(empty, 1), "MB", a_call)


def _ring(room: Room, calls: int, held_s: float, server: psutil.Process | None = None) -> float:
    """Let so many elders ring and hold the line; return the server's memory while all of them do, if asked (MB)."""
    used = 0.0
    load = Load(parked(held_s), journey.NUMBER, room.exchanges[0].sip_port, room.sipp_ports[0], room.media_port, RATE)
    running = load.begin(Path(tempfile.mkdtemp(dir=room.folder)), room.new_elders(calls))
    if server is not None:
        deadline = time.monotonic() + START_S
        while room.open_calls() < calls:
            if time.monotonic() > deadline:
                raise AssertionError(f"only {room.open_calls()} calls are open")
            time.sleep(0.2)
        time.sleep(1)
        used = _mb(server)
        if room.open_calls() != calls:
            raise AssertionError("the first call was over before the last one began")
    running.wait()
    room.wait_for_the_last()
    return used


def _mb(process: psutil.Process) -> float:
    return process.memory_info().rss / 1e6
