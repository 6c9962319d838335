"""P5: a key's end → the first sound of the next prompt, at the far end of a real line, ours ÷ dialplan Read + Playback.

The same telephones ring both sides at the same time, wait out each prompt and
press: every key of the journey is a sample, the one that places the order too.
A telephone has one clock of 20 ms: it sends the end of a key with a tick and
plays what has come with the next one. P5 and P5p95 are by that clock, on both
sides; P5wire is when the packet came, finer than anybody hears.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from statistics import median

from models.settings import settings
from tests.bench import journey
from tests.bench.report import Figure, compare, table
from tests.bench.room import Exchange, Room
from tests.bench.telephone import PACKET_MS, Telephone

GOAL, LIMIT_MS = 1.2, 60
ROUNDS, TELEPHONES = 2, 10  # a side: 80 keys
# One begins after the other, so that no two keys of one side fall together (s).
APART_S = 0.31
OURS, PLAIN = "ours", "plain"


HEAD = ("key → first sound, ms", "keys", "wire, median", "p95", "worst", "ear, median", "p95", "worst")


def at_the_ear(ms: float) -> int:
    """Return when it is heard that came after `ms`: with the telephone's next tick."""
    return max(1, math.ceil(ms / PACKET_MS)) * PACKET_MS


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile: the smallest value that at least 95 % do not exceed."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def call(sip_port: int, service: str, number: str, begin_s: float = 0) -> list[float]:
    """Ring, press the journey's keys, each after its prompt; return from each key's end to the next sound (ms)."""
    time.sleep(begin_s)
    found: list[float] = []
    with Telephone(sip_port, number) as telephone:
        telephone.ring(service)
        telephone.hear()
        for key in journey.KEYS:
            ended = telephone.press(key)
            found.append(telephone.hear().first_ms - ended)
        telephone.hang_up()
    return found


@cache
def measure() -> dict[str, list[list[float]]]:
    """Measure once a run; return the keys' figures of both sides, round by round (ms)."""
    rounds: dict[str, list[list[float]]] = {OURS: [], PLAIN: []}
    with (
        Room(lambda: journey.dialplan(journey.walk()), SPEECH="false", VOICE="espeak") as room,
        ThreadPoolExecutor(2 * TELEPHONES) as threads,
    ):
        unmade = _unmade(room, threads)  # Warms prompts and connections for what follows, too.
        journey.walk()
        for number in range(ROUNDS):
            for side, found in _round(room, threads, room.exchanges[:: 1 if number % 2 == 0 else -1]).items():
                rounds[side].append(found)
        lines = [line(side, [ms for one in rounds[side] for ms in one]) for side in (OURS, PLAIN)]
        lines.append(line("ours, prompts not yet made", unmade))
    print(f"P5: each side {ROUNDS} × {TELEPHONES} calls")  # noqa: T201
    print(table(HEAD, lines), flush=True)  # noqa: T201
    return rounds


def _round(room: Room, threads: ThreadPoolExecutor, pair: Sequence[Exchange]) -> dict[str, list[float]]:
    """Ring both sides at the same time."""
    elders, before = room.new_elders(TELEPHONES), room.orders()
    sides = zip((OURS, PLAIN), pair, (journey.NUMBER, journey.PLAIN), (0.0, APART_S / 2), strict=True)
    ringing = {
        side: [
            threads.submit(call, exchange.sip_port, service, elder, later + APART_S * n)
            for n, elder in enumerate(elders)
        ]
        for side, exchange, service, later in sides
    }
    found = {side: [ms for one in calls for ms in one.result()] for side, calls in ringing.items()}
    if room.orders() - before != TELEPHONES:
        raise AssertionError(f"{TELEPHONES} calls left {room.orders() - before} orders")
    return found


def _unmade(room: Room, threads: ThreadPoolExecutor) -> list[float]:
    """One call in each language, every prompt of which is still to be spoken by the voice."""
    for file in settings().prompt_dir.glob("espeak/*/*.wav"):
        file.unlink()
    elders = [room.new_elders(1, language)[0] for language in settings().languages]
    port = room.exchanges[0].sip_port
    calls = [threads.submit(call, port, journey.NUMBER, elder, n * APART_S) for n, elder in enumerate(elders)]
    return [ms for one in calls for ms in one.result()]


def line(name: str, values: Sequence[float]) -> tuple[object, ...]:
    """Return one row under `HEAD`."""
    heard = list(map(at_the_ear, values))
    return (
        name,
        len(values),
        *(f"{ms:.1f}" for ms in (median(values), p95(values), max(values))),
        *(f"{ms:.0f}" for ms in (median(heard), p95(heard), max(heard))),
    )


def run() -> Figure:
    """P5: the medians at the ear, side by side."""
    ours, plain = ([median(map(at_the_ear, one)) for one in measure()[side]] for side in (OURS, PLAIN))
    return compare(ours, plain, GOAL, "ms")


def run_wire() -> Figure:
    """P5wire: the same when the packets came, without a goal: Asterisk alone has no row to commit between the two."""
    ours, plain = (list(map(median, measure()[side])) for side in (OURS, PLAIN))
    return compare(ours, plain, None, "ms")


def run_p95() -> Figure:
    """P5p95: what 95 % of our keys do not exceed, at the ear, ÷ 60 ms."""
    slow = [float(at_the_ear(p95(one))) for one in measure()[OURS]]
    return compare(slow, [LIMIT_MS] * len(slow), 1.0, "ms")
