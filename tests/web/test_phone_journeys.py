"""The telephone in the page, end to end: Chromium, the real Asterisk, a caller on the public network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import sync_playwright

from models.calls import Call
from tests.calls.conftest import Town, begin_anew, end_calls, new_town
from tests.support import sound
from tests.support.world import WANG
from tests.web.agent_desk import AGENT_SPEAKS, AgentDesk, binary, flags

pytestmark = [pytest.mark.browser, pytest.mark.call, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One Chromium for all, with a microphone that plays a file."""
    with sync_playwright() as playwright:
        chosen = flags(tmp_path_factory.mktemp("microphone"))
        browser = playwright.chromium.launch(executable_path=binary(), args=chosen)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def the_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A hotline without ordinary agents' telephones."""
    with ExitStack() as stack:
        yield new_town(stack, tmp_path_factory.mktemp("town"), AGENT_PHONES="[]", WRAP_UP_S=4)


@pytest.fixture
def town(the_town: Town) -> Iterator[Town]:
    """Nobody has rung yet."""
    begin_anew(the_town)
    yield the_town
    end_calls(the_town)


def test_ring_answer_hold_mute_hang_up_wrap_up(town: Town, chromium: Chromium) -> None:
    desk = AgentDesk(town, chromium, "陈小红").logs_in()
    desk.is_ready()
    town.rows.wait_for(lambda: "agent-" in desk.queues(), 1, "member of the queue")
    caller = town.network.phone(WANG).rings("12349").answered()
    caller.hears("ask_service").presses("0")
    desk.rings()
    town.rows.wait_for(lambda: [call for call in town.rows.all(Call) if call.agent_id], 3, "call of hers")
    desk.stands("ringing")
    desk.presses("answer").talks()
    caller.hears(AGENT_SPEAKS, within=5)
    caller.plays(sound.beep(3, 700), wait=False)
    desk.hears(700)
    desk.presses("hangup").is_free()
    caller.is_hung_up_by_hotline(5)
    desk.stands("wrap_up")
    desk.stands("ready", 8)
    assert desk.complaints == []
