"""Journeys after the acceptance: reminded on the evening before, asked on the day after how it was."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from dispatch import callbacks, returns
from dispatch.attempts import close_attempt
from models.audio import Audio
from models.calls import Call as CallRow
from models.dialing import Attempt, Outcome
from models.followups import Reminder, ReturnVisit
from models.orders import Order, OrderEvent, OrderStatus, move_order
from models.people import Elder, Person
from models.ratings import OrderRating
from tests.calls.towns import Town
from tests.support import habits
from tests.support.call import Call
from tests.support.oracle import problems
from tests.support.world import AGENT, KIM, WANG

pytestmark = pytest.mark.call


def an_order(town: Town, name: str = "王秀英", ahead: int = 0, service: str = "bathing") -> int:
    """An order that the first provider has accepted, for the day `ahead`; she knows it. Returns its id."""
    now = town.now()
    with town.rows.writing() as session:
        elder = session.scalars(select(Elder).join(Person).where(Person.name == name)).one()
        order = Order(
            idempotency_key=f"{name} {service}", channel="phone", elder_id=elder.id, service=service,
            language=elder.person.language, wanted_on=date.fromisoformat(town.today(ahead)), wanted_part="morning",
            status="offered", provider_id=1, created_at=now, changed_at=now,
        )  # fmt: skip
        session.add(order)
        session.flush()
        session.add(OrderEvent(order_id=order.id, at=now, to_status="offered", actor="system"))
        move_order(session, order, OrderStatus.ACCEPTED, now, OrderEvent(actor="provider", actor_id=1))
        callback = callbacks.begin(session, order, now)
        for attempt in session.scalars(select(Attempt).where(Attempt.callback_id == callback.id)):
            close_attempt(session, attempt, Outcome.CONFIRMED, now)
        return order.id


def is_done(town: Town, *orders: int) -> None:
    """The worker has reported it; and the next day comes."""
    with town.rows.writing() as session:
        for order_id in orders:
            order = session.get_one(Order, order_id)
            move_order(session, order, OrderStatus.COMPLETED, town.now(), OrderEvent(actor="worker"))
            returns.begin(session, order, town.now())
    town.its_time_has_come()


def the_visit(town: Town, status: str) -> ReturnVisit:
    return town.rows.wait_for(
        lambda: next((v for v in town.rows.all(ReturnVisit) if v.status == status), None), 20, f"visit that is {status}"
    )


def clean(town: Town) -> list[str]:
    with town.rows.session() as session:
        return [one for one in problems(session) if "and 0 entries" not in one]


def test_mrs_wang_is_asked_how_two_services_were_and_says_a_word(town: Town) -> None:
    def tells(call: Call) -> None:
        call.answers().hears("return_hello", "王/f", "rate_what", "bathing", "ask_score").presses("5")
        call.hears("rated", "rate_what", "meals", "ask_score").presses("4")
        call.hears("rated", "ask_word", "zh-CN").is_silent(1.2).says("아주 좋았어요 감사합니다").presses("#")
        call.hears("return_thanks").waits_until_it_ends()

    wang = town.network.phone(WANG).when_called(tells)
    is_done(town, an_order(town), an_order(town, service="meals"))

    visit = the_visit(town, "done")
    word = town.rows.wait_for(lambda: town.rows.all(Audio), 20, "a word of her own")
    wang.was_rung(times=1)
    assert [order.status for order in town.rows.orders()] == ["settled", "settled"]
    assert [(one.score, one.provider_id) for one in town.rows.all(OrderRating)] == [(5, 1), (4, 1)]
    assert [one.kind for one in word] == ["word"]
    assert town.rows.the_task("word").audio_id == word[0].id
    town.rows.wait_for(lambda: town.rows.all(CallRow)[-1].end == "goodbye", 10, "call at its end")
    assert visit.audio_id in (None, word[0].id) and town.rows.outcomes()[-1] == "confirmed"
    assert clean(town) == []


def test_mrs_wang_was_out_and_says_it_when_she_rings_herself(town: Town) -> None:
    wang = town.network.phone(WANG).when_called(habits.rejects(480))
    is_done(town, an_order(town))
    the_visit(town, "failed")
    wang.was_rung(times=3)
    assert town.rows.the_task("unreachable").order_id == town.rows.the_order().id

    call = wang.rings("12349").answered()
    call.hears("greeting", "王/f", "rate_what", "bathing", "ask_score_or_else").presses("1")
    # The tone is no melody: it is over in a second.
    call.hears("rated_low", "ask_word").is_silent(1.2).presses("#").hears("ask_anything_else").presses("2")
    call.hears("goodbye").is_hung_up_by_hotline()

    assert town.rows.the_order().status == "return_visited"
    assert town.rows.the_task("dissatisfied").data == {"score": 1}
    assert town.rows.the_task("unreachable").result == "not_needed"
    assert clean(town) == []


def test_silence_is_no_return_visit_and_zero_is_a_person(sqlite_town: Town) -> None:
    town = sqlite_town
    agent = town.network.phone(AGENT).when_called(habits.listens())

    def asks_for_a_person(call: Call) -> None:
        call.answers().hears("return_hello").presses("0").hears("to_person").is_silent(60)

    wang = town.network.phone(WANG).when_called(habits.listens(), asks_for_a_person)
    is_done(town, an_order(town))

    agent.is_rung(within=60).answered()
    town.rows.an_agent_talks()
    assert [one for one in town.rows.outcomes() if one != "confirmed"] == ["no_key", "person"]
    assert town.rows.the_order().status == "completed"
    assert town.rows.the_task("unreachable").order_id == town.rows.the_order().id
    wang.calls_received[-1].hangs_up()
    town.network.phone(WANG).was_rung(times=2)


def test_mrs_kim_says_how_it_was_and_her_score_is_read_back(speaking_town: Town) -> None:
    town = speaking_town

    def tells(call: Call) -> None:
        call.answers().is_silent(0.2).says("여보세요", wait=False)
        call.hears("return_hello", "rate_what", "ask_score", "ko").waits_for_end_of_speech().says("좋아요")
        call.hears("score_readback", "4points").waits_for_end_of_speech().says("좋아요")
        call.hears("rated", "ask_word").is_silent(1.2).presses("#").hears("return_thanks").waits_until_it_ends()

    town.network.phone(KIM).when_called(tells)
    is_done(town, an_order(town, "김영희"))
    the_visit(town, "done")
    assert [one.score for one in town.rows.all(OrderRating)] == [4]
    assert town.rows.the_order().status == "settled"


def test_mrs_wang_is_reminded_on_the_evening_before(town: Town) -> None:
    def hears_it(call: Call) -> None:
        call.answers().hears("reminder_hello", "王/f", "callback", "康乐助浴", "callback_keys").presses("1")
        call.hears("callback_confirmed")

    wang = town.network.phone(WANG).when_called(habits.rejects(486), hears_it)
    an_order(town, ahead=2)
    town.its_time_has_come()

    town.rows.wait_for(lambda: [r for r in town.rows.all(Reminder) if r.status == "heard"], 20, "reminder heard")
    wang.was_rung(times=2)
    assert town.rows.outcomes() == ["confirmed", "busy", "confirmed"] and clean(town) == []


def test_mrs_wang_was_out_that_evening_and_hears_it_when_she_rings(sqlite_town: Town) -> None:
    town = sqlite_town
    wang = town.network.phone(WANG).when_called(habits.rejects(480))
    an_order(town, ahead=2)
    town.its_time_has_come()
    town.rows.wait_for(lambda: [r for r in town.rows.all(Reminder) if r.status == "failed"], 20, "reminder that failed")

    call = wang.rings("12349").answered()
    call.hears("greeting", "missed_call", "callback", "康乐助浴", "missed_call_keys").presses("1")
    call.hears("callback_noted", "ask_anything_else").presses("2").hears("goodbye").is_hung_up_by_hotline()
    assert [r.status for r in town.rows.all(Reminder)] == ["heard"]
