"""The telephone in the page, end to end: Chromium, the real Asterisk, a caller on the public network."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect
from sqlalchemy import select

from agents import admin_queues, changing
from agents.changing import By
from dispatch import campaigns, tasks
from models import clock
from models.calls import Call as CallRow
from models.calls import CallEvent
from models.campaigns import CampaignMode, CampaignStatus, CareAnswer
from models.care_runs import Effect, VisitCall
from models.dialects import AgentDialect, Dialect
from models.duties import CareProof
from models.people import Elder, Person
from models.preferences import Because, Origin, Setting, put
from models.presence import PauseReason, PresenceSpell, TaskCall
from models.results import CallOutcome, CallResult, Scope
from models.supervision import Watch
from models.tasks import Task, TaskKind
from models.users import AuditEvent
from tests.calls.conftest import Town, begin_anew, end_calls, hotline_now, new_town
from tests.support import habits, sound
from tests.support.call import Call
from tests.support.patience import PATIENCE
from tests.support.world import CARE, KIM, WANG
from tests.web.agent_desk import AGENT_SPEAKS, AgentDesk, asterisk, flags, hire
from tests.web.chromium import launched, one_more
from tests.web.test_browser import _check

pytestmark = [pytest.mark.browser, pytest.mark.call, pytest.mark.timeout(180)]

# A supervisor's tone comes with -15 dB of full scale.
LOUD_DB = -35

KEEP_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...how) {
    super(...how);
    if (this.url.endsWith("/ws")) window.sockets.push(this);
  }
};
"""

REFUSE_MICROPHONE = """() => {
  window.allowed = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
}"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One Chromium for all, with a microphone that plays a file."""
    with launched(flags(tmp_path_factory.mktemp("microphone"))) as browser:
        yield browser


@pytest.fixture(scope="module")
def the_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A hotline without ordinary agents' telephones."""
    with ExitStack() as stack:
        yield new_town(stack, tmp_path_factory.mktemp("town"), AGENT_PHONES="[]", WRAP_UP_S=4, AGENT_RING_S=15)


@pytest.fixture
def town(the_town: Town) -> Iterator[Town]:
    """Nobody has rung yet."""
    begin_anew(the_town)
    with the_town.rows.writing() as session:
        session.add(PauseReason(code="meal", names={"zh-CN": "用餐", "ko": "식사", "en": "Meal"}))
    yield the_town
    end_calls(the_town)


def puts_through(town: Town, number: str = WANG) -> Call:
    """An elder rings and asks for a person."""
    caller = town.network.phone(number).rings("12349").answered()
    return caller.hears("ask_service").presses("0")


def the_call(town: Town) -> CallRow:
    """The newest call's row."""
    return max(town.rows.all(CallRow), key=lambda call: call.id)


def journal(town: Town) -> list[str]:
    """Kinds of the journal's entries about people, in order."""
    people = ("agent_rung", "agent_answered", "agent_missed", "agent_lost", "transferred")
    return [event.kind for event in town.rows.all(CallEvent) if event.kind in people]


def both_hear(desk: AgentDesk, caller: Call, hertz: int) -> None:
    """Sound goes both ways, proved by tones of each side's own."""
    caller.hears(AGENT_SPEAKS, within=6)
    caller.plays(sound.beep(3, hertz), wait=False)
    desk.hears(hertz)


def all_hear_each_other(caller: Call, hertz: int, speak: dict[AgentDesk, int]) -> None:
    """The caller's tone and each agent's come to everybody else."""
    caller.plays(sound.beep(8, hertz), wait=False)
    for one in speak:
        for theirs in (hertz, *(tone for other, tone in speak.items() if other is not one)):
            one.hears(theirs)
    for one, theirs in speak.items():
        assert any(tone_db(caller, theirs) > LOUD_DB for _ in range(4)), f"the caller does not hear {one.name}"


def looks_right(desk: AgentDesk, name: str, page: str = "[data-pop]") -> None:
    """At a desk and on a narrow screen: axe finds nothing, nothing is cut off; pictures where somebody wants them."""
    expect(desk.page.locator(page)).to_be_visible()
    expect(desk.page.locator("main.htmx-request, main.htmx-swapping, main.htmx-settling")).to_have_count(0)
    wanted = os.environ.get("HOTLINE_SHOTS")
    for width in (390, 1440):
        desk.page.set_viewport_size({"width": width, "height": 900})
        _check(desk.page, f"{name} at {width} px")
        if wanted:
            desk.page.screenshot(path=Path(wanted) / f"phone-{name}-{width}.png")


