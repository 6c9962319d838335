"""After a service: the course tells of reminder and return visit; an agent has it done again, or closes it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from dispatch import returns
from dispatch.attempts import fail_return_visit
from models import clock
from models.clock import local_date
from models.followups import ReturnVisit, ReturnVisitQuestion
from models.orders import Order, OrderEvent, OrderStatus, move_order
from models.outbox import OutboxEntry
from models.ratings import OrderRating
from models.session import read, write
from models.tasks import Task, TaskKind
from models.users import AuditEvent
from tests.support.oracle import problems
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
        assert session.scalars(
            select(AuditEvent.action).where(AuditEvent.subject == "order", AuditEvent.action != "read")
        ).all() == ["order_reopened"]
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


def the_task(kind: TaskKind) -> Task:
    with read() as session:
        return session.scalars(select(Task).where(Task.kind == kind)).one()


@pytest.fixture
def unasked(world: World, done: str) -> str:
    """The machine could not ask her: the task of it, its public id."""
    with write() as session:
        visit = session.scalars(select(ReturnVisit)).one()
        fail_return_visit(session, visit, None, world.now)
    return the_task(TaskKind.UNREACHABLE).public_id


def test_what_she_tells_the_agent_is_her_score(world: World, agent: Browser, done: str, unasked: str) -> None:
    path = f"/tasks/{unasked}"
    assert "她说服务怎么样" in agent.get(path).text
    for wrong in ("0", "6", "", "good"):
        assert agent.post(f"{path}/score", {"score": wrong}, path).status_code == 422
    assert status(done) == "completed"
    assert agent.post(f"{path}/score", {"score": "4"}, path).status_code == 303
    assert status(done) == "settled" and the_task(TaskKind.UNREACHABLE).closed_at is not None
    with read() as session:
        rating, question = (
            session.scalars(select(OrderRating)).one(),
            session.scalars(select(ReturnVisitQuestion)).one(),
        )
        assert (rating.score, rating.provider_id is not None, question.score) == (4, True, 4)
        moves = session.scalars(select(OrderEvent).order_by(OrderEvent.id.desc()).limit(2)).all()
        assert [(one.to_status, one.actor) for one in moves] == [("settled", "system"), ("return_visited", "agent")]
        assert "order_scored" in session.scalars(select(AuditEvent.action)).all()
        assert problems(session) == []
    assert agent.post(f"{path}/score", {"score": "4"}, path).status_code == 409, "the task is closed"


def test_a_bad_score_stays_with_a_person_and_a_second_one_makes_no_second_task(
    world: World, agent: Browser, done: str, unasked: str
) -> None:
    assert agent.post(f"/tasks/{unasked}/score", {"score": "2"}, f"/tasks/{unasked}").status_code == 303
    assert status(done) == "return_visited"
    path = f"/tasks/{the_task(TaskKind.DISSATISFIED).public_id}"
    assert agent.post(f"{path}/score", {"score": "1"}, path).status_code == 303
    with read() as session:
        assert session.scalars(select(OrderRating)).one().score == 1
        assert problems(session) == []
    assert the_task(TaskKind.DISSATISFIED).closed_at is None
    assert agent.post(f"{path}/close", {"result": "told", "note": "道歉了"}, path).status_code == 303
    assert status(done) == "settled"
    assert "她说服务怎么样" not in agent.get(path).text


def test_what_was_done_again_is_asked_about_though_the_old_complaint_is_closed_late(
    world: World, agent: Browser, done: str
) -> None:
    """The agent has it done again, and writes down what came of the complaint only when it has been."""
    with write() as session:
        order = session.scalars(select(Order).where(Order.public_id == done)).one()
        # By somebody who rings for her, too: no return visit has asked.
        returns.hear(session, returns.Said(order.id, 1, None, herself=False), world.now)
    old = f"/tasks/{the_task(TaskKind.DISSATISFIED).public_id}"
    form = {"day": (local_date(world.now) + timedelta(days=2)).isoformat(), "part": "afternoon"}
    assert agent.post(f"/orders/{done}/again", form, f"/orders/{done}").status_code == 303
    with write() as session:
        order = session.get_one(Order, order.id)
        for to in (OrderStatus.OFFERED, OrderStatus.ACCEPTED, OrderStatus.ARRIVED, OrderStatus.COMPLETED):
            move_order(session, order, to, clock.now(), OrderEvent(actor="system"))
        returns.begin(session, order, clock.now())
    assert "她说服务怎么样" not in agent.get(old).text, "what is asked there is how it was the first time"
    # Somebody who rings for her is not content either: another matter than the one that is still open.
    with write() as session:
        returns.hear(session, returns.Said(order.id, 2, None, herself=False), clock.now())
    with read() as session:
        complaints = session.scalars(select(Task).where(Task.kind == TaskKind.DISSATISFIED).order_by(Task.id)).all()
    assert len(complaints) == 2
    assert agent.post(f"{old}/close", {"result": "told", "note": "重做"}, old).status_code == 303
    assert status(done) == "completed"
    with read() as session:
        asked = session.scalars(select(ReturnVisitQuestion).order_by(ReturnVisitQuestion.id)).all()
        assert [one.closed_at is None for one in asked] == [False, True]
    new = f"/tasks/{complaints[1].public_id}"
    assert agent.post(f"{new}/close", {"result": "told", "note": "道歉了"}, new).status_code == 303
    assert status(done) == "settled"
