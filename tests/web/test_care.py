"""The pages of care visits: the month and what is behind it, campaigns, exceptions, the staff's run, the report."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select
from werkzeug.test import TestResponse

from agents.campaigns import RETRIED
from dispatch import campaign_calls, campaign_rules, campaigns, care, dial, events
from dispatch.duties import Evidence
from dispatch.gateways import ConsoleGateway
from models import calling_hours, clock
from models.calling_hours import Hours
from models.campaigns import Campaign, CampaignStatus, CareVisit, VisitStatus
from models.care_runs import CareHold
from models.dialing import Attempt, AttemptStatus, Outcome
from models.duties import CareProof
from models.people import Area, Elder, Person
from models.session import read, write
from models.users import AuditEvent, Role, User
from tests.web import care_town
from tests.web.care_town import Quarter
from tests.web.conftest import Browser
from tests.web.world import World

FORM = {
    "name": "冬季问候", "script": "care", "mode": "machine", "source": "ledger", "attempts": "4", "from1": "09:00",
    "to1": "11:00", "at_once": "6", "per_second": "0.5", "inbound_share": "50", "retry_no_answer": "20",
    "escalate": "yes",
}  # fmt: skip
NEW = "/care/campaigns/new"


@pytest.fixture
def quarter(world: World) -> Quarter:
    return care_town.build(world)


@pytest.fixture
def boss(world: World, app: Flask, quarter: Quarter) -> Iterator[Browser]:
    world.user("班长", Role.SUPERVISOR)
    browser = Browser(app)
    browser.login("班长")
    yield browser


# A figure that opens what it counts: where, and how many.
OPENS = re.compile(r'href="(/care/(?:duties|report/calls)\?[^"]+)">(?:<span class="figure-value num">)?(\d+)<')


# A figure of a campaign: whom it opens, and how many.
FIGURES = re.compile(r'/elders(?:\?status=(\w*))?"><span class="figure-value num">(\d+)<')


def query_of(path: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(path).query, keep_blank_values=True)


def post(browser: Browser, path: str, form: Mapping[str, object], page: str = NEW) -> TestResponse:
    return browser.client.post(path, data={"csrf_token": browser.token(page), **form})


def user_id(name: str) -> int:
    with read() as db:
        return db.scalars(select(User.id).where(User.name == name)).one()


# The month.


def test_the_month_opens_the_elders_and_the_calls_behind_each_figure(
    world: World, quarter: Quarter, agent: Browser
) -> None:
    care_town.talked_over_time(world, quarter)
    month = f"{clock.local(world.now):%Y-%m}"
    page = agent.get(f"/care?month={month}").text
    for word in ("高风险", "独居", "重点", "尚志社区", "新安社区", "孙管家", "无养老管家"):
        assert word in page
    assert "<svg" in page
    behind = agent.get(f"/care/duties?month={month}&by=all&what=key").text
    assert "王桂兰" in behind
    assert "李淑珍" not in behind
    assert "/calls/" in behind
    with read() as db:
        assert db.scalars(select(AuditEvent).where(AuditEvent.action == "figure_opened")).all()


def test_every_figure_of_month_and_report_opens_as_many_as_it_counts(
    world: World, quarter: Quarter, boss: Browser
) -> None:
    care_town.talked_over_time(world, quarter)
    yesterday = world.now - timedelta(days=1)
    # One was rung in vain and others look in, one was visited, one is away.
    missed = care_town.rung_in_vain(world, quarter, 1)
    with write() as db:
        butler = db.scalars(select(Person.id).where(Person.name == "孙管家")).one()
        care.reached(db, quarter.elders[2].id, Evidence("visit", yesterday, None, butler, None), world.now)
        care.decide(db, quarter.elders[3].id, "away", world.now, None)
    # The month in which she was talked with, also in the first days of the next one.
    month = f"{clock.local(world.now - timedelta(days=4)):%Y-%m}"
    opened: dict[str, int] = {}
    for page in (f"/care?month={month}", f"/care/report?month={month}"):
        figures = OPENS.findall(boss.get(page).text)
        opened |= {html.unescape(path): int(count) for path, count in figures}
    assert {query["what"][0] for query in map(query_of, opened)} > {
        "due",
        "done",
        "key",
        "visit",
        "escalated",
        "decided",
    }
    for path, count in opened.items():
        page, needed = boss.get(path).text, int(query_of(path).get("needed", ["1"])[0])
        assert f'<span class="count num">{count * needed}</span>' in page, path
        # Of whoever was rung the calls are one click away, also of her whom nobody has reached.
        if query_of(path)["what"][0] in ("key", "escalated", "tries", "answered", "proved"):
            assert "/calls/" in page, path
    assert f"/calls/{missed.public_id}" in boss.get(f"/care/duties?month={month}&by=all&what=escalated").text


@pytest.mark.parametrize(
    "query", ["by=group&name=none&what=due", "by=group&name=alone&what=x", "by=all&what=due&month=x"]
)
def test_what_is_no_figure_is_no_page(quarter: Quarter, agent: Browser, query: str) -> None:
    assert agent.get(f"/care/duties?{query}").status_code == 404


def test_a_visit_in_person_proves_with_who_and_when(world: World, quarter: Quarter, agent: Browser) -> None:
    elder = quarter.elders[1].person.public_id
    card = f"/elders/{elder}"
    with read() as db:
        butler = db.scalars(select(Person.public_id).where(Person.name == "孙管家")).one()
    assert "孙管家" in agent.get(card).text
    at = f"{clock.local(world.now - timedelta(hours=1)):%Y-%m-%dT%H:%M}"
    tomorrow = f"{clock.local(world.now + timedelta(days=1)):%Y-%m-%dT%H:%M}"
    he = f"person:{butler}"
    for form in ({"who": he, "at": tomorrow}, {"who": he, "at": "x"}, {"who": "", "at": at}):
        assert agent.post(f"{card}/visited", form, card).status_code == 422
    with read() as db:
        assert db.scalars(select(CareProof)).all() == []

    assert agent.post(f"{card}/visited", {"who": he, "at": at}, card).status_code == 303

    with read() as db:
        proof = db.scalars(select(CareProof)).one()
        assert (proof.kind, proof.elder_id, proof.by_user_id) == ("visit", quarter.elders[1].id, None)
        assert db.get_one(Person, proof.by_person_id).name == "孙管家"
    assert "上门探访" in agent.get(card).text


def test_the_card_draws_how_she_was_and_says_what_has_changed(world: World, quarter: Quarter, agent: Browser) -> None:
    care_town.talked_over_time(world, quarter)
    page = agent.get(f"/elders/{quarter.elders[0].person.public_id}").text
    assert "care-picture" in page
    assert "连续3次说好，这次说有事" in page
    assert "连续2次说没吃饭" in page
    # Who has never answered has no picture, but her duty.
    other = agent.get(f"/elders/{quarter.elders[1].person.public_id}").text
    assert "care-picture" not in other
    assert "独居" in other


# Campaigns.


def test_a_campaign_of_the_ledger_is_checked_made_and_begun(world: World, quarter: Quarter, boss: Browser) -> None:
    check = post(boss, NEW, FORM)
    assert check.status_code == 200
    with read() as db:
        assert db.scalars(select(Campaign).where(Campaign.name == "冬季问候")).all() == []
    assert post(boss, NEW, {**FORM, "apply": "yes"}).status_code == 303
    with read() as db:
        row = db.scalars(select(Campaign).where(Campaign.name == "冬季问候")).one()
    assert (row.source, row.status, row.attempts, row.mode) == ("ledger", "draft", 4, "machine")
    assert row.window == {"spans": [[540, 660]]}
    assert row.pace == {"at_once": 6, "per_second": 0.5, "inbound_share": 0.5}
    assert row.retry == {"no_answer": {"pauses": [1200.0, "other_hour"]}}
    path = f"/care/campaigns/{row.public_id}"
    for to, status in (("running", 303), ("paused", 303), ("running", 303), ("stopped", 303), ("running", 409)):
        assert post(boss, f"{path}/move", {"to": to}).status_code == status
    page = boss.get(path).text
    assert "已停止" in page
    assert "班长" in page


def test_each_outcome_has_its_minutes_in_the_form(world: World, quarter: Quarter, boss: Browser) -> None:
    # All after which the same number is rung again; a fault of our own and a call taken back are nobody's to set.
    ours = {Outcome.LOST, Outcome.TOO_LATE}
    assert set(RETRIED) == {outcome for outcome, rule in campaign_rules.RULES.items() if rule.pauses} - ours
    blank = boss.get(NEW).text
    for outcome in RETRIED:
        assert f'name="retry_{outcome}"' in blank
    minutes = {f"retry_{outcome}": str(number) for number, outcome in enumerate(RETRIED, start=5)}
    assert post(boss, NEW, {**FORM, **minutes, "apply": "yes"}).status_code == 303
    with read() as db:
        row = db.scalars(select(Campaign).where(Campaign.name == "冬季问候")).one()
    firsts = {outcome: campaign_rules.rule_of(outcome, row.retry).pause(1) for outcome in RETRIED}
    assert firsts == {outcome: 60 * number for number, outcome in enumerate(RETRIED, start=5)}
    # After that another hour of the day, as where nothing was written.
    assert campaign_rules.rule_of("machine", row.retry).pause(2) == campaign_rules.OTHER
    assert not campaign_rules.rule_of("congestion", row.retry).counts


def test_paused_resumed_and_stopped_by_page_in_mid_flight(
    world: World, quarter: Quarter, boss: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = ConsoleGateway()
    monkeypatch.setattr(dial, "gateway", lambda: box)
    with write() as db:
        row = db.get_one(Campaign, quarter.machine_id)
        row.window = {"spans": [[0, 1440]], "days_off": True}
        campaigns.add_elders(db, row, [elder.id for elder in quarter.elders[:2]], world.now)
    path = f"/care/campaigns/{quarter.machine}"

    def begins(number: int) -> None:
        with write() as db:
            row = db.get_one(Campaign, quarter.machine_id)
            row.pace, row.paced_at = {"at_once": number, "per_second": 100}, None
            campaign_calls.begin_calls(db, quarter.machine_id, 9, clock.now())

    def dials() -> None:
        with read() as db:
            due = list(db.scalars(select(Attempt.id).where(Attempt.status == AttemptStatus.DUE)))
        for attempt_id in due:
            dial.dial(attempt_id)

    def figures() -> dict[str, int]:
        return {status: int(count) for status, count in FIGURES.findall(boss.get(path).text) if count != "0"}

    begins(1)
    dials()
    begins(2)
    assert figures() == {"": 4, "calling": 2, "waiting": 2}
    # One telephone rings, one is chosen: the pause lets the first one end, and takes the second one back.
    assert post(boss, f"{path}/move", {"to": "paused"}).status_code == 303
    dials()
    begins(9)
    assert (len(box.rung), figures()) == (1, {"": 4, "calling": 1, "waiting": 3})
    assert post(boss, f"{path}/move", {"to": "running"}).status_code == 303
    begins(2)
    dials()
    assert (len(box.rung), figures()) == (2, {"": 4, "calling": 2, "waiting": 2})
    # Stopped: whoever is being rung is rung to the end, nobody else any more.
    assert post(boss, f"{path}/move", {"to": "stopped"}).status_code == 303
    begins(9)
    assert (len(box.rung), figures()) == (2, {"": 4, "calling": 2})
    events.handle({"Event": "Hangup", "Uniqueid": box.rung[0].channel_id, "Cause": "19"})
    with read() as db:
        stand = db.scalars(select(CareVisit.status).where(CareVisit.campaign_id == quarter.machine_id))
        assert sorted(stand) == ["calling", "stopped", "stopped", "stopped"]


def test_a_campaign_of_groups_and_areas(world: World, quarter: Quarter, boss: Browser) -> None:
    with read() as db:
        area = db.scalars(select(Area.public_id).where(Area.name == "尚志社区")).one()
        other = db.scalars(select(Area.public_id).where(Area.name == "新安社区")).one()
    form = {**FORM, "source": "filter", "groups": ["alone", "high"], "areas": [area], "apply": "yes", "mode": "staff"}
    assert post(boss, NEW, form).status_code == 303
    nobody = post(boss, NEW, {**form, "areas": [other]})
    assert nobody.status_code == 422
    assert "没有符合的老人" in nobody.text
    with read() as db:
        row = db.scalars(select(Campaign).where(Campaign.name == "冬季问候")).one()
        inside = set(db.scalars(select(CareVisit.elder_id).where(CareVisit.campaign_id == row.id)))
    assert row.mode == "staff"
    assert inside == {elder.id for elder in quarter.elders[:4]}


def test_a_campaign_of_a_language_and_of_the_oldest(world: World, quarter: Quarter, boss: Browser) -> None:
    with write() as db:
        for number, (language, year) in enumerate((("ko", 1930), ("ko", 1950), ("zh-CN", 1930))):
            person = db.get_one(Elder, quarter.elders[number].id).person
            person.language, person.born_on = language, date(year, 12, 31)
    form = {**FORM, "source": "filter", "language": "ko", "born_before": "1931", "apply": "yes"}
    assert post(boss, NEW, form).status_code == 303
    with read() as db:
        hers = select(CareVisit.elder_id).join(CareVisit.campaign).where(Campaign.name == FORM["name"])
        assert list(db.scalars(hers)) == [quarter.elders[0].id]
    assert post(boss, NEW, {**form, "born_before": "1930"}).status_code == 422  # She was born in that year.
    for wrong in ({"language": "xx"}, {"born_before": "thirty"}, {"born_before": "2019"}):
        assert "aria-invalid" in post(boss, NEW, {**form, **wrong}).text


def test_a_list_with_broken_rows_is_told_line_by_line_and_writes_nothing(
    world: World, quarter: Quarter, boss: Browser
) -> None:
    table = "卡号\nH-000\nH-999\n\nH-001\nH-000\n".encode()
    answer = post(boss, NEW, {**FORM, "source": "import", "list": (io.BytesIO(table), "list.csv"), "apply": "no"})
    assert answer.status_code == 422
    assert "名单有 2 行有误" in answer.text
    assert "第 3 行" in answer.text and "没有老人使用此卡号" in answer.text
    assert "第 6 行" in answer.text and "与第 2 行卡号相同" in answer.text
    broken = post(boss, NEW, {**FORM, "source": "import", "list": (io.BytesIO(b"\x00\x01PK"), "x.xlsx")})
    assert broken.status_code == 422
    assert post(boss, NEW, {**FORM, "source": "import"}).status_code == 422
    with read() as db:
        assert db.scalars(select(Campaign).where(Campaign.name == "冬季问候")).all() == []


def test_a_sound_list_is_shown_and_then_written(world: World, quarter: Quarter, boss: Browser) -> None:
    table = "卡号\nH-003\nH-001\n".encode()
    check = post(boss, NEW, {**FORM, "source": "import", "list": (io.BytesIO(table), "list.csv")})
    assert check.status_code == 200
    assert "2 位老人" in check.text
    assert "H-003\nH-001" in check.text
    form = {**FORM, "source": "import", "cards": "H-003\nH-001", "apply": "yes"}
    # Somebody's card was taken back between the check and the writing: again nothing is written.
    assert post(boss, NEW, {**form, "cards": "H-003\nH-777"}).status_code == 422
    assert post(boss, NEW, form).status_code == 303
    with read() as db:
        row = db.scalars(select(Campaign).where(Campaign.name == "冬季问候")).one()
        inside = set(db.scalars(select(CareVisit.elder_id).where(CareVisit.campaign_id == row.id)))
    assert inside == {quarter.elders[3].id, quarter.elders[1].id}


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "长" * 81), ("script", "x"), ("mode", ""), ("attempts", "0"), ("at_once", "nan"),
     ("to1", "08:00"), ("from1", "25:00"), ("groups", "rich"), ("per_second", "0"), ("inbound_share", "100")],
)  # fmt: skip
def test_a_form_that_is_not_right(world: World, quarter: Quarter, boss: Browser, field: str, value: str) -> None:
    answer = post(boss, NEW, {**FORM, field: value, "apply": "yes"})
    assert answer.status_code == 422
    assert "field-problem" in answer.text
    with read() as db:
        assert db.scalars(select(Campaign).where(Campaign.name.in_(("冬季问候", "")))).all() == []


def test_live_figures_open_the_elders_with_their_calls(world: World, quarter: Quarter, agent: Browser) -> None:
    care_town.talked_over_time(world, quarter)
    listed = agent.get("/care/campaigns?watch=1").text
    assert "十一月独居老人" in listed
    assert 'hx-trigger="every 2s"' in listed
    page = agent.get(f"/care/campaigns/{quarter.machine}/elders?status=proved").text
    assert "王桂兰" in page
    assert "/calls/" in page
    assert agent.get(f"/care/campaigns/{quarter.machine}/elders?status=x").status_code == 404


# Exceptions.


def test_never_by_a_machine(world: World, quarter: Quarter, agent: Browser) -> None:
    page = "/care/do-not-call"
    assert agent.post(page, {"elder": "H-004"}, page).status_code == 303
    refused = agent.post(page, {"elder": "H-777"}, page)
    assert (refused.status_code, "没有老人使用此卡号" in refused.text) == (422, True)
    with write() as db:
        calling_hours.put(db, quarter.elders[5].id, Hours(((600, 690),)), None, world.now)
    shown = agent.get(page).text
    assert "김순자" in shown and "10:00-11:30" in shown
    her = quarter.elders[4].person.public_id
    assert agent.post(page, {"elder": her, "end": "yes"}, page).status_code == 303
    assert "김순자" not in agent.get(page).text

    def stands(which: int) -> Hours:
        with read() as db:
            return calling_hours.hours_of(db, quarter.elders[which].id, clock.now())

    assert not stands(4).never
    # Whoever wishes not to be rung at all has her own hours again when that is taken back; then these, too.
    her = quarter.elders[5].person.public_id
    for form, left in (
        ({}, Hours(((600, 690),), never=True)), ({"end": "yes"}, Hours(((600, 690),))), ({"end": "yes"}, Hours()),
    ):  # fmt: skip
        assert agent.post(page, {"elder": her, **form}, page).status_code == 303
        assert stands(5) == left


# The staff's run.


def visit_of(browser: Browser, quarter: Quarter) -> str:
    answer = browser.get(f"/care/runs/{quarter.staff}")
    assert answer.status_code == 303
    return answer.headers["Location"]


def test_the_run_shows_card_script_and_results_and_goes_on_to_the_next(
    world: World, quarter: Quarter, agent: Browser
) -> None:
    care_town.talked_over_time(world, quarter)
    # What went before has met nothing of this list.
    with write() as db:
        for row in db.scalars(select(CareVisit).where(CareVisit.campaign_id == quarter.staff_id)):
            row.status, row.closed_at = VisitStatus.WAITING, None
    path = visit_of(agent, quarter)
    page = agent.get(path).text
    for text in (
        "王桂兰，您好！我是12349的工作人员",
        "今天吃饭了吗",
        "平安",
        "家属代接",
        "空号",
        "连续3次说好",
        'name="q_feel"',
    ):
        assert text in page
    form = {"q_feel": "well", "result": "visit_well", "note": ""}
    assert agent.post(f"{path}/draft", form, path).status_code == 204
    again = agent.get(path).text
    assert 'value="visit_well" required data-digit="1" checked' in again
    # Nothing was rung: it proves nothing without a word on how.
    refused = agent.post(f"{path}/result", form, path)
    assert refused.status_code == 422
    assert "没有从这里拨打" in refused.text
    care_town.called(world, path.rsplit("/", 1)[1], user_id("小陈"))
    done = agent.post(f"{path}/result", form, path)
    assert (done.status_code, done.headers["Location"]) == (303, f"/care/runs/{quarter.staff}")
    assert visit_of(agent, quarter) != path
    lists = agent.get("/care/runs").text
    assert "今天您完成 1" in lists


def test_nobody_works_on_a_colleagues_elder(world: World, quarter: Quarter, agent: Browser, app: Flask) -> None:
    path = visit_of(agent, quarter)
    world.user("刘洋")
    other = Browser(app)
    other.login("刘洋")
    assert other.get(path).status_code == 409
    for deed in ("keep", "draft", "result", "skip", "hand-over", "let-go"):
        assert other.post(f"{path}/{deed}", {"result": "visit_well"}, "/care/do-not-call").status_code in (409,)
    assert visit_of(other, quarter) != path


def test_skip_hand_over_and_let_go(world: World, quarter: Quarter, agent: Browser) -> None:
    world.user("刘洋")
    with read() as db:
        to = db.scalars(select(User.public_id).where(User.name == "刘洋")).one()
    first = visit_of(agent, quarter)
    assert agent.post(f"{first}/skip", {"result": "skip_later"}, first).status_code == 303
    second = visit_of(agent, quarter)
    assert agent.post(f"{second}/hand-over", {"to": to}, second).status_code == 303
    # The colleague sees it on her desk.
    other = Browser(agent.app)
    other.login("刘洋")
    assert "同事转交给您 1 位探访" in other.get("/desk").text
    assert "同事转交给您" not in agent.get("/desk").text
    third = visit_of(agent, quarter)
    assert agent.post(f"{third}/let-go", {}, third).headers["Location"] == "/care/runs"
    with read() as db:
        (hold,) = db.scalars(select(CareHold)).all()
        assert (hold.user_id, hold.visit.public_id) == (user_id("刘洋"), second.rsplit("/", 1)[1])


def test_when_nobody_is_left_the_run_says_so(world: World, quarter: Quarter, agent: Browser) -> None:
    with write() as db:
        db.query(CareVisit).filter(CareVisit.campaign_id == quarter.staff_id).update(
            {"due_at": world.now + timedelta(hours=3)}
        )
    answer = agent.get(f"/care/runs/{quarter.staff}")
    assert answer.status_code == 200
    assert "现在没有要打的了" in answer.text
    assert "还有 4 位老人稍后再打" in answer.text


def test_a_list_that_rests_offers_nobody_and_says_why(world: World, quarter: Quarter, agent: Browser) -> None:
    begin = f'href="/care/runs/{quarter.staff}"'
    assert begin in agent.get("/care/runs").text
    mine = visit_of(agent, quarter)
    with write() as db:
        campaigns.move(db, quarter.staff_id, CampaignStatus.PAUSED, world.now)
    lists = agent.get("/care/runs").text
    assert begin not in lists and "已暂停" in lists
    # Whoever is in front of somebody ends her visit; the next one is nobody.
    assert agent.get(f"/care/runs/{quarter.staff}").status_code == 303
    written = agent.post(f"{mine}/result", {"result": "visit_no_answer"}, mine)
    after = agent.get(written.headers["Location"]).text
    assert "此名单当前不拨打" in after and "已暂停" in after and "现在没有要打的了" not in after


# The report.


def test_the_report_counts_tries_and_hours_and_opens_their_calls(world: World, quarter: Quarter, boss: Browser) -> None:
    care_town.talked_over_time(world, quarter)
    month = f"{clock.local(world.now - timedelta(days=4)):%Y-%m}"
    page = boss.get(f"/care/report?month={month}").text
    assert "各时段探访成功" in page
    hour = clock.local(world.now - timedelta(hours=2)).hour
    assert f"hour={hour}" in page
    behind = boss.get(f"/care/report/calls?month={month}&what=proved&hour={hour}").text
    assert "王桂兰" in behind
    needed = boss.get(f"/care/report/calls?month={month}&what=tries&needed=1").text
    assert "王桂兰" in needed
    assert boss.get(f"/care/report/calls?month={month}&what=x").status_code == 404


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_bureaus_file_is_no_formula_and_opens_in_a_spreadsheet(
    world: World, quarter: Quarter, boss: Browser, form: str
) -> None:
    with write() as db:
        db.scalars(select(Person).where(Person.name == "孙管家")).one().name = "=SUM(1)"
    answer = boss.get(f"/care/report.{form}")
    data = answer.data
    if form == "csv":
        assert data.startswith(b"\xef\xbb\xbf")
        assert "\n'=SUM" in data.decode("utf-8-sig").replace("按养老管家,", "\n")
    else:
        sheet = load_workbook(io.BytesIO(data)).worksheets[0]
        cells = [cell for row in sheet.iter_rows() for cell in row]
        assert [cell.data_type for cell in cells if "SUM" in str(cell.value)] == ["s"]
