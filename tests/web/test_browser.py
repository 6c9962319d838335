"""The console in Debian's Chromium against real gunicorn: live, right after a crash, clean, accessible."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from models import audio, session
from models.audio import Audio
from models.calls import Call, CallState
from models.orders import OrderStatus
from models.settings import settings
from models.tasks import TaskKind
from tests.support.patience import PATIENCE
from tests.web import shift, town
from tests.web.chromium import launched
from tests.web.console import Console
from tests.web.world import PASSWORD, World, landline, mobile

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
AXE = Path(__file__).parent / "vendor/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LIVE_WITHIN_MS = 2000 * PATIENCE


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """One Chromium for all; if there is none, the error names the remedy."""
    with launched() as browser:
        yield browser


@pytest.fixture
def console(world: World, var_dir: Path) -> Iterator[Console]:
    """The console as a process of its own."""
    with Console(var_dir) as console:
        yield console


@pytest.fixture
def context(chromium: Chromium, console: Console) -> Iterator[BrowserContext]:
    """A fresh profile."""
    context = chromium.new_context(base_url=console.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(15_000 * PATIENCE)
    yield context
    context.close()


class Complaints:
    """Everything the browser complains about: scripts, refused policies, failed requests."""

    def __init__(self, page: Page) -> None:
        self.said: list[str] = []
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.said.append(f"script: {error}"))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.said.append(f"{kind}: {text}")

    def of_pages(self) -> list[str]:
        """All but connections that were cut or refused, which are what a test with a dead server wants."""
        wanted = ("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_INCOMPLETE", "ERR_EMPTY_RESPONSE")
        return [line for line in self.said if not any(word in line for word in wanted)]


@pytest.fixture
def page(world: World, context: BrowserContext) -> Page:
    """An agent at the board."""
    world.user("小陈")
    page = context.new_page()
    page.goto("/")
    page.fill("#name", "小陈")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    expect(page.get_by_role("heading", name="通话", exact=True)).to_be_visible()
    expect(page.locator("[data-live].connected")).to_be_attached()
    return page


def test_the_board_is_live_and_right_after_a_crash(world: World, console: Console, page: Page) -> None:
    complaints = Complaints(page)
    page.evaluate("window.notReloaded = true")
    calls, orders, tasks = page.locator("#calls"), page.locator("#orders"), page.locator("#tasks")
    expect(calls).to_contain_text("当前没有通话")
    expect(orders).to_contain_text("暂无进行中的工单")

    elder = world.elder("王桂兰", landline(101))
    call = world.call(elder)
    began = time.monotonic()
    expect(calls).to_contain_text("王桂兰", timeout=LIVE_WITHIN_MS)
    latency = time.monotonic() - began
    print(f"row to screen: {latency * 1000:.0f} ms")  # noqa: T201 (a figure for the report)
    expect(calls).to_contain_text("自助语音中")
    order = world.order(elder, "bathing")
    expect(orders).to_contain_text("助浴", timeout=LIVE_WITHIN_MS)
    task = world.task(TaskKind.ALARM, elder_id=elder.id)
    expect(tasks).to_contain_text("紧急救援", timeout=LIVE_WITHIN_MS)
    expect(page.locator("[data-say]")).to_contain_text("紧急救援 1")

    # Focus stays where it was while the list around it changes.
    link = page.locator(f"#order-{order.public_id} a").first
    link.focus()
    world.move(order, OrderStatus.OFFERED)
    expect(orders).to_contain_text("派单中", timeout=LIVE_WITHIN_MS)
    assert link.evaluate("element => element === document.activeElement")

    console.kill()
    banner = page.locator("[data-banner]")
    expect(banner).to_be_visible()
    expect(banner).to_contain_text(re.compile(r"连接已于 \d\d:\d\d:\d\d 中断"))
    world.end(call)
    with world.rows() as db:
        db.merge(task).closed_at = world.now
    world.call(world.elder("赵德福", landline(102)), state=CallState.WAITING)
    console.start()
    expect(calls).to_contain_text("赵德福", timeout=8000 * PATIENCE)
    expect(banner).to_be_hidden()
    expect(page.locator("#calls .rows").first).not_to_contain_text("王桂兰")
    expect(tasks).to_contain_text("暂无待办")
    assert page.evaluate("window.notReloaded")
    assert complaints.of_pages() == []


def test_a_stop_is_quick_with_pages_open(console: Console, page: Page) -> None:
    # Open streams would hold it up for the 30 s that a request may take.
    assert console.stop() < 10
    expect(page.locator("[data-banner]")).to_be_visible()
    console.start()
    expect(page.locator("[data-banner]")).to_be_hidden(timeout=8000 * PATIENCE)


def test_from_the_board_to_an_orders_course_an_elders_card_and_a_closed_task(world: World, page: Page) -> None:
    complaints = Complaints(page)
    seeded = town.build(world)
    page.locator("#orders").get_by_role("link", name="1001").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("工单 1001")
    expect(page.locator(".course")).to_contain_text("服务商已接单")
    page.get_by_role("link", name="王桂兰").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("王桂兰")
    expect(page.locator("main")).to_contain_text("0451 1000 0101")
    page.goto(f"/calls/{seeded.call_id}")
    expect(page.locator("main")).to_contain_text("洗澡")
    page.goto("/")
    page.locator("#tasks").get_by_role("link", name="未完成的请求").click()
    page.get_by_label("已联系并告知").check()
    page.get_by_role("textbox", name="备注 最多").fill("已回电，改约后天。")
    page.get_by_role("button", name="填写结果").click()
    expect(page.locator("main")).to_contain_text("已回电，改约后天。")
    assert complaints.said == []


def test_an_agent_has_her_spoken_to_slowly_and_takes_it_back(world: World, page: Page) -> None:
    complaints = Complaints(page)
    wang = world.elder("王桂兰", landline(101))
    page.goto(f"/elders/{wang.person.public_id}")
    pace = page.get_by_role("group", name="语速")
    expect(pace.get_by_role("button", name="正常语速")).to_have_attribute("aria-pressed", "true")
    pace.get_by_role("button", name="慢速").click()
    expect(pace.get_by_role("button", name="慢速")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".manner").first).to_contain_text("坐席设置: 小陈")
    page.get_by_role("button", name=re.compile("撤销.*语速")).click()
    expect(pace.get_by_role("button", name="正常语速")).to_have_attribute("aria-pressed", "true")
    page.locator(".manner-earlier summary").click()
    expect(page.locator(".manner-earlier")).to_contain_text("已撤销: 小陈")
    assert complaints.said == []


def test_an_orders_page_grows_by_itself(world: World, page: Page) -> None:
    complaints = Complaints(page)
    elder = world.elder("王桂兰", landline(101))
    provider = world.provider("康乐助浴服务站", mobile(201))
    order = world.order(elder)
    page.goto(f"/orders/{order.public_id}")
    page.evaluate("window.notReloaded = true")
    expect(page.locator(".course")).not_to_contain_text("康乐助浴服务站")
    world.move(order, OrderStatus.OFFERED)
    world.offer(order, provider, world.now)
    expect(page.locator(".course")).to_contain_text("向 康乐助浴服务站 派单", timeout=6000 * PATIENCE)
    assert page.evaluate("window.notReloaded")
    assert complaints.said == []


def test_the_page_never_navigates(world: World, page: Page) -> None:
    """Links, forms, faults, back and forth and another language: the same document, the same stream, one telephone."""
    complaints = Complaints(page)
    seeded = town.build(world)
    page.evaluate("window.notReloaded = true")
    page.locator("#orders").get_by_role("link", name="1001").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("工单 1001")
    expect(heading).to_be_focused()
    expect(page.locator("[data-here]")).to_contain_text("工单 1001")
    expect(page).to_have_title(re.compile("工单 1001"))
    page.get_by_role("link", name="服务商", exact=True).click()
    expect(page.locator(".nav [aria-current=page]")).to_have_text("服务商")
    page.go_back()
    expect(heading).to_contain_text("工单 1001")
    expect(page.locator(".nav [aria-current=page]")).to_have_count(0)
    page.go_back()
    expect(page.locator(".nav [aria-current=page]")).to_have_text("看板")
    # What happened while another page was shown is drawn when the board is shown again.
    page.get_by_role("link", name="服务商", exact=True).click()
    expect(heading).to_contain_text("服务商")
    world.task(TaskKind.ALARM, elder_id=seeded.elder.id)
    expect(page.locator("[data-part=strip]")).to_contain_text("紧急救援: 2")
    expect(page.locator("[data-say]")).to_contain_text("紧急救援 2")
    page.locator("[data-part=strip] a").first.click()
    expect(page.locator("#tasks .row-alarm")).to_have_count(2)
    page.evaluate("htmx.ajax('GET', '/nothing-here', {target: '#main', select: '#main', push: 'true'})")
    expect(heading).to_contain_text("没有找到")
    page.locator("#menu summary").click()
    page.get_by_role("button", name="深色").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("[data-part=strip]")).to_contain_text("Emergencies: 2")
    assert page.evaluate("window.notReloaded")
    assert page.evaluate("performance.getEntriesByType('navigation').length") == 1
    assert [line for line in complaints.said if "404" not in line] == []


def test_an_ended_session_leads_to_the_log_in(page: Page, context: BrowserContext) -> None:
    other = context.new_page()
    other.goto("/")
    other.locator("#menu summary").click()
    other.get_by_role("button", name="退出").click()
    expect(other.get_by_role("heading", name="登录")).to_be_visible()
    expect(page.get_by_role("heading", name="登录")).to_be_visible(timeout=20_000 * PATIENCE)


def test_the_keyboard_is_enough(world: World, page: Page) -> None:
    town.build(world)
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.classList.contains('figure')")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


@pytest.fixture
def supervised(world: World, context: BrowserContext) -> tuple[Page, Call]:
    """A supervisor's page in the middle of a shift, and a call of it that was recorded and marked."""
    told = shift.begins(world, town.build(world).elder, world.user("周班长", "supervisor"))
    page = context.new_page()
    page.goto("/")
    page.fill("#name", "周班长")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    expect(page.locator("[data-live].connected")).to_be_attached()
    return page, told


