"""REC: what recording costs Asterisk a second of a call. Reported, without a goal.

The same parked calls twice, in rooms that differ in nothing but HOTLINE_RECORDING; processor time of Asterisk alone.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench import journey
from tests.bench.cpu import Meter
from tests.bench.journey import Journey
from tests.bench.load import Load
from tests.bench.memory import parked
from tests.bench.report import Figure
from tests.bench.room import Room

CALLS = 20
RATE = 5.0  # begun a second
HELD_S = 25


def run() -> Figure:
    """Print and return Asterisk's processor time a second of a call with recording against without (ms)."""
    off, on = _asterisk_ms(False), _asterisk_ms(True)
    print(f"REC: Asterisk, ms of CPU a second of a call: {off:.2f} without, {on:.2f} with recording")  # noqa: T201
    return Figure(round(on / off, 2), "lower", None, round(on, 3), round(off, 3), "ms", f"{CALLS} calls of {HELD_S} s")


def _asterisk_ms(recording: bool) -> float:
    still = partial(journey.dialplan, Journey((), ()))
    more: dict[str, Any] = {"RECORDING": str(recording).lower(), "RECORDING_FREE_GB": 0}
    with Room(still, SPEECH="false", VOICE="espeak", ANSWER_TIMEOUT_MS=120_000, **more) as room:
        _ring(room, 1, 1.0)
        meter = Meter({"Asterisk": room.exchanges[0].pid})
        _ring(room, CALLS, HELD_S)
        return sum(meter.lap().values()) / (CALLS * HELD_S)


def _ring(room: Room, calls: int, held_s: float) -> None:
    load = Load(parked(held_s), journey.NUMBER, room.exchanges[0].sip_port, room.sipp_ports[0], room.media_port, RATE)
    load.begin(Path(tempfile.mkdtemp(dir=room.folder)), room.new_elders(calls)).wait()
    room.wait_for_the_last()
