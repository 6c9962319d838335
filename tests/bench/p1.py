"""P1: CPU of one inbound journey with a durable order ÷ the same prompts and keys in Asterisk alone."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from tests.bench import journey, profile
from tests.bench.cpu import Meter, resting_ms
from tests.bench.journey import Journey
from tests.bench.load import Load
from tests.bench.report import Figure, compare, table
from tests.bench.room import Exchange, Room

GOAL = 1.25
ROUNDS = 4
CALLS = 50  # a round and side: 200 in all
RATE = 4.0  # begun a second and side
IDLE_S = 10
PROFILED_CALLS = 40
OURS, PLAIN = "Asterisk, ours", "Asterisk, plain"


@dataclass
class Measured:
    """CPU of each process in each round, a call, less what it uses when nobody rings (ms)."""

    rounds: list[dict[str, float]] = field(default_factory=list)

    def ours(self) -> list[float]:
        """All our processes and their Asterisk, by round."""
        return [sum(ms for name, ms in one.items() if name != PLAIN) for one in self.rounds]

    def plain(self) -> list[float]:
        """The other side, by round."""
        return [one[PLAIN] for one in self.rounds]

    def table(self) -> str:
        """Medians a process."""
        rows = [(name, f"{median(one[name] for one in self.rounds):.2f}") for name in self.rounds[0]]
        return table(("CPU a call", "ms"), rows)


@dataclass(frozen=True)
class How:
    """How much is measured: calls a round and side, begun a second; who rings, and what her line sends."""

    rounds: int = ROUNDS
    calls: int = CALLS
    rate: float = RATE
    language: str = journey.LANGUAGE
    audio: str = ""


class Bench:
    """One run: an idle look, the rounds, and what they cost."""

    def __init__(self, room: Room, walked: Journey, how: How | None = None) -> None:
        self._room, self._journey, self._how = room, walked, how or How()
        self._rounds, self._calls = self._how.rounds, self._how.calls

    def measure(self) -> Measured:
        """Measure; every call must have left its order."""
        self._round(self._room.exchanges, min(10, self._calls))  # Warms caches, connections, prompts.
        idle = self._idle()
        print(f"  idle, ms CPU a second: { {name: round(ms, 2) for name, ms in idle.items()} }")  # noqa: T201
        measured = Measured()
        for number in range(self._rounds):
            pair = self._room.exchanges[:: 1 if number % 2 == 0 else -1]
            used, seconds = self._round(pair, self._calls)
            at_rest = {**idle, OURS: idle[pair[0].name], PLAIN: idle[pair[1].name]}
            one = {name: (ms - at_rest[name] * seconds) / self._calls for name, ms in used.items()}
            measured.rounds.append(one)
            print(f"  round {number + 1}: { {name: round(ms, 2) for name, ms in one.items()} }", flush=True)  # noqa: T201
        return measured

    def _idle(self) -> dict[str, float]:
        """Milliseconds of CPU a second while nobody rings."""
        meter = Meter({**self._room.pids, **{one.name: one.pid for one in self._room.exchanges}}, resting_ms)
        time.sleep(IDLE_S)
        return {name: ms / IDLE_S for name, ms in meter.lap().items()}

    def _round(self, pair: list[Exchange], calls: int) -> tuple[dict[str, float], float]:
        """Ring both sides at the same time; return CPU by process, and the seconds it took."""
        room, (ours, plain) = self._room, pair
        numbers, orders = room.new_elders(calls, self._how.language), room.orders()
        meter, began = Meter({**room.pids, OURS: ours.pid, PLAIN: plain.pid}), time.monotonic()
        sides = ((journey.NUMBER, ours), (journey.PLAIN, plain))
        loads = [
            Load(
                self._journey,
                service,
                exchange.sip_port,
                from_port,
                room.media_port,
                self._how.rate,
                audio=self._how.audio,
            ).begin(Path(tempfile.mkdtemp(dir=room.folder)), numbers)
            for (service, exchange), from_port in zip(sides, room.sipp_ports, strict=True)
        ]
        for load in loads:
            load.wait()
        room.wait_for_the_last()
        used, seconds = meter.lap(), time.monotonic() - began
        if room.orders() - orders != calls:
            raise AssertionError(f"{calls} calls left {room.orders() - orders} orders")
        return used, seconds


def run() -> Figure:
    """Run P1, print where the time goes, return the figure."""
    walked: list[Journey] = []
    with Room(lambda: _plain(walked), SPEECH="false", VOICE="espeak") as room:
        [patient] = walked
        print(f"P1: each side {ROUNDS} × {CALLS} calls of {patient.seconds:.0f} s, {RATE:.0f} begun a second")  # noqa: T201
        measured = Bench(room, patient).measure()
        print(measured.table())  # noqa: T201
        figure = compare(measured.ours(), measured.plain(), GOAL, "ms CPU a call")
        hurried = replace(patient, hurried=True)
        print(f"the same by heart, a key every {journey.HURRIES_MS} ms, no goal (set-up and rows weigh most here):")  # noqa: T201
        measured = Bench(room, hurried).measure()
        print(measured.table())  # noqa: T201
        by_heart = compare(measured.ours(), measured.plain(), None, "ms CPU a call")
        print(f"  ratio {by_heart.ratio}, {by_heart.ours - by_heart.other:.1f} ms more; {by_heart.spread}")  # noqa: T201
    print("inside the FastAGI server (profiled in a run of its own):")  # noqa: T201
    print(where(figure))  # noqa: T201
    return figure


def _plain(walked: list[Journey]) -> str:
    walked.append(journey.walk())
    return journey.dialplan(walked[0])


def where(figure: Figure) -> str:
    """Profile the FastAGI server in a room of its own; return the table of shares."""
    walked: list[Journey] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "profile"
        os.environ["BENCH_PROFILE"] = str(file)
        with Room(lambda: _plain(walked), "tests.bench.profiled_agi", SPEECH="false", VOICE="espeak") as room:
            load = Load(
                replace(walked[0], hurried=True), journey.NUMBER, room.exchanges[0].sip_port, room.sipp_ports[0],
                room.media_port, rate=10, at_once=1,
            )  # fmt: skip
            load.begin(room.folder, room.new_elders(PROFILED_CALLS)).wait()
            room.wait_for_the_last()
        times = profile.shares(file)
    whole = sum(times.values())
    return table(("group", "share"), [(name, f"{ms / whole:.0%}") for name, ms in times.items()])
