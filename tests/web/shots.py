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

from models import schema, session
from tests.web import every_page
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
    "users": ["desk-light", "phone-light"],
    "user": ["desk-light", "phone-light"],
    "hours": ["desk-light", "phone-light"],
    "queues": ["desk-light", "phone-light"],
    "items": ["desk-light", "phone-light"],
    "item": ["desk-light", "phone-light"],
    "services": ["desk-light", "phone-light"],
    "results": ["desk-light", "phone-light"],
    "imports": ["desk-light", "phone-light"],
    "audit": ["desk-light", "phone-light"],
    "provider": ["desk-light", "phone-light"],
    "contact": ["desk-light", "phone-light"],
    "account": ["desk-light"],
    "texts": ["desk-light"],
    "figure": ["desk-light"],
    "care_month": ["desk-light", "phone-light"],
    "care_visit": ["desk-light", "desk-dark", "phone-light"],
    "care_campaigns": ["desk-light"],
    "care_rules": ["desk-light", "phone-light"],
    "care_campaign": ["desk-light", "phone-light"],
    "care_report": ["desk-light", "phone-light"],
    "care_card": ["phone-light"],
    "dialects": ["desk-light", "phone-light"],
    "dialect": ["desk-light", "phone-light"],
    "new_order": ["desk-light", "phone-light"],
    "change": ["desk-light", "phone-light"],
    "providers": ["desk-light", "phone-light"],
    "pauses": ["desk-light", "phone-light"],
    "machine": ["desk-light", "phone-light"],
    "care_duties": ["desk-light", "phone-light"],
    "care_runs": ["desk-light", "phone-light"],
    "care_new": ["desk-light", "phone-light"],
    "new_elder": ["desk-light"],
    "edit_contact": ["desk-light"],
    "alarm": ["desk-light"],
    "one_provider": ["desk-light"],
    "service": ["desk-light"],
    "result": ["desk-light"],
    "new_pause": ["desk-light"],
    "reads": ["desk-light"],
    "new_user": ["desk-light"],
    "welcome": ["desk-light"],
    "nothing": ["desk-light"],
    "care_run_end": ["desk-light"],
    "care_elders": ["desk-light"],
    "care_report_calls": ["desk-light"],
}


def main(target: Path, only: Sequence[str] = ()) -> None:
    """Take all pictures, or those of the pages named."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOTLINE_VAR_DIR"] = folder
        os.environ["HOTLINE_DATABASE_URL"] = f"sqlite:///{folder}/hotline.db"
        schema.upgrade(session.engine())
        world = World()
        chen = world.user(every_page.CHEN, "supervisor")
        pages = every_page.desk(world, chen) | {"check": "", "login": "/login"}
        with Console(Path(folder)) as console, launched() as chromium:
            tour = Tour(chromium, console.url, target, only)
            tour.goes(chen.name, pages)
            boss, settings = every_page.house(world)
            tour.goes(boss.name, settings)
            tour.goes(chen.name, every_page.care(world, chen))
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
                here = {kind: path for kind, path in wanted.items() if f"{width}-{scheme}" in KEPT.get(kind, ())}
                if here:
                    size: ViewportSize = {"width": across, "height": down}
                    context = self.chromium.new_context(
                        base_url=self.url,
                        locale="zh-CN",
                        viewport=size,
                        color_scheme="dark" if scheme == "dark" else "light",
                    )
                    page = context.new_page()
                    page.goto("/login")
                    if "login" in here:
                        _shoot(page, self.target, f"login-{width}-{scheme}")
                    page.fill("#name", name)
                    page.fill("#password", PASSWORD)
                    page.click(".button-main")
                    for kind, path in here.items():
                        if kind == "login":
                            continue
                        page.goto(path or pages["pop"])
                        if kind == "check":
                            page.locator(".pick-one", has_text="下午").click()
                            page.get_by_role("button", name="复述确认").click()
                        page.wait_for_timeout(400)
                        _shoot(page, self.target, f"{kind}-{width}-{scheme}")
                    context.close()


def _shoot(page: Page, target: Path, name: str) -> None:
    kind, form = name.split("-", 1)
    if form in KEPT[kind]:
        # No exchange runs beside the pictures: that the telephone is still being connected says nothing of the page.
        page.evaluate("document.querySelector('#phone [data-alert]')?.setAttribute('hidden', '')")
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