def test_ring_answer_hold_mute_keys_hang_up_wrap_up(town: Town, chromium: Chromium) -> None:
    desk = AgentDesk(town, chromium, "陈小红").logs_in()
    with town.rows.writing() as session:
        names = {"zh-CN": "已解答", "ko": "안내함", "en": "Advised"}
        session.add(CallResult(code="advised", names=names, scope=Scope.CALL))
    # By the keyboard alone: ready, answer, hold and go on, mute, hang up, the result, the end of the wrap-up.
    keys = desk.page.keyboard
    keys.press("p")
    keys.press("Home")
    keys.press("Escape")
    desk.is_shown("ready", 15).stands("ready")
    town.rows.wait_for(lambda: "agent-" in desk.queues(), 1, "member of the queue")
    caller = puts_through(town)
    desk.rings()
    town.rows.wait_for(lambda: the_call(town).agent_id == desk.user_id, 3, "call of hers")
    row = desk.stands("ringing")
    looks_right(desk, "ringing")
    assert row.call_id == the_call(town).id and the_call(town).state == "waiting"
    keys.press("a")
    desk.talks()
    both_hear(desk, caller, 700)
    town.rows.an_agent_talks()
    keys.press("h")
    expect(desk.key("hold")).to_have_attribute("aria-pressed", "true")
    expect(desk.page.locator("#phone").get_by_role("status").filter(has_text="保持中")).to_have_count(1)
    caller.hears("on_hold", within=8)
    keys.press("h")
    expect(desk.key("hold")).to_have_attribute("aria-pressed", "false")
    caller.hears(AGENT_SPEAKS, within=6)
    keys.press("m")
    caller.hears_silence(2)
    keys.press("m")
    caller.hears(AGENT_SPEAKS, within=6)
    desk.presses("keypad")
    desk.page.locator("#phone [data-digit='5']").click()
    caller.receives("5")
    expect(desk.page.locator("[data-quality]")).to_have_attribute("data-grade", "good", timeout=6000 * PATIENCE)
    looks_right(desk, "talking")
    desk.presses("transfer")
    looks_right(desk, "transfer")
    desk.page.keyboard.press("Escape")
    desk.presses("settings")
    looks_right(desk, "settings")
    desk.page.keyboard.press("Escape")
    # Wrap-up is longer on wish, and ends by itself or by hand; what she chose meanwhile follows it.
    keys.press("-")
    desk.is_free()
    caller.is_hung_up_by_hotline(5)
    until = desk.stands("wrap_up").until
    desk.is_shown("wrap_up").presses("extend")
    town.rows.wait_for(lambda: desk.stands("wrap_up").until != until, 3, "longer wrap-up")
    assert "(paused:wrap_up" in desk.queues()
    expect(desk.page.locator("form[data-result-needed]")).to_be_visible()
    keys.press("r")
    keys.press("Space")
    keys.press("Enter")
    written = town.rows.wait_for(lambda: town.rows.all(CallOutcome), 5, "result of the call")
    assert [(one.call_id, one.user_id, one.code) for one in written] == [(row.call_id, desk.user_id, "advised")]
    expect(desk.page.locator("form[data-result-needed]")).to_have_count(0)
    keys.press("f")
    desk.is_shown("ready")
    desk.stands("ready")
    town.rows.wait_for(lambda: "paused" not in desk.queues(), 1, "member who is not paused")
    desk.chooses("pause:meal").is_shown("pause")
    town.rows.wait_for(lambda: "agent-" not in desk.queues(), 1, "queue without her")
    town.rows.wait_for(lambda: the_call(town).end == "person", 5, "end of the call")
    assert [one.state for one in town.rows.all(PresenceSpell)] == [
        "ready", "ringing", "talking", "wrap_up", "ready", "pause"
    ]  # fmt: skip
    # Logged out, the account is good for nothing.
    assert f"agent-{desk.user_id}" in asterisk(town, "pjsip show endpoints")
    account = desk.account()
    assert desk.registers(account) == 200
    desk.page.evaluate("document.querySelector(\"form[action$='/logout']\").requestSubmit()")
    expect(desk.page.locator("#password")).to_be_visible()
    desk.stands("offline", 2)
    gone = f"agent-{desk.user_id}"
    town.rows.wait_for(lambda: gone not in asterisk(town, "pjsip show endpoints"), 2, "exchange without her")
    # The exchange knows nobody of that name any more.
    assert desk.registers(account) in (401, 403, 404)
    assert desk.complaints == []


