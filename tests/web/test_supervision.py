"""The wallboard and the figures of a period: what is counted, what a figure opens, what leaves as a file."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook

from agents import figures, wallboard
from agents.board import OPEN_ORDERS
from agents.figures import Period
from dispatch import state
from models import clock, session
from models.calls import Call, CallEnd, CallState
from models.orders import OrderStatus
from models.presence import AgentPresence, PresenceSpell
from models.supervision import QualityMark
from models.tasks import PRIORITY, Task, TaskKind
from models.users import AuditEvent, User
from tests.web.conftest import Browser
from tests.web.world import World, landline, mobile

NOON = datetime.fromisoformat("2026-11-20T12:00:00+08:00")


@pytest.fixture
def world(var_dir: object, monkeypatch: pytest.MonkeyPatch) -> World:
    """A Friday at noon in Harbin."""
    monkeypatch.setattr(clock, "now", lambda: NOON)
    return World(now=NOON)


def asks(world: World, user: User | None, waits: float, minutes: float = 10) -> Call:
    """A caller asks for a person so many minutes ago and is answered after `waits` s, or never."""
    at = world.ago(60 * minutes)
    call = world.call(at=at, waiting_since=at, state=CallState.WAITING, agent_id=user and user.id)
    if user is not None:
        world.journal(call, (1, "agent_rung", {"user_id": user.id}), (waits, "agent_answered", {"user_id": user.id}))
        world.end(call, CallEnd.PERSON, waits + 60)
    else:
        world.end(call, CallEnd.ABANDONED, waits)
    return call


def spell(world: World, user: User, state: str, minutes: tuple[float, float | None], reason: str = "") -> None:
    """How somebody stood, from so many minutes ago until so many (None: still)."""
    with world.rows() as db:
        ended = None if minutes[1] is None else world.ago(60 * minutes[1])
        began = world.ago(60 * minutes[0])
        db.add(PresenceSpell(user_id=user.id, state=state, reason=reason or None, began_at=began, ended_at=ended))


def test_an_answer_after_fifteen_seconds_is_in_time_and_after_sixteen_is_not(world: World) -> None:
    chen = world.user("小陈")
    for waits in (3.0, 15.0, 16.0):
        asks(world, chen, waits)
    asks(world, None, 40)
    with session.read() as db:
        seen = figures.service(figures.asked(db, wallboard.today(NOON)))
    assert (seen.asked, seen.answered, seen.in_time, seen.abandoned) == (4, 3, 2, 1)
    assert (seen.connected, seen.level) == (0.75, 0.5)
    assert (round(seen.mean_wait_s, 2), seen.longest_wait_s) == (11.33, 16)


def test_who_never_asked_for_a_person_is_not_counted_nor_whom_we_rang(world: World) -> None:
    world.call(at=world.ago(60))
    world.call(at=world.ago(60), waiting_since=world.ago(50), direction="out", purpose="offer")
    with session.read() as db:
        seen = figures.service(figures.asked(db, wallboard.today(NOON)))
    assert (seen.asked, seen.level, seen.connected) == (0, None, None)


def test_a_day_ends_at_midnight_in_harbin(world: World) -> None:
    chen = world.user("小陈")
    asks(world, chen, 1, minutes=12 * 60 + 1)
    asks(world, chen, 1, minutes=12 * 60 - 1)
    with session.read() as db:
        today = figures.asked(db, wallboard.today(NOON))
    assert len(today) == 1
    assert [one.hour for one in figures.by_hour(today) if one.asked] == [0]


def test_an_agents_time_counts_as_far_as_it_lies_in_the_period(world: World) -> None:
    chen = world.user("小陈")
    spell(world, chen, "ready", (13 * 60, 30))  # since before midnight
    spell(world, chen, "talking", (30, 20))
    spell(world, chen, "wrap_up", (20, 18))
    spell(world, chen, "pause", (18, 8), "meal")
    spell(world, chen, "offline", (8, 5))
    spell(world, chen, "ready", (5, None))  # still
    asks(world, chen, 4, minutes=30)
    with world.rows() as db:
        db.add(
            Task(
                kind=TaskKind.MISSED, dedupe_key="done", priority=PRIORITY[TaskKind.MISSED], created_at=NOON,
                changed_at=NOON, closed_at=world.ago(60), closed_by_id=chen.id,
            )
        )  # fmt: skip
    with session.read() as db:
        (one,) = figures.agents(db, wallboard.today(NOON), NOON)
    minute = 60
    assert one.ready_s == (12 * 60 - 30 + 5) * minute
    assert (one.talk_s, one.wrap_s, one.pause_s) == (10 * minute, 2 * minute, 10 * minute)
    assert one.pauses == (("meal", 10 * minute),)
    assert (one.rung, one.answered, one.missed, one.tasks) == (1, 1, 0, 1)
    assert one.handle_s == 12 * minute


def supervised(world: World, browser: Browser, name: str = "班长") -> Browser:
    """A supervisor's browser."""
    world.user(name, "supervisor")
    browser.login(name)
    return browser


