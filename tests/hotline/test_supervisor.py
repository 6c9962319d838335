"""The supervisor: what dies comes back with a growing pause, what is deaf is killed, nothing outlives it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from hotline import supervisor
from hotline.supervisor import Program, Supervisor
from models.settings import ROOT, settings
from tests.support.patience import PATIENCE

SLEEP = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)")
STUBBORN = (
    sys.executable, "-c",
    "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
)  # fmt: skip


class Keeper:
    """A supervisor under test, and what it said."""

    def __init__(self) -> None:
        settings().run_dir.mkdir(parents=True, exist_ok=True)
        self.said: list[tuple[str, str]] = []
        # Towns of other tests may live in this process; only what this keeper started is looked at.
        self._others = set(psutil.Process().children(recursive=True))
        self.made = Supervisor(settings(), lambda name, text: self.said.append((name, text)))

    def keep(self, *programs: Program, until: Callable[[], bool], stores: tuple[Program, ...] = ()) -> float:
        """Run until the condition holds; return how long the stop took."""

        async def run() -> float:
            running = asyncio.create_task(self.made.run(list(programs), list(stores)))
            async with asyncio.timeout(45):
                while not until():
                    await asyncio.sleep(0.01)
                began = time.monotonic()
                self.made.stop()
                await running
            return time.monotonic() - began

        return asyncio.run(run())

    def children(self) -> list[int]:
        """Processes that are left of what was started since this keeper was made."""
        return [child.pid for child in psutil.Process().children(recursive=True) if child not in self._others]

    def lines(self, name: str) -> list[str]:
        return [text for one, text in self.said if one == name]


@pytest.fixture
def keeper(hotline_dir: Path) -> Keeper:
    return Keeper()


def test_what_dies_is_started_again_with_a_growing_pause(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_S", 0.08)
    keeper.keep(Program("p", ("/bin/false",)), until=lambda: len(keeper.lines("p")) >= 5)
    pauses = [float(text.rsplit(" ", 2)[1]) for text in keeper.lines("p")]
    assert all("ended with 1" in text for text in keeper.lines("p"))
    assert pauses == [0.0, 0.0, 0.1, 0.1, 0.1], "0.02, 0.04, 0.08 and no more"
    assert keeper.children() == []


def test_a_program_that_is_not_there_is_said_and_tried_again(keeper: Keeper) -> None:
    keeper.keep(Program("p", ("/no/such/program",)), until=lambda: len(keeper.lines("p")) >= 2)
    assert "No such file" in keeper.lines("p")[0]


def test_what_no_longer_answers_is_killed_and_comes_back(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "HEALTH_EVERY_S", 0.02)
    answers = iter([True, True, False, True, False, False, False])

    async def healthy() -> bool:
        return next(answers, True)

    keeper.keep(Program("p", SLEEP, healthy=healthy), until=lambda: keeper.lines("p").count("up") == 2)
    assert "does not answer; killed" in keeper.lines("p")
    assert "ended with -9; again in 0.2 s" in keeper.lines("p")


def test_one_that_starts_slowly_is_not_killed_for_it(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "HEALTH_EVERY_S", 0.01)
    asked: list[bool] = []

    async def slow() -> bool:
        asked.append(len(asked) > 20)
        return asked[-1]

    keeper.keep(Program("p", SLEEP, healthy=slow), until=lambda: len(asked) > 30)
    assert keeper.lines("p") == ["up"]


def test_a_stop_ends_everything_even_the_stubborn(keeper: Keeper) -> None:
    took = keeper.keep(
        Program("p", SLEEP),
        Program("q", STUBBORN, grace_s=0.3),
        until=lambda: keeper.lines("p") == keeper.lines("q") == ["up"],
    )
    assert 0.2 < took < 3 * PATIENCE and keeper.children() == []
    assert not (settings().run_dir / "ready.json").exists()


def _telling(path: Path, name: str, wait: float = 0.0) -> tuple[str, ...]:
    """A program that writes into a file when it is told to end, and how long it takes."""
    code = (
        "import signal,sys,time,pathlib\n"
        f"def end(*_):\n time.sleep({wait})\n with open({str(path)!r}, 'a') as f: f.write('{name} ')\n sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(60)"
    )
    return (sys.executable, "-c", code)


def test_the_stores_outlive_the_programs_that_use_them(keeper: Keeper, tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    keeper.keep(
        Program("p", _telling(ends, "program", 0.3)),
        stores=(Program("s", _telling(ends, "store"), healthy=_always),),
        until=lambda: keeper.lines("p") == keeper.lines("s") == ["up"],
    )
    assert ends.read_text().split() == ["program", "store"]


async def _always() -> bool:
    return True


def test_a_line_without_an_end_does_not_silence_a_program(keeper: Keeper) -> None:
    code = "import sys,time; sys.stdout.write('x' * 3_000_000 + '\\nafter\\n'); sys.stdout.flush(); time.sleep(60)"
    keeper.keep(Program("p", (sys.executable, "-c", code)), until=lambda: "after" in keeper.lines("p"))


@pytest.mark.fault
def test_the_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    code = f"""
import asyncio, pathlib
from hotline.supervisor import Program, Supervisor
from models.settings import settings
settings().run_dir.mkdir(parents=True, exist_ok=True)
say = lambda name, text: print(text, flush=True)
asyncio.run(Supervisor(settings(), say).run([Program("p", {SLEEP!r})], []))
"""
    env = {**os.environ, "HOTLINE_VAR_DIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=env, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        while parent.stdout.readline() != b"up\n":
            assert parent.poll() is None
        (child,) = psutil.Process(parent.pid).children()
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        psutil.wait_procs([child], timeout=5)
        assert not child.is_running()


def test_who_takes_calls_ends_first_when_its_work_is_done(keeper: Keeper, tmp_path: Path) -> None:
    ends, asked = tmp_path / "ends", tmp_path / "asked"
    code = (
        "import pathlib,time\nprint('up', flush=True)\n"
        f"while not pathlib.Path({str(asked)!r}).exists(): time.sleep(0.02)\n"
        f"time.sleep(0.4)\nopen({str(ends)!r}, 'a').write('calls ')"
    )
    calls = Program(
        "c", (sys.executable, "-c", code), first=True, leave=("touch", str(asked)), leave_s=10,
    )  # fmt: skip
    keeper.keep(
        Program("p", _telling(ends, "program")), calls, until=lambda: keeper.lines("p") == keeper.lines("c") == ["up"]
    )
    assert ends.read_text().split() == ["calls", "program"]


def test_work_that_does_not_end_is_waited_for_only_so_long(keeper: Keeper) -> None:
    stuck = Program("c", SLEEP, first=True, leave=("true",), leave_s=0.3)
    took = keeper.keep(stuck, until=lambda: keeper.lines("c") == ["up"])
    assert 0.2 < took < 3 * PATIENCE and "ends with work in progress" in keeper.lines("c")


def test_a_second_stop_waits_for_nobody(keeper: Keeper) -> None:
    patient = Program("c", SLEEP, first=True, leave=("true",), leave_s=60)

    async def run() -> float:
        running = asyncio.create_task(keeper.made.run([patient], []))
        async with asyncio.timeout(45):
            while keeper.lines("c") != ["up"]:
                await asyncio.sleep(0.01)
            began = time.monotonic()
            keeper.made.stop()
            await asyncio.sleep(0.2)
            keeper.made.stop()
            await running
        return time.monotonic() - began

    assert asyncio.run(run()) < 5


def test_the_ids_are_those_of_the_processes_that_run_now(keeper: Keeper) -> None:
    path = settings().run_dir / "ready.json"
    first: list[int] = []

    def again() -> bool:
        if not path.exists():
            return False
        pids: list[int] = list(json.loads(path.read_text())["pids"].values())
        if pids and not first:
            first.append(pids[0])
            os.kill(pids[0], signal.SIGKILL)
        return bool(pids) and pids != first

    keeper.keep(Program("p", SLEEP), until=again)
    assert psutil.pid_exists(first[0]) is False