def test_two_agents_reject_transfer_ask_in_and_hand_over(town: Town, chromium: Chromium) -> None:
    first = AgentDesk(town, chromium, "陈小红").logs_in().is_ready()
    second = AgentDesk(town, chromium, "李大力").logs_in()
    caller = puts_through(town)
    first.rings().presses("reject")
    first.stands("pause")
    first.is_shown("pause")
    second.chooses("ready").rings()
    expect(first.key("answer")).to_be_hidden()
    second.presses("answer").talks()
    both_hear(second, caller, 700)
    # Blind: straight to the colleague.
    first.is_ready()
    second.passes("transfer", "陈小红")
    first.rings()
    second.is_free()
    second.stands("wrap_up")
    first.says(1300).presses("answer").talks()
    all_hear_each_other(caller, 800, {first: 1300})
    town.rows.wait_for(lambda: the_call(town).agent_id == first.user_id, 3, "call of the first agent")
    # Asked first, and the colleague says no: the caller holds on, and is left to nobody.
    second.chooses("ready").is_shown("ready")
    first.passes("consult", "李大力")
    caller.hears("on_hold", within=8)
    second.rings().presses("answer").talks().presses("hangup").is_free()
    expect(first.page.locator("[data-call-words]")).to_contain_text("对方没有接听")
    expect(first.key("complete")).to_be_hidden()
    assert tone_db(caller, 1300, 2.5) < LOUD_DB, "she does not hold"
    first.talks().presses("back")
    caller.plays(sound.beep(2, 850), wait=False)
    first.hears(850)
    # Asked first: the caller holds, then all three, then the two go on without her.
    second.chooses("ready").is_shown("ready")
    first.passes("consult", "李大力")
    second.rings().says(1500).presses("answer").talks()
    assert tone_db(caller, 1500, 2.5) < LOUD_DB, "she holds, and hears what the two say"
    first.presses("merge")
    all_hear_each_other(caller, 900, {first: 1300, second: 1500})
    first.presses("complete").is_free()
    all_hear_each_other(caller, 1000, {second: 1500})
    assert tone_db(caller, 1300) < LOUD_DB
    # She puts down: nobody stays behind in the room.
    caller.hangs_up()
    second.is_free()
    assert journal(town) == [
        "agent_rung", "agent_missed", "agent_rung", "agent_answered", "transferred", "agent_answered", "transferred"
    ]  # fmt: skip
    assert first.complaints == second.complaints == []


def test_to_the_group_and_to_a_telephone_outside_that_answers(town: Town, chromium: Chromium) -> None:
    first = AgentDesk(town, chromium, "陈小红").logs_in().is_ready()
    caller = puts_through(town)
    first.rings()
    countdown = first.page.locator("[data-call-time]")
    begun = seconds_left(first)
    assert 0 < begun <= 15
    expect(countdown).not_to_have_text(f"{begun}秒")
    assert 0 < seconds_left(first) < begun
    first.presses("answer").talks()
    # Ready, and in no call: a page that is loaded again is as it was, in the queues too.
    second = AgentDesk(town, chromium, "李大力").logs_in().is_ready()
    town.rows.wait_for(lambda: agent_in_queue(second), 2, "member of the queue", second.queues)
    second.page.reload()
    second.is_connected().is_shown("ready").stands("ready")
    assert [one.state for one in town.rows.all(PresenceSpell) if one.user_id == second.user_id] == ["ready"]
    assert agent_in_queue(second)
    second.presses("settings").page.check("[data-auto-answer]")
    second.page.keyboard.press("Escape")
    # Blind, to the group: whoever of it is free is rung, and here answers without a click.
    first.passes("transfer", "中文")
    second.talks(12)
    first.is_free().stands("wrap_up")
    both_hear(second, caller, 700)
    town.rows.wait_for(lambda: the_call(town).agent_id == second.user_id, 3, "call of the second agent")
    # Somebody outside is asked first, while the caller holds; and then the two are alone again.
    phone = town.network.phone(CARE).when_called(habits.listens(ring=0.3))
    second.passes("consult", CARE)
    caller.hears("on_hold", within=8)
    outsider = phone.is_rung()
    both_hear(second, outsider, 800)
    second.presses("back")
    outsider.is_hung_up_by_hotline(5)
    both_hear(second, caller, 900)
    # Blind, to the same telephone: it answers, and the agent is out of it.
    second.passes("transfer", CARE).is_free().stands("wrap_up")
    outsider = phone.is_rung().answered()
    # Passed on packet by packet, the caller's stream would jump in its timestamps, and her exchange may let it fall.
    assert "native_rtp" not in asterisk(town, "bridge show all")
    for one, other, hertz in ((caller, outsider, 1000), (outsider, caller, 1100)):
        # What she said to the agent may still be under way.
        one.plays(sound.beep(5, hertz), wait=False)
        assert any(tone_db(other, hertz) > LOUD_DB for _ in range(6)), f"{hertz} Hz does not come through"
    caller.hangs_up()
    outsider.is_hung_up_by_hotline(5)
    # Asked first, and then the two are left alone: they hear each other, and one's receiver ends it for both.
    first.chooses("pause:meal")
    second.is_shown("wrap_up").presses("ready").stands("ready")
    other = puts_through(town, KIM)
    second.talks(12).passes("consult", CARE)
    other.hears("on_hold", within=8)
    outsider = phone.is_rung().answered()
    second.presses("complete").is_free()
    for one, another, hertz in ((other, outsider, 1200), (outsider, other, 1300)):
        one.plays(sound.beep(5, hertz), wait=False)
        assert any(tone_db(another, hertz) > LOUD_DB for _ in range(6)), f"{hertz} Hz does not come through"
    outsider.hangs_up()
    other.is_hung_up_by_hotline(5)
    given = [event.data["to"] for event in town.rows.all(CallEvent) if event.kind == "transferred"]
    assert given == ["queue", "outside", "outside"]
    assert first.complaints == second.complaints == []


