"""Journeys of the conversation: who is calling, what stands already, what she always wants, what she has to say."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from models import clock, phone
from models.audio import Audio
from models.calls import Call as CallRow
from models.calls import CallEvent
from models.contacts import Relation
from models.dialing import Offer
from models.journal import Entry
from models.orders import Order, OrderEvent
from models.people import Elder
from models.preferences import Because, Origin, Setting, put
from models.ratings import OrderRating
from models.register import NewContact, add_contact
from models.tasks import Task
from tests.calls.conftest import Town
from tests.calls.test_orders_by_key import hears_who_comes, orders_a_bath, orders_a_bath_from_here
from tests.support import habits
from tests.support.world import AGENT, BATH, CARE, HELP, STRANGER, WANG

pytestmark = pytest.mark.call

DAUGHTER = STRANGER


def had_before(town: Town, *days_ago: int, status: str = "completed", service: str = "bathing") -> None:
    """Mrs Wang had a bath, or `service`, in the morning so many days ago."""
    with town.rows.writing() as session:
        elder = session.get_one(Elder, town.rows.elder("王秀英").id)
        for days in days_ago:
            on = date.fromisoformat(town.today(-days))
            session.add(
                Order(
                    idempotency_key=f"before:{days}", channel="agent", elder_id=elder.id, service=service,
                    wanted_on=on, wanted_part="morning", language="zh-CN", status=status,
                    created_at=clock.now() - timedelta(days=days), changed_at=clock.now(),
                )
            )  # fmt: skip


def test_a_returning_elder_orders_her_usual_with_one_key(sqlite_town: Town) -> None:
    town = sqlite_town
    had_before(town, 6, 13)

    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("greeting", "ask_usual", "tomorrow", "morning", "bathing", "usual_keys").presses("1")
    call.hears("order_done").hangs_up()

    order = town.rows.orders()[-1]
    assert (order.service, order.wanted_on.isoformat(), order.wanted_part) == ("bathing", town.today(1), "morning")


def test_her_daughter_rings_from_her_own_telephone_and_orders_for_her(sqlite_town: Town) -> None:
    town = sqlite_town
    with town.rows.writing() as session:
        wang = session.get_one(Elder, town.rows.elder("王秀英").id)
        new = NewContact("王小梅", [phone.normalise(DAUGHTER)], Relation.CHILD, may_order=True)
        add_contact(session, wang, new, clock.now())

    call = town.network.phone(DAUGHTER).rings("12349").answered()
    call.hears("welcome", "ask_for_her", "王/f").presses("1").hears("for_whom", "ask_service")
    orders_a_bath_from_here(call)
    call.hangs_up()

    assert town.rows.the_order().elder_id == wang.id
    town.rows.wait_for(lambda: [call for call in town.rows.ended_calls() if call.direction == "in"], 10, "its end")
    [row] = [call for call in town.rows.all(CallRow) if call.direction == "in"]
    assert (row.identified_by, row.elder_id) == ("contact", wang.id)
    assert row.caller_person_id == town.rows.elder("王小梅").id


def test_mrs_wang_rings_from_a_strange_telephone_and_keys_her_card(sqlite_town: Town) -> None:
    town = sqlite_town
    call = town.network.phone(STRANGER).rings("12349").answered()
    call.hears("welcome", "ask_stranger").presses("1").hears("ask_card").presses("7777#")
    call.hears("card_unknown", "ask_card").presses("0001#")
    call.hears("greeting", "王/f", "ask_service")
    call.hangs_up()

    [row] = town.rows.wait_for(town.rows.ended_calls, 10, "the end of the call")
    assert (row.identified_by, row.elder_id) == ("card", town.rows.elder("王秀英").id)


def test_a_stranger_leaves_a_name_and_another_number(sqlite_town: Town) -> None:
    town = sqlite_town
    call = town.network.phone(STRANGER).rings("12349", withheld=True).answered()
    call.hears("welcome", "ask_stranger").presses("2").hears("ask_name", "zh-CN").is_silent(0.7)
    call.says("안녕하세요 민원 이야기").presses("#").hears("ask_number").presses("10000042#")
    call.hears("ask_this_number", "this_number", "+8645110000042").presses("1").hears("ring_back_noted", "goodbye")

    task = town.rows.the_task("ring_back")
    assert task.number_id is not None and task.audio_id is not None
    assert town.rows.all(Audio)[0].duration_ms > 1000


def test_mrs_wang_asks_how_her_order_stands_and_has_another_day(sqlite_town: Town) -> None:
    town = sqlite_town
    for provider in (BATH, CARE, HELP):
        town.network.phone(provider).does_not_answer()
    town.network.phone(WANG).when_called(hears_who_comes)
    call = orders_a_bath(town).presses("1")
    call.hears("ask_service").presses("8").hears("ask_others").presses("2")
    call.hears("order_stands", "tomorrow", "morning", "bathing", "status_waiting", "ask_order").presses("1")
    call.hears("ask_day").presses("3").hears("readback_change", "day_after", "morning", "bathing").presses("1")
    call.hears("order_changed").hangs_up()

    [order] = town.rows.orders()
    assert order.wanted_on.isoformat() == town.today(2)
    moves = [(move.to_status, move.actor) for move in town.rows.all(OrderEvent)]
    assert moves.count(("confirmed", "elder")) == 2
    assert "withdrawn" in [offer.status for offer in town.rows.all(Offer)]


def test_mrs_wang_cancels_an_accepted_order_and_an_agent_tells_the_provider(sqlite_town: Town) -> None:
    town = sqlite_town
    town.network.phone(BATH).accepts(offer="offer")
    town.network.phone(WANG).when_called(hears_who_comes)
    orders_a_bath(town).hangs_up()
    town.rows.the_callback("confirmed", within=30)

    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("ask_service").presses("8").hears("ask_others").presses("2").hears("status_arranged").presses("2")
    call.hears("cancel_sure", "tomorrow", "morning", "bathing", "cancel_keys").presses("1").hears("order_cancelled")
    call.hangs_up()

    assert town.rows.the_order().status == "cancelled"
    assert town.rows.the_task("tell_provider").order_id == town.rows.the_order().id

    # Who else is on her telephone is not told that she goes to the doctor.
    had_before(town, -1, status="needs_agent", service="accompaniment")
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("ask_service").presses("8").hears("ask_others").presses("2")
    call.hears("order_stands", "tomorrow", "morning", "some_service", "ask_order").did_not_hear("accompaniment")
    call.hangs_up()


def test_mrs_wang_missed_our_call_and_rings_back(sqlite_town: Town) -> None:
    town = sqlite_town
    town.network.phone(BATH).accepts(offer="offer")
    wang = town.network.phone(WANG).is_busy()
    orders_a_bath(town).hangs_up()
    wang.is_rung(within=20)
    town.rows.wait_for(lambda: "busy" in town.rows.outcomes(), 20, "missed call")

    call = wang.rings("12349").answered()
    call.hears("greeting", "missed_call", "callback", "康乐助浴", "missed_call_keys").presses("1").hears(
        "callback_noted"
    )
    call.hangs_up()
    town.rows.the_callback("confirmed")


def test_mrs_wang_rates_her_bath_and_leaves_a_message(sqlite_town: Town) -> None:
    town = sqlite_town
    had_before(town, 1)
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("ask_service").presses("8").hears("ask_others").presses("3")
    call.hears("rate_what", "bathing", "ask_score").presses("2").hears("rated_low", "ask_anything_else").presses("1")
    call.hears("ask_service").presses("8").hears("ask_others").presses("4")
    call.hears("ask_message", "zh-CN").is_silent(0.7).says("안녕하세요 목욕 이야기").hangs_up()

    assert [rating.score for rating in town.rows.all(OrderRating)] == [2]
    assert town.rows.the_task("dissatisfied").order_id is not None
    assert town.rows.the_task("message").audio_id is not None


def test_a_provider_rings_back_and_accepts_its_open_offer(sqlite_town: Town) -> None:
    town = sqlite_town
    bath = town.network.phone(BATH).does_not_answer()
    town.network.phone(WANG).when_called(hears_who_comes)
    orders_a_bath(town).hangs_up()
    bath.is_rung(within=20)

    call = bath.rings("12349").answered()
    call.hears("welcome", "offer", "道里区", "tomorrow", "morning", "bathing").presses("1")
    call.hears("offer_accepted", "goodbye")

    assert town.rows.the_order("accepted").provider_id is not None
    town.rows.the_callback("confirmed", within=20)
    assert sum(offer.status == "accepted" for offer in town.rows.all(Offer)) == 1


def test_mr_li_who_cannot_use_keys_gets_a_person_first(sqlite_town: Town) -> None:
    town = sqlite_town
    with town.rows.writing() as session:
        wang = town.rows.elder("王秀英").id
        put(session, wang, (Setting.PERSON_FIRST, "yes"), Because(Origin.AGENT), clock.now())
    agent = town.network.phone(AGENT).when_called(habits.listens())

    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("greeting", "王/f", "to_person").did_not_hear("ask_service")
    agent.is_rung().answered()
    town.rows.an_agent_talks()
    call.hangs_up()
    town.rows.wait_for(lambda: [c.end for c in town.rows.all(CallRow)] == ["person"], 10, "call with a person")
    assert town.rows.all(Task) == []


def test_a_grandson_plays_with_the_keys_and_nothing_is_ordered_without_a_yes(sqlite_town: Town) -> None:
    town = sqlite_town
    agent = town.network.phone(AGENT).when_called(habits.listens())
    call = town.network.phone(WANG).rings("12349").answered()
    # Twenty a second, before the first prompt has begun to play; A–D are no keys of an elder's telephone. Bathing, the
    # day after tomorrow, at noon: all is known, and whatever then comes to the read-back is no yes.
    call.presses("A2B3C2D#*#*#**##*#*#", duration=0.03, gap=0.02).presses("0", duration=0.08)

    agent.is_rung(within=20).answered()
    town.rows.an_agent_talks()
    call.hangs_up()
    town.rows.wait_for(lambda: town.rows.ended_calls(), 10, "the end of the call")
    journal = town.rows.all(CallEvent)
    slots = [entry.data["slots"] for entry in journal if entry.kind == Entry.SLOT]
    assert slots[-1] == {"service": "bathing", "day": town.today(2), "part": "noon"}
    assert [entry.data["reason"] for entry in journal if entry.kind == Entry.TO_PERSON] == ["asked"]
    assert town.rows.orders() == []
