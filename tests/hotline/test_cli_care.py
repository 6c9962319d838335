"""`hotline duties` and `hotline campaigns`: the ledger and the campaigns on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from dispatch import campaign_round, campaigns, care
from dispatch.attempts import new_attempt
from dispatch.campaigns import NewCampaign
from dispatch.duties import Evidence
from hotline.commands import app
from models import clock
from models.calls import Call
from models.campaigns import Campaign, CareVisit
from models.duties import AreaButler, Duty
from models.people import PersonNumber
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


def test_the_months_report_tells_the_calls_of_a_proof_and_its_hours() -> None:
    run("duties", "join", "D0001", "alone")
    now = clock.now()
    with write() as session:
        elder_id, number_id = session.execute(select(PersonNumber.person_id, PersonNumber.number_id)).first() or (0, 0)
        campaign = campaigns.create(session, NewCampaign("x", source="filter"), now)
        campaigns.add_elders(session, campaign, [elder_id], now)
        visit = session.scalars(select(CareVisit)).one()
        for answered in (None, now):
            attempt = new_attempt(session, visit, number_id, now)
            call = Call(
                channel_id=attempt.channel_id, direction="out", purpose="care", state="ended", number_id=number_id,
                elder_id=elder_id, started_at=now,
            )  # fmt: skip
            session.add(call)
            session.flush()
            attempt.call_id, attempt.dialed_at, attempt.answered_at = call.id, now, answered
            attempt.status = "closed"
        care.reached(session, elder_id, Evidence("key", now, call.id), now)
    told = json.loads(run("duties", "report", "--json"))
    assert (told["all"]["tries"], told["all"]["proved"], told["all"]["per_proof"]) == (2, 1, 2.0)
    hour = clock.local(now).hour
    assert told["hours"] == [{"hour": hour, "tries": 2, "answered": 1, "proved": 1}]
    assert "2 calls, 1 proofs: 2.00 calls a proof" in run("duties", "report")
    run("duties", "report", "soon", code=2)


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
    assert {status: len(ids) for status, ids in row["visits"].items()} == {"stopped": 2}
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


def test_butlers_of_grids_come_from_a_list_all_or_none(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(
        "区,社区,网格,姓名,电话\n道里区,河畔社区,,孙管家,11000000009\n道里区,河边社区,,李管家,11000000010\n"
        ",,,周管家,11000000011\n道里区,河畔社区,,吴管家,x\n道里区,河畔社区,,郑管家,11000000012\n",
        encoding="utf-8",
    )
    told = run("duties", "butlers", str(bad), "--apply", code=1)
    for problem in (
        "line 3: there is no area 道里区 · 河边社区",
        "line 4",
        "line 5",
        "line 6: the same area as line 2",
    ):
        assert problem in told
    good = tmp_path / "good.csv"
    good.write_text("区,社区,网格,管家,电话\n道里区,河畔社区,,孙管家,11000000009\n", encoding="gb18030")
    run("duties", "butlers", str(good))
    with read() as session:
        assert session.scalars(select(AreaButler)).all() == []
    run("duties", "butlers", str(good), "--apply")
    run("duties", "butlers", str(good), "--apply")  # again: nothing doubled
    good.write_text("区,社区,网格,管家,电话\n道里区,河畔社区,,钱管家,11000000019\n", encoding="utf-8")
    run("duties", "butlers", str(good), "--apply")
    with read() as session:
        found = [(row.person.name, row.ended_at is None) for row in session.scalars(select(AreaButler))]
    assert found == [("孙管家", False), ("钱管家", True)]


def test_groups_and_risk_come_with_the_elders_and_bring_their_duties(tmp_path: Path) -> None:
    file = tmp_path / "elders.csv"
    file.write_text(
        "姓名,电话,风险等级,人群\n吴桂英,0451-10000051,高风险,独居；空巢\n郑大海,0451-10000052,,失能\n",
        encoding="utf-8",
    )
    run("elders", "import", str(file), "--apply")
    campaign_round.keep_ledger(clock.now())
    with read() as session:
        assert {one.group for one in session.scalars(select(Duty))} == {"high", "alone", "empty_nest", "disabled"}
    out = tmp_path / "out.csv"
    run("elders", "export", str(out))
    text = out.read_text(encoding="utf-8-sig")
    assert "高风险,独居；空巢" in text
    bad = tmp_path / "bad.csv"
    bad.write_text("姓名,电话,风险等级,人群\n钱一,0451-10000053,危险,\n钱二,0451-10000054,,富裕\n", encoding="utf-8")
    told = run("elders", "import", str(bad), code=1)
    assert "line 2: risk" in told and "line 3: groups" in told
