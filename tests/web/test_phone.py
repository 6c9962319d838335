"""The telephone's routes without an exchange: accounts, presence, limits, rights; how it stands on a page."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from agents import people, presence, tasks, telephony
from agents.presence import PresenceRefused
from agents.telephony import Whom
from dispatch import limits, roster
from dispatch import presence as rule
from dispatch.changes import cancel_order
from models import clock, lookup
from models.calls import Call
from models.contacts import Relation
from models.orders import Order, OrderEvent, OrderStatus
from models.people import Elder, Person
from models.phone import normalise
from models.presence import OWED, AgentLine, AgentPresence, CallAsk, PauseReason, Presence, TaskCall
from models.register import NewContact, add_contact
from models.session import read, write
from models.settings import settings
from models.tasks import Task, TaskKind, TaskState, TaskStep, move_task
from models.users import User
from tests.web.conftest import Browser
from tests.web.test_pages import text_of
from tests.web.world import World, landline, mobile
from web import phone
from web.config import ConsoleSettings
from web.display import telephone
from web.security import policy


def post(agent: Browser, path: str, wish: dict[str, Any]) -> TestResponse:
    return agent.client.post(path, json=wish, headers={"X-CSRFToken": agent.token("/")})


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody works anything off: it is not waited for."""
    monkeypatch.setattr(phone, "LIVE_WITHIN_S", 0.0)


def somebody(world: World) -> User:
    with world.rows() as db:
        return db.scalars(select(User)).one()


def registered(world: World, user: User) -> None:
    """Her browser has an account, and is there."""
    with world.rows() as db:
        presence.issue_account(db, db.get_one(User, user.id), clock.now() + timedelta(hours=8), clock.now())
        db.scalars(select(AgentLine)).one().registered_at = clock.now()


def test_an_account_is_shown_once_kept_as_a_digest_and_ends_with_the_session(world: World, agent: Browser) -> None:
    user = somebody(world)
    with world.rows() as db:
        first = presence.issue_account(db, db.get_one(User, user.id), clock.now() + timedelta(hours=8), clock.now())
        second = presence.issue_account(db, db.get_one(User, user.id), clock.now() + timedelta(seconds=90), clock.now())
    assert first.password != second.password and second.serial == first.serial + 1
    with read() as db:
        line = db.scalars(select(AgentLine)).one()
    whole = f"{second.user}:{second.realm}:{second.password}"
    assert line.digest == hashlib.md5(whole.encode(), usedforsecurity=False).hexdigest()
    assert second.password not in str(vars(line))
    # Never longer than the session, never longer than an hour.
    assert timedelta(seconds=80) < line.expires_at - clock.now() <= timedelta(seconds=90)
    assert first.expires_at - clock.now() <= timedelta(seconds=settings().phone_line_s)
    agent.post("/logout", {}, page="/")
    with read() as db:
        user_now = db.get_one(User, user.id)
        assert not rule.line_is_valid(line, user_now.session_version, clock.now())


def test_without_an_exchange_there_is_no_account_and_she_is_told(world: World, agent: Browser, at_once: None) -> None:
    answer = post(agent, "/phone/line", {})
    assert (answer.status_code, answer.json and answer.json["error"]) == (200, "away")
    assert "password" not in answer.text
    # The page knows this request by its number: no other computer has taken over.
    with read() as db:
        assert answer.json and answer.json["serial"] == db.scalars(select(AgentLine)).one().serial


def test_nothing_works_without_the_token_or_a_log_in(world: World, agent: Browser, browser: Browser) -> None:
    for path in ("line", "presence", "extend", "dial", "pass", "then"):
        assert agent.client.post(f"/phone/{path}", json={}).status_code == 400
    fresh = Browser(agent.app)
    assert fresh.client.get("/phone/state").status_code in (302, 303, 401)


