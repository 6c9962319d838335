"""Orders that stand, at the desk over HTTP: another time, cancelled, a provider by hand; too late is said, not done."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from ivr.prompts import words
from ivr.prompts.words import line
from models import clock, session
from models.dialing import Attempt, Callback, CallbackStatus, Offer, OfferStatus
from models.orders import Order, OrderEvent, OrderStatus
from models.outbox import OutboxEntry
from models.tasks import Task, TaskKind
from models.users import AuditEvent
from tests.web.conftest import Browser
from tests.web.test_desk import fields
from tests.web.test_pages import text_of
from tests.web.world import World, landline, mobile
from web import desk_deeds

TOO_LATE = "已来不及"


def now_is(order: Order) -> Order:
    with session.read() as db:
        return db.get_one(Order, order.id)


def deeds(order: Order) -> list[str]:
    """What the audit has of deeds on this order, all by the agent of these tests."""
    with session.read() as db:
        rows = db.scalars(select(AuditEvent).where(AuditEvent.subject == "order").order_by(AuditEvent.id)).all()
    assert {(row.subject_id, row.user_id) for row in rows} <= {(order.id, 1)}
    return [row.action for row in rows if row.action != "read"]


def last_event(order: Order) -> tuple[str, str, int | None]:
    """Where its last move led to, and who made it."""
    with session.read() as db:
        row = db.scalars(select(OrderEvent).where(OrderEvent.order_id == order.id).order_by(OrderEvent.id)).all()[-1]
    return row.to_status, row.actor, row.actor_id


def test_another_time_is_read_back_as_the_telephone_does_and_the_providers_are_asked_anew(
    world: World, agent: Browser
) -> None:
    order = world.order(world.elder("王桂兰", landline(101)), note="请带防滑垫")
    world.move(order, OrderStatus.OFFERED)
    offer = world.offer(order, world.provider("康乐", mobile(201)), world.now)
    path = f"/orders/{order.public_id}"
    assert f'href="{path}/change"' in agent.get(path).text
    page = agent.get(f"{path}/change").text
    assert f'name="day" value="{order.wanted_on.isoformat()}"' in page
    # Of the services only hers can be sent: another one is another order.
    assert re.findall(r'name="service" value="(\w+)"[^>]*?(?<! disabled)>', page) == ["bathing"]
    # Whose it is and for what stands in its row: the form does not have a word in it.
    li = world.elder("李淑珍", landline(102))
    wanted = {"day": world.day(3).isoformat(), "part": "afternoon"}
    form = {**fields(page), "service": "meals", "elder": li.person.public_id, **wanted}
    told = agent.client.post(f"{path}/change", data=form)
    spoken = line(
        "readback_change", service=words.service("bathing", "zh-CN"),
        day=words.day(world.day(3), clock.local_date(clock.now()), "zh-CN"), part=words.part("afternoon", "zh-CN"),
    ).text("zh-CN")  # fmt: skip
    said = re.search(r'class="script-text" lang="zh-CN">([^<]+)<', told.text)
    assert said is not None and spoken.startswith(said[1])
    assert "王桂兰" in told.text and "李淑珍" not in told.text
    assert now_is(order).wanted_part == "morning" and deeds(order) == []
    # Back to the form and forth again, it is still a change and no second order.
    again = agent.client.post("/orders/edit", data=fields(told.text))
    assert f'action="{path}/change"' in again.text
    assert agent.client.post(f"{path}/change/confirm", data=fields(told.text)).status_code == 303
    row = now_is(order)
    assert (row.wanted_on, row.wanted_part, row.note) == (world.day(3), "afternoon", "请带防滑垫")
    assert (last_event(order), deeds(order)) == (("confirmed", "agent", 1), ["order_changed"])
    with session.read() as db:
        assert db.get_one(Offer, offer.id).status == OfferStatus.WITHDRAWN
        assert db.scalars(select(OutboxEntry.verb)).all() == ["offer_order"]
        assert db.scalars(select(Order.id)).all() == [order.id]


def test_a_change_with_mistakes_or_too_late_changes_nothing(
    world: World, agent: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    kang = world.provider("康乐", mobile(201))
    order = world.order(world.elder("王桂兰", landline(101)))
    path = f"/orders/{order.public_id}"
    form = {**fields(agent.get(f"{path}/change").text), "service": "bathing", "part": "morning", "day": "2020-01-01"}
    for address in ("change", "change/confirm"):
        assert agent.client.post(f"{path}/{address}", data=form).status_code == 422
    world.move(order, OrderStatus.OFFERED)
    form |= {"day": world.day(3).isoformat(), "part": "afternoon"}
    look = desk_deeds._standing

    def overtaken(public_id: str) -> object:
        """It still stood when it was looked at; then the provider says yes, before the change is written."""
        found = look(public_id)
        world.move(order, OrderStatus.ACCEPTED, actor="provider", actor_id=kang.id)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(desk_deeds, "_standing", overtaken)
        assert agent.client.post(f"{path}/change/confirm", data=form).status_code == 409
    assert (now_is(order).wanted_part, deeds(order)) == ("morning", [])
    # From now on she is told so before it is read to anybody.
    for address in ("change", "change/confirm"):
        answer = agent.client.post(f"{path}/{address}", data=form)
        assert answer.status_code == 409 and TOO_LATE in text_of(answer.text)
        assert f'href="{path}/change"' not in answer.text
    assert agent.get(f"{path}/change").status_code == 409
    assert (now_is(order).wanted_part, last_event(order)[0], deeds(order)) == ("morning", "accepted", [])
    # An order that is not there cannot be changed, and is not read back as if it could.
    for address in ("change", "change/confirm", "cancel"):
        assert agent.client.post(f"/orders/none/{address}", data=form).status_code == 404, address
    assert agent.get("/orders/none/change").status_code == 404


def test_a_cancelled_order_has_whoever_had_it_told_and_is_not_cancelled_once_she_is_there(
    world: World, agent: Browser
) -> None:
    kang = world.provider("康乐", mobile(201))
    order, begun = (world.order(world.elder(name, landline(at))) for name, at in (("王桂兰", 101), ("李淑珍", 102)))
    for one in (order, begun):
        world.move(one, OrderStatus.OFFERED)
        world.move(one, OrderStatus.ACCEPTED, actor="provider", actor_id=kang.id)
    callback = world.callback(order, kang, world.now)
    path = f"/orders/{order.public_id}"
    for _ in range(2):
        assert agent.post(f"{path}/cancel", {}, page="/desk").status_code == 303
    assert last_event(order) == ("cancelled", "agent", 1)
    with session.read() as db:
        told = db.scalars(select(Task)).one()
        assert (told.kind, told.order_id) == (TaskKind.TELL_PROVIDER, order.id)
        assert db.scalars(select(Callback.status).where(Callback.id == callback.id)).one() == CallbackStatus.WITHDRAWN
    assert f'action="{path}/cancel"' not in agent.get(path).text
    assert set(deeds(order)) == {"order_cancelled"}
    world.move(begun, OrderStatus.ARRIVED)
    answer = agent.post(f"/orders/{begun.public_id}/cancel", {}, page="/desk")
    assert answer.status_code == 409 and TOO_LATE in text_of(answer.text)
    assert last_event(begun)[0] == "arrived"


def test_a_provider_is_chosen_by_hand_from_the_ranked_list_with_its_reasons(world: World, agent: Browser) -> None:
    kang, anxin = world.provider("康乐", mobile(201)), world.provider("安心", mobile(202))
    order = world.order(world.elder("王桂兰", landline(101)))
    path = f"/orders/{order.public_id}"
    page = agent.get(path).text
    listed = page[page.index('id="ranked"') :]
    assert set(re.findall(r'name="provider" value="([^"]+)"', listed)) == {kang.public_id, anxin.public_id}
    assert re.search(r"安心 [\d.]+ 分 .*?[+-]\d", text_of(page)[text_of(page).index("安心") :])

    def chosen(deed: str, provider: str) -> int:
        return agent.post(f"{path}/provider", {"deed": deed, "provider": provider}, page="/desk").status_code

    assert (chosen("eat", kang.public_id), chosen("ask", "none")) == (400, 404)
    assert chosen("ask", anxin.public_id) == 303
    with session.read() as db:
        assert [one.offer_id for one in db.scalars(select(Attempt))] == [db.scalars(select(Offer.id)).one()]
    assert chosen("assign", kang.public_id) == 303
    assert (now_is(order).provider_id, last_event(order)) == (kang.id, ("accepted", "agent", 1))
    # It has it already; it is not rung for what is taken.
    assert (chosen("assign", kang.public_id), chosen("ask", anxin.public_id)) == (409, 409)
    assert deeds(order) == ["provider_ask", "provider_assign"]


def test_a_page_from_before_somebody_accepted_displaces_nobody(world: World, agent: Browser) -> None:
    kang, anxin = world.provider("康乐", mobile(201)), world.provider("安心", mobile(202))
    order = world.order(world.elder("王桂兰", landline(101)))
    path = f"/orders/{order.public_id}"

    def agreed(page: str) -> int:
        row = next(part for part in page.split("<form ")[1:] if f'value="{anxin.public_id}"' in part)
        shown = dict(re.findall(r'name="(provider|status|had)" value="([^"]*)"', row))
        return agent.post(f"{path}/provider", {**shown, "deed": "assign"}, page="/desk").status_code

    old = agent.get(path).text
    world.move(order, OrderStatus.OFFERED)
    world.move(order, OrderStatus.ACCEPTED, actor="provider", actor_id=kang.id)
    with world.rows() as db:
        db.get_one(Order, order.id).provider_id = kang.id
    assert agreed(old) == 409
    assert now_is(order).provider_id == kang.id
    # Now her page shows who has it: to give it to another is a deed of its own.
    assert agreed(agent.get(path).text) == 303
    assert now_is(order).provider_id == anxin.id
