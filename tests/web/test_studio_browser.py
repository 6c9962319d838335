"""A supervisor in Chromium: plays a prompt beside its text, uploads a recording, hears it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from tests.support.patience import PATIENCE
from tests.support.takes import encoded, voiced
from tests.web.chromium import launched
from tests.web.console import Console
from tests.web.test_browser import Complaints, _check_views
from tests.web.world import PASSWORD, World

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """A Chromium that may play sounds without being touched first."""
    with launched() as browser:
        yield browser


@pytest.fixture
def page(world: World, var_dir: Path, chromium: Chromium) -> Iterator[Page]:
    """A supervisor at the catalogue of prompts."""
    world.user("陈班长", "supervisor")
    with Console(var_dir, HOTLINE_VOICE="tones") as console:
        context = chromium.new_context(base_url=console.url, viewport={"width": 1440, "height": 900})
        context.set_default_timeout(15_000 * PATIENCE)
        page = context.new_page()
        page.goto("/login?next=/prompts")
        page.fill("#name", "陈班长")
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        expect(page.get_by_role("heading", name="语音提示")).to_be_visible()
        yield page
        context.close()


def test_a_supervisor_plays_a_prompt_uploads_a_recording_and_takes_it_back(page: Page, tmp_path: Path) -> None:
    complaints = Complaints(page)
    goodbye = page.locator("li.prompt", has=page.get_by_role("link", name="goodbye", exact=True))
    with page.expect_response(lambda answer: answer.url.endswith("/prompts/goodbye/zh-CN/audio")) as sound:
        goodbye.get_by_role("link", name="播放 goodbye").click()
    assert sound.value.status in (200, 206)
    expect(goodbye.locator(".play")).to_have_attribute("href", "/prompts/goodbye/zh-CN/audio")
    assert page.url.endswith("/prompts"), "it plays beside its text"

    goodbye.get_by_role("link", name="goodbye", exact=True).click()
    file = tmp_path / "再见.m4a"
    file.write_bytes(b"not a sound")
    page.set_input_files("#file", file)
    page.get_by_role("button", name="上传并使用").click()
    expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("这不是 WAV、MP3 或 M4A 文件")
    file.write_bytes(encoded(voiced(), "ipod", "aac"))
    page.set_input_files("#file", file)
    page.get_by_role("button", name="上传并使用").click()
    expect(page.locator(".take")).to_contain_text("正在使用")
    seconds = page.locator(".take audio").evaluate(
        "audio => new Promise(done => { audio.onloadedmetadata = () => done(audio.duration); audio.load(); })"
    )
    assert 1.2 < seconds < 1.8

    page.get_by_role("button", name="获取号码").click()
    expect(page.locator("#code")).to_contain_text("有效")
    page.get_by_role("button", name="改回合成音").click()
    expect(page.get_by_role("button", name="使用这条")).to_be_visible()
    # The refused upload is a 422: the browser notes it.
    assert [said for said in complaints.of_pages() if "422" not in said] == []


def test_the_pages_are_accessible_at_the_desk_and_on_a_telephone(page: Page) -> None:
    for path in ("/prompts", "/prompts?language=ko", "/prompts/welcome/zh-CN", "/prompts/greeting/en"):
        page.goto(path)
        _check_views(page, path, (1440, "light"), (390, "light"))