def seconds_left(desk: AgentDesk) -> int:
    """How long it still rings, as the page says."""
    return int(desk.page.locator("[data-call-time]").inner_text().removesuffix("秒"))


def agent_in_queue(desk: AgentDesk) -> bool:
    """Whether app_queue would ring this agent."""
    lines = [line for line in desk.queues().splitlines() if re.search(rf"agent-{desk.user_id}\b", line)]
    return bool(lines) and not any("paused" in line for line in lines)


def speaks_hamgyong(town: Town, agent: AgentDesk, *elders: str) -> None:
    """An agent and these elders do, and Korean is their language; rung she is for five seconds, as the page has it."""
    with town.rows.writing() as session:
        dialect = Dialect(code="hamgyong", language="ko", names={"zh-CN": "咸镜道话", "ko": "함경도 말"})
        session.add(dialect)
        session.flush()
        session.add(AgentDialect(user_id=agent.user_id, dialect_id=dialect.id))
        for name in elders:
            one = session.scalars(select(Elder).join(Person, Person.id == Elder.id).where(Person.name == name)).one()
            for setting in ((Setting.LANGUAGE, "ko"), (Setting.DIALECT, "hamgyong")):
                put(session, one.id, setting, Because(Origin.AGENT), clock.now())
        rules = admin_queues.QUEUES.read(session, admin_queues.KEY)
        assert rules is not None and rules["ring_s"] == 20
        wanted = (admin_queues.KEY, changing.token(rules))
        changing.change(session, admin_queues.QUEUES, wanted, rules | {"ring_s": 5}, By(None, clock.now()))


def test_mrs_kim_who_speaks_hamgyong_is_put_through_to_who_speaks_it(town: Town, chromium: Chromium) -> None:
    # Without the dialect this one would be asked first: the longer there, and the better speaker of the language.
    other = AgentDesk(town, chromium, "陈小红", "ko").logs_in().is_ready()
    native = AgentDesk(town, chromium, "李大力", "zh-CN", "ko").logs_in().is_ready()
    speaks_hamgyong(town, native, "김영희", "王秀英")
    town.rows.wait_for(lambda: "agent-" in asterisk(town, "queue show person-ko-hamgyong"), 4, "queue of the dialect")
    kim = puts_through(town, KIM)
    native.rings()
    expect(native.page.locator(".person .chips")).to_contain_text("咸镜道话")
    # She does not answer: whoever else speaks Korean is rung at once, in the same lap.
    other.rings(12)
    rung, missed, again = (one for one in town.rows.all(CallEvent) if one.kind in ("agent_rung", "agent_missed"))
    assert [rung.data["user_id"], again.data["user_id"]] == [native.user_id, other.user_id]
    # So long as was set by page, and not as the installation's settings have it.
    assert 4 < (missed.at - rung.at).total_seconds() < 8
    # A second for the first one's pause to come to the queues: else she might be rung again.
    assert 0.9 < (again.at - missed.at).total_seconds() < 4
    other.presses("answer").talks().presses("hangup").is_free()
    kim.is_hung_up_by_hotline(5)
    # And the next time.
    other.is_shown("wrap_up").presses("ready").is_shown("ready")
    native.is_ready()
    kim = puts_through(town, KIM)
    native.rings().presses("answer").talks()
    # While she talks nobody waits for her.
    wang = puts_through(town, WANG)
    other.rings().presses("answer").talks()
    for desk, caller in ((native, kim), (other, wang)):
        desk.presses("hangup").is_free()
        caller.is_hung_up_by_hotline(5)
    assert journal(town) == ["agent_rung", "agent_missed", *("agent_rung", "agent_answered") * 3]
    assert native.complaints == other.complaints == []


