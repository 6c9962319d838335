"""`hotline duties` and `hotline campaigns`: the ledger and the campaigns on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from hotline.cli import app
from models.campaigns import Campaign, CareVisit
from models.duties import Duty
from models.session import read, write
from tests.support import world


@pytest.fixture(autouse=True)
def _world(database: Engine) -> None:
    with write() as session:
        world.settle(session)


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result.output


def test_a_duty_is_made_shown_and_met_by_a_visit_in_person() -> None:
    assert "high" in run("duties", "rules")
    run("duties", "join", "D0001", "high")
    [due] = json.loads(run("duties", "due", "--json"))
    assert (due["card"], due["group"], due["overdue"]) == ("D0001", "high", False)
    run("duties", "visited", "D0001", "--by", "D0002")
    with read() as session:
        assert {one.status for one in session.scalars(select(Duty))} == {"proved", "open"}
    run("duties", "decide", "D0001", "hospital")
    assert json.loads(run("duties", "due", "--json")) == []
    groups = json.loads(run("duties", "month", "--json"))["group"]
    assert [line["name"] for line in groups] == ["high"]
    assert "high" in run("duties", "month")
    run("duties", "join", "nobody", "high", code=2)


def test_a_campaign_is_checked_made_begun_and_stopped(tmp_path: Path) -> None:
    cards = tmp_path / "cards.csv"
    cards.write_text("卡号\nD0001\nD0002\n", encoding="utf-8")
    assert "only checked" in run("campaigns", "new", "暴雪", "--script", "storm", "--elders", str(cards))
    with read() as session:
        assert session.scalar(select(Campaign.id)) is None
    run(
        "campaigns",
        "new",
        "暴雪",
        "--script",
        "storm",
        "--elders",
        str(cards),
        "--apply",
        "--settings",
        '{"attempts": 2}',
    )
    for word in ("start", "pause", "resume", "stop"):
        run("campaigns", word, "1")
    run("campaigns", "start", "1", code=2)
    [row] = json.loads(run("campaigns", "list", "--json"))
    assert (row["status"], row["total"], row["done"]) == ("stopped", 2, 2)
    assert "暴雪" in run("campaigns", "list")


@pytest.mark.parametrize("settings", ['{"attempts": 0}', '{"pace": {"speed": 1}}', "[]", "{", '{"colour": 1}'])
def test_a_setting_that_is_none_is_refused(settings: str) -> None:
    run("campaigns", "new", "x", "--settings", settings, code=2)


def test_a_list_with_broken_rows_names_each_and_writes_nothing(tmp_path: Path) -> None:
    cards = tmp_path / "cards.csv"
    cards.write_text("卡号\nD0001\nD0001\n\nD9999\nD0002,more\n", encoding="utf-8")
    output = run("campaigns", "new", "x", "--elders", str(cards), "--apply", code=1)
    assert "line 3: the same card as line 2" in output and "line 5: no elder has this card" in output
    assert "line 6: 1 cells more than the heading has" in output
    with read() as session:
        assert session.scalar(select(Campaign.id)) is None and session.scalar(select(CareVisit.id)) is None
