"""P1b: the highest rate of inbound journeys at which all of them are complete, ours ÷ the same in dialplan alone.

The journey is P1's: the same prompts, keys and pauses on both sides. Calls begin
evenly for 20 s, nearly half of what one of them lasts, so that hundreds are open
at the end. Complete is a call whose every request was answered and
whose last key was taken in time: ours has its order on disk, the plain one has
come to its last line. Too much load shows as a key that waits until she has hung
up. P1bh is the same by heart, a key every 400 ms and almost no media. A step has
fewer than 1,000 calls, so that 99.9 % are all of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.bench import journey
from tests.bench.journey import Journey
from tests.bench.load import Load
from tests.bench.report import Figure, table
from tests.bench.room import Room

GOAL = 0.80
_MARK = "a plain journey is complete"


@dataclass(frozen=True)
class Way:
    """How a rate is searched for: from `first` (begun a second) up by `faster` until one fails, then between the last
    two until they are as `near`; `top` is where it ends, so that it does end. Calls begin for `step_s`."""

    first: float
    faster: float
    near: float
    top: float
    step_s: float


# Each step of the whole journey takes more than a minute.
WHOLE = Way(first=20.0, faster=1.25, near=1.1, top=45.0, step_s=20)
BY_HEART = Way(first=12.0, faster=1.5, near=1.12, top=100.0, step_s=8)


@dataclass
class Search:
    """A bounded search for the highest rate that is carried. A failure counts when it comes twice: others may load
    the machine for a moment."""

    way: Way
    carried: float = 0.0
    failed: float = 0.0
    tried: list[tuple[float, bool]] = field(default_factory=list)
    _again: bool = False

    @property
    def rate(self) -> float:
        """What is to be tried next; 0 when the search is over."""
        way = self.way
        if self._again:
            return self.tried[-1][0]
        if not self.failed:
            return min(self.carried * way.faster or way.first, way.top) if self.carried < way.top else 0.0
        if not self.carried:
            return self.failed / way.faster if self.failed > 1 else 0.0
        return (self.carried * self.failed) ** 0.5 if self.failed / self.carried > way.near else 0.0

    def tell(self, carried: bool) -> None:
        """Take the result of the rate that was to be tried."""
        rate, second = self.rate, self._again
        self.tried.append((rate, carried))
        self._again = not carried and not second
        if carried:
            self.carried = rate
        elif second:
            self.failed = rate


def run() -> Figure:
    """Search on both sides, a step of the one after a step of the other; print every step."""
    return _search(WHOLE, hurried=False, goal=GOAL)


def by_heart() -> Figure:
    """The same with a key every 400 ms."""
    return _search(BY_HEART, hurried=True, goal=None)


def _search(way: Way, hurried: bool, goal: float | None) -> Figure:
    walked: list[Journey] = []

    def plain() -> str:
        walked.append(replace(journey.walk(), hurried=hurried))
        return journey.dialplan(walked[0], _MARK)

    room = Room(plain, SPEECH="false", VOICE="espeak")
    if not hurried:
        room.wide = 6
    with room:
        sides = _Sides(room, walked[0], way.step_s)
        searches = {sides.ours: Search(way), sides.plain: Search(way)}
        _Sides(room, walked[0], 2).ours(way.first)  # Warms caches, connections, prompts.
        while any(search.rate for search in searches.values()):
            for side, search in searches.items():
                if search.rate:
                    rate, carried = search.rate, side(search.rate)
                    search.tell(carried)
                    told = "all complete" if carried else "not all"
                    print(f"  {side.__name__}: {rate:.1f} a second, {told}", flush=True)  # noqa: T201
    ours, other = searches.values()
    for name, search in (("ours", ours), ("plain", other)):
        steps = [(f"{rate:.1f}", "all complete" if carried else "not all") for rate, carried in search.tried]
        print(f"{name}:\n" + table(("journeys a second", "of them"), steps), flush=True)  # noqa: T201
    ratio = round(ours.carried / other.carried, 3) if other.carried else 0.0
    spread = f"between {ours.carried / (other.failed or other.carried):.3f} and "
    spread += f"{(ours.failed or ours.carried) / (other.carried or 1):.3f}, by the rates that failed"
    return Figure(ratio, "higher", goal, round(ours.carried, 1), round(other.carried, 1), "journeys a second", spread)


class _Sides:
    """One step of each side."""

    def __init__(self, room: Room, walked: Journey, step_s: float) -> None:
        self._room, self._journey, self._step_s = room, walked, step_s
        self._log = room.folder / "B" / "run" / "asterisk" / "log" / "messages.log"

    def ours(self, rate: float) -> bool:
        """Return whether every call left its order."""
        return self._step(journey.NUMBER, 0, rate, self._room.orders)

    def plain(self, rate: float) -> bool:
        """Return whether every call came to its last line."""
        return self._step(journey.PLAIN, 1, rate, lambda: self._log.read_text(errors="replace").count(_MARK))

    def _step(self, service: str, exchange: int, rate: float, done: Callable[[], int]) -> bool:
        room, before = self._room, done()
        numbers = room.new_elders(min(999, round(rate * self._step_s)))
        load = Load(
            self._journey, service, room.exchanges[exchange].sip_port, room.sipp_ports[exchange], room.media_port, rate
        )
        code = load.begin(Path(tempfile.mkdtemp(dir=room.folder)), numbers).code()
        return room.clear_up() and code == 0 and done() - before == len(numbers)
