"""CPU time of processes: what they and the children they have ended used, in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import psutil


def cpu_ms(pid: int) -> float:
    """User and system time of a process, its ended children and its living descendants."""
    process = psutil.Process(pid)
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total * 1000


def resting_ms(pid: int) -> float:
    """The same for a process at rest, whose threads stay: finer than the ticks of 10 ms that the above is told in."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6


class Meter:
    """What a group of named processes uses between two looks."""

    def __init__(self, pids: Mapping[str, int], look: Callable[[int], float] = cpu_ms) -> None:
        self._pids = dict(pids)
        self._one = look
        self._last = self._look()

    def _look(self) -> dict[str, float]:
        return {name: self._one(pid) for name, pid in self._pids.items()}

    def lap(self) -> dict[str, float]:
        """Milliseconds each process has used since the last lap."""
        before, self._last = self._last, self._look()
        return {name: self._last[name] - before[name] for name in self._pids}
