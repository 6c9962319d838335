"""P6: the agent's INVITE leaving Asterisk → her screen pop drawn, ÷ the same INVITE → JsSIP's ring event.

One real page in Chromium and 49 scripted event streams on the same console. When the INVITE leaves, Asterisk's own
log of SIP messages tells (to the millisecond; the clock is one machine's). The page says by its own clock when the
telephone rang (`phone:ringing`, sent in JsSIP's own event), and when the pop of that call was drawn, by Element Timing.

* P6: as it is here, with a screen of 60 Hz and up to the frame on it (`renderTime`). One agent is ready, so no other
  telephone can ring, and the pop is shown before the ring (`agents/ahead.py`): the table tells by how much, and a pop
  that stands there when the INVITE leaves counts as 0 ms.
* P6ring, where several could be rung: the page has the pop, laid out and painted, and shows it at the ring. To measure
  it the page is kept from showing it before. Up to "drawn by the page": script, style and layout of the frame are done
  and its painting is handed over (`paintTime`). It ends where JsSIP's event ends too, in the page.
* P6shown, the same until the frame is presented, all its layers rasterised. From the one to the other it is the
  browser's own way to a screen, here without a graphics card; the table says how long a frame takes it in which nothing
  is new but a mark of 16 pixels. Reported, no goal: that alone is longer than the whole ring.

A screen of 60 Hz shows a frame up to 17 ms after it is wanted and headless Chromium presents it one or two beats
later, whatever the page does. So these two are taken **without the screen's clock** (`FREE`: every frame is begun and
presented as soon as it is there); the same with a screen's clock is measured as well and stands in the table. There
nothing is animated: without a clock it would be drawn hundreds of times a second.
"""

from __future__ import annotations

import math
import re
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from statistics import median

from tests.bench.clients import streams
from tests.bench.p5 import p95
from tests.bench.report import Figure, compare, table
from tests.calls.conftest import Town, begin_anew, new_town
from tests.support.world import WANG
from tests.web.agent_desk import AgentDesk, asterisk, flags, hire
from tests.web.chromium import launched
from tests.web.world import PASSWORD

GOAL, ROUNDS, STREAMS = 1.5, 20, 49
SCREEN_ROUNDS = 10  # With a screen's clock: for the table alone.
FREE = ["--disable-frame-rate-limit", "--disable-gpu-vsync"]

STEPS = (
    "INVITE → rings",
    "INVITE → pop shown by the page",
    "INVITE → pop drawn by the page",
    "INVITE → pop on the screen",
    "a frame of the mark alone",
)

# When the page had shown the pop, and what the browser says of the frame with it. What was painted ahead of the ring is
# not painted again, and Element Timing tells of a first painting only: so a mark in a corner, hidden until then, is
# shown with the pop, and it is the mark whose time is taken. A frame is presented whole: whatever of it is not
# rasterised yet holds all of it back. The pop is looked for at the end of JsSIP's own task, and from then on at every
# change of the page: looking costs time that would be told as the page's.
WATCHES = """() => {
  const at = (ms) => performance.timeOrigin + ms;
  const nothing = { rang: 0, stood: 0, begun: 0, drawn: 0 };
  const corner = { position: "fixed", inset: "0 auto auto 0", width: "16px", height: "16px", zIndex: "9",
                   contain: "strict", willChange: "transform", visibility: "hidden" };
  let call = null, mark = null;
  window.seen = { ...nothing };
  const lay = () => {
    mark?.remove();
    mark = document.createElement("div");
    mark.textContent = "●";
    mark.setAttribute("elementtiming", "pop");
    Object.assign(mark.style, corner);
    document.body.append(mark);
  };
  new PerformanceObserver((all) => {
    const one = all.getEntries().find((each) => each.identifier === "pop");
    if (!one) return;
    window.seen.begun = at(one.paintTime);
    window.seen.drawn = at(one.renderTime);
    setTimeout(lay, 500);
  }).observe({ type: "element" });
  const look = () => {
    if (!call || window.seen.stood || !document.querySelector(`:is(#main, .ahead-here) [data-pop="${call}"]`)) return;
    window.seen.stood = at(performance.now());
    mark.style.visibility = "visible";
    changes.disconnect();
  };
  const changes = new MutationObserver(look);
  document.addEventListener("ahead:shown", (event) => {
    call = event.detail.call;
    window.seen = { ...nothing };
    queueMicrotask(look);
  });
  document.addEventListener("phone:ringing", (event) => {
    if (window.seen.stood && call === event.detail.call) { window.seen.rang = at(performance.now()); return; }
    call = event.detail.call;
    window.seen = { ...nothing, rang: at(performance.now()) };
    queueMicrotask(() => {
      look();
      const any = { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] };
      if (!window.seen.stood) changes.observe(document.body, any);
    });
  }, { capture: true });
  lay();
  window.alone = () => setTimeout(() => {
    window.seen = { ...nothing, rang: at(performance.now()) };
    mark.style.visibility = "visible";
  });
}"""


# Keeps the page from showing a pop before its ring, as if another telephone could ring as well.
AT_RING = "() => document.addEventListener('ahead:sure', (one) => one.stopImmediatePropagation(), { capture: true })"


