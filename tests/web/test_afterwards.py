"""After a service: the course tells of reminder and return visit; an agent has it done again, or closes it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from dispatch import returns
from models.clock import local_date
from models.orders import Order, OrderStatus
from models.outbox import OutboxEntry
from models.session import read, write
from models.tasks import Task, TaskKind
from models.users import AuditEvent
from tests.web.conftest import Browser
from tests.web.test_pages import text_of
from tests.web.world import World, landline, mobile


@pytest.fixture
def done(world: World) -> str:
    """A bath that is done and about which she is still to be asked; returns the order's public id."""
    provider = world.provider("康乐助浴", mobile(201))
    order = world.order(
        world.elder("王桂兰", landline(101)), "bathing", status=OrderStatus.COMPLETED, provider_id=provider.id
    )
    with write() as session:
        returns.begin(session, session.get_one(Order, order.id), world.now)
    return order.public_id


def status(public_id: str) -> str:
    with read() as session:
        return session.scalars(select(Order.status).where(Order.public_id == public_id)).one()


def test_the_course_tells_of_the_return_visit_and_what_she_said(world: World, agent: Browser, done: str) -> None:
    page = text_of(agent.get(f"/orders/{done}").text)
    assert "要回访她：服务怎么样" in page and "安排重做" in page
    call = world.call(elder=None)
    with write() as session:
        order_id = session.scalars(select(Order.id).where(Order.public_id == done)).one()
        returns.hear(session, returns.Said(order_id, 2, call.id), world.now)
    page = text_of(agent.get(f"/orders/{done}").text)
    assert "回访: 已评价 2 分（满分 5）" in page and "她的评价 2 分（满分 5）" in page and "不满意" in page


def test_an_agent_has_it_done_again(world: World, agent: Browser, done: str) -> None:
    today = local_date(world.now)
    for form in (
        {"day": "", "part": "morning"},
        {"day": (today - timedelta(days=1)).isoformat(), "part": "morning"},
        {"day": (today + timedelta(days=90)).isoformat(), "part": "morning"},
        {"day": today.isoformat(), "part": "midnight"},
    ):
        assert agent.post(f"/orders/{done}/again", form, f"/orders/{done}").status_code == 422
    assert status(done) == "completed"
    form = {"day": (today + timedelta(days=2)).isoformat(), "part": "afternoon"}
    assert agent.post(f"/orders/{done}/again", form, f"/orders/{done}").status_code == 303
    assert status(done) == "reopened"
    with read() as session:
        order = session.scalars(select(Order).where(Order.public_id == done)).one()
        assert (order.wanted_on.isoformat(), order.wanted_part, order.provider_id) == (*form.values(), None)
        assert "offer_order" in session.scalars(select(OutboxEntry.verb)).all()
        assert session.scalars(select(AuditEvent.action).where(AuditEvent.subject == "order")).all() == [
            "order_reopened"
        ]
    # A second agent comes too late to close it, and is told so.
    assert agent.post(f"/orders/{done}/close", {}, "/account").status_code == 409


def test_an_agent_closes_it_by_the_order_or_by_its_task(world: World, agent: Browser, done: str) -> None:
    call = world.call(elder=None)
    with write() as session:
        order_id = session.scalars(select(Order.id).where(Order.public_id == done)).one()
        returns.hear(session, returns.Said(order_id, 1, call.id), world.now)
    with read() as session:
        task = session.scalars(select(Task).where(Task.kind == TaskKind.DISSATISFIED)).one().public_id
    assert status(done) == "return_visited"
    assert agent.post(f"/tasks/{task}/close", {"result": "told", "note": "道歉了"}, f"/tasks/{task}").status_code == 303
    assert status(done) == "settled"
    assert agent.post(f"/orders/{done}/close", {}, "/account").status_code == 303, "the same twice"
