"""Every page of the console in Chromium, wide and narrow, light and dark: axe finds nothing, nothing is cut off, and
whatever can be clicked is reached by keyboard and seen there. One console, one profile and one town for all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from playwright.sync_api import Page, expect

from agents import accounts
from models.settings import settings
from tests.support.fresh import forget
from tests.support.patience import PATIENCE
from tests.web import every_page
from tests.web.chromium import launched
from tests.web.console import Console
from tests.web.secret import SECRET
from tests.web.test_browser import RULES, Complaints, faults
from tests.web.world import PASSWORD, World
from web.app import create_app
from web.config import ConsoleSettings

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
AT_A_DESK = (1440, 900)
ON_A_TELEPHONE = (390, 844)
AT_200_PER_CENT = (720, 450)
# Light and dark differ in nothing but colours; a desk's page at 200 % in nothing but where things stand.
COLOURS = ["color-contrast", "link-in-text-block"]
PLACES = ["target-size", "scrollable-region-focusable"]
# What gives no page to look at: files, sounds, streams, what scripts ask for. The log-in's second step is its first
# one with another field, and stands only between two requests.
NO_PAGE = {
    "static", "health.healthz", "health.livez", "metrics.metrics", "board.events", "login.alive", "login.code_form",
    "phone.state", "phone.targets", "admin_imports.template", "supervision.export", "care_report.export",
    "prompts.play", "prompts.recording", "records.recording",
}  # fmt: skip

# What takes a click and no focus; and what a focused element shows nothing of, under the bars or off the screen.
OUT_OF_REACH = """() => {
  const focusable = "a[href], button, input:not([type=hidden]), select, textarea, summary, audio, [tabindex='0']";
  const shown = (one) => one.checkVisibility({visibilityProperty: true}) && one.getClientRects().length > 0;
  const named = (one) => one.outerHTML.slice(0, 120);
  const bad = [];
  for (const one of document.querySelectorAll("main *, #top *, #phone *")) {
    if (!shown(one) || getComputedStyle(one).cursor !== "pointer" || one.matches(":disabled")) continue;
    const label = one.closest("label");
    if (!one.closest(focusable) && !label?.control) bad.push("click only: " + named(one));
  }
  const all = [...document.querySelectorAll(focusable)].filter((one) => shown(one) && !one.matches(":disabled"));
  for (const one of all) {
    if (one.tabIndex < 0 && !one.matches("[role=tab], [tabindex='-1']")) bad.push("no tab stop: " + named(one));
    if (one.tabIndex > 0) bad.push("jumps the order: " + named(one));
    one.focus();
    if (document.activeElement !== one) { bad.push("takes no focus: " + named(one)); continue; }
    const box = (one.closest("label") ?? one).getBoundingClientRect();
    const points = [0.1, 0.5, 0.9].flatMap((x) => [0.1, 0.5, 0.9].map((y) => [
      box.left + x * box.width, box.top + y * box.height]));
    const seen = points.some(([x, y]) => {
      const there = document.elementFromPoint(x, y);
      return there && (one.contains(there) || there.contains(one) || there.closest("label")?.control === one);
    });
    if (!seen && box.width > 2 && !one.matches(".skip")) bad.push("focused out of sight: " + named(one));
  }
  document.activeElement.blur();
  scrollTo(0, 0);
  return bad;
}"""


@dataclass
class Tour:
    """An administrator's page; the address of every page by room and name; the console's views."""

    page: Page
    rooms: dict[str, dict[str, str]]
    app: Flask


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory, _empty_sqlite: Path) -> Iterator[Tour]:
    """Somebody who may see everything, in a town where there is something to see."""
    folder = tmp_path_factory.mktemp("axe")
    (folder / "hotline.db").write_bytes(_empty_sqlite.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOTLINE_VAR_DIR", str(folder))
        patch.setenv("HOTLINE_DATABASE_URL", f"sqlite:///{folder / 'hotline.db'}")
        patch.setenv("HOTLINE_WEB_SECRET", SECRET)
        patch.setattr(accounts, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        forget()
        world = World()
        chen = world.user(every_page.CHEN, "admin")
        rooms = {
            "desk": every_page.desk(world, chen),
            "administration": every_page.house(world)[1],
            "care": every_page.care(world, chen),
        }
        with Console(folder) as console, launched() as chromium:
            context = chromium.new_context(base_url=console.url)
            context.set_default_timeout(15_000 * PATIENCE)
            page = context.new_page()
            # Without motion: a colour on its way to another one is none of the page's.
            page.emulate_media(reduced_motion="reduce")
            page.goto("/login")
            page.fill("#name", every_page.CHEN)
            page.fill("#password", PASSWORD)
            page.press("#password", "Enter")
            expect(page.locator("[data-live].connected")).to_be_attached()
            yield Tour(page, rooms, create_app(settings(), ConsoleSettings()))
            context.close()
    forget()


def in_every_form(page: Page, where: str = "#main") -> dict[str, list[str]]:
    """Return what is wrong with the page that is shown, by form: width and colours.

    The bars are the same on every page: with `where` they are looked at in every form, else at a desk alone.
    """
    wrong: dict[str, list[str]] = {}
    for width, height in (ON_A_TELEPHONE, AT_200_PER_CENT, AT_A_DESK):
        page.set_viewport_size({"width": width, "height": height})
        zoomed, at_a_desk = (width, height) == AT_200_PER_CENT, (width, height) == AT_A_DESK
        rules = {"type": "rule", "values": PLACES} if zoomed else RULES
        found = faults(page, rules, "html" if at_a_desk else where)
        if found:
            # What the bars cover by how far the page is scrolled is none of the page's: once more, with room for all.
            whole = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": width, "height": max(height, whole)})
            found = faults(page, rules, "html" if at_a_desk else where)
            page.set_viewport_size({"width": width, "height": height})
        across = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{across} px too wide"] if across > 0 else []
        found += page.evaluate(OUT_OF_REACH)
        if not zoomed:
            page.emulate_media(color_scheme="dark")
            found += [f"dark: {one}" for one in faults(page, {"type": "rule", "values": COLOURS}, where)]
            page.emulate_media(color_scheme="light")
        if found:
            wrong[f"{width} px"] = found
    return wrong


# What has to be opened first to be seen.
OPENED = {
    "pop": "summary:has-text('不是这位老人')",
    "recording": "summary:has-text('修改我的评分')",
    "care_card": ".care-visited summary",
    "care_new": ".pick-one:has-text('人群与区域')",
}


@pytest.mark.parametrize("room", ["desk", "administration", "care"])
def test_axe_finds_nothing_on_any_page(tour: Tour, room: str) -> None:
    wrong = {}
    for name, path in tour.rooms[room].items():
        answer = tour.page.goto(path)
        assert answer is not None and answer.status == (404 if name == "nothing" else 200), (name, answer)
        if name in OPENED:
            tour.page.locator(OPENED[name]).first.click()
        if found := in_every_form(tour.page, "html" if name == "board" else "#main"):
            wrong[name] = found
    assert wrong == {}


def test_axe_finds_nothing_at_the_log_in_and_in_what_is_refused(tour: Tour) -> None:
    page = tour.page
    page.goto("/admin/users/new")
    page.fill("#name", "x")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("[aria-invalid]")).to_be_visible()
    wrong = {"refused": in_every_form(page)}
    page.locator("#menu summary").click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        wrong[f"the menu, {scheme}"] = {"": found} if (found := faults(page, RULES, "#top")) else {}
    kept = page.context.cookies()
    page.context.clear_cookies()
    page.goto("/login")
    page.fill("#name", "nobody")
    page.fill("#password", "wrong")
    page.press("#password", "Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    wrong["log-in"] = in_every_form(page, "html")
    page.context.add_cookies(kept)  # type: ignore[arg-type]
    assert not any(wrong.values()), wrong


def test_axe_has_been_on_every_page_there_is(tour: Tour) -> None:
    """A page that is added later is red here until it is looked at."""
    urls = tour.app.url_map.bind("")
    paths = ["/login", *(path for room in tour.rooms.values() for path in room.values())]
    seen = {urls.match(path.partition("?")[0])[0] for path in paths if path != "/nothing-here"}
    pages = {rule.endpoint for rule in tour.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert pages - seen == NO_PAGE


def test_of_whom_a_campaign_rings_only_what_is_chosen_is_asked(tour: Tour) -> None:
    page = tour.page
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/care/campaigns/new")
    expect(page.locator("#areas")).to_be_hidden()
    page.locator(".pick-one", has_text="人群与区域").click()
    expect(page.locator("#areas")).to_be_visible()
    expect(page.locator("#list")).to_be_hidden()


def test_an_administrator_sets_a_price_and_takes_it_back_by_keyboard(tour: Tour) -> None:
    page = tour.page
    complaints = Complaints(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/admin/services")
    page.get_by_role("link", name="助餐", exact=True).press("Enter")
    price = page.get_by_label("价格")
    price.press_sequentially("-3")
    price.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="标出")).to_be_focused()
    expect(page.get_by_label("价格")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("价格").press("Control+A")
    page.keyboard.type("12")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("¥12.00 每次")
    page.goto("/admin/log")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="撤销").first.press("Enter")
    expect(page.locator("main")).to_contain_text("已撤回")
    expect(page.locator("main")).to_contain_text("¥12.00 → —")
    assert [line for line in complaints.of_pages() if "422" not in line] == []
    # However far one has scrolled, what went wrong stays in sight under the bars.
    page.goto("/admin/hours")
    page.set_viewport_size({"width": 390, "height": 844})
    refused = page.locator("[data-refused]")
    refused.evaluate("element => { element.textContent = '…'; element.hidden = false }")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(refused).to_be_in_viewport()
    top, seen = page.locator("#top").bounding_box(), refused.bounding_box()
    assert top is not None and seen is not None and seen["y"] >= top["y"] + top["height"]