def test_ready_needs_a_telephone_and_a_pause_needs_a_reason_of_the_list(world: World, agent: Browser) -> None:
    refused = post(agent, "/phone/presence", {"state": "ready"})
    assert (refused.status_code, refused.json and refused.json["error"]) == (409, "no_line")
    registered(world, somebody(world))
    assert post(agent, "/phone/presence", {"state": "ready"}).json["state"] == "ready"  # type: ignore[index]
    assert post(agent, "/phone/presence", {"state": "pause", "reason": "nap"}).status_code == 409
    with world.rows() as db:
        code = presence.reasons(db, "ko")[0][0]
    answer = post(agent, "/phone/presence", {"state": "pause", "reason": code}).json
    assert answer and (answer["state"], answer["reason"]) == ("pause", code)
    # A reason that is off the list is chosen no more, and old spells keep its name.
    with world.rows() as db:
        db.scalars(select(PauseReason).where(PauseReason.code == code)).one().hidden_at = clock.now()
    post(agent, "/phone/presence", {"state": "ready"})
    assert post(agent, "/phone/presence", {"state": "pause", "reason": code}).status_code == 409
    assert post(agent, "/phone/presence", {"state": "talking"}).status_code == 409
    assert post(agent, "/phone/extend", {}).status_code == 409
    assert (
        agent.client.post("/phone/presence", data="no json", headers={"X-CSRFToken": agent.token("/")}).status_code
        == 409
    )


def test_a_choice_in_a_call_is_for_after_it(world: World, agent: Browser) -> None:
    user = somebody(world)
    registered(world, user)
    elder = world.elder("王桂兰", landline(101))
    call = world.call(elder)
    with world.rows() as db:
        rule.talks(db, user.id, call.id, "leg.1", clock.now())
    answer = post(agent, "/phone/presence", {"state": "offline"}).json
    assert answer and (answer["state"], answer["following"], answer["call"]) == ("talking", "offline", call.public_id)


@pytest.mark.parametrize(("chosen", "then"), [(None, ("pause", OWED)), ("offline", ("offline", None))])
def test_a_wrap_up_that_nobody_ends_becomes_a_pause_and_is_prolonged_by_a_click_as_often_as_wanted(
    world: World, agent: Browser, monkeypatch: pytest.MonkeyPatch, chosen: str | None, then: tuple[str, str | None]
) -> None:
    user, began = somebody(world), clock.now()
    registered(world, user)
    call = world.call(world.elder("王桂兰", landline(101)))
    with world.rows() as db:
        rule.talks(db, user.id, call.id, "leg.1", began)
        rule.leg_ended(db, "leg.1", began)
        rule.presence_of(db, user.id, began).following = chosen
    rules, token = settings(), agent.token("/")
    asked = 0
    while asked < 60:
        with read() as db:
            now = presence.view(db, user.id).until or began
        with monkeypatch.context() as patch:
            patch.setattr(clock, "now", lambda at=now: at)
            answer = agent.client.post("/phone/extend?by_itself=1", json={}, headers={"X-CSRFToken": token})
        if answer.status_code != 200 or answer.json["state"] != "wrap_up":  # type: ignore[index]
            break
        asked += 1
    assert answer.json and (answer.json["state"], answer.json["reason"]) == then
    beyond = now - began - timedelta(seconds=rules.wrap_up_s) - presence.OWED_WRAP_UP
    assert timedelta(0) <= beyond < timedelta(seconds=rules.wrap_up_more_s)
    with read() as db:
        assert not roster.counts(db.scalars(select(AgentPresence)).one(), now), "callers do not wait for her"
    # Somebody who asks is there.
    with world.rows() as db:
        rule.talks(db, user.id, call.id, "leg.2", began)
        rule.leg_ended(db, "leg.2", began)
        presence.extend(db, db.get_one(User, user.id), now)
        assert rule.presence_of(db, user.id, now).state == Presence.WRAP_UP


@pytest.mark.parametrize(
    ("number", "code"),
    [("120", "forbidden"), ("110", "forbidden"), ("96110", "forbidden"), ("00442079460000", "forbidden"),
     ("+8616012345678", "forbidden"), ("hello", "number"), ("", "number"), ("1; DROP TABLE", "number")],
)  # fmt: skip
def test_what_may_not_be_dialled_is_not_dialled(world: World, agent: Browser, number: str, code: str) -> None:
    registered(world, somebody(world))
    refused = post(agent, "/phone/dial", {"number": number})
    assert (refused.status_code, refused.json and refused.json["error"]) == (409, code)
    with read() as db:
        assert list(db.scalars(select(Call))) == [] and list(db.scalars(select(CallAsk))) == []


