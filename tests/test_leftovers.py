"""A run of tests leaves nothing behind: no process, also when it was killed, and no folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from models.settings import ROOT
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.call, pytest.mark.fault]

# One test that has all kinds of servers running, and stays in it as long as it is told.
_TEST = """
import os, time
from pathlib import Path
from tests.support.carrier import Carrier
from tests.web.console import Console

def test_it(hotline_dir, postgres_database):
    with Carrier(), Console(hotline_dir, HOTLINE_DATABASE_URL=os.environ["HOTLINE_DATABASE_URL"]):
        Path(os.environ["STANDS"]).write_text("")
        time.sleep(float(os.environ["STAYS"]))
"""
# One for all runs of a user, and renewed by them: pytest's three last folders, ports, what the stand-in voice has said.
_KEPT = ("pytest-of-", "hotline-ports-", "hotline-spoken-")


@contextmanager
def a_run(tmp_path: Path, stays: float) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A run with a folder of its own for what is temporary, once everything in it stands."""
    file, stands = tmp_path / "test_it.py", tmp_path / "stands"
    file.write_text(_TEST)
    # A short path, and open to everybody: PostgreSQL of root's runs as nobody, and has its socket there.
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        Path(folder).chmod(0o755)
        settings = {"TMPDIR": folder, "STANDS": str(stands), "STAYS": str(stays)}
        run = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-p", "tests.conftest", "-q", "-n", "1",
             "-p", "no:cacheprovider", "--basetemp", f"{folder}/pytest-of-it", "--dist", "loadgroup", file],
            cwd=ROOT, env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            until = time.monotonic() + 60 * PATIENCE
            while not stands.exists():
                assert run.poll() is None and time.monotonic() < until, run.communicate(timeout=5)[0]
                time.sleep(0.05)
            yield run, Path(folder)
        finally:
            run.kill()
            for process in of_the_run(folder):
                process.kill()
            run.communicate()


def of_the_run(folder: Path | str) -> list[psutil.Process]:
    """The run's processes, whoever is their parent now; those of PostgreSQL have no environment to read."""
    found = []
    for process in psutil.process_iter():
        try:
            marks = process.environ().get("TMPDIR") == str(folder) or process.cwd().startswith(f"{folder}/")
            if marks and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def names(processes: list[psutil.Process]) -> list[str]:
    """What runs, for people to read."""
    found = []
    for process in processes:
        try:
            found.append(process.name())
        except psutil.Error:
            continue
    return sorted(found)


def test_a_run_that_ends_leaves_neither_a_process_nor_a_folder(tmp_path: Path) -> None:
    with a_run(tmp_path, stays=0) as (run, folder):
        said = run.communicate(timeout=60 * PATIENCE)[0]
        assert "1 passed" in said, said
        assert names(of_the_run(folder)) == []
        assert [path.name for path in folder.iterdir() if not path.name.startswith(_KEPT)] == []


def test_a_run_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    with a_run(tmp_path, stays=300) as (run, folder):
        # The run and its worker, Asterisk, PostgreSQL with its helpers, the console's two.
        running = of_the_run(folder)
        assert len(running) > 8 and "postgres" in names(running), names(running)
        run.kill()
        until = time.monotonic() + 20 * PATIENCE
        while left := of_the_run(folder):
            assert time.monotonic() < until, names(left)
            time.sleep(0.05)