def tone_db(caller: Call, hertz: int, seconds: float = 1.0) -> float:
    """How loud a tone is in what the caller hears from now on (dB of full scale)."""
    begin = len(caller.ear.audio)
    assert caller.wait_for(lambda: len(caller.ear.audio) - begin >= 16_000 * seconds, 10), "no sound reaches the caller"
    samples = np.frombuffer(bytes(caller.ear.audio[begin:]), np.int16) / 32768
    at = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / 8000)
    return float(20 * np.log10(2 * abs(np.mean(samples * at)) + 1e-9))


def who_hears(
    desks: tuple[AgentDesk, AgentDesk], caller: Call, hertz: tuple[int, int], hear: tuple[bool, bool]
) -> None:
    """Agent and supervisor hear the caller's tone; `hear`: whether the agent, and the caller, hear the supervisor's."""
    agent, boss = desks
    theirs, hers = hertz
    boss.says(hers)
    caller.plays(sound.beep(8, theirs), wait=False)
    boss.hears(theirs)
    agent.hears(theirs)
    if hear[0]:
        agent.hears(hers)
    else:
        agent.does_not_hear(hers)
    level = tone_db(caller, hers)
    assert (level > LOUD_DB) is hear[1], f"{hers} Hz comes to the caller at {level:.0f} dB"
    caller.hears(AGENT_SPEAKS, within=6)


def test_a_supervisor_listens_whispers_joins_and_takes_over(town: Town, chromium: Chromium) -> None:
    agent = AgentDesk(town, chromium, "陈小红").logs_in().is_ready()
    boss = AgentDesk(town, chromium, "周班长", user_id=hire(town, "周班长", role="supervisor")).logs_in()
    caller = puts_through(town)
    agent.rings().presses("answer").talks()
    both_hear(agent, caller, 700)
    boss.page.goto("/wallboard")
    boss.is_connected().says(1300)
    boss.page.get_by_role("button", name="监听").click()
    boss.talks(8)
    expect(boss.key("hold")).to_be_hidden()
    expect(boss.page.locator("[data-call-words]")).to_contain_text("双方都听不到您")
    expect(agent.page.locator("[data-watched]")).to_contain_text("班长正在监听")
    looks_right(boss, "listening", "#wall")
    who_hears((agent, boss), caller, (800, 1300), (False, False))
    boss.presses("watch-whisper")
    expect(boss.page.locator("[data-call-words]")).to_contain_text("只有坐席能听到您")
    expect(agent.page.locator("[data-watched]")).to_contain_text("对您说话")
    who_hears((agent, boss), caller, (900, 1400), (True, False))
    boss.presses("watch-join")
    expect(boss.page.locator("[data-call-words]")).to_contain_text("双方都能听到您")
    who_hears((agent, boss), caller, (1000, 1500), (True, True))
    boss.presses("watch-listen")
    expect(agent.page.locator("[data-watched]")).to_contain_text("班长正在监听")
    who_hears((agent, boss), caller, (1100, 1600), (False, False))
    boss.presses("watch-take_over")
    agent.is_free()
    expect(agent.page.locator("[data-note]")).to_contain_text("班长已接管这通电话")
    agent.stands("wrap_up")
    expect(boss.page.locator("[data-pop]")).to_be_visible()
    boss.hears(1100, 8)
    assert tone_db(caller, 1600) > LOUD_DB
    town.rows.wait_for(lambda: boss.stands("talking").call_id == the_call(town).id, 3, "call of the supervisor's")
    assert the_call(town).agent_id == boss.user_id
    boss.presses("hangup").is_free()
    caller.is_hung_up_by_hotline(5)
    # Were she free again, the next caller would be hers.
    boss.stands("wrap_up")
    boss.chooses("pause:meal").stands("pause")
    # It ends with the call, without anybody's doing.
    agent.is_shown("wrap_up").presses("ready")
    other = puts_through(town, KIM)
    agent.rings().presses("answer").talks()
    boss.page.goto("/wallboard")
    boss.is_connected()
    boss.page.get_by_role("button", name="监听").click()
    boss.talks(8)
    agent.presses("hangup").is_free()
    other.is_hung_up_by_hotline(5)
    boss.is_free().stands("pause")
    town.rows.wait_for(lambda: all(one.ended_at for one in town.rows.all(Watch)), 3, "ended watches")
    looked = ("read", "given_ahead")
    used = [one.action for one in town.rows.all(AuditEvent) if one.subject == "call" and one.action not in looked]
    assert used == [
        "call_listened", "call_whispered", "call_joined", "call_listened", "call_taken_over", "call_listened",
    ]  # fmt: skip
    assert agent.complaints == boss.complaints == []


