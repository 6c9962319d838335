"""Agents' presence: legal moves, one writer, its history, what time and Asterisk's news bring, and the mirror."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import agent_events, mirror, presence, roster
from dispatch.presence import IllegalPresence, To
from models.calls import Call, CallState, Direction
from models.dialects import AgentDialect, Dialect
from models.journal import Entry
from models.presence import (
    LOST,
    MISSED,
    PRESENCE_MOVES,
    AgentLine,
    AgentPresence,
    AgentSkill,
    Presence,
    PresenceSpell,
)
from models.queue_rules import RULES_FILE, QueueRule
from models.session import read, write
from models.settings import settings
from models.users import User
from tests.dispatch.fake_manager import Action, FakeManager
from tests.dispatch.town import Town


def hire(now: datetime, name: str = "陈小红", **skills: int) -> int:
    """An agent with a registered telephone; skills as language=penalty (zh for zh-CN)."""
    with write() as session:
        user = User(name=name, password_hash="x", role="agent", created_at=now)
        session.add(user)
        session.flush()
        session.add(
            AgentLine(
                user_id=user.id, digest="d" * 32, serial=1, live_serial=1, session_version=0, issued_at=now,
                expires_at=now + timedelta(hours=1), registered_at=now,
            )
        )  # fmt: skip
        for language, penalty in skills.items():
            code = "zh-CN" if language == "zh" else language
            session.add(AgentSkill(user_id=user.id, language=code, penalty=penalty))
        return user.id


def goes(user_id: int, state: Presence, now: datetime, reason: str | None = None) -> None:
    with write() as session:
        presence.move(session, presence.presence_of(session, user_id, now), To(state, reason=reason), now)


def row(user_id: int) -> AgentPresence:
    with read() as session:
        return session.scalars(select(AgentPresence).where(AgentPresence.user_id == user_id)).one()


def a_call(now: datetime, channel: str = "1763766000.1") -> int:
    with write() as session:
        call = Call(
            channel_id=channel, direction=Direction.IN, purpose="inbound", state=CallState.WAITING, started_at=now
        )
        session.add(call)
        session.flush()
        return call.id


def members(now: datetime) -> dict[str, roster.Member]:
    """Queue to member, of the only agent."""
    with read() as session:
        seen = roster.picture(roster.agents(session), roster.skills(session), now)
    return {queue: member for (queue, _), member in seen.members.items()}


def looked_after(now: datetime) -> None:
    """A round of the mirror, as far as it concerns time."""
    with write() as session:
        presence.look_after(session, roster.due(roster.agents(session), now), now)


def test_every_state_can_be_left_for_offline_and_offline_is_not_left_for_wrap_up() -> None:
    assert set(PRESENCE_MOVES) == set(Presence)
    for state, targets in PRESENCE_MOVES.items():
        assert Presence.OFFLINE in targets or state == Presence.OFFLINE
    assert Presence.WRAP_UP not in PRESENCE_MOVES[Presence.OFFLINE]
    # Wrap-up follows a call and nothing else.
    assert [state for state, targets in PRESENCE_MOVES.items() if Presence.WRAP_UP in targets] == [Presence.TALKING]


def test_an_illegal_move_is_refused_and_leaves_nothing(town: Town) -> None:
    user_id = hire(town.now)
    goes(user_id, Presence.READY, town.now)
    with pytest.raises(IllegalPresence), write() as session:
        presence.move(session, presence.presence_of(session, user_id, town.now), To(Presence.WRAP_UP), town.now)
    assert row(user_id).state == Presence.READY


def test_a_call_from_ring_to_ready_leaves_its_spells(town: Town) -> None:
    user_id, call_id, now = hire(town.now), a_call(town.now), town.now
    goes(user_id, Presence.READY, now)
    called = {"Event": "AgentCalled", "Uniqueid": "1763766000.1", "DestUniqueid": "leg.1"}
    called["Interface"] = roster.interface(user_id)
    agent_events.handle(called)
    assert (row(user_id).state, row(user_id).call_id) == (Presence.RINGING, call_id)
    with read() as session:
        assert session.get_one(Call, call_id).agent_id == user_id
    agent_events.handle(called | {"Event": "AgentConnect"})
    with read() as session:
        assert session.get_one(Call, call_id).state == CallState.AGENT
    agent_events.leg_ended("leg.1")
    wrap = row(user_id)
    assert wrap.state == Presence.WRAP_UP and wrap.until is not None and wrap.call_id == call_id
    looked_after(wrap.until - timedelta(seconds=1))
    assert row(user_id).state == Presence.WRAP_UP
    looked_after(wrap.until)
    assert row(user_id).state == Presence.READY
    with read() as session:
        spells = list(session.scalars(select(PresenceSpell).order_by(PresenceSpell.id)))
    assert [one.state for one in spells] == ["ready", "ringing", "talking", "wrap_up", "ready"]
    assert [one.ended_at is None for one in spells] == [False] * 4 + [True]


@pytest.mark.parametrize("hangup_first", [False, True])
def test_a_rejected_call_pauses_her_whichever_event_comes_first(town: Town, hangup_first: bool) -> None:
    user_id = hire(town.now)
    a_call(town.now)
    goes(user_id, Presence.READY, town.now)
    event = {"Interface": roster.interface(user_id), "Uniqueid": "1763766000.1", "DestUniqueid": "leg.1"}
    agent_events.handle(event | {"Event": "AgentCalled"})
    if hangup_first:
        agent_events.leg_ended("leg.1")
    agent_events.handle(event | {"Event": "AgentRingNoAnswer"})
    if not hangup_first:
        agent_events.leg_ended("leg.1")
    assert (row(user_id).state, row(user_id).reason) == (Presence.PAUSE, MISSED)
    with read() as session:
        call = session.scalars(select(Call)).one()
        kinds = [one.kind for one in call.events]
    assert call.agent_id is None and kinds == [Entry.AGENT_RUNG, Entry.AGENT_MISSED]


@pytest.mark.parametrize("hangup_first", [False, True])
def test_a_ring_in_a_browser_that_is_gone_ends_and_is_not_her_fault(
    town: Town, asterisk: FakeAsterisk, hangup_first: bool
) -> None:
    user_id, call_id, now = hire(town.now), a_call(town.now), town.now
    name, hung_up = f"agent-{user_id}", {"Action": "Hangup", "Channel": "leg.1", "Cause": "20"}
    asterisk.contacts = [name]
    goes(user_id, Presence.READY, now)
    one = mirror.Mirror()
    event = {"Interface": roster.interface(user_id), "Uniqueid": "1763766000.1", "DestUniqueid": "leg.1"}
    agent_events.handle(event | {"Event": "AgentCalled"})
    one.round()
    assert "Hangup" not in {action["Action"] for action in asterisk.manager.received}
    agent_events.handle({"Event": "ContactStatus", "EndpointName": name, "ContactStatus": "Unreachable"})
    for _ in range(3):
        one.round()
    told = [action for action in asterisk.manager.received if action["Action"] == "Hangup"]
    assert [{key: action[key] for key in hung_up} for action in told] == [hung_up]
    # Asterisk's news of it, in either order.
    if hangup_first:
        agent_events.leg_ended("leg.1")
    agent_events.handle(event | {"Event": "AgentRingNoAnswer"})
    if not hangup_first:
        agent_events.leg_ended("leg.1")
    assert row(user_id).state == Presence.READY
    with read() as session:
        call = session.get_one(Call, call_id)
        assert call.agent_id is None and [entry.kind for entry in call.events] == [Entry.AGENT_RUNG]
    looked_after(now + timedelta(seconds=settings().browser_grace_s))
    assert (row(user_id).state, row(user_id).reason, row(user_id).resume) == (Presence.OFFLINE, LOST, "ready")
    one.close()


@pytest.mark.parametrize("late", [False, True])
def test_an_answer_that_nobody_told_is_found_and_the_call_is_not_cut(
    town: Town, asterisk: FakeAsterisk, late: bool
) -> None:
    user_id, call_id, now = hire(town.now), a_call(town.now), town.now
    asterisk.contacts = [f"agent-{user_id}"]
    goes(user_id, Presence.READY, now)
    one = mirror.Mirror()
    event = {"Interface": roster.interface(user_id), "Uniqueid": "1763766000.1", "DestUniqueid": "leg.1"}
    agent_events.handle(event | {"Event": "AgentCalled"})
    one.round()
    assert row(user_id).state == Presence.RINGING
    # She has answered and dispatch has not heard it; then the line of her browser blips.
    asterisk.channels["leg.1"] = "Up"
    agent_events.handle({"Event": "ContactStatus", "EndpointName": f"agent-{user_id}", "ContactStatus": "Removed"})
    for _ in range(3):
        one.round()
    assert "Hangup" not in {action["Action"] for action in asterisk.manager.received}
    one._asked_at = 0.0
    one.round()
    assert (row(user_id).state, row(user_id).call_id, row(user_id).leg_id) == (Presence.TALKING, call_id, "leg.1")
    if late:
        agent_events.handle(event | {"Event": "AgentConnect"})
    with read() as session:
        call = session.get_one(Call, call_id)
        assert (call.state, call.agent_id) == (CallState.AGENT, user_id)
        assert [entry.kind for entry in call.events] == [Entry.AGENT_RUNG, Entry.AGENT_ANSWERED]
    agent_events.leg_ended("leg.1")
    assert row(user_id).state == Presence.WRAP_UP
    one.close()


def test_who_is_asked_into_a_call_and_answers_untold_talks_and_the_call_stays_anothers(town: Town) -> None:
    first, second, call_id, now = hire(town.now), hire(town.now, "李大力"), a_call(town.now), town.now
    for user_id in (first, second):
        goes(user_id, Presence.READY, now)
    with write() as session:
        presence.talks(session, first, call_id, "leg.1", now)
        session.get_one(Call, call_id).agent_id = first
        presence.rung(session, second, call_id, "third-abc", now)
    agent_events.answered_untold("third-abc")
    assert row(second).state == Presence.TALKING
    with read() as session:
        assert session.get_one(Call, call_id).agent_id == first


@pytest.mark.parametrize(
    ("before", "status", "gone", "after"),
    [
        (Presence.READY, "NOANSWER", False, (Presence.PAUSE, MISSED)),
        (Presence.READY, "BUSY", False, (Presence.PAUSE, MISSED)),
        (Presence.READY, "CHANUNAVAIL", False, (Presence.READY, None)),
        (Presence.READY, "NOANSWER", True, (Presence.READY, None)),
        (Presence.TALKING, "BUSY", False, (Presence.TALKING, None)),
    ],
)
def test_a_colleague_who_does_not_take_a_call_is_not_rung_for_it_at_once(
    town: Town, before: Presence, status: str, gone: bool, after: tuple[str, str | None]
) -> None:
    user_id, call_id, now = hire(town.now), a_call(town.now), town.now
    goes(user_id, Presence.READY, now)
    if before != Presence.READY:
        goes(user_id, before, now)
    if gone:
        agent_events.handle({"Event": "ContactStatus", "EndpointName": f"agent-{user_id}", "ContactStatus": "Removed"})
    told = {"Step": "missed", "Caller": "1763766000.1", "Agent": str(user_id), "Status": status}
    agent_events.handle({"Event": "UserEvent", "UserEvent": "HotlineAgent", **told})
    assert (row(user_id).state, row(user_id).reason) == after
    with read() as session:
        kinds = [entry.kind for entry in session.get_one(Call, call_id).events]
    assert kinds == ([Entry.AGENT_MISSED] if after[1] else [])


def test_a_ring_that_was_hers_no_more_leaves_the_call_nobodys(town: Town) -> None:
    user_id, call_id, now = hire(town.now), a_call(town.now), town.now
    goes(user_id, Presence.READY, now)
    event = {"Interface": roster.interface(user_id), "Uniqueid": "1763766000.1", "DestUniqueid": "leg.1"}
    agent_events.handle(event | {"Event": "AgentCalled"})
    goes(user_id, Presence.OFFLINE, now)
    agent_events.handle(event | {"Event": "AgentRingNoAnswer"})
    with read() as session:
        assert session.get_one(Call, call_id).agent_id is None


def test_a_caller_who_gives_up_costs_the_agent_nothing(town: Town) -> None:
    user_id = hire(town.now)
    a_call(town.now)
    goes(user_id, Presence.READY, town.now)
    event = {"Interface": roster.interface(user_id), "Uniqueid": "1763766000.1", "DestUniqueid": "leg.1"}
    agent_events.handle(event | {"Event": "AgentCalled"})
    agent_events.leg_ended("leg.1")
    assert row(user_id).state == Presence.READY


def test_what_she_chose_in_the_call_follows_it(town: Town) -> None:
    user_id, call_id = hire(town.now), a_call(town.now)
    goes(user_id, Presence.READY, town.now)
    with write() as session:
        presence.talks(session, user_id, call_id, "leg.1", town.now)
        presence.presence_of(session, user_id, town.now).following = "meal"
        presence.leg_ended(session, "leg.1", town.now)
    looked_after(town.now + timedelta(seconds=settings().wrap_up_s))
    assert (row(user_id).state, row(user_id).reason) == (Presence.PAUSE, "meal")


def test_a_browser_that_vanished_without_a_word_is_noticed_within_ten_seconds() -> None:
    """What Asterisk is told of each contact, and the grace of a reload, leave no more time than that."""
    aor = mirror._account(7, roster.Account("d" * 32, 1))["aor"]
    # It is asked every 4 s; it has 2 s to answer; then the grace passes, and the next look takes it off.
    tried = int(aor["qualify_frequency"]) + float(aor["qualify_timeout"])
    assert int(aor["qualify_frequency"]) > 0 and tried + settings().browser_grace_s + mirror.LOOK_S <= 10


@pytest.mark.parametrize("news", ["Removed", "Unreachable"])
def test_a_browser_that_stays_away_is_offline_and_comes_back_to_what_it_was(town: Town, news: str) -> None:
    user_id, now = hire(town.now), town.now
    goes(user_id, Presence.READY, now)
    goes(user_id, Presence.PAUSE, now, "meal")
    agent_events.handle({"Event": "ContactStatus", "EndpointName": f"agent-{user_id}", "ContactStatus": news})
    looked_after(now + timedelta(seconds=settings().browser_grace_s - 1))
    assert row(user_id).state == Presence.PAUSE
    looked_after(now + timedelta(seconds=settings().browser_grace_s))
    assert (row(user_id).state, row(user_id).reason, row(user_id).resume) == (Presence.OFFLINE, LOST, "meal")
    # Registered, but not yet tried: the queue would not ring it.
    for status in ("Created", "NonQualified"):
        agent_events.handle({"Event": "ContactStatus", "EndpointName": f"agent-{user_id}", "ContactStatus": status})
    assert row(user_id).state == Presence.OFFLINE
    agent_events.handle({"Event": "ContactStatus", "EndpointName": f"agent-{user_id}", "ContactStatus": "Reachable"})
    assert (row(user_id).state, row(user_id).reason) == (Presence.PAUSE, "meal")


def test_a_session_that_has_ended_takes_the_account_and_the_membership(town: Town) -> None:
    user_id, now = hire(town.now), town.now
    goes(user_id, Presence.READY, now)
    assert set(members(now)) == {
        f"{kind}-{language}" for kind in ("person", "urgent") for language in ("zh-CN", "ko", "en")
    }
    with write() as session:
        session.get_one(User, user_id).session_version += 1
    assert members(now) == {}
    with read() as session:
        assert roster.picture(roster.agents(session), roster.Skills(), now).accounts == {}
    looked_after(now)
    assert row(user_id).state == Presence.OFFLINE


@pytest.mark.parametrize("end", ["expired", "locked out"])
def test_an_account_ends_by_itself_and_with_its_user(town: Town, end: str) -> None:
    user_id, now = hire(town.now), town.now
    goes(user_id, Presence.READY, now)
    if end == "locked out":
        with write() as session:
            session.get_one(User, user_id).disabled_at = now
    else:
        now += timedelta(hours=1)
    with read() as session:
        assert roster.picture(roster.agents(session), roster.Skills(), now).accounts == {}


def test_languages_are_queues_penalties_and_everybody_is_there_in_an_emergency(town: Town) -> None:
    user_id = hire(town.now, ko=0, zh=10)
    goes(user_id, Presence.READY, town.now)
    found = {queue: member.penalty for queue, member in members(town.now).items()}
    assert found == {
        "person-ko": 0, "person-zh-CN": 10,
        "urgent-ko": 0, "urgent-zh-CN": 10, "urgent-en": roster.STRANGE_LANGUAGE,
    }  # fmt: skip


def test_a_dialect_is_a_queue_of_those_who_speak_it_and_take_its_language(town: Town) -> None:
    korean, chinese = hire(town.now, "박", ko=0), hire(town.now, "陈小红", zh=0)
    for user_id in (korean, chinese):
        goes(user_id, Presence.READY, town.now)
        learns(user_id, "hamgyong", 2)
    with read() as session:
        members = roster.picture(roster.agents(session), roster.skills(session), town.now).members
    assert {key: one.penalty for key, one in members.items() if "hamgyong" in key[0]} == {
        ("person-ko-hamgyong", roster.interface(korean)): 2
    }
    # Off the list nobody has it.
    with write() as session:
        session.scalars(select(Dialect).where(Dialect.code == "hamgyong")).one().hidden_at = town.now
    with read() as session:
        assert roster.skills(session).dialects == {}


def learns(user_id: int, code: str, penalty: int = 0) -> None:
    """She speaks this dialect, too."""
    with write() as session:
        one = session.scalars(select(Dialect).where(Dialect.code == code)).one()
        session.add(AgentDialect(user_id=user_id, dialect_id=one.id, penalty=penalty))


def test_who_is_in_wrap_up_is_there_and_who_has_paused_is_not(town: Town) -> None:
    user_id, call_id, now = hire(town.now, zh=0), a_call(town.now), town.now
    goes(user_id, Presence.READY, now)
    assert not members(now)["person-zh-CN"].paused
    with write() as session:
        presence.talks(session, user_id, call_id, "leg.1", now)
    # In a call the telephone's own state keeps her from being rung.
    assert not members(now)["person-zh-CN"].paused
    with write() as session:
        presence.leg_ended(session, "leg.1", now)
    assert (members(now)["person-zh-CN"].paused, members(now)["person-zh-CN"].reason) == (True, "wrap_up")
    goes(user_id, Presence.PAUSE, now, "meal")
    assert members(now) == {}


def test_who_did_not_answer_counts_for_a_while(town: Town) -> None:
    user_id, now = hire(town.now, zh=0), town.now
    goes(user_id, Presence.READY, now)
    goes(user_id, Presence.PAUSE, now, MISSED)
    assert members(now)["person-zh-CN"].reason == MISSED
    assert members(now + roster.MISSED_COUNTS) == {}


@pytest.mark.parametrize(
    ("name", "user_id"),
    [("agent-7", 7), ("PJSIP/agent-7", 7), ("PJSIP/agent-7-0000002a", 7), ("Local/1@agent-phone", None),
     ("PJSIP/trunk-1", None), ("agent-", None), ("agent-x", None), ("my-agent-7", None), ("", None)],
)  # fmt: skip
def test_whose_telephone_a_name_is(name: str, user_id: int | None) -> None:
    assert roster.user_of(name) == user_id


class FakeAsterisk:
    """Keeps what it is told: accounts, and members of queues."""

    def __init__(self) -> None:
        self.database: dict[tuple[str, str], str] = {}
        self.members: dict[tuple[str, str], dict[str, str]] = {}
        self.contacts: list[str] = []
        # Uniqueid to state; whatever is not here rings.
        self.channels: dict[str, str] = {}
        self.manager = FakeManager(self.answer)

    def answer(self, manager: FakeManager, action: Action) -> None:
        def tell(*lines: str) -> None:
            manager.send(*lines, f"ActionID: {action['ActionID']}")

        key = (action.get("Queue", ""), action.get("Interface", ""))
        match action["Action"]:
            case "DBPut":
                self.database[action["Family"], action["Key"]] = action["Val"]
            case "DBDel":
                self.database.pop((action["Family"], action["Key"]), None)
            case "QueueAdd":
                self.members[key] = action
            case "QueuePause":
                self.members[key] |= {"Paused": action["Paused"], "Reason": action["Reason"]}
            case "QueueRemove":
                self.members.pop(key, None)
        state = self.channels.get(action.get("Channel", ""), "Ringing")
        tell("Response: Success", "Message: done", *([f"Value: {state}"] if action["Action"] == "Getvar" else []))
        match action["Action"]:
            case "QueueStatus":
                for (queue, interface), one in self.members.items():
                    tell(
                        "Event: QueueMember", f"Queue: {queue}", f"Location: {interface}",
                        f"Name: {one['MemberName']}", f"Penalty: {one['Penalty']}",
                        f"Paused: {int(one['Paused'] == 'true')}", f"PausedReason: {one.get('Reason', '')}",
                    )  # fmt: skip
                tell("Event: QueueStatusComplete")
            case "DBGetTree":
                for (family, name), value in self.database.items():
                    if family == action["Family"]:
                        tell("Event: DBGetTreeResponse", f"Key: /{family}/{name}", f"Val: {value}")
                tell("Event: DBGetTreeComplete")
            case "PJSIPShowContacts":
                for name in self.contacts:
                    tell("Event: ContactList", f"Endpoint: {name}", "Status: Reachable")
                tell("Event: ContactListComplete")
            case "CoreShowChannels":
                for leg, stands in self.channels.items():
                    bridge = "b1" if stands == "Up" else ""
                    named = f"Uniqueid: {leg}", f"ChannelStateDesc: {stands}", f"BridgeId: {bridge}"
                    tell("Event: CoreShowChannel", *named)
                tell("Event: CoreShowChannelsComplete")


@pytest.fixture
def asterisk(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAsterisk]:
    """A manager interface that keeps what it is told."""
    fake = FakeAsterisk()
    monkeypatch.setattr(settings(), "ami_port", fake.manager.port)
    yield fake
    fake.manager.close()


def lines(session: Session) -> list[AgentLine]:
    return list(session.scalars(select(AgentLine)))


def test_the_mirror_tells_what_has_changed_and_nothing_twice(town: Town, asterisk: FakeAsterisk) -> None:
    user_id = hire(town.now, zh=0)
    asterisk.contacts = [f"agent-{user_id}"]
    with write() as session:
        lines(session)[0].live_serial = 0
    one = mirror.Mirror()
    one.round()
    auth = json.loads(asterisk.database["agent/auth", f"agent-{user_id}"])
    assert auth["md5_cred"] == "d" * 32 and "password" not in auth
    assert json.loads(asterisk.database["agent/endpoint", f"agent-{user_id}"])["context"] == "agent-line"
    with read() as session:
        assert lines(session)[0].live_serial == 1
    goes(user_id, Presence.READY, town.now)
    one.round()
    assert set(asterisk.members) == {
        (queue, f"PJSIP/agent-{user_id}") for queue in ("person-zh-CN", "urgent-zh-CN", "urgent-ko", "urgent-en")
    }
    told = len(asterisk.manager.received)
    one.round()
    assert len(asterisk.manager.received) == told
    goes(user_id, Presence.PAUSE, town.now, "meal")
    one.round()
    assert asterisk.members == {}
    one.close()


def test_whatever_asterisk_has_forgotten_or_kept_too_long_is_put_right(town: Town, asterisk: FakeAsterisk) -> None:
    user_id = hire(town.now, zh=0)
    asterisk.contacts = [f"agent-{user_id}"]
    goes(user_id, Presence.READY, town.now)
    asterisk.database["agent/auth", "agent-99"] = json.dumps({"md5_cred": "of somebody who has logged out"})
    asterisk.members["person-ko", "PJSIP/agent-99"] = {"MemberName": "x", "Penalty": "0", "Paused": "false"}
    first = mirror.Mirror()
    first.round()
    assert ("agent/auth", "agent-99") not in asterisk.database
    assert ("person-ko", "PJSIP/agent-99") not in asterisk.members
    first.close()
    # Restarted, it knows nothing any more.
    asterisk.database.clear()
    asterisk.members.clear()
    second = mirror.Mirror()
    second.round()
    assert ("agent/auth", f"agent-{user_id}") in asterisk.database and len(asterisk.members) == 4
    # Who registered while nobody listened to its events is there all the same.
    with write() as session:
        lines(session)[0].registered_at = None
    second.close()
    second.round()
    with read() as session:
        assert lines(session)[0].registered_at is not None
    # A browser that it does not have any more is gone, whatever its events have failed to tell.
    asterisk.contacts = []
    second.close()
    second.round()
    with read() as session:
        assert lines(session)[0].gone_at is not None
    second.close()


def test_what_an_administrator_sets_of_the_queues_reaches_asterisk(town: Town, asterisk: FakeAsterisk) -> None:
    one = mirror.Mirror()
    one.round()
    path = settings().run_dir / RULES_FILE
    assert f"[person-ko](+)\ntimeout={settings().agent_ring_s}\nweight=0\n" in path.read_text()
    with write() as session:
        weights = {"zh-CN": 0, "ko": 4, "en": 1}
        session.add(QueueRule(ring_s=15, wrap_up_s=45, wrap_up_more_s=90, lap_s=30, wait_s=600, weights=weights))
    asterisk.manager.received.clear()
    one._skills_at = 0
    one.round()
    said = path.read_text()
    assert "[person-ko](+)\ntimeout=15\nweight=4\n" in said
    assert "[urgent-ko](+)\ntimeout=15\nweight=10\n" in said, "whatever is set, an emergency comes first"
    assert "[person-ko-hamgyong](dialect)\ntimeout=15\nweight=4\n" in said, "as heavy as its language"
    told = [(action["Action"], action.get("Variable"), action.get("Value")) for action in asterisk.manager.received]
    assert told == [
        ("QueueReload", None, None), ("Setvar", "AGENT_RING", "15"), ("Setvar", "WAIT_LAP", "30"),
        ("Setvar", "QUEUE_WAIT", "600"),
    ]  # fmt: skip
    # A dialect that goes off the list goes out of the queues.
    asterisk.manager.received.clear()
    with write() as session:
        session.scalars(select(Dialect).where(Dialect.code == "hamgyong")).one().hidden_at = town.now
    one._skills_at = 0
    one.round()
    assert "hamgyong" not in path.read_text() and "[person-ko-pyongan](dialect)" in path.read_text()
    assert asterisk.manager.received[0]["Action"] == "QueueReload"
    # An Asterisk that was started again is told again.
    asterisk.manager.received.clear()
    one.close()
    one.round()
    assert [action["Action"] for action in asterisk.manager.received].count("QueueReload") == 1
    one.close()
    # After a call she has as long as is set.
    user_id, call_id = hire(town.now), a_call(town.now)
    goes(user_id, Presence.READY, town.now)
    with write() as session:
        presence.talks(session, user_id, call_id, "leg.1", town.now)
        presence.leg_ended(session, "leg.1", town.now)
    assert row(user_id).until == town.now + timedelta(seconds=45)
