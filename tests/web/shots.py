"""Pictures of every page for docs/screenshots: `python -m tests.web.shots [FOLDER [PAGE …]]`.

Seeds a town in a temporary folder, serves the console and photographs it at
1440 and 390 pixels, light and dark, with Debian's Chromium.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, ViewportSize
from sqlalchemy import select

from agents import visit_holds, visits
from agents.visits import Draft
from models import clock, schema, session
from models.campaigns import Campaign
from models.orders import Order, OrderStatus
from models.tasks import TaskKind, TaskState, TaskStep, move_task
from models.users import User
from tests.web import care_town, desk_town, shift, staff, town
from tests.web.chromium import launched
from tests.web.console import Console
from tests.web.world import PASSWORD, World

WIDTHS = {"desk": (1440, 900), "phone": (390, 844)}
SCHEMES = ("light", "dark")
# What is kept: each page once at the desk, the board and one more in every form.
KEPT = {
    "desk": ["desk-light", "desk-dark", "phone-light"],
    "pop": ["desk-light", "desk-dark", "phone-light"],
    "stranger": ["desk-light", "phone-light"],
    "check": ["desk-light", "phone-light"],
    "search": ["desk-light", "phone-light"],
    "correct": ["desk-light"],
    "merge": ["desk-light"],
    "history": ["desk-light"],
    "shortcuts": ["desk-light"],
    "stuck": ["desk-light"],
    "login": ["desk-light"],
    "board": ["desk-light", "desk-dark", "phone-light", "phone-dark"],
    "order": ["desk-light", "phone-dark"],
    "call": ["desk-dark"],
    "elder": ["desk-light", "phone-light"],
    "task": ["desk-light", "phone-dark"],
    "prompts": ["desk-light", "phone-light"],
    "studio": ["desk-light", "phone-light"],
    "wallboard": ["desk-light", "desk-dark", "phone-light"],
    "statistics": ["desk-light", "phone-light"],
    "recording": ["desk-light", "desk-dark", "phone-light"],
    "marks": ["desk-light", "phone-dark"],
    "settings": ["desk-light", "phone-light"],
    "hours": ["desk-light"],
    "user": ["desk-light"],
    "imports": ["desk-light"],
    "audit": ["desk-light", "phone-light"],
    "provider": ["desk-light"],
    "care_month": ["desk-light", "phone-light"],
    "care_visit": ["desk-light", "desk-dark", "phone-light"],
    "care_campaigns": ["desk-light"],
    "care_campaign": ["desk-light", "phone-light"],
    "care_report": ["desk-light", "phone-light"],
    "care_card": ["phone-light"],
}
# By page of administration, which only an administrator sees.
SETTINGS = {
    "settings": "/admin",
    "hours": "/admin/hours",
    "user": "",  # one of them
    "imports": "/admin/imports",
    "audit": "/admin/log",
    "provider": "/providers/new",
}


def main(target: Path, only: Sequence[str] = ()) -> None:
    """Take all pictures, or those of the pages named."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOTLINE_VAR_DIR"] = folder
        os.environ["HOTLINE_DATABASE_URL"] = f"sqlite:///{folder}/hotline.db"
        schema.upgrade(session.engine())
        world = World()
        boss = world.user("小陈", "supervisor")
        seeded = town.build(world)
        town.her_way(world, seeded.elder)
        call = desk_town.rings(world, seeded.elder, "小陈")
        unknown = desk_town.stranger(world, "13800001234")
        twin = world.elder("王桂兰", "+8645110000155", sex="f", born_on=seeded.elder.person.born_on)
        over = world.call(seeded.elder, world.ago(900), state="ended", agent_id=1)
        world.end(over, "person", 120)
        mine = world.task(TaskKind.CALLBACK, world.ago(7200), elder_id=seeded.elder.id)
        with world.rows() as db:
            move_task(db.merge(mine), TaskStep(TaskState.OWNED, 1, world.ago(-1800)), world.now)
        told = shift.begins(world, seeded.elder, boss)
        pages = {
            "wallboard": "/wallboard",
            "statistics": "/statistics",
            "recording": f"/calls/{told.public_id}",
            "marks": "/marks",
            "desk": "/desk",
            "pop": f"/desk/calls/{call.public_id}",
            "stranger": f"/desk/calls/{unknown.public_id}?q=wgl",
            "check": "",
            "search": "/search?q=wang",
            "correct": f"/elders/{seeded.elder.person.public_id}/edit",
            "merge": f"/elders/{seeded.elder.person.public_id}/merge/{twin.person.public_id}",
            "history": f"/elders/{seeded.elder.person.public_id}/history/calls",
            "shortcuts": "/shortcuts",
            "stuck": f"/orders/{_stuck(world)}",
            "board": "/",
            "order": f"/orders/{seeded.order_id}",
            "call": f"/calls/{seeded.call_id}",
            "elder": f"/elders/{seeded.elder.person.public_id}",
            "task": f"/tasks/{seeded.task_id}",
            "prompts": "/prompts?language=zh-CN",
            "studio": f"/prompts/{staff.has_recorded(world, '小陈')}/zh-CN",
        }
        with Console(Path(folder)) as console, launched() as chromium:
            for width, (across, down) in WIDTHS.items():
                for scheme in SCHEMES:
                    context = chromium.new_context(
                        base_url=console.url,
                        viewport={"width": across, "height": down},
                        color_scheme="light" if scheme == "light" else "dark",
                    )
                    page = context.new_page()
                    page.goto("/login")
                    _shoot(page, target, f"login-{width}-{scheme}")
                    page.fill("#name", "小陈")
                    page.fill("#password", PASSWORD)
                    page.click(".button-main")
                    for name, path in pages.items():
                        if (only and name not in only) or f"{width}-{scheme}" not in KEPT[name]:
                            continue
                        if path:
                            page.goto(path)
                        else:
                            page.goto(pages["pop"])
                            page.locator(".pick-one", has_text="下午").click()
                            page.get_by_role("button", name="复述确认").click()
                        page.wait_for_timeout(400)
                        _shoot(page, target, f"{name}-{width}-{scheme}")
                    context.close()
            tour = Tour(chromium, console.url, target, only)
            boss, agent = staff.sets_the_house(world)
            tour.goes(boss.name, {**SETTINGS, "user": f"/admin/users/{agent.public_id}"})
            tour.goes("小陈", _care(world))
            chromium.close()