def test_a_call_that_loses_its_agent_goes_to_the_front_and_the_page_comes_back(town: Town, chromium: Chromium) -> None:
    first = AgentDesk(town, chromium, "陈小红").logs_in().is_ready()
    caller = puts_through(town)
    first.rings().presses("answer").talks()
    both_hear(first, caller, 700)
    # The page is loaded again in the call: the elder is told, and rings her again before anybody else.
    other = puts_through(town, KIM)
    first.page.on("dialog", lambda dialog: dialog.accept())
    with first.page.expect_event("dialog") as asked:
        first.page.reload()
    assert asked.value.type == "beforeunload"
    # A page that loads keeps a small machine busy: the melody may have a hole. Its beginning names it as well.
    caller.carrier.learn(["agent_lost"])
    told = {"agent_lost", "agent_lost (cut off)"}
    assert caller.wait_for(lambda: not told.isdisjoint(caller.names_heard()), 4), caller.story()
    caller.hears("zh-CN")
    # By hand: the wrap-up of a lost call need not run out.
    first.is_connected().is_shown("wrap_up").presses("ready")
    first.rings(15)
    town.rows.wait_for(lambda: journal(town)[-1] == "agent_rung", 3, "second ring")
    rung = [event for event in town.rows.all(CallEvent) if event.kind == "agent_rung"]
    assert rung[-1].call_id == rung[0].call_id
    # Loaded again while it rings: that is no rejected call, and it rings again as soon as the page is there.
    first.page.reload()
    first.is_connected().rings(15).stands("ringing")
    assert "agent_missed" not in journal(town)
    first.presses("answer").talks()
    both_hear(first, caller, 800)
    # The tab is closed for good: the one who is there gets her, and the rows say so within seconds.
    # The other caller waits: ready she is for a moment only, too short to be sure of seeing it.
    second = AgentDesk(town, chromium, "李大力").logs_in().chooses("ready")
    first.page.close()
    second.rings(12).presses("answer").talks()
    town.rows.wait_for(lambda: second.user_id in {c.agent_id for c in town.rows.all(CallRow)}, 3, "call of the second")
    first.stands("offline", 10)
    assert "agent_lost" in journal(town)
    caller.hangs_up()
    other.hangs_up()


@contextmanager
def frozen(browser: Chromium) -> Iterator[None]:
    """As if the power had failed: nothing of it runs, no packet says that it is gone, and no line is closed."""
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    ids = [int(one["id"]) for one in told["processInfo"]]
    assert len(ids) > 2, "browser, network and pages"
    try:
        for one in ids:
            os.kill(one, signal.SIGSTOP)
        yield
    finally:
        for one in ids:
            os.kill(one, signal.SIGCONT)


def test_the_power_fails_on_two_desks_and_mrs_wang_is_put_through_again(
    town: Town, chromium: Chromium, tmp_path: Path
) -> None:
    third = AgentDesk(town, chromium, "周敏").logs_in()
    with one_more(chromium.browser_type, flags(tmp_path)) as dark:
        talking = AgentDesk(town, dark, "陈小红").logs_in().is_ready()
        caller = puts_through(town)
        talking.rings().presses("answer").talks()
        both_hear(talking, caller, 700)
        idle = AgentDesk(town, dark, "李大力").logs_in().is_ready()
        with frozen(dark):
            begun = time.monotonic()
            caller.hears("agent_lost", within=8)
            third.chooses("ready")
            for agent in (talking, idle):
                agent.stands("offline", 10)
            seconds = time.monotonic() - begun
            assert seconds <= 10 * PATIENCE, f"{seconds:.1f} s"
            assert not [one for one in (talking, idle) if f"agent-{one.user_id}" in one.queues()]
            # The one who still counted as ready may have been rung, and let go as soon as she was seen to be gone.
            assert "agent_missed" not in journal(town)
            third.rings().presses("answer").talks()
            both_hear(third, caller, 800)
        # The desks have power again: both pages find out by themselves, and go on where they were.
        for agent in (talking, idle):
            agent.is_connected(30).is_shown("ready", 15).stands("ready")
        third.presses("hangup").is_free()


