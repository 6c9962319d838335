"""The bench's own arithmetic: ratios, goals, the file, the groups of a profile."""

from __future__ import annotations

import cProfile
import json
import time
from pathlib import Path

import pytest

from tests.bench import journey, profile, report
from tests.bench.journey import Journey


def test_the_ratio_is_of_medians_and_the_spread_of_single_rounds() -> None:
    figure = report.compare([12, 10, 20], [10, 10, 8], 1.25, "ms")
    assert (figure.ratio, figure.ours, figure.other) == (1.2, 12, 10)
    assert figure.spread == "1.000–2.500 over 3 rounds"
    assert figure.met is True
    assert "goal ≤ 1.25: met" in report.verdict("P1", figure)


def test_a_missed_goal_and_a_figure_without_goal() -> None:
    assert report.compare([13], [10], 1.25, "ms").met is False
    assert report.compare([13], [10], None, "ms").met is None


def test_a_round_with_one_side_is_refused() -> None:
    with pytest.raises(ValueError, match="both sides"):
        report.compare([1, 2], [1], None, "ms")


def test_the_file_keeps_what_other_benchmarks_wrote(tmp_path: Path) -> None:
    file = tmp_path / "var" / "bench.json"
    report.save(file, "P2", report.compare([1], [1], None, "ms"))
    report.save(file, "P1", report.compare([3], [2], 1.25, "ms"))
    written = json.loads(file.read_text())
    assert written.keys() == {"P1", "P2"}
    assert written["P1"] == {
        "ratio": 1.5, "better": "lower", "goal": 1.25, "ours": 3, "other": 2, "unit": "ms",
        "spread": "1.500–1.500 over 1 rounds",
    }  # fmt: skip


def test_a_profile_gives_builtins_to_their_callers(tmp_path: Path) -> None:
    profiler = cProfile.Profile(time.thread_time)
    profiler.runcall(json.dumps, {"a": [1] * 1000})
    profiler.dump_stats(tmp_path / "profile")
    assert set(profile.shares(tmp_path / "profile")) == {"other"}
    assert profile.group_of(("~", 0, "<method 'commit' of 'sqlite3.Connection' objects>")) == "SQLite (with fsync)"
    assert profile.group_of(("/x/site-packages/sqlalchemy/engine/base.py", 1, "execute")) == "SQLAlchemy"
    assert profile.group_of(("~", 0, "<built-in method builtins.len>")) is None


def test_both_sides_hear_the_same_files_and_press_the_same_keys() -> None:
    walked = Journey(("/a", "/b", "/c", "/d", "/e"), (900, 200, 300, 400, 500))
    text, plain = journey.scenario(walked), journey.dialplan(walked)
    assert [f"Signal={key}" in text for key in journey.KEYS] == [True] * 4
    assert text.count("INFO sip:") == 4
    assert '<pause milliseconds="1900"/>' in text
    assert [f"Read(KEY,{file},1,,1,6)" in plain for file in walked.files] == [True] * 5
    assert walked.seconds == 7.3
