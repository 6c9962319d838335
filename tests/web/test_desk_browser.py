"""The desk in Chromium: from the ringing call to the order by keyboard alone; two agents, one task; two cards, one."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect
from sqlalchemy import select

from models import session
from models.calls import Call
from models.orders import Order
from models.people import Elder
from models.results import CallOutcome
from models.tasks import TaskKind
from models.users import AuditEvent
from tests.support.patience import PATIENCE
from tests.web import desk_town, town
from tests.web.test_browser import Complaints, _check, chromium, console, context
from tests.web.world import PASSWORD, World, landline

__all__ = ["chromium", "console", "context"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def log_in(world: World, context: BrowserContext, name: str) -> Page:
    world.user(name)
    page = context.new_page()
    page.goto("/login?next=/desk")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    expect(page.locator("[data-live].connected")).to_be_attached()
    return page


def test_from_the_ring_to_the_order_by_keyboard_alone(world: World, context: BrowserContext) -> None:
    seeded = town.build(world)
    page = log_in(world, context, "小陈")
    complaints = Complaints(page)
    page.evaluate("window.notReloaded = true")
    keys = page.keyboard
    call = desk_town.rings(world, seeded.elder, "小陈")
    # With an ordinary telephone: the row appears by the stream; one key opens whoever has waited longest.
    waiting = page.locator("[data-part=waiting]")
    expect(waiting).to_contain_text("王桂兰")
    page.evaluate("document.activeElement.blur()")
    keys.press("w")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("0451 1000 0104")
    keys.press("d")
    waiting.get_by_role("link", name="王桂兰").focus()
    keys.press("Enter")
    expect(heading).to_contain_text("王桂兰")
    main = page.locator("main")
    for told in ("右腿不便", "尚志大街 1 号院", "道里区 · 尚志社区 · 第三网格", "下半晌儿", "赵德福"):
        expect(main).to_contain_text(told)
    _check(page, "the pop")
    # What the machine understood stands in the form already; only the part of the day is missing.
    expect(page.locator("input[name=service]:checked")).to_have_value("bathing")
    expect(page.locator("#day")).to_have_value(world.day(1).isoformat())
    keys.press("?")
    expect(page.locator("#keys")).to_be_visible()
    _check(page, "the shortcuts")
    keys.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    keys.press("o")
    expect(page.locator("input[name=service]:checked")).to_be_focused()
    page.locator("input[name=part]").first.focus()
    keys.press("ArrowRight")
    keys.press("Space")
    keys.press("Enter")
    expect(page.locator(".script-text")).to_contain_text(re.compile("明天.*，助浴。"))
    expect(page.locator(".script-text")).not_to_contain_text("按1")
    _check(page, "the read-back")
    keys.press("Enter")
    expect(heading).to_contain_text("工单")
    with session.read() as db:
        order = db.scalars(select(Order).where(Order.channel == "agent")).one()
        assert (order.service, order.wanted_on, order.elder_id, order.call_id) == (
            "bathing", world.day(1), seeded.elder.id, call.id,
        )  # fmt: skip
    # The call is over: its result is owed, written, and stands.
    desk_town.answers(world, call, "小陈")
    desk_town.hangs_up(world, call)
    keys.press("d")
    expect(page.locator(".panel-owed")).to_contain_text("王桂兰")
    page.locator(".panel-owed a.button").focus()
    keys.press("Enter")
    expect(heading).to_contain_text("王桂兰")
    keys.press("r")
    keys.press("Space")
    keys.press("Tab")
    keys.type("已下单")
    keys.press("Tab")
    keys.press("Enter")
    expect(page.locator("#waiting-title")).to_be_visible()
    expect(page.locator(".panel-owed")).to_have_count(0)
    with session.read() as db:
        assert db.scalars(select(CallOutcome.code).where(CallOutcome.call_id == call.id)).one() == "done"
    # Search, and the lines of a list, without a mouse.
    keys.press("/")
    keys.type("wgl")
    keys.press("Enter")
    expect(page).to_have_url(re.compile("/search"))
    expect(page.locator("[data-lines] .who").first).to_contain_text("王桂兰")
    _check(page, "the search")
    page.evaluate("document.activeElement.blur()")
    keys.press("j")
    keys.press("Enter")
    expect(heading).to_contain_text("王桂兰")
    assert page.evaluate("window.notReloaded")
    assert complaints.said == []


def test_a_ring_does_not_take_away_what_is_being_written(world: World, context: BrowserContext) -> None:
    seeded = town.build(world)
    page = log_in(world, context, "小陈")
    call = desk_town.rings(world, seeded.elder, "小陈")
    detail = f"{{detail: {{call: '{call.public_id}', direction: 'in', task: ''}}}}"
    ring = f"document.dispatchEvent(new CustomEvent('phone:ringing', {detail}))"
    page.goto(f"/tasks/{seeded.task_id}")
    page.fill("#result-note", "她说")
    page.evaluate(ring)
    expect(page.locator("[data-ring]")).to_be_visible()
    expect(page.locator("#result-note")).to_have_value("她说")
    page.goto("/desk")
    page.evaluate(ring)
    expect(page.get_by_role("heading", level=1)).to_contain_text("王桂兰")
    # A stranger: the number stands in the form already; registering her makes the call hers, in one step.
    unknown = desk_town.stranger(world, "13800001234")
    page.goto(f"/desk/calls/{unknown.public_id}")
    expect(page.locator("#numbers")).to_have_value("13800001234")
    _check(page, "a stranger")
    page.fill("#name", "赵秀英")
    page.get_by_role("button", name="登记并关联此通话").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("赵秀英")
    with session.read() as db:
        assert db.scalars(select(Elder).order_by(Elder.id.desc())).first().person.name == "赵秀英"  # type: ignore[union-attr]


def test_the_pop_of_a_call_that_may_ring_here_is_drawn_at_the_ring_without_the_console(
    world: World, context: BrowserContext
) -> None:
    seeded = town.build(world)
    page = log_in(world, context, "小陈")
    complaints = Complaints(page)
    with world.rows() as db:
        chen = desk_town.named(db, "小陈")
    for one in (chen, world.user("小李")):
        desk_town.stands(world, one)
    heading = page.get_by_role("heading", level=1)
    # As if the telephone were registered: without an exchange it cannot be.
    page.evaluate("document.getElementById('phone').dataset.line = 'up'")
    call = desk_town.rings(world, seeded.elder)
    _waits_for_page(page, call.public_id)
    # It is laid out where nobody comes to it: nobody's telephone rings yet.
    expect(page.locator("[data-part=waiting]")).to_contain_text("王桂兰")
    _is_out_of_reach(page, call)
    # The console stands still from now on; what it says at last is brought into the page.
    held: list[Route] = []
    page.route("**/desk/calls/*", lambda route: held.append(route))
    page.evaluate(RINGS, call.public_id)
    expect(heading).to_contain_text("王桂兰")
    expect(page).to_have_url(re.compile(f"/desk/calls/{call.public_id}$"))
    expect(page).to_have_title(re.compile("王桂兰"))
    expect(heading).to_be_focused()
    expect(page.locator(".ahead", has=page.locator(f"[data-pop='{call.public_id}']"))).to_have_count(0)
    assert _deeds(call) == ["given_ahead"]
    deadline = time.monotonic() + 10 * PATIENCE
    while not held:
        assert time.monotonic() < deadline, "the console is not asked at the ring"
        page.wait_for_timeout(50)
    with world.rows() as db:
        db.get_one(Elder, seeded.elder.id).address = "尚志大街 9 号"
    held.pop().continue_()
    expect(page.locator("main")).to_contain_text("尚志大街 9 号")
    expect(heading).to_be_focused()
    assert _deeds(call) == ["given_ahead", "read"]
    # Fetched, and rung for somebody else: it is thrown away. Not fetched in time: it is fetched at the ring.
    page.unroute("**/desk/calls/*")
    page.goto("/desk")
    page.evaluate("document.getElementById('phone').dataset.line = 'up'")
    second = desk_town.waits(world, elder=seeded.elder)
    _waits_for_page(page, second.public_id)
    world.end(second)
    _waits_for_page(page, second.public_id, there=False)
    expect(page.locator(f"[data-pop='{second.public_id}']")).to_have_count(0)
    page.evaluate("document.getElementById('phone').dataset.line = 'down'")
    third = desk_town.waits(world, elder=seeded.elder)
    page.evaluate(RINGS, third.public_id)
    expect(page).to_have_url(re.compile(f"/desk/calls/{third.public_id}$"))
    expect(heading).to_contain_text("王桂兰")
    assert (_deeds(second), _deeds(third)) == (["given_ahead"], ["read"])
    assert complaints.said == []


def test_a_call_that_can_ring_nowhere_else_is_shown_before_its_ring(world: World, context: BrowserContext) -> None:
    seeded = town.build(world)
    desk_town.nobody_waits(world)
    page = log_in(world, context, "小陈")
    complaints = Complaints(page)
    with world.rows() as db:
        chen = desk_town.named(db, "小陈")
    desk_town.stands(world, chen)
    page.evaluate("document.getElementById('phone').dataset.line = 'up'")
    first = page.locator("main a").first
    first.focus()
    call = desk_town.rings(world, seeded.elder)
    layer = page.locator(".ahead-here").filter(has=page.locator(f"[data-pop='{call.public_id}']"))
    note = page.locator("#phone [data-note]")
    # What she was at waits beneath it: neither a key nor a click comes to it, and the address is still its own.
    expect(layer).to_contain_text("王桂兰")
    expect(note).to_have_text("来电即将转接给您")
    assert page.evaluate("document.getElementById('main').inert")
    expect(page).to_have_url(re.compile("/desk$"))
    # She gives up before it rings: everything is as it was, the focus too.
    world.end(call)
    expect(layer).to_have_count(0)
    expect(note).to_have_text("")
    expect(first).to_be_focused()
    assert not page.evaluate("document.getElementById('main').inert")
    # The next one rings, and what is shown becomes the page.
    second = desk_town.rings(world, seeded.elder)
    layer = page.locator(".ahead-here").filter(has=page.locator(f"[data-pop='{second.public_id}']"))
    # Escape puts it away until the ring.
    expect(layer).to_be_visible()
    page.keyboard.press("Escape")
    expect(layer).to_have_count(0)
    expect(first).to_be_focused()
    page.evaluate(RINGS, second.public_id)
    expect(page).to_have_url(re.compile(f"/desk/calls/{second.public_id}$"))
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.locator(".ahead")).to_have_count(0)
    # Whoever is writing is not interrupted before it rings.
    world.end(second)
    page.goto(f"/tasks/{seeded.task_id}")
    page.evaluate("document.getElementById('phone').dataset.line = 'up'")
    page.fill("#result-note", "她说")
    third = desk_town.waits(world, elder=seeded.elder)
    _waits_for_page(page, third.public_id)
    expect(page.locator(".ahead-here")).to_have_count(0)
    expect(page.locator("#result-note")).to_be_focused()
    assert complaints.said == []


RINGS = """call => document.dispatchEvent(
  new CustomEvent("phone:ringing", { detail: { call, direction: "in", task: "" } }))"""


def _waits_for_page(page: Page, call: str, there: bool = True) -> None:
    """The page has the pop ready, out of sight, or has thrown it away."""
    deadline = time.monotonic() + 10 * PATIENCE
    while page.evaluate("call => window.hotline.ahead.has(call)", call) is not there:
        assert time.monotonic() < deadline, "no pop is fetched ahead" if there else "a pop that nobody needs is kept"
        time.sleep(0.05)


# What the elder's page says and the desk's own does not.
HERS = "尚志大街 1 号院"
MARKED = """() => {
  getSelection().selectAllChildren(document.body);
  const text = getSelection().toString();
  getSelection().empty();
  return text;
}"""


def _is_out_of_reach(page: Page, call: Call) -> None:
    """The pop is laid out; yet nothing of it is seen, printed, found, marked, read aloud, or gone to with a key."""
    pop = page.locator(f"[data-pop='{call.public_id}']")
    box = page.locator(".ahead").filter(has=pop)
    expect(box).to_have_count(1)
    assert HERS in (box.text_content() or "") and pop.bounding_box()
    assert any(_same_picture(page, box) for _ in range(5)), "the screen shows something of it"
    page.emulate_media(media="print")
    assert pop.evaluate("one => one.checkVisibility()") is False, "it would be printed"
    page.emulate_media(media="screen")
    assert not page.evaluate("text => window.find(text, false, false, true)", HERS), "the browser's search finds it"
    assert HERS not in page.evaluate(MARKED), "it is marked with the rest of the page, and copied"
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    assert not [one for one in tree["nodes"] if not one["ignored"] and HERS in one.get("name", {}).get("value", "")]
    for _ in range(60):
        page.keyboard.press("Tab")
        assert not page.evaluate("Boolean(document.activeElement.closest('.ahead'))"), "a key leads to it"
    # Neither does a click: what lies under it takes it; nor a shortcut of the pop's own.
    assert not page.evaluate("Boolean(document.elementFromPoint(400, 300).closest('.ahead'))")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("o")
    assert page.evaluate("document.activeElement === document.body")


def _same_picture(page: Page, box: Locator) -> bool:
    """With the box and without it the screen is the same to the last pixel; between the two a clock may have ticked."""
    seen = page.screenshot(animations="disabled")
    box.evaluate("one => { one.style.display = 'none'; }")
    bare = page.screenshot(animations="disabled")
    box.evaluate("one => { one.style.display = ''; }")
    return seen == bare


def _deeds(call: Call) -> list[str]:
    """What the audit says of a call, in order."""
    with session.read() as db:
        of = AuditEvent.subject == "call", AuditEvent.subject_id == call.id
        return list(db.scalars(select(AuditEvent.action).where(*of).order_by(AuditEvent.id)))


def test_two_agents_one_task_and_two_cards_one_elder(world: World, context: BrowserContext) -> None:
    wang = world.elder("王桂兰", landline(101), sex="f")
    other = world.elder("王桂兰", landline(101), address="经纬街2号")
    task = world.task(TaskKind.RING_BACK, elder_id=wang.id, number_id=wang.person.numbers[0].number_id)
    chen = log_in(world, context, "小陈")
    chen.goto(f"/tasks/{task.public_id}")
    expect(chen.get_by_role("button", name="填写结果")).to_be_visible()
    browser = context.browser
    assert browser is not None
    second = browser.new_context(base_url=re.sub(r"(https?://[^/]+).*", r"\1", chen.url))
    li = log_in(world, second, "小李")
    li.goto(f"/tasks/{task.public_id}")
    expect(li.get_by_role("alert").filter(has_text="小陈")).to_be_visible()
    expect(li.get_by_role("button", name="填写结果")).to_have_count(0)
    _check(li, "a locked task")
    # She leaves it: the other one has it.
    chen.get_by_role("link", name="工作台").click()
    expect(chen.locator("#waiting-title")).to_be_visible()
    li.reload()
    li.get_by_role("button", name="领取").click()
    expect(li.get_by_role("button", name="放回公共待办")).to_be_visible()
    li.locator(".pick-one", has_text="无人接听").click()
    li.get_by_role("button", name="填写结果").click()
    expect(li.locator("main")).to_contain_text("再联系")
    second.close()
    chen.goto(f"/elders/{wang.person.public_id}")
    chen.get_by_role("link", name="对比").click()
    expect(chen.get_by_role("heading", level=1)).to_contain_text("同一位老人")
    _check(chen, "the comparison")
    chen.get_by_role("button", name="同一人：保留这份资料").first.click()
    expect(chen.locator("main")).to_contain_text("已与 王桂兰 合并")
    expect(chen.locator("main")).to_contain_text("经纬街2号")
    chen.goto(f"/elders/{other.person.public_id}")
    expect(chen).to_have_url(re.compile(wang.person.public_id))
    chen.goto(f"/elders/{wang.person.public_id}/edit")
    _check(chen, "the corrections")
    chen.fill("#address", "尚志大街9号")
    chen.get_by_role("button", name="保存").click()
    expect(chen.locator("ins", has_text="尚志大街9号")).to_be_visible()
    for path in ("/desk", "/shortcuts", f"/elders/{wang.person.public_id}/history/changes"):
        chen.goto(path)
        _check(chen, path)
    chen.set_viewport_size({"width": 390, "height": 844})
    for path in ("/desk", f"/tasks/{task.public_id}", "/search?q=wang", f"/elders/{wang.person.public_id}/order"):
        chen.goto(path)
        _check(chen, f"{path} at 390 px")