def test_the_exchange_is_killed_and_everything_comes_back(town: Town, chromium: Chromium) -> None:
    desk = AgentDesk(town, chromium, "陈小红").logs_in().is_ready()
    caller = puts_through(town)
    desk.rings().presses("answer").talks()
    both_hear(desk, caller, 700)
    town.hotline.kill("asterisk")
    expect(desk.page.locator("[data-alert]")).to_be_visible()
    # As long as an exchange needs to start on a machine that has much else to do.
    desk.is_free(15).is_connected(30)
    # The call's result is still owed, and keeps the wrap-up open: she ends it by hand.
    desk.is_shown("wrap_up", 20).presses("ready")
    desk.stands("ready")
    town.rows.wait_for(lambda: f"agent-{desk.user_id}" in desk.queues(), 10, "member after the restart")
    town.rows.the_task("missed", 20)
    caller.hangs_up()
    again = puts_through(town, KIM)
    desk.rings(10).presses("answer").talks()
    both_hear(desk, again, 900)
    desk.presses("hangup").is_free()


def test_microphone_refused_and_two_tabs(town: Town, chromium: Chromium) -> None:
    desk = AgentDesk(town, chromium, "陈小红")
    desk.page.add_init_script(KEEP_SOCKETS)
    desk.logs_in().is_ready()
    desk.page.evaluate(REFUSE_MICROPHONE)
    caller = puts_through(town)
    desk.rings().presses("answer")
    expect(desk.page.locator("[data-alert]")).to_contain_text("没有麦克风权限")
    desk.page.get_by_role("button", name="如何允许").click()
    expect(desk.page.locator("[data-help] li")).to_have_count(3)
    expect(desk.page.locator("[data-help]")).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(desk.key("answer")).to_be_visible()
    desk.page.evaluate("() => { navigator.mediaDevices.getUserMedia = window.allowed; }")
    desk.presses("microphone").talks()
    both_hear(desk, caller, 700)
    # The line to the exchange is cut in the call: she is told, it comes back by itself, and the call has gone on.
    assert desk.page.evaluate("window.sockets.map((one) => one.close()).length") == 1
    expect(desk.page.locator("[data-alert]")).to_contain_text("电话系统没有响")
    expect(desk.page.locator("#phone")).to_have_attribute("data-line", "up", timeout=10_000 * PATIENCE)
    expect(desk.page.locator("[data-alert]")).to_be_hidden()
    both_hear(desk, caller, 800)
    # She logs in on another computer: the telephone is there, and the call that she has goes on here to its end.
    other = AgentDesk(town, chromium, desk.name, user_id=desk.user_id).logs_in()
    expect(desk.page.locator("[data-alert]")).to_contain_text("另一台电脑")
    both_hear(desk, caller, 900)
    other.context.close()
    # She takes it back, in the call.
    desk.presses("take").is_connected()
    expect(desk.page.locator("[data-alert]")).to_be_hidden()
    # A second tab waits, and cannot take a telephone that is in a call.
    second = desk.tab()
    second.goto("/")
    alert = second.locator("[data-alert]")
    expect(alert).to_contain_text("正在通话")
    second.locator("[data-act='take']").click()
    expect(alert).to_contain_text("正在通话")
    caller.hears(AGENT_SPEAKS, within=6)
    desk.presses("hangup").is_free()
    second.locator("[data-act='take']").click()
    expect(second.locator("#phone")).to_have_attribute("data-line", "up")
    expect(desk.page.locator("[data-alert]")).to_contain_text("另一个标签页")
    # The tab that has it is closed: the other has it again, without a word.
    second.close()
    desk.is_connected()
    assert journal(town) == ["agent_rung", "agent_answered"]
    assert desk.complaints == []