def _comes_true(page: Page, expression: str, within_s: float = 10) -> None:
    """Look until it is; Playwright's own way needs what the page's policy forbids."""
    end = time.monotonic() + within_s * PATIENCE
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never: {expression}"
        page.wait_for_timeout(50)


def test_a_recording_is_heard_from_each_line_at_any_speed_by_keyboard(supervised: tuple[Page, Call]) -> None:
    page, told = supervised
    complaints = Complaints(page)
    asked: list[tuple[str | None, int]] = []
    page.on("response", lambda one: asked.append((one.request.headers.get("range"), one.status))
            if "/recordings/" in one.url else None)  # fmt: skip
    page.goto(f"/calls/{told.public_id}")
    box = page.locator("[data-recording]")
    assert asked == []  # Nothing is fetched before somebody wants to hear: each time is audited.
    expect(box.locator(".wave-turn")).to_have_count(6)
    page.get_by_role("button", name="从此处播放").nth(3).press("Enter")
    sound = "document.querySelector('[data-recording] [data-sound]')"
    # The page tells where she wants to be before the sound is there; then the sound is past the ninth second itself.
    expect(box.locator("[data-time]")).to_have_text(re.compile(r"0:(09|1\d) / 0:48"))
    expect(box.locator("[data-sound]")).to_have_js_property("seeking", False)
    _comes_true(page, f"{sound}.currentTime > 9 && !{sound}.paused")
    assert asked and all(status == 206 for _, status in asked), asked
    box.get_by_label("播放速度").select_option("2")
    assert page.evaluate(f"{sound}.playbackRate") == 2
    assert float(box.locator("[data-played]").get_attribute("width") or 0) > 70
    toggle = box.locator("[data-toggle]")
    expect(toggle).to_have_text("暂停播放")
    toggle.press("Space")
    expect(toggle).to_have_text("播放")
    place = box.get_by_label("播放位置")
    place.press("End")
    expect(place).to_have_attribute("aria-valuetext", "0:48")
    place.press("Home")
    expect(box.locator("[data-time]")).to_have_text("0:00 / 0:48")
    # Erased while the page is open: it says so.
    with session.write() as db:
        row = db.scalars(select(Audio).where(Audio.call_id == told.id)).one()
        audio.erase(db, settings().audio_dir, row, told.started_at)
    page.goto(f"/calls/{told.public_id}")
    expect(page.locator("main")).to_contain_text("删除")
    expect(page.locator("[data-recording], [data-seek]")).to_have_count(0)
    assert complaints.said == []


