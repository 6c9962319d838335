"""P10s: fifty agents' event streams on one web process: memory, and CPU a second, at rest and with calls.

Part of P10, and by itself with `make bench ONLY=P10s`, over the same world. With calls: each second one begins and
another one ends, so that each second every page gets something new.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
from sqlalchemy import select

from agents import accounts
from models import clock, session
from models.calls import Call
from models.people import Elder
from models.users import User
from tests.bench.clients import streams
from tests.bench.report import Figure, table
from tests.web.console import Console
from tests.web.world import World

STREAMS, WATCHED_S, CHANGE_EVERY_S = 50, 20.0, 1.0
PASSWORD = "quiet waters run deep"


@dataclass(frozen=True)
class Cost:
    """What the web process needs: memory without streams and with them (bytes), CPU ms a second."""

    alone: int
    open: int
    idle_ms: float
    busy_ms: float

    def told(self) -> str:
        """Return the lines for the terminal."""
        states = (("at rest", self.idle_ms), ("a call begins and one ends each second", self.busy_ms))
        rows = [(name, f"{ms:.1f}", f"{ms / STREAMS:.2f}") for name, ms in states]
        each = (self.open - self.alone) / STREAMS
        memory = f"{STREAMS} event streams: {self.open / 1e6:.0f} MB, {each / 1e3:.0f} kB each"
        return memory + "\n" + table(("CPU of the web process (ms a second)", "all", "each"), rows)

    def figure(self) -> Figure:
        """Return the share of one core while calls come and go; there is no goal."""
        return Figure(
            ratio=round(self.busy_ms / 1000, 3), better="lower", goal=None, ours=round(self.busy_ms, 1), other=1000.0,
            unit="ms CPU a second", spread=f"idle {self.idle_ms:.1f} ms, {self.open / 1e6:.0f} MB",
        )  # fmt: skip


def cost(console: Console) -> Cost:
    """Measure with as many users as streams: one user's older streams end when more are opened."""
    assert console._process is not None
    master = psutil.Process(console._process.pid)
    web = [master, *master.children(recursive=True)]
    alone = _memory(web)
    with streams(console.url, _agents(), PASSWORD):
        time.sleep(5)  # Each gets the whole board first.
        idle = _cpu_ms(web)
        with _calls_come_and_go():
            busy = _cpu_ms(web)
        return Cost(alone, _memory(web), idle, busy)


def _agents() -> list[str]:
    names = [f"bench-{number:02}" for number in range(STREAMS)]
    with session.write() as db:
        known = set(db.scalars(select(User.name).where(User.name.in_(names))))
        for name in names:
            if name not in known:
                accounts.create_user(db, name, PASSWORD, "agent", clock.now())
    return names


@contextmanager
def _calls_come_and_go() -> Iterator[None]:
    stop, world = threading.Event(), World()
    with session.read() as db:
        elders = list(db.scalars(select(Elder).where(Elder.merged_into_id.is_(None)).limit(200)))

    def run() -> None:
        under_way: list[Call] = []
        while not stop.wait(CHANGE_EVERY_S):
            under_way.append(world.call(elders[len(under_way) % len(elders)], clock.now()))
            if len(under_way) > 3:
                world.end(under_way[-4])

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _cpu_ms(processes: list[psutil.Process]) -> float:
    """Return the CPU time that they spend in a second (ms)."""
    spent, began = _spent(processes), time.monotonic()
    time.sleep(WATCHED_S)
    return 1000 * (_spent(processes) - spent) / (time.monotonic() - began)


def _spent(processes: list[psutil.Process]) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in processes)


def _memory(processes: list[psutil.Process]) -> int:
    return sum(int(each.memory_info().rss) for each in processes)