def test_her_own_calls_belong_to_their_task_and_keep_the_limits(town: Town, chromium: Chromium) -> None:
    desk = AgentDesk(town, chromium, "陈小红").logs_in().is_ready()
    with town.rows.writing() as session:
        elder = session.scalars(select(Elder).join(Elder.person).where(Person.name == "王秀英")).one()
        new = tasks.NewTask(
            TaskKind.RING_BACK, "journey", elder_id=elder.id, number_id=elder.person.numbers[0].number_id
        )
        task = tasks.open_task(session, new, clock.now())
        public_id = task.public_id if task else ""
    phone = town.network.phone(WANG).when_called(habits.listens(ring=0.5))
    desk.page.evaluate("(path) => window.hotline.open(path)", f"/tasks/{public_id}")
    desk.page.locator(f"[data-dial-task='{public_id}']").click()
    desk.talks(8)
    call = phone.is_rung()
    both_hear(desk, call, 700)
    desk.presses("hangup").is_free()
    call.is_hung_up_by_hotline(5)
    desk.stands("wrap_up")
    row = town.rows.wait_for(lambda: the_call(town) if the_call(town).ended_at else None, 3, "ended call")
    assert (row.direction, row.purpose, row.end, row.agent_id) == ("out", "agent", "person", desk.user_id)
    (link,) = town.rows.all(TaskCall)
    assert (link.call_id, link.user_id) == (row.id, desk.user_id)
    # A call of ours that is cut, busy or not answered opens no other task.
    assert [one.kind for one in town.rows.all(Task)] == ["ring_back"]
    for number, words in (("120", "不能拨打"), ("00442079460000", "不能拨打"), ("abc", "不是电话号码")):
        desk.presses("dial-open")
        desk.page.fill("#phone-number", number)
        desk.presses("do-dial")
        expect(desk.page.locator("[data-problem]")).to_contain_text(words)
        desk.page.locator("[data-dialog='transfer'] [type='submit']").click()
    # To a telephone outside that does not exist: the caller is not dropped, she waits for a person.
    caller = puts_through(town, KIM)
    desk.chooses("ready").rings().presses("answer").talks()
    town.network.phone(CARE).rejects()
    desk.passes("transfer", CARE).is_free()
    desk.is_shown("wrap_up").presses("ready")
    desk.rings(20).presses("answer").talks()
    both_hear(desk, caller, 800)
    desk.presses("hangup").is_free()


def test_a_care_visit_is_rung_from_its_page_and_only_the_answered_call_proves(town: Town, chromium: Chromium) -> None:
    now = hotline_now(town)
    with town.rows.writing() as session:
        elder = session.scalars(select(Elder).join(Elder.person).where(Person.name == "王秀英")).one()
        new = campaigns.NewCampaign("十一月巡访", "short", "filter", mode=CampaignMode.STAFF)
        campaign = campaigns.create(session, new, now)
        campaigns.add_elders(session, campaign, [elder.id], now)
        campaigns.move(session, campaign.id, CampaignStatus.RUNNING, now)
        well = {"zh-CN": "平安", "ko": "안녕하심", "en": "Well"}
        session.add(CallResult(code="visit_well", names=well, scope=Scope.VISIT, effect=Effect.REACHED))
        path = f"/care/runs/{campaign.public_id}"
    desk = AgentDesk(town, chromium, "陈小红").logs_in().is_ready()
    phone = town.network.phone(WANG).when_called(habits.listens(ring=0.5))
    keys, heading, line = desk.page.keyboard, desk.page.locator("main h1"), desk.page.locator("#run-call")
    desk.page.evaluate("(path) => window.hotline.open(path)", path)
    expect(heading).to_contain_text("王秀英")
    keys.press("c")
    desk.talks(8)
    call = phone.is_rung()
    both_hear(desk, call, 700)
    # She stays on the page of the visit, which sees the call by itself.
    expect(line).to_contain_text("通话中")
    keys.press("1")
    expect(desk.page.locator("[name=q_feel]:checked")).to_have_value("well")
    desk.presses("hangup").is_free()
    call.is_hung_up_by_hotline(5)
    expect(line).to_contain_text("已接听，已结束")
    keys.press("r")
    keys.press("1")
    keys.press("y")
    expect(heading).to_contain_text("现在没有要打的了")
    (link,), (proof,) = town.rows.all(VisitCall), town.rows.all(CareProof)
    assert (proof.kind, proof.call_id, proof.by_user_id) == ("agent", link.call_id, desk.user_id)
    assert [(one.question, one.answer, one.how) for one in town.rows.all(CareAnswer)] == [("feel", "well", "agent")]
    assert town.rows.all(Task) == []
    assert desk.complaints == []
