"""Tests of one group are run by one worker: otherwise every worker founds every town."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from models.settings import ROOT

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


def test_a_group_stays_with_one_worker_and_the_others_have_work_too(tmp_path: Path) -> None:
    (tmp_path / "test_stories.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = xdist_group\n")
    command = ["-m", "pytest", "-p", "tests.support.groups", "-n", "2", "--dist", "loadgroup", "-v", "test_stories.py"]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    workers = defaultdict(set)
    for worker, group in re.findall(r"\[(gw\d)\].* PASSED .*::test_(?:story\[(\w)|alone)", done.stdout):
        workers[group].add(worker)
    assert set(workers) == {"a", "b", "c", ""}
    assert all(len(workers[group]) == 1 for group in "abc"), workers
    assert {worker for some in workers.values() for worker in some} == {"gw0", "gw1"}
