"""Journeys of providers: an urgent order that rings everywhere at once, and what is said after a yes and a no."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.dialing import Offer
from models.people import Elder
from models.tasks import Task
from tests.calls.conftest import Town
from tests.support import habits
from tests.support.call import Call
from tests.support.world import BATH, CARE, HELP, WANG

pytestmark = pytest.mark.call


def orders_a_bath(town: Town, day: str, part: str) -> None:
    """Mrs Wang orders a bath by keys; it is nine o'clock in the morning."""
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("ask_service").presses("2").hears("ask_day").presses(day).hears("ask_part").presses(part)
    call.hears("readback").presses("1").hears("order_done").hangs_up()


def test_a_bath_before_noon_rings_all_three_and_the_slower_two_are_told_at_once(sqlite_town: Town) -> None:
    town = sqlite_town
    with town.rows.writing() as session:
        session.scalars(select(Elder).order_by(Elder.id)).first().needs = "右腿不便"  # type: ignore[union-attr]

    def accepts_at_once(call: Call) -> None:
        call.rings_for(1).answers().hears("offer_hello").presses("1")
        call.hears("offer_accepted", "offer_needs")

    town.network.phone(BATH).when_called(accepts_at_once)
    town.network.phone(CARE).when_called(habits.listens())
    town.network.phone(HELP).when_called(habits.does_not_answer())
    orders_a_bath(town, "1", "2")

    order = town.rows.the_order("accepted", within=20)
    assert town.rows.wait_for(
        lambda: sorted(str(outcome) for outcome in town.rows.outcomes()[:3]) == ["accepted", "too_late", "too_late"],
        5,
        "two who were told",
    )
    assert [offer.status for offer in town.rows.all(Offer)] == ["accepted", "withdrawn", "withdrawn"]
    assert order.provider_id == town.rows.all(Offer)[0].provider_id
    town.network.phone(CARE).is_rung().hears("offer_too_late").did_not_hear("offer_needs")


def test_a_provider_says_that_this_is_not_its_trade_and_an_agent_looks_into_it(sqlite_town: Town) -> None:
    town = sqlite_town

    def not_ours(call: Call) -> None:
        call.answers().hears("offer").waits_for_end_of_speech().presses("2")
        call.hears("offer_why").waits_for_end_of_speech().presses("3").hears("offer_declined")

    bath = town.network.phone(BATH).when_called(not_ours)
    town.network.phone(CARE).accepts(offer="offer")
    orders_a_bath(town, "2", "1")

    town.rows.the_order("accepted", within=30)
    town.rows.the_task("check_item")
    bath.is_rung().has_heard("offer_why", "offer_declined")
    first, second = town.rows.all(Offer)
    assert (first.status, first.decline_reason, second.status) == ("declined", "not_ours", "accepted")
    assert [task.kind for task in town.rows.all(Task)] == ["check_item"]
