"""The pop before the ring: who may be rung next for whom, who is given a pop ahead, and what the audit says of it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from agents import ahead
from models import clock, session, settings
from models.calls import Call, CallState
from models.dialects import AgentDialect, Dialect
from models.preferences import Because, Origin, Setting, put
from models.presence import MISSED, Presence
from models.tasks import TaskKind
from models.users import AuditEvent, User
from tests.web import desk_town, town
from tests.web.conftest import Browser
from tests.web.test_stream import listening, watcher_has_gone
from tests.web.world import World
from web.access import AHEAD

__all__ = ["watcher_has_gone"]


def coming() -> dict[int, tuple[str, ...]]:
    """Who may be rung for whom, by the rows."""
    with session.read() as db:
        return ahead.coming(db, clock.now())


def audited() -> list[tuple[str, str, int]]:
    """What was read, or given ahead."""
    with session.read() as db:
        lines = db.scalars(select(AuditEvent).where(AuditEvent.action.in_(("read", "given_ahead"))))
        return [(one.action, one.subject, one.subject_id or 0) for one in lines]


def test_only_agents_who_can_be_rung_are_guessed_the_longest_rested_first(world: World) -> None:
    rested, fresh, wrapping, third = (
        desk_town.stands(world, world.user(name), state, since=world.ago(since))
        for name, state, since in (
            ("小陈", Presence.READY, 90), ("小李", Presence.READY, 30), ("小吴", Presence.WRAP_UP, 300),
            ("小赵", Presence.READY, 60),
        )
    )  # fmt: skip
    for name, state in (("小王", Presence.TALKING), ("小孙", Presence.RINGING), ("小周", Presence.OFFLINE)):
        desk_town.stands(world, world.user(name), state)
    desk_town.stands(world, world.user("小郑"), Presence.PAUSE, reason="meal")
    desk_town.stands(world, world.user("小冯"), Presence.PAUSE, reason=MISSED)
    assert coming() == {}
    call = desk_town.waits(world)
    assert coming() == {one.id: (call.public_id,) for one in (rested, third, fresh)}
    assert ahead.AGENTS == 3
    desk_town.stands(world, world.user("小蒋"), Presence.READY, "en")
    with world.rows() as db:
        for one in (rested, fresh):
            row = db.merge(desk_town.row_of(db, one))
            row.state = Presence.TALKING
    # Nobody else is ready for her: whoever is about to be.
    assert list(coming()) == [third.id, wrapping.id]


def test_by_language_and_in_an_emergency_everybody(world: World) -> None:
    chinese = desk_town.stands(world, world.user("小陈"), Presence.READY, "zh-CN")
    both = desk_town.stands(world, world.user("小朴"), Presence.READY, "ko", "zh-CN")
    first = desk_town.waits(world, 30, language="zh-CN")
    second = desk_town.waits(world, 20, language="ko")
    assert coming() == {chinese.id: (first.public_id,), both.id: (first.public_id, second.public_id)}
    # English is spoken by nobody: the dialplan goes to the first queue that has somebody.
    third = desk_town.waits(world, 10, language="en")
    assert coming()[chinese.id] == (first.public_id, third.public_id)
    urgent = desk_town.waits(world, 1, language="ko")
    world.task(TaskKind.ALARM, call_id=urgent.id)
    assert coming() == {
        both.id: (urgent.public_id, first.public_id, second.public_id), chinese.id: (urgent.public_id, first.public_id)
    }  # fmt: skip


def test_whoever_speaks_the_callers_dialect_comes_first(world: World) -> None:
    rested, second, native = (
        desk_town.stands(world, world.user(name), Presence.READY, "zh-CN", since=world.ago(since))
        for name, since in (("小陈", 90), ("小李", 60), ("小吴", 5))
    )
    wang = world.elder("王桂兰")
    with world.rows() as db:
        dialect = db.scalars(select(Dialect).where(Dialect.code == "shandong")).one()
        db.add(AgentDialect(user_id=native.id, dialect_id=dialect.id))
    call = desk_town.waits(world, elder=wang)
    assert list(coming()) == [rested.id, second.id, native.id]
    with world.rows() as db:
        put(db, wang.id, (Setting.DIALECT, "shandong"), Because(Origin.AGENT), world.now)
    assert list(coming()) == [native.id, rested.id, second.id]
    # Her daughter, who rings for her, may have another one; in an emergency it is the language alone.
    with world.rows() as db:
        daughter = world.elder("王小梅")
        db.merge(call).caller_person_id = daughter.id
    assert list(coming()) == [rested.id, second.id, native.id]
    with world.rows() as db:
        db.merge(call).caller_person_id = wang.id
    assert list(coming()) == [native.id, rested.id, second.id]
    world.task(TaskKind.ALARM, call_id=call.id)
    assert list(coming()) == [rested.id, second.id, native.id]


def test_who_is_rung_for_or_answered_comes_to_nobody_else(world: World) -> None:
    agent = desk_town.stands(world, world.user("小陈"))
    call = desk_town.waits(world)
    assert coming() == {agent.id: (call.public_id,)}
    with world.rows() as db:
        db.merge(call).agent_id = agent.id
    assert coming() == {}
    with world.rows() as db:
        row = db.merge(call)
        row.agent_id, row.state = None, CallState.AGENT
    assert coming() == {}


def test_a_pop_is_given_ahead_to_whom_it_may_ring_and_to_nobody_else(world: World, agent: Browser, app: Flask) -> None:
    seeded = town.build(world)
    call = desk_town.rings(world, seeded.elder)
    path, header = f"/desk/calls/{call.public_id}", {AHEAD: "yes"}
    # She is not ready for calls.
    assert agent.get(path, headers=header).status_code == 404
    assert audited() == []
    desk_town.stands(world, _chen(world))
    desk_town.stands(world, world.user("小吴"))
    given = agent.get(path, headers=header)
    assert (given.status_code, given.headers["Cache-Control"]) == (200, "no-store")
    assert "王桂兰" in given.text and "data-sure" not in given.text
    # Nothing leaves the house without a line, and what has not been shown is not called read.
    ahead_of_ring = [("given_ahead", "call", call.id), ("given_ahead", "elder", seeded.elder.id)]
    assert audited() == ahead_of_ring
    world.user("小李")
    other = Browser(app)
    other.login("小李")
    assert other.get(path, headers=header).status_code == 404
    assert audited() == ahead_of_ring
    assert agent.get(path).status_code == 200
    assert audited() == [*ahead_of_ring, ("read", "call", call.id), ("read", "elder", seeded.elder.id)]


def chance(user: User, call: Call) -> ahead.Chance:
    """How likely it rings there next, by the rows."""
    with session.read() as db:
        return ahead.chance(db, user.id, call.public_id, clock.now())


def test_it_is_sure_where_no_other_telephone_can_ring_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sure, some, none = ahead.Chance.SURE, ahead.Chance.SOME, ahead.Chance.NONE
    one = desk_town.stands(world, world.user("小陈"), Presence.READY, "zh-CN")
    call = desk_town.waits(world, 30, language="zh-CN")
    assert chance(one, call) is sure
    # A second language comes after everybody whose first it is, and wrap-up after all who are ready.
    second = desk_town.stands(world, world.user("小朴"), Presence.READY, "ko", "zh-CN")
    wrapping = desk_town.stands(world, world.user("小吴"), Presence.WRAP_UP, "zh-CN")
    assert (chance(one, call), chance(second, call), chance(wrapping, call)) == (sure, some, some)
    # Of two for the same agent it is the one who waits the longer.
    later = desk_town.waits(world, 10, language="zh-CN")
    assert (chance(one, call), chance(one, later)) == (sure, some)
    # An ordinary telephone is asked with everybody else: nobody knows whether it is free.
    with monkeypatch.context() as patch:
        patch.setenv("HOTLINE_AGENT_PHONES", '["+8645112349001"]')
        settings.settings.cache_clear()
        assert chance(one, call) is some
    settings.settings.cache_clear()
    equal = desk_town.stands(world, world.user("小李"), Presence.READY, "zh-CN")
    assert (chance(one, call), chance(equal, call)) == (some, some)
    world.end(call)
    assert chance(one, call) is none


def test_what_is_shown_before_the_ring_is_read(world: World, agent: Browser) -> None:
    seeded = town.build(world)
    desk_town.nobody_waits(world)
    desk_town.stands(world, _chen(world))
    call = desk_town.rings(world, seeded.elder)
    assert "data-sure" in agent.get(f"/desk/calls/{call.public_id}", headers={AHEAD: "yes"}).text
    assert audited() == [("read", "call", call.id), ("read", "elder", seeded.elder.id)]


def test_a_page_that_asks_ahead_keeps_no_session_open(
    world: World, agent: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk_town.stands(world, _chen(world))
    call = desk_town.waits(world)
    agent.get("/desk")
    later = clock.now() + timedelta(minutes=5)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert "Set-Cookie" not in agent.get(f"/desk/calls/{call.public_id}", headers={AHEAD: "yes"}).headers
    assert "Set-Cookie" in agent.get(f"/desk/calls/{call.public_id}").headers


def test_the_stream_tells_each_agent_what_comes_to_her(world: World, agent: Browser, app: Flask) -> None:
    world.user("小李")
    other = Browser(app)
    other.login("小李")
    desk_town.stands(world, _chen(world))
    with listening(agent) as hers, listening(other) as anothers:
        assert json.loads(hers.until("coming")) == []
        call = desk_town.waits(world)
        assert json.loads(hers.until("coming")) == [call.public_id]
        world.end(call)
        assert json.loads(hers.until("coming")) == []
        assert json.loads(anothers.until("coming")) == []
        told = [anothers.next() for _ in range(8)]
    assert "coming" not in [name for name, _ in told]


def _chen(world: World) -> User:
    with world.rows() as db:
        return desk_town.named(db, "小陈")