@pytest.mark.parametrize("role", ["agent", "supervisor"])
def test_a_number_that_nobody_has_is_called_by_whose_role_may(
    world: World, agent: Browser, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    user = somebody(world)
    registered(world, user)
    call = world.call(world.elder("王桂兰", landline(101)))
    monkeypatch.setattr(settings(), "outside_role", "supervisor")
    with world.rows() as db:
        db.get_one(User, user.id).role = role
        for number in (landline(102), landline(103)):
            lookup.number_row(db, normalise(number))
    stranger, known = {"number": landline(102)}, world.elder("李桂兰", landline(103))
    pass_on = [{"deed": deed, "kind": "outside", "target": landline(102)} for deed in ("transfer", "consult")]
    hint = 'id="phone-known"' in agent.get("/").text
    if role == "agent":
        refused = post(agent, "/phone/dial", stranger)
        assert (refused.status_code, refused.json and refused.json["error"]) == (409, "outside")
    with world.rows() as db:
        rule.talks(db, user.id, call.id, "leg.1", clock.now())
    for wish in pass_on:
        if role == "agent":
            refused = post(agent, "/phone/pass", wish)
            assert (refused.status_code, refused.json and refused.json["error"]) == (409, "outside"), wish
            assert refused.json and "班长" in refused.json["text"]
        else:
            with write() as db:
                ask = telephony.pass_on(db, db.get_one(User, user.id), tuple(wish.values()), clock.now())  # type: ignore[arg-type]
                ask.done_at, ask.outcome = clock.now(), "refused"
    with write() as db:
        how = ("transfer", "outside", known.person.numbers[0].number.value)
        assert telephony.pass_on(db, db.get_one(User, user.id), how, clock.now()).verb == "to_outside"
    assert hint is (role == "agent")


def test_a_call_of_hers_belongs_to_its_task_and_nobody_is_dialled_twice(world: World, agent: Browser) -> None:
    user = somebody(world)
    registered(world, user)
    elder = world.elder("王桂兰", landline(101))
    task = world.task(TaskKind.RING_BACK, elder_id=elder.id)
    with write() as db:
        ask = telephony.dial(db, db.get_one(User, user.id), Whom(task=task.public_id), clock.now())
        call = db.get_one(Call, ask.call_id)
        assert (call.direction, call.purpose, call.elder_id, call.agent_id) == ("out", "agent", elder.id, user.id)
        assert db.scalars(select(TaskCall)).one().task_id == task.id
        assert db.scalars(select(AgentPresence)).one().state == Presence.TALKING
    with pytest.raises(PresenceRefused, match="in_call"), write() as db:
        telephony.dial(db, db.get_one(User, user.id), Whom(task=task.public_id), clock.now())
    other = world.user("小李")
    with write() as db:
        presence.issue_account(db, db.get_one(User, other.id), clock.now() + timedelta(hours=1), clock.now())
        line = db.scalars(select(AgentLine).where(AgentLine.user_id == other.id)).one()
        line.registered_at = clock.now()
    with pytest.raises(PresenceRefused, match="engaged"), write() as db:
        telephony.dial(db, db.get_one(User, other.id), Whom(number=landline(101)), clock.now())


def test_a_number_that_is_rung_by_its_button_belongs_to_its_task_and_its_card(
    world: World, agent: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "trunk_is_full", lambda *_: False)  # the calls of this test follow at once
    user = somebody(world)
    registered(world, user)
    elder = world.elder("王桂兰", landline(101))
    with world.rows() as db:
        new = NewContact("王芳", [normalise(mobile(7))], Relation.CHILD, may_order=True)
        daughter = add_contact(db, db.get_one(Elder, elder.id), new, world.now).person_id
    provider = world.provider("康福家政", landline(108))
    lookup_of = {"second": landline(102), "daughter": mobile(7), "provider": landline(108), "stranger": landline(109)}
    with world.rows() as db:
        people.write_numbers(db, db.get_one(Person, elder.id), [landline(101), landline(102)])
        lookup.number_row(db, normalise(lookup_of["stranger"]))
    task = world.task(TaskKind.MESSAGE, elder_id=elder.id, provider_id=provider.id)

    def rung(**whom: str) -> tuple[int | None, int | None, int | None]:
        with write() as db:
            ask = telephony.dial(db, db.get_one(User, user.id), Whom(**whom), clock.now())
            call = db.get_one(Call, ask.call_id)
            call.ended_at = clock.now()
            db.scalars(select(AgentPresence)).one().state = Presence.READY
            of = db.scalar(select(TaskCall.task_id).where(TaskCall.call_id == call.id))
            return of, call.elder_id, call.caller_person_id

    her_card = elder.person.public_id
    # Without a task or a card nobody knows whose call it is; that was so for the small buttons too.
    assert rung(number=lookup_of["second"]) == (None, None, None)
    assert rung(task=task.public_id, number=lookup_of["second"], elder=her_card) == (task.id, elder.id, None)
    assert rung(task=task.public_id, number=lookup_of["daughter"]) == (task.id, elder.id, daughter)
    assert rung(task=task.public_id, number=lookup_of["provider"]) == (task.id, None, None)
    assert rung(number=lookup_of["second"], elder=her_card) == (None, elder.id, None)
    assert rung(number=lookup_of["daughter"], elder=her_card) == (None, elder.id, daughter)
    refused = post(agent, "/phone/dial", {"task": task.public_id, "number": lookup_of["stranger"]})
    assert (refused.status_code, refused.json and refused.json["error"]) == (409, "not_hers")
    # She herself is spoken to by a colleague: her daughter can be rung all the same.
    with world.rows() as db:
        number_id = lookup.number_row(db, normalise(landline(101))).id
    world.call(elder, number_id=number_id, state="agent")
    assert rung(task=task.public_id, number=lookup_of["daughter"])[0] == task.id
    engaged = post(agent, "/phone/dial", {"task": task.public_id, "number": lookup_of["second"]})
    assert (engaged.status_code, engaged.json and engaged.json["error"]) == (409, "engaged")


def test_the_buttons_of_her_numbers_say_whose_they_are(world: World, agent: Browser) -> None:
    elder = world.elder("王桂兰", landline(101))
    task = world.task(TaskKind.MESSAGE, elder_id=elder.id)
    page = agent.get(f"/tasks/{task.public_id}").text
    columns, person = page.index(f'data-of-task="{task.public_id}"'), page.index("data-of-elder=")
    assert columns < person < page.index("data-dial-number=")
    card = agent.get(f"/elders/{elder.person.public_id}").text
    assert card.index(f'data-of-elder="{elder.person.public_id}"') < card.index("data-dial-number=")


def test_from_an_old_page_nobody_is_rung_for_a_task_of_a_colleague_or_one_that_is_closed(
    world: World, agent: Browser
) -> None:
    user, other = somebody(world), world.user("小李")
    registered(world, user)
    task = world.task(TaskKind.RING_BACK, elder_id=world.elder("王桂兰", landline(101)).id)
    wish = {"task": task.public_id}
    with world.rows() as db:
        assert tasks.lock(db, task.public_id, other.id, clock.now())
    refused = post(agent, "/phone/dial", wish).json
    assert refused and (refused["error"], refused["text"]) == ("locked_task", "同事正打开着这个任务并在处理。")
    with world.rows() as db:
        tasks.unlock(db, task.public_id, other.id)
        move_task(db.get_one(Task, task.id), TaskStep(TaskState.CLOSED, result="settled"), clock.now(), other.id)
    refused = post(agent, "/phone/dial", wish).json
    assert refused and refused["error"] == "closed_task"
    assert (post(agent, "/phone/dial", {"task": "none"}).json or {})["error"] == "gone_task"
    with read() as db:
        assert list(db.scalars(select(Call))) == [] and list(db.scalars(select(CallAsk))) == []


def test_a_call_is_passed_on_by_whoever_has_it_to_somebody_who_is_there(world: World, agent: Browser) -> None:
    user, other = somebody(world), world.user("小李")
    registered(world, user)
    refused = post(agent, "/phone/pass", {"deed": "transfer", "kind": "queue", "target": "ko"})
    assert refused.json and refused.json["error"] == "no_call"
    call = world.call(world.elder("王桂兰", landline(101)))
    with world.rows() as db:
        rule.talks(db, user.id, call.id, "leg.1", clock.now())
    for wish, code in (
        ({"deed": "transfer", "kind": "agent", "target": other.public_id}, "nobody"),
        ({"deed": "transfer", "kind": "agent", "target": user.public_id}, "nobody"),
        ({"deed": "transfer", "kind": "queue", "target": "fr"}, "nobody"),
        ({"deed": "transfer", "kind": "outside", "target": "120"}, "forbidden"),
        ({"deed": "consult", "kind": "queue", "target": "ko"}, "illegal"),
        ({"deed": "transfer", "kind": "context", "target": "inbound"}, "illegal"),
    ):
        refused = post(agent, "/phone/pass", wish)
        assert (refused.status_code, refused.json and refused.json["error"]) == (409, code), wish
    refused = post(agent, "/phone/then", {"deed": "merge"})
    assert refused.json and refused.json["error"] == "nobody"
    with world.rows() as db:
        rule.move(db, rule.presence_of(db, other.id, clock.now()), rule.To(Presence.READY), clock.now())
        ask = telephony.pass_on(db, db.get_one(User, user.id), ("transfer", "agent", other.public_id), clock.now())
        assert (ask.verb, ask.agent_id, ask.call_id) == ("to_agent", other.id, call.id)
    found = agent.get("/phone/targets").json
    assert found and {one["value"] for one in found} >= {f"agent:{other.public_id}", "queue:ko"}


@pytest.mark.parametrize("purpose", ["care", "callback", "reminder", "return_visit", "offer", "agent"])
def test_only_a_call_that_an_agent_has_dialled_hangs_on_her_telephone(
    world: World, agent: Browser, purpose: str
) -> None:
    """The machine rang her, and she wanted a person: that call can be given to a colleague like any other."""
    user = somebody(world)
    call = world.call(world.elder("王桂兰", landline(101)), direction="out", purpose=purpose)
    with world.rows() as db:
        rule.talks(db, user.id, call.id, "leg.1", clock.now())
    for how in (("transfer", "queue", "ko"), ("consult", "outside", landline(101))):
        with write() as db:
            if purpose == "agent":
                with pytest.raises(PresenceRefused, match="own_call"):
                    telephony.pass_on(db, db.get_one(User, user.id), how, clock.now())
            else:
                ask = telephony.pass_on(db, db.get_one(User, user.id), how, clock.now())
                ask.done_at, ask.outcome = clock.now(), "refused"


def test_one_after_the_other_is_asked_in(world: World, agent: Browser) -> None:
    """A double click asks once; while somebody is asked in nobody else is, and the caller is given to nobody."""
    user, other = somebody(world), world.user("小李")
    registered(world, user)
    call = world.call(world.elder("王桂兰", landline(101)))
    asked = ("consult", "agent", other.public_id)
    gives = ("transfer", "queue", "ko")
    with world.rows() as db:
        for one, now in ((user, clock.now()), (other, clock.now())):
            rule.move(db, rule.presence_of(db, one.id, now), rule.To(Presence.READY), now)
        rule.talks(db, user.id, call.id, "leg.1", clock.now())

    def wants(*how: str) -> CallAsk:
        with write() as db:
            return telephony.pass_on(db, db.get_one(User, user.id), how, clock.now())  # type: ignore[arg-type]

    def done(ask: CallAsk, outcome: str = "done") -> None:
        with world.rows() as db:
            row = db.get_one(CallAsk, ask.id)
            row.done_at, row.outcome = clock.now(), outcome

    first = wants(*asked)
    for how in (asked, gives):
        with pytest.raises(PresenceRefused, match="illegal"):
            wants(*how)
    done(first)
    for how in (asked, gives):
        with pytest.raises(PresenceRefused, match="asked"):
            wants(*how)
    with write() as db:
        back = telephony.then(db, db.get_one(User, user.id), "back", clock.now())
    with pytest.raises(PresenceRefused, match="illegal"):
        wants(*asked)
    done(back)
    # What Asterisk has refused has asked nobody in.
    done(wants(*asked), "refused")
    done(wants(*asked))
    # Her page was lost in the middle of it, and the caller has come to her again: she begins anew.
    with world.rows() as db:
        row = rule.presence_of(db, user.id, clock.now())
        rule.move(db, row, rule.To(Presence.READY), clock.now())
        rule.talks(db, user.id, call.id, "leg.2", clock.now())
    assert wants(*asked).verb == "ask_agent"


def test_a_call_is_seen_by_whom_it_rings_and_by_nobody_else(world: World, agent: Browser) -> None:
    user, other = somebody(world), world.user("小李")
    call = world.call(world.elder("王桂兰", landline(101)))
    with world.rows() as db:
        db.get_one(Call, call.id).agent_id = user.id
    with read() as db:
        assert presence.call_for(db, user.id, call.public_id) is not None
        assert presence.call_for(db, user.id, call.channel_id) is not None
        assert presence.call_for(db, other.id, call.public_id) is None
    # Where the conversation failed, her telephone names the channel: it leads to the page.
    answer = agent.get(f"/desk/calls/{call.channel_id}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/desk/calls/{call.public_id}")
    assert agent.get(f"/desk/calls/{call.public_id}").status_code == 200
    with world.rows() as db:
        db.get_one(Call, call.id).agent_id = other.id
    assert agent.get(f"/desk/calls/{call.channel_id}").status_code == 404


def test_the_bar_is_on_every_page_and_begins_as_the_rows_have_it(world: World, agent: Browser) -> None:
    page = agent.get("/").text
    start = page.split("data-start='")[1].split("'")[0]
    assert json.loads(start)["state"] == "offline"
    assert 'id="phone"' in agent.get("/providers").text
    # What changes in a call is said aloud, the running times are not.
    assert re.findall(r"<(?:span|strong) data-(state|call)-words role=\"status\">", page) == ["state", "call"]
    assert re.search(r'<p [^>]*role="alert" data-ring', page)
    assert 'id="phone"' not in Browser(agent.app).get("/login").text


@pytest.mark.parametrize(
    ("console", "allowed", "refused"),
    [
        ({}, "ws://127.0.0.1:8088", "wss:"),
        ({"https": True}, "connect-src 'self'", "ws://"),
        ({"phone_url": "wss://pbx.example/ws"}, "wss://pbx.example/ws", "ws://127"),
    ],
)
def test_the_page_may_reach_the_exchange_and_nothing_else(console: dict[str, Any], allowed: str, refused: str) -> None:
    said = policy(settings(), ConsoleSettings(**console))
    assert allowed in said and refused not in said


def test_a_task_to_tell_a_provider_rings_the_provider_and_shows_its_numbers(world: World, agent: Browser) -> None:
    """The order was cancelled: the elder knows, and it is the provider that does not."""
    user = somebody(world)
    registered(world, user)
    order = world.order(world.elder("王桂兰", landline(101)))
    provider = world.provider("康福家政", landline(108))
    world.move(order, OrderStatus.OFFERED)
    world.move(order, OrderStatus.ACCEPTED, actor="provider", actor_id=provider.id)
    with world.rows() as db:
        db.get_one(Order, order.id).provider_id = provider.id
    with world.rows() as db:
        assert cancel_order(db, order.id, OrderEvent(actor="agent", actor_id=user.id), world.now)
    with read() as db:
        told = db.scalars(select(Task)).one()
    page = text_of(agent.get(f"/tasks/{told.public_id}").text)
    shown = telephone(normalise(landline(108)).national)
    assert f"给服务商打电话 {shown}" in page and page.count(shown) == 2 and "康福家政" in page
    assert "拨打电话" not in page, "she is not the one to be rung"
    assert f"工单 {order.number} 已取消" in page, "how the order stands is beside its link"
    check = world.task(TaskKind.CHECK_ITEM, provider_id=provider.id)
    page = text_of(agent.get(f"/tasks/{check.public_id}").text)
    assert "康福家政" in page and shown in page and "号码未显示" not in page
    for task in (told, check):
        with write() as db:
            ask = telephony.dial(db, db.get_one(User, user.id), Whom(task=task.public_id), clock.now())
            call = db.get_one(Call, ask.call_id)
            assert call.number is not None
            assert (call.number.value, call.elder_id) == (normalise(landline(108)).value, None)
            db.rollback()