def test_a_supervisor_marks_a_call_by_keyboard(supervised: tuple[Page, Call], world: World) -> None:
    page, told = supervised
    page.goto(f"/calls/{told.public_id}")
    page.get_by_text("修改我的评分").press("Enter")
    page.get_by_role("radio", name="5").first.focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_label("给坐席的评语").fill("问候可以更亲切。")
    page.get_by_role("button", name="保存评分").press("Enter")
    expect(page.locator(".mark blockquote")).to_have_text("问候可以更亲切。")
    expect(page.locator(".mark-total")).to_have_text("4.10")
    expect(page.locator(".mark summary")).to_contain_text("历史版本 2")


# Of what is right nothing is told: axe would describe, and Playwright carry, every element of the page.
_FAULTS = """async ([rules, where]) => {
  const found = await axe.run(where, { runOnly: rules, resultTypes: ["violations"] });
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 120)} ${failureSummary}`));
}"""


def faults(page: Page, rules: object = RULES, where: str = "html") -> list[str]:
    """Return what axe finds by these rules in this part of the page."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(_FAULTS, [rules, where])
    return found


def _check(page: Page, path: str) -> None:
    assert faults(page) == [], path
    across = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert across <= 0, f"{path} is {across} px too wide"


def _check_views(page: Page, path: str, *views: tuple[int, str]) -> None:
    """Check a page at each of these widths (px) and schemes. It is not loaded anew: only its style depends on them."""
    for width, scheme in views:
        # Without motion: a colour on its way to another one is none of the page's.
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        _check(page, f"{path} at {width} px, {scheme}")