def test_every_figure_opens_its_calls_and_the_look_is_audited(world: World, browser: Browser) -> None:
    chen = world.user("小陈")
    quick, slow, lost = asks(world, chen, 3), asks(world, chen, 40), asks(world, None, 40)
    left = asks(world, None, 30)
    with world.rows() as db:
        db.get_one(Call, left.id).end = CallEnd.MESSAGE
    supervised(world, browser)
    page = browser.get("/statistics").text
    found = {
        kind: re.search(rf'href="(/statistics/calls\?kind={kind}&amp;first[^"]+)"', page) for kind in figures.KINDS
    }
    expected = {
        "asked": {quick, slow, lost, left}, "answered": {quick, slow}, "in_time": {quick}, "abandoned": {lost},
        "took_message": {left},
    }  # fmt: skip
    for kind, calls in expected.items():
        link = found[kind]
        assert link, kind
        opened = browser.get(link[1].replace("&amp;", "&")).text
        assert set(re.findall(r"/calls/([\w-]+)", opened)) == {call.public_id for call in calls}, kind
    with session.read() as db:
        assert [one.action for one in db.query(AuditEvent)].count("figure_opened") == len(expected)


def test_every_number_of_the_page_is_the_length_of_the_list_it_opens(world: World, browser: Browser) -> None:
    chen, boss, other = world.user("小陈"), world.user("周班长", "supervisor"), world.user("李班长", "supervisor")
    # Given away and given back: she is rung and answers twice in one call; one she misses twice.
    twice, missed = asks(world, chen, 3), asks(world, None, 50)
    again = {"user_id": chen.id}
    world.journal(twice, (20, "agent_rung", again), (25, "agent_answered", again))
    world.journal(
        missed,
        (1, "agent_rung", again),
        (9, "agent_missed", again),
        (12, "agent_rung", again),
        (20, "agent_missed", again),
    )
    with world.rows() as db:
        for who in (boss, other):
            db.add(QualityMark(
                call_id=twice.id, user_id=who.id, agent_id=chen.id, marked_at=world.now, points={"greeting": 4},
                total=400, comment="",
            ))  # fmt: skip
    browser.login("周班长")
    page = browser.get("/statistics").text
    one_number = r'href="(/statistics/calls[^"]+)"><span class="figure-value num">(\d+)</span>'
    of_how_many = r'href="(/statistics/calls[^"]+)"><span class="figure-value num">[^<]*%</span>.*?>(\d+) / \d+<'
    of_an_agent = r'href="(/statistics/calls[^"]+agent=[^"]+)">(\d+)</a>'
    marked = r'href="(/statistics/calls[^"]+)">\d\.\d\d</a> <span class="muted">\((\d+)\)'
    links = [link for kind in (one_number, of_how_many, of_an_agent, marked) for link in re.findall(kind, page)]
    assert len(links) == 9
    for link, number in links:
        opened = browser.get(link.replace("&amp;", "&")).text
        assert len(set(re.findall(r"/calls/([\w-]+)", opened))) == int(number), link
    kinds = {re.search(r"kind=(\w+)", link)[1]: int(number) for link, number in links if "agent=" in link}  # type: ignore[index]
    assert kinds == {"asked": 2, "answered": 1, "missed": 1, "marked": 1}


def test_a_call_that_nobody_answered_is_no_call_that_was_handled(world: World) -> None:
    chen = world.user("小陈")
    spell(world, chen, "talking", (30, 20))
    own: dict[str, Any] = {"direction": "out", "purpose": "agent", "agent_id": chen.id}
    world.call(at=world.ago(1800), answered_at=None, **own)
    world.call(at=world.ago(1500), answered_at=world.ago(1490), **own)
    with session.read() as db:
        (one,) = figures.agents(db, wallboard.today(NOON), NOON)
    assert (one.dialled, one.calls, one.handle_s) == (2, 1, 600)