@dataclass
class Tour:
    """Pages that somebody looks at, in every form that is kept of them."""

    chromium: Chromium
    url: str
    target: Path
    only: Sequence[str]

    def goes(self, name: str, pages: Mapping[str, str]) -> None:
        """Log in and photograph them."""
        wanted = {kind: path for kind, path in pages.items() if not self.only or kind in self.only}
        for width, (across, down) in WIDTHS.items():
            for scheme in SCHEMES:
                here = {kind: path for kind, path in wanted.items() if f"{width}-{scheme}" in KEPT[kind]}
                if here:
                    size: ViewportSize = {"width": across, "height": down}
                    context = self.chromium.new_context(
                        base_url=self.url, viewport=size, color_scheme="dark" if scheme == "dark" else "light"
                    )
                    page = context.new_page()
                    page.goto("/login")
                    page.fill("#name", name)
                    page.fill("#password", PASSWORD)
                    page.click(".button-main")
                    for kind, path in here.items():
                        page.goto(path)
                        page.wait_for_timeout(400)
                        _shoot(page, self.target, f"{kind}-{width}-{scheme}")
                    context.close()


def _care(world: World) -> dict[str, str]:
    """Write a quarter with care visits, one of them in the middle of its call; the pages that show it."""
    quarter = care_town.build(world)
    care_town.to_a_person(quarter, world.now)
    for which, hours in ((0, 2), (2, 5), (4, 9)):
        care_town.talked_over_time(world, quarter, which, hours)
    with world.rows() as db:
        campaign = db.scalars(select(Campaign).where(Campaign.public_id == quarter.staff)).one()
        user = db.scalars(select(User).where(User.name == "小陈")).one()
        visit = visit_holds.take(db, campaign, user, clock.now())
        assert visit is not None
        visits.draft(db, visit.public_id, Draft({"feel": "need", "eaten": "yes"}), user, clock.now())
        visit_id, user_id = visit.public_id, user.id
    care_town.called(world, visit_id, user_id, over=False)
    return {
        "care_month": "/care",
        "care_visit": f"/care/visits/{visit_id}",
        "care_campaigns": "/care/campaigns",
        "care_campaign": f"/care/campaigns/{quarter.machine}",
        "care_report": "/care/report",
        "care_card": f"/elders/{quarter.elders[0].person.public_id}",
    }


def _stuck(world: World) -> str:
    """Return the order that no provider has taken."""
    with world.rows() as db:
        return db.scalars(select(Order.public_id).where(Order.status == OrderStatus.NEEDS_AGENT)).one()


def _shoot(page: Page, target: Path, name: str) -> None:
    kind, form = name.split("-", 1)
    if form in KEPT[kind]:
        # The catalogue is as long as the hotline's patience: its first screen tells enough. What is fixed to the foot
        # of a telephone's screen stands at the foot of the picture, too.
        seen = page.viewport_size or {"width": 390, "height": 844}
        if kind != "prompts":
            tall = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": seen["width"], "height": max(seen["height"], tall)})
        page.screenshot(path=target / f"{name}.png", animations="disabled")
        page.set_viewport_size(seen)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/screenshots"), sys.argv[2:])
