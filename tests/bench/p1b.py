"""P1b: the highest rate of inbound journeys at which all of them are complete, ours ÷ the same in dialplan alone.

An elder who knows the menu by heart presses a key every 400 ms and hangs up
400 ms after the last. Complete is a call whose every request was answered and
whose last key was taken in time: ours has its order on disk, the plain one has
come to its last line. Too much load shows as a key that waits until she has
hung up. A step has fewer than 1,000 calls, so that 99.9 % are all of them.
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
FIRST_RATE = 12.0  # begun a second
STEP_S = 8
# The search goes up by this until a rate fails, then between the last two until they are so near.
FASTER, NEAR = 1.5, 1.12
# Where the search ends, so that it does end; a step has fewer than 1,000 calls.
TOP_RATE = 100.0
_MARK = "a plain journey is complete"


@dataclass
class Search:
    """A bounded search for the highest rate that is carried. A failure counts when it comes twice: others may load
    the machine for a moment."""

    carried: float = 0.0
    failed: float = 0.0
    tried: list[tuple[float, bool]] = field(default_factory=list)
    _again: bool = False

    @property
    def rate(self) -> float:
        """What is to be tried next; 0 when the search is over."""
        if self._again:
            return self.tried[-1][0]
        if not self.failed:
            return min(self.carried * FASTER or FIRST_RATE, TOP_RATE) if self.carried < TOP_RATE else 0.0
        if not self.carried:
            return self.failed / FASTER if self.failed > 1 else 0.0
        return (self.carried * self.failed) ** 0.5 if self.failed / self.carried > NEAR else 0.0

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
    walked: list[Journey] = []

    def plain() -> str:
        walked.append(replace(journey.walk(), hurried=True))
        return journey.dialplan(walked[0], _MARK)

    with Room(plain, SPEECH="false", VOICE="espeak") as room:
        sides = _Sides(room, walked[0])
        searches = {sides.ours: Search(), sides.plain: Search()}
        sides.ours(FIRST_RATE)
        while any(search.rate for search in searches.values()):
            for side, search in searches.items():
                if search.rate:
                    search.tell(side(search.rate))
    ours, other = searches.values()
    for name, search in (("ours", ours), ("plain", other)):
        steps = [(f"{rate:.1f}", "all complete" if carried else "not all") for rate, carried in search.tried]
        print(f"P1b, {name}:\n" + table(("journeys a second", "of them"), steps), flush=True)  # noqa: T201
    ratio = round(ours.carried / other.carried, 3) if other.carried else 0.0
    spread = f"between {ours.carried / (other.failed or other.carried):.3f} and "
    spread += f"{(ours.failed or ours.carried) / (other.carried or 1):.3f}, by the rates that failed"
    return Figure(ratio, "higher", GOAL, round(ours.carried, 1), round(other.carried, 1), "journeys a second", spread)


class _Sides:
    """One step of each side."""

    def __init__(self, room: Room, walked: Journey) -> None:
        self._room, self._journey = room, walked
        self._log = room.folder / "B" / "run" / "asterisk" / "log" / "messages.log"

    def ours(self, rate: float) -> bool:
        """Return whether every call left its order."""
        return self._step(journey.NUMBER, 0, rate, self._room.orders)

    def plain(self, rate: float) -> bool:
        """Return whether every call came to its last line."""
        return self._step(journey.PLAIN, 1, rate, lambda: self._log.read_text(errors="replace").count(_MARK))

    def _step(self, service: str, exchange: int, rate: float, done: Callable[[], int]) -> bool:
        room, before = self._room, done()
        numbers = room.new_elders(min(999, round(rate * STEP_S)))
        load = Load(
            self._journey, service, room.exchanges[exchange].sip_port, room.sipp_ports[exchange], room.media_port, rate
        )
        code = load.begin(Path(tempfile.mkdtemp(dir=room.folder)), numbers).code()
        room.wait_for_the_last()
        return code == 0 and done() - before == len(numbers)
