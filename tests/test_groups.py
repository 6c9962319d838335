"""Tests of one group are run by one worker: otherwise every worker founds every town."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from models.settings import ROOT

pytestmark = pytest.mark.slow

TESTS = """
import pytest

@pytest.mark.parametrize("number", range(40))
@pytest.mark.parametrize("town", [pytest.param(t, marks=pytest.mark.xdist_group(f"town {t}")) for t in "abc"])
def test_story(town, number):
    pass

@pytest.mark.parametrize("number", range(20))
def test_alone(number):
    pass
"""
SIDE_BY_SIDE = """
import pytest

@pytest.mark.xdist_group("short")
def test_unit():
    pass

@pytest.mark.call
def test_journey():
    pass

@pytest.mark.slow
@pytest.mark.xdist_group("long")
def test_slow_unit():
    pass

@pytest.mark.call
@pytest.mark.slow
def test_slow_journey():
    pass
"""


def test_a_group_stays_with_one_worker_and_the_others_have_work_too(tmp_path: Path) -> None:
    workers = defaultdict(set)
    for worker, group in re.findall(
        r"\[(gw\d)\].* PASSED .*::test_(?:story\[(\w)|alone)", two_workers(tmp_path, TESTS)
    ):
        workers[group].add(worker)
    assert set(workers) == {"a", "b", "c", ""}
    assert all(len(workers[group]) == 1 for group in "abc"), workers
    assert {worker for some in workers.values() for worker in some} == {"gw0", "gw1"}


def test_one_worker_computes_while_the_other_waits_each_begins_with_the_longest(tmp_path: Path) -> None:
    told = two_workers(tmp_path, SIDE_BY_SIDE)
    orders = [re.findall(rf"\[{worker}\].* PASSED .*::(\w+)", told) for worker in ("gw0", "gw1")]
    assert sorted(orders) == [["test_slow_journey", "test_journey"], ["test_slow_unit", "test_unit"]], told


def two_workers(folder: Path, tests: str) -> str:
    """What two workers tell of these tests, which pass."""
    (folder / "test_stories.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n xdist_group\n call\n slow\n")
    command = ["-m", "pytest", "-p", "tests.support.groups", "-n", "2", "--dist", "loadgroup", "-v", "test_stories.py"]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