@pytest.mark.parametrize("status", list(OrderStatus))
def test_an_order_is_late_for_the_metrics_where_it_is_for_the_board(world: World, status: OrderStatus) -> None:
    world.order(world.elder("王秀英", landline(1)), due_at=world.ago(60), status=status)
    with session.read() as db:
        board = wallboard.read(db, "zh-CN", NOON).orders_late
        assert state.figures(db, NOON).late_orders == board == int(status in OPEN_ORDERS)


def test_the_file_is_safe_to_open_and_its_leaving_is_audited(world: World, browser: Browser) -> None:
    asks(world, world.user("=cmd|' /C calc'!A0"), 3)
    supervised(world, browser)
    text = browser.get("/statistics/agents.csv")
    assert text.data.startswith(b"\xef\xbb\xbf")
    assert "'=cmd|" in text.data.decode("utf-8-sig")
    sheet = load_workbook(io.BytesIO(browser.get("/statistics/agents.xlsx").data)).worksheets[0]
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("=cmd|' /C calc'!A0", "s")
    with session.read() as db:
        assert [one.action for one in db.query(AuditEvent)].count("statistics_exported") == 2
    assert browser.get("/statistics/agents.exe").status_code == 404


@pytest.mark.parametrize("days", ["first=2026-11-21&last=2026-11-20", "first=2026-01-01&last=2026-11-20", "first=abc"])
def test_a_period_that_cannot_be_counted_is_refused_in_words(world: World, browser: Browser, days: str) -> None:
    supervised(world, browser)
    answer = browser.get(f"/statistics?{days}")
    assert answer.status_code == 400
    assert "最多统计 92 天" in answer.text


def test_the_wallboard_shows_who_waits_longest_and_who_is_free(world: World, browser: Browser) -> None:
    chen, zhou = world.user("小陈"), world.user("小周")
    elder = world.elder("王秀英", landline(1))
    for seconds, who in ((70, elder), (20, None)):
        at = world.ago(seconds)
        world.call(who, at, waiting_since=at, state=CallState.WAITING)
    with world.rows() as db:
        db.add(AgentPresence(user_id=chen.id, state="ready", since=world.ago(300)))
        db.add(AgentPresence(user_id=zhou.id, state="pause", reason="meal", since=world.ago(100)))
    with session.read() as db:
        seen = wallboard.read(db, "zh-CN", NOON)
    assert (seen.waiting, seen.free, [one.party.name for one in seen.waiters]) == (2, 1, ["王秀英", ""])
    assert [(one.name, one.state, one.reason) for one in seen.agents] == [
        ("小陈", "ready", ""),
        ("小周", "pause", "用餐"),
    ]
    supervised(world, browser)
    page = browser.get("/wallboard").text
    assert "王秀英" in page
    assert "1:10" in page


def test_the_wallboard_counts_late_orders_and_asks_for_itself_again(world: World, browser: Browser) -> None:
    supervised(world, browser)
    elder = world.elder("王秀英", landline(1))
    kang = world.provider("康乐", mobile(201))
    # A minute past its deadline; the same, but given up; and one that has a minute yet.
    late = world.order(elder, due_at=world.ago(60))
    world.order(elder, due_at=world.ago(60), status=OrderStatus.CANCELLED)
    world.order(elder, due_at=world.ago(-60))
    page = browser.get("/wallboard").text
    again = re.search(r'id="wall" hx-get="([^"]+)" hx-trigger="every 2s" hx-select="#wall"', page)
    assert again is not None
    figure = (
        r'figure figure-bad"><span class="figure-value num">1</span><span class="figure-label"><svg.*?</svg>超期工单<'
    )
    assert re.search(figure, page)
    # What it asks for is the page as it stands by then, without the frame: somebody has come.
    world.move(late, OrderStatus.OFFERED)
    world.move(late, OrderStatus.ACCEPTED, actor="provider", actor_id=kang.id)
    world.move(late, OrderStatus.ARRIVED)
    asked = browser.get(again[1], headers={"HX-Request": "true"}).text
    assert 'id="wall"' in asked and not re.search(figure, asked)
    with session.read() as db:
        assert wallboard.read(db, "zh-CN", NOON).orders_late == 0


def test_a_long_period_of_many_calls_is_cut_in_the_list_and_not_in_the_figure(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "SHOWN", 2)
    for _ in range(3):
        asks(world, None, 5)
    with session.read() as db:
        total, rows = figures.calls_behind(db, Period(NOON - timedelta(days=1), NOON), "asked")
    assert (total, len(rows)) == (3, 2)
