"""A supervisor in an agent's call without an exchange: who may, what Asterisk is asked for, what rows and pages say."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from agents import figures, presence, wallboard, watching
from agents.figures import Period
from agents.presence import PresenceRefused
from agents.watching import Whose
from dispatch import asks
from dispatch import presence as rule
from dispatch import watching as rows
from models import clock, settings
from models.calls import Call, CallState, Direction
from models.presence import AgentLine, AgentPresence, CallAsk, Presence, PresenceSpell
from models.session import read, write
from models.supervision import Watch
from models.users import AuditEvent, User
from tests.web.conftest import Browser
from tests.web.world import World, landline


class FakeAmi:
    """Takes what it is asked for, and says yes, or no. `together`: how many are in the call's room."""

    def __init__(self, yes: bool = True, together: int = 0) -> None:
        self.asked: list[dict[str, Any]] = []
        self._said = {"Response": "Success" if yes else "Error", "Value": str(together)}

    def send_action(self, action: dict[str, Any]) -> Any:
        if action["Action"] != "Getvar":
            self.asked.append(action)
        return SimpleNamespace(header=lambda name, default="": self._said.get(name, default))


@pytest.fixture
def talking(world: World) -> tuple[User, User, Call]:
    """An agent in a call, and a supervisor whose telephone is there."""
    chen, boss = world.user("小陈"), world.user("周班长", "supervisor")
    call = world.call(world.elder("王桂兰", landline(101)), state=CallState.AGENT, agent_id=chen.id)
    with world.rows() as db:
        for user in (chen, boss):
            presence.issue_account(db, db.get_one(User, user.id), clock.now() + timedelta(hours=8), clock.now())
        for line in db.scalars(select(AgentLine)):
            line.registered_at = clock.now()
        rule.talks(db, chen.id, call.id, "leg.1", clock.now())
    return chen, boss, call


def wants(boss: User, how: str, whose: Whose | None = None) -> int:
    with write() as db:
        return watching.watch(db, db.get_one(User, boss.id), whose or Whose(), how, clock.now()).id


def performed(ask_id: int, yes: bool = True, together: int = 0) -> list[dict[str, Any]]:
    """Have an ask worked off; return what Asterisk was asked for."""
    ami = FakeAmi(yes, together)
    asks.perform(ami, ask_id)  # type: ignore[arg-type]
    return ami.asked


def stands(user: User) -> presence.PresenceView:
    with read() as db:
        return presence.view(db, user.id)


def audited() -> list[str]:
    with read() as db:
        events = db.scalars(select(AuditEvent).where(AuditEvent.subject == "call").order_by(AuditEvent.id))
        return [one.action for one in events]


def test_her_telephone_is_rung_and_led_to_the_agents_leg_and_each_use_is_audited(
    talking: tuple[User, User, Call],
) -> None:
    chen, boss, call = talking
    (rung,) = performed(wants(boss, "listen", Whose(agent=chen.public_id)))
    assert (rung["Action"], rung["Channel"]) == ("Originate", f"PJSIP/agent-{boss.id}")
    assert (rung["Context"], rung["Exten"]) == ("watch-listen", "s")
    assert "WATCHED=leg.1" in rung["Variable"] and "PJSIP_HEADER(add,X-Hotline-Direction)=watch" in rung["Variable"]
    with read() as db:
        (watch,) = db.scalars(select(Watch))
    assert (watch.user_id, watch.agent_id, watch.call_id, watch.mode) == (boss.id, chen.id, call.id, "listen")
    assert rung["ChannelId"] == watch.channel_id
    # Another way: the same channel is led elsewhere.
    (moved,) = performed(wants(boss, "whisper"))
    assert (moved["Action"], moved["Channel"], moved["Context"]) == ("Redirect", watch.channel_id, "watch-whisper")
    assert audited() == ["call_listened", "call_whispered"]