def invited_ms(log: Path, after: int) -> float:
    """Return when the newest INVITE to a browser left, by what Asterisk's log has after so many bytes (epoch, ms)."""
    text = log.read_bytes()[after:].decode(errors="replace")
    found = re.findall(r"^\[([^\]]+)\][^\n]*Transmitting SIP request[^\n]*to WS[^\n]*\n+INVITE ", text, re.MULTILINE)
    if not found:
        raise AssertionError("no INVITE to a browser in Asterisk's log")
    return (
        datetime.strptime(found[-1], "%Y-%m-%d %H:%M:%S.%f")
        .replace(tzinfo=datetime.now(UTC).astimezone().tzinfo)
        .timestamp()
        * 1000
    )


def one_call(town: Town, desk: AgentDesk, log: Path) -> tuple[float, ...]:
    """One call; return the `STEPS` (ms)."""
    begun = log.stat().st_size
    caller = town.network.phone(WANG).rings("12349").answered()
    time.sleep(1)
    caller.presses("0")
    desk.rings(20)
    seen = drawn(desk)
    left = invited_ms(log, begun)
    caller.hangs_up()
    desk.stands("ready", 10)
    desk.page.evaluate("window.hotline.open('/')")
    time.sleep(0.5)
    return *(seen[name] - left for name in ("rang", "stood", "begun", "drawn")), alone(desk)


def drawn(desk: AgentDesk) -> dict[str, float]:
    """Wait until the mark was drawn; return what the page has seen (epoch, ms)."""
    # The page's policy forbids what Playwright waits with in the page; asking from outside is free to it.
    deadline = time.monotonic() + 10
    while not ((seen := desk.page.evaluate("window.seen"))["drawn"] and seen["rang"]):
        if time.monotonic() > deadline:
            raise AssertionError(f"the pop was not drawn: {seen}, {desk.page.url}, {desk.complaints}")
        time.sleep(0.05)
    told: dict[str, float] = seen
    return told


def alone(desk: AgentDesk) -> float:
    """Return how long the browser itself takes for a frame in which nothing is new but the mark (ms)."""
    desk.page.evaluate("window.alone()")
    seen = drawn(desk)
    time.sleep(0.7)  # Until the next mark is laid.
    return seen["drawn"] - seen["rang"]


def p99(ms: Sequence[float]) -> float:
    """Return the 99th percentile by nearest rank: of fewer than a hundred the worst."""
    return sorted(ms)[math.ceil(0.99 * len(ms)) - 1]


@dataclass(frozen=True)
class Way:
    """How it is measured: what the table says of it, the agent, Chromium's flags, whether only at the ring, rounds."""

    head: str
    agent: str
    free: bool
    at_ring: bool
    rounds: int


AS_IT_IS = Way("before the ring, with a screen of 60 Hz", "陈小红", free=False, at_ring=False, rounds=ROUNDS)
FREE_RING = Way("at the ring, without the screen's clock", "陈小兰", free=True, at_ring=True, rounds=ROUNDS)
SCREEN_RING = Way("at the ring, with a screen of 60 Hz", "陈小梅", free=False, at_ring=True, rounds=SCREEN_ROUNDS)


def calls(town: Town, folder: Path, way: Way) -> list[tuple[float, ...]]:
    """Return the times of so many calls to one page in a Chromium of its own."""
    with launched([*flags(folder), *(FREE if way.free else [])]) as chromium:
        desk = AgentDesk(town, chromium, way.agent).logs_in().is_ready()
        if way.free:
            desk.page.emulate_media(reduced_motion="reduce")
        desk.page.evaluate(WATCHES)
        if way.at_ring:
            desk.page.evaluate(AT_RING)
        log = town.hotline.folder / "run/asterisk/log/bench.log"
        one_call(town, desk, log)  # Warms what the first call of a day finds cold.
        told = [one_call(town, desk, log) for _ in range(way.rounds)]
        desk.chooses("offline").stands("offline")
    return told


@cache
def measure() -> dict[Way, list[tuple[float, ...]]]:
    """Measure once a run; return the `STEPS` of every call (ms)."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "town").mkdir()
        town = new_town(stack, folder / "town", AGENT_PHONES="[]", VOICE="espeak", SWEEP_S=2, LEARN_EVERY_S=60)
        begin_anew(town)
        names = [f"坐席{number:02}" for number in range(STREAMS)]
        for name in names:
            hire(town, name)
        url = f"http://127.0.0.1:{town.hotline.web_port}"
        stack.enter_context(streams(url, names, PASSWORD))
        asterisk(town, "logger add channel bench.log verbose")
        asterisk(town, "pjsip set logger on")
        found = {way: calls(town, folder, way) for way in (AS_IT_IS, FREE_RING, SCREEN_RING)}
    for way, told in found.items():
        lines = [
            (STEPS[at], f"{median(ms):.1f}", f"{p95(ms):.1f}", f"{p99(ms):.1f}")
            for at, ms in enumerate(zip(*told, strict=True))
            if way.free or at < 4  # With a screen's clock the mark waits for what is animated on the board.
        ]
        print(table((f"ms, {way.head}, {len(told)} calls", "median", "p95", "p99"), lines), flush=True)  # noqa: T201
    return found


def _ratio(way: Way, step: int, goal: float | None) -> Figure:
    told = measure()[way]
    return compare([max(0.0, one[step]) for one in told], [one[0] for one in told], goal, "ms")


def run() -> Figure:
    """P6: as it is, up to the screen."""
    return _ratio(AS_IT_IS, 3, GOAL)


def run_ring() -> Figure:
    """P6ring: where several could be rung, up to the page's own drawing."""
    return _ratio(FREE_RING, 2, GOAL)


def run_shown() -> Figure:
    """P6shown: the same, up to the screen."""
    return _ratio(FREE_RING, 3, None)
