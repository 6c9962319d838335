"""Journeys of an accepted order: Mrs Wang hears who comes; the worker reports on her telephone that she has come."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from dispatch import callbacks
from models import clock
from models.orders import Order, OrderEvent
from models.people import Elder, Person
from models.providers import Provider, Worker
from models.tasks import Task
from models.visits import OrderVisit
from tests.calls.conftest import Town
from tests.support.call import Call
from tests.support.world import AGENT, STRANGER, WANG

pytestmark = pytest.mark.call

CODE = "4711"


def a_bath_is_due_today(town: Town) -> int:
    """An accepted order of Mrs Wang's for this morning, and the worker who will come; returns its spoken number."""
    now = clock.now()
    with town.rows.writing() as session:
        bath = session.scalars(select(Provider).order_by(Provider.id)).first()
        wang = session.scalars(select(Elder).order_by(Elder.id)).first()
        assert bath is not None and wang is not None
        person = Person(name="孙晓梅", family_name="孙", sex="f", created_at=now)
        session.add(Worker(provider=bath, person=person, code=CODE, since=now))
        order = Order(
            idempotency_key="visit", channel="phone", elder_id=wang.id, service="bathing", language="zh-CN",
            wanted_on=date.fromisoformat(town.today()), wanted_part="morning", status="accepted", provider_id=bath.id,
            created_at=now, changed_at=now,
        )  # fmt: skip
        session.add(order)
        session.flush()
        return order.number


def test_the_worker_arrives_and_completes_on_mrs_wangs_telephone(town: Town) -> None:
    a_bath_is_due_today(town)

    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("greeting", "ask_service").presses("*" + CODE).hears("visit", "bathing", "visit_keys").presses("1")
    call.hears("visit_arrived").is_hung_up_by_hotline()
    town.rows.the_order("arrived")
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("greeting").presses("*" + CODE).hears("visit_keys").presses("2").hears("visit_done")
    call.is_hung_up_by_hotline()

    order = town.rows.the_order("completed")
    assert [(m.to_status, m.actor) for m in town.rows.all(OrderEvent)] == [
        ("arrived", "worker"),
        ("completed", "worker"),
    ]
    [visit] = town.rows.all(OrderVisit)
    assert visit.order_id == order.id and visit.arrived_at and visit.done_at and visit.arrived_at < visit.done_at
    assert (visit.arrived_proof, visit.done_proof) == ("place", "place")
    calls = town.rows.wait_for(lambda: town.rows.ended_calls()[1:] and town.rows.ended_calls(), 10, "two ended calls")
    assert {(row.end, row.identified_by, row.caller_person_id) for row in calls} == {
        ("goodbye", "worker", town.rows.elder("孙晓梅").id)
    }
    assert town.rows.all(Task) == []


def test_from_another_telephone_the_order_is_named_by_its_number_and_an_agent_checks_it(sqlite_town: Town) -> None:
    town = sqlite_town
    number = a_bath_is_due_today(town)

    call = town.network.phone(STRANGER).rings("12349").answered()
    call.hears("welcome", "ask_stranger").presses("*12121").hears("worker_unknown", "ask_worker_code")
    call.presses(CODE + "#").hears("ask_visit_number").presses(f"{number}#").hears("visit_keys").presses("2")
    call.hears("visit_done").is_hung_up_by_hotline()

    order = town.rows.the_order("completed")
    assert [visit.done_proof for visit in town.rows.all(OrderVisit)] == ["unproved"]
    assert town.rows.the_task("check_visit").order_id == order.id


def test_mrs_wang_wants_another_time_and_whoever_rings_her_back_knows_for_what(sqlite_town: Town) -> None:
    town = sqlite_town
    town.network.phone(AGENT).does_not_answer()

    def wants_another_time(call: Call) -> None:
        call.answers().hears("callback", "康乐助浴", "callback_keys").presses("2").hears("to_person").hangs_up()

    town.network.phone(WANG).when_called(wants_another_time)
    a_bath_is_due_today(town)
    with town.rows.writing() as session:
        callbacks.begin(session, session.scalars(select(Order)).one(), clock.now())

    task = town.rows.the_task("missed", within=20)
    assert task.data == {
        "reason": "change",
        "slots": {"service": "bathing", "day": town.today(), "part": "morning"},
    }
    # She was reached: she is not rung again, and nothing about the order is changed without a person.
    town.rows.the_callback("confirmed")
    assert town.rows.outcomes() == ["person"]
    assert town.rows.the_order().status == "accepted"
