"""The staff's run in Chromium, by keyboard alone; a reload loses nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from models.campaigns import CareAnswer, CareVisit, VisitStatus
from models.care_runs import CareHold
from models.results import CallOutcome
from models.session import read
from models.users import User
from tests.web import care_town
from tests.web.test_browser import Complaints, chromium, console, context
from tests.web.world import PASSWORD, World

__all__ = ["chromium", "console", "context"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


# By digit, with what the page says follows.
NINE = (
    ("平安", "终结"), ("需跟进", "终结"), ("需紧急处置", "终结"), ("未接", "10分钟"), ("忙", "5分钟"),
    ("停机", "24小时"), ("空号", "终结"), ("拒访", "终结"), ("家属代接", "4小时"),
)  # fmt: skip


def log_in(world: World, context: BrowserContext, path: str) -> Page:
    world.user("小陈", "supervisor")
    page = context.new_page()
    page.goto(f"/login?next={path}")
    page.fill("#name", "小陈")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    expect(page.locator("[data-live].connected")).to_be_attached()
    return page


def test_the_staffs_run_by_keyboard_alone(world: World, context: BrowserContext) -> None:
    quarter = care_town.build(world)
    colleague = world.user("刘洋").id
    page = log_in(world, context, "/care/runs")
    complaints = Complaints(page)
    keys, main, heading = page.keyboard, page.locator("main"), page.get_by_role("heading", level=1)
    page.evaluate("window.notReloaded = true")
    keys.press("t")
    expect(heading).to_contain_text("王桂兰")
    expect(main).to_contain_text("高风险")
    expect(main).to_contain_text("王桂兰，您好！我是12349的工作人员")
    # How far the list is; the nine results, each with what follows.
    bar = page.get_by_role("progressbar", name="名单")
    expect(bar).to_have_attribute("value", "0")
    results = page.locator("form[data-visit-form] .pick-grid .pick-one")
    for number, (name, follows) in enumerate(NINE):
        expect(results.nth(number)).to_contain_text(name)
        expect(results.nth(number)).to_contain_text(follows)
    expect(results).to_have_count(len(NINE))
    visit = page.url.rsplit("/", 1)[1]
    with read() as db:
        me = db.scalars(select(User.id).where(User.name == "小陈")).one()
    # She is rung by the telephone in the page; without one its row is written here, and the page sees it by itself.
    care_town.called(world, visit, me)
    expect(page.locator("#run-call")).to_contain_text("已接听，已结束", timeout=15000)
    # Digits answer one question after the other.
    page.evaluate("document.activeElement.blur()")
    for digit, name in (("2", "q_feel"), ("1", "q_eaten"), ("3", "q_medicine")):
        with page.expect_response(lambda answer: answer.url.endswith("/draft")):
            keys.press(digit)
        expect(page.locator(f"[name={name}]:checked")).to_have_count(1)
    keys.press("n")
    expect(page.locator("#visit-note")).to_be_focused()
    with page.expect_response(lambda answer: answer.url.endswith("/draft")):
        keys.type("3day: medicine")
    page.reload()
    # Nothing is lost by a reload, and she is still hers.
    expect(heading).to_contain_text("王桂兰")
    expect(page.locator("[name=q_feel]:checked")).to_have_value("need")
    expect(page.locator("#visit-note")).to_have_value("3day: medicine")
    keys.press("r")
    with page.expect_response(lambda answer: answer.url.endswith("/draft")):
        keys.press("2")
    expect(page.locator("[name=result]:checked")).to_have_value("visit_follow_up")
    keys.press("y")
    expect(heading).not_to_contain_text("王桂兰")
    expect(main).to_contain_text("今天您完成 1")
    expect(bar).to_have_attribute("value", "1")
    with read() as db:
        outcome = db.scalars(select(CallOutcome)).one()
        answers = {row.question: row.answer for row in db.scalars(select(CareAnswer))}
        row = db.scalars(select(CareVisit).where(CareVisit.public_id == visit)).one()
    assert (outcome.code, outcome.note, row.status) == ("visit_follow_up", "3day: medicine", VisitStatus.PROVED)
    assert answers == {"feel": "need", "eaten": "yes", "medicine": "none"}
    # The next one is passed over with a reason.
    second = heading.text_content() or ""
    keys.press("s")
    page.locator("[name=result][value=skip_later]").check()
    page.get_by_role("button", name="跳过", exact=True).click()
    expect(heading).not_to_contain_text(second.split()[0])
    # The third is a colleague's; the fourth is rung in vain, and comes again.
    third = heading.text_content() or ""
    keys.press("s")
    page.get_by_label("转交给").select_option(label="刘洋")
    page.get_by_role("button", name="转交", exact=True).click()
    expect(heading).not_to_contain_text(third.split()[0])
    last = page.url.rsplit("/", 1)[1]
    care_town.called(world, last, me, answered=False)
    expect(page.locator("#run-call")).to_contain_text("无人接听", timeout=15000)
    keys.press("r")
    keys.press("4")
    keys.press("y")
    expect(main).to_contain_text("现在没有要打的了")
    with read() as db:
        row = db.scalars(select(CareVisit).where(CareVisit.public_id == last)).one()
        (held,) = db.scalars(select(CareHold)).all()
    assert (row.status, held.user_id) == (VisitStatus.WAITING, colleague)
    assert quarter.staff
    assert complaints.of_pages() == []