def test_to_be_heard_by_both_she_joins_the_two_in_their_room(talking: tuple[User, User, Call]) -> None:
    chen, boss, call = talking
    performed(wants(boss, "listen", Whose(agent=chen.public_id)))
    both, hers = performed(wants(boss, "join"))
    assert (both["Channel"], both["Exten"]) == ("leg.1", f"host-{call.public_id}")
    assert (both["ExtraChannel"], both["ExtraExten"]) == (call.channel_id, f"guest-{call.public_id}")
    assert hers["Context"] == "watch-join"
    performed(wants(boss, "listen"))
    # They are in the room already, and stay as they are.
    (hers,) = performed(wants(boss, "join"), together=2)
    assert hers["Context"] == "watch-join"


def test_the_agent_sees_it_and_by_a_setting_she_does_not(
    talking: tuple[User, User, Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    chen, boss, _ = talking
    performed(wants(boss, "listen", Whose(agent=chen.public_id)))
    assert (stands(chen).watched, stands(boss).watching, stands(boss).whom) == ("listen", "listen", "小陈")
    with read() as db:
        before = presence.version(db)
    performed(wants(boss, "join"))
    with read() as db:
        assert presence.version(db) != before  # So that her page is told.
    assert stands(chen).watched == "join"
    monkeypatch.setenv("HOTLINE_WATCH_SHOWN", "false")
    settings.settings.cache_clear()
    assert stands(chen).watched == ""
    assert stands(boss).watching == "join"


def test_it_ends_with_her_channel_and_she_is_what_she_was_before(talking: tuple[User, User, Call]) -> None:
    chen, boss, _ = talking
    with write() as db:
        rule.move(db, rule.presence_of(db, boss.id, clock.now()), rule.To(Presence.READY), clock.now())
    performed(wants(boss, "listen", Whose(agent=chen.public_id)))
    assert (stands(boss).state, stands(boss).reason, stands(boss).call) == ("talking", "watching", "")
    with write() as db:
        channel = db.scalars(select(Watch)).one().channel_id
        rule.leg_ended(db, channel, clock.now())
    # No wrap-up: there is nothing of hers to be written down.
    assert (stands(boss).state, stands(chen).watched) == ("ready", "")
    with read() as db:
        assert db.scalars(select(Watch)).one().ended_at is not None


def test_a_lost_event_is_made_up_for(talking: tuple[User, User, Call]) -> None:
    chen, boss, _ = talking
    performed(wants(boss, "listen", Whose(agent=chen.public_id)))
    now = clock.now()
    with write() as db:
        channel = db.scalars(select(Watch)).one().channel_id
        rows.close_gone(db, {channel}, now + timedelta(seconds=1), now)
        assert rows.open_of(db, boss.id) is not None
        rows.close_gone(db, set(), now - timedelta(seconds=60), now)
        assert rows.open_of(db, boss.id) is not None  # Too young: it may not be listed yet.
        rows.close_gone(db, set(), now + timedelta(seconds=1), now)
        assert rows.open_of(db, boss.id) is None


def test_taking_over_brings_her_the_caller_and_then_lets_the_agent_go(talking: tuple[User, User, Call]) -> None:
    _, boss, call = talking
    performed(wants(boss, "listen", Whose(call=call.public_id)))
    (moved,) = performed(wants(boss, "take_over"))
    with read() as db:
        channel = db.scalars(select(Watch)).one().channel_id
    assert (moved["Channel"], moved["Exten"]) == (channel, f"colleague-{call.public_id}")
    assert (moved["ExtraChannel"], moved["ExtraExten"]) == (call.channel_id, f"guest-{call.public_id}")
    with read() as db:
        (next_one,) = asks.waiting(db)
        assert db.get_one(Call, call.id).agent_id == boss.id
    (freed,) = performed(next_one)
    assert (freed["Action"], freed["Channel"]) == ("Hangup", "leg.1")
    # The exchange says that she is in the room: now the call is hers, with all that follows a call.
    with write() as db:
        rule.talks(db, boss.id, call.id, channel, clock.now())
    assert (stands(boss).call, stands(boss).reason) == (call.public_id, None)
    with pytest.raises(PresenceRefused, match="in_call"):
        wants(boss, "listen")
    with write() as db:
        rule.leg_ended(db, channel, clock.now())
    assert stands(boss).state == "wrap_up"


def test_what_asterisk_refuses_leaves_nothing_behind(talking: tuple[User, User, Call]) -> None:
    chen, boss, _ = talking
    performed(wants(boss, "listen", Whose(agent=chen.public_id)), yes=False)
    with read() as db:
        assert list(db.scalars(select(Watch))) == []
        assert db.scalars(select(CallAsk)).one().outcome == "refused"
    assert stands(boss).state == "offline"


def test_whom_it_refuses(talking: tuple[User, User, Call], world: World) -> None:
    chen, boss, call = talking
    other = world.user("李班长", "supervisor")
    for user, how, whose, code in (
        (boss, "record", Whose(agent=chen.public_id), "illegal"),
        (boss, "listen", Whose(agent=boss.public_id), "not_talking"),
        (boss, "listen", Whose(), "not_talking"),
        (boss, "take_over", Whose(agent=chen.public_id), "illegal"),
        (other, "listen", Whose(agent=chen.public_id), "no_line"),
        (chen, "listen", Whose(agent=chen.public_id), "in_call"),
    ):
        with pytest.raises(PresenceRefused, match=code):
            wants(user, how, whose)
    performed(wants(boss, "listen", Whose(agent=chen.public_id)))
    with world.rows() as db:
        row = db.get_one(Call, call.id)
        row.direction, row.purpose = Direction.OUT, "agent"
    for how in ("join", "take_over"):
        with pytest.raises(PresenceRefused, match="agents_own"):
            wants(boss, how)
    with world.rows() as db:
        db.get_one(Call, call.id).ended_at = clock.now()
    with pytest.raises(PresenceRefused, match="gone"):
        wants(boss, "whisper")
    # What was refused is no use of it.
    assert audited() == ["call_listened"]


def test_a_call_of_ours_that_came_to_her_is_like_any_other(talking: tuple[User, User, Call], world: World) -> None:
    """The machine has rung an elder who asked for a person: the caller has a channel of her own, and can be moved."""
    chen, boss, call = talking
    with world.rows() as db:
        row = db.get_one(Call, call.id)
        row.direction, row.purpose = Direction.OUT, "care"
    performed(wants(boss, "listen", Whose(agent=chen.public_id)))
    both, _ = performed(wants(boss, "join"))
    assert (both["ExtraChannel"], both["ExtraExten"]) == (call.channel_id, f"guest-{call.public_id}")


def test_an_agent_may_not_and_the_wallboard_offers_and_shows_it(
    talking: tuple[User, User, Call], browser: Browser
) -> None:
    chen, boss, call = talking
    browser.login("小陈")
    headers = {"X-CSRFToken": browser.token("/")}
    answer = browser.client.post("/phone/watch", json={"agent": chen.public_id, "how": "listen"}, headers=headers)
    assert answer.status_code == 403
    other = Browser(browser.app)
    other.login("周班长")
    assert f'data-watch="{chen.public_id}"' in other.get("/wallboard").text
    # The board is drawn once for all who read it; an agent's page hides the button, and the route refuses her.
    assert f'data-watch-call="{call.public_id}"' in other.get("/").text
    assert '<body data-role="agent"' in browser.get("/").text and '<body data-role="supervisor"' in other.get("/").text
    performed(wants(boss, "listen", Whose(agent=chen.public_id)))
    with read() as db:
        (line,) = [one for one in wallboard.read(db, "zh-CN", clock.now()).agents if one.name == "小陈"]
    assert line.watchers == ("周班长",)
    assert "在坐席通话中" in other.get("/wallboard").text


def test_listening_is_nobodys_talk(talking: tuple[User, User, Call]) -> None:
    _, boss, _ = talking
    now = clock.now()
    with write() as db:
        db.add(PresenceSpell(
            user_id=boss.id, state="talking", reason="watching", began_at=now - timedelta(seconds=90), ended_at=now,
        ))  # fmt: skip
    with read() as db:
        found = figures.agents(db, Period(now - timedelta(hours=1), now), now)
    (hers,) = [one for one in found if one.name == "周班长"]
    assert (hers.talk_s, hers.watch_s, hers.logged_s) == (0, 90, 90)
    with read() as db:
        assert db.scalars(select(AgentPresence.state).where(AgentPresence.user_id == boss.id)).one_or_none() is None
