"""Pictures of every page for docs/screenshots: `python -m tests.web.shots [FOLDER]`.

Seeds a town in a temporary folder, serves the console and photographs it at
1440 and 390 pixels, light and dark, with Debian's Chromium.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from models import schema, session
from tests.web import staff, town
from tests.web.chromium import FLAGS, binary
from tests.web.console import Console
from tests.web.world import PASSWORD, World

WIDTHS = {"desk": (1440, 900), "phone": (390, 844)}
SCHEMES = ("light", "dark")
# What is kept: each page once at the desk, the board and one more in every form.
KEPT = {
    "login": ["desk-light"],
    "board": ["desk-light", "desk-dark", "phone-light", "phone-dark"],
    "order": ["desk-light", "phone-dark"],
    "call": ["desk-dark"],
    "elder": ["desk-light", "phone-light"],
    "task": ["desk-light"],
    "prompts": ["desk-light", "phone-light"],
    "studio": ["desk-light", "phone-light"],
}


def main(target: Path) -> None:
    """Take all pictures."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOTLINE_VAR_DIR"] = folder
        os.environ["HOTLINE_DATABASE_URL"] = f"sqlite:///{folder}/hotline.db"
        schema.upgrade(session.engine())
        world = World()
        world.user("小陈", "supervisor")
        seeded = town.build(world)
        town.her_way(world, seeded.elder)
        pages = {
            "board": "/",
            "order": f"/orders/{seeded.order_id}",
            "call": f"/calls/{seeded.call_id}",
            "elder": f"/elders/{seeded.elder.person.public_id}",
            "task": f"/tasks/{seeded.task_id}",
            "prompts": "/prompts?language=zh-CN",
            "studio": f"/prompts/{staff.has_recorded(world, '小陈')}/zh-CN",
        }
        with Console(Path(folder)) as console, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=binary(), args=FLAGS)
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
                        page.goto(path)
                        page.wait_for_timeout(400)
                        _shoot(page, target, f"{name}-{width}-{scheme}")
                    context.close()
            chromium.close()


def _shoot(page: Page, target: Path, name: str) -> None:
    kind, form = name.split("-", 1)
    if form in KEPT[kind]:
        # The catalogue is as long as the hotline's patience: its first screen tells enough.
        page.screenshot(path=target / f"{name}.png", full_page=kind != "prompts", animations="disabled")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/screenshots"))
