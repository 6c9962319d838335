"""Journeys of elders who order by key, and of the providers who are asked."""

from __future__ import annotations

import pytest

from models.calls import Call as CallRow
from models.dialing import Attempt, Offer
from models.orders import OrderEvent
from models.tasks import Task
from tests.calls.conftest import Town
from tests.support import habits
from tests.support.call import Call
from tests.support.world import AGENT, BATH, CARE, HELP, KIM, WANG

pytestmark = pytest.mark.call


def orders_a_bath(town: Town, number: str = WANG) -> Call:
    """She rings and orders a bath for tomorrow morning; returns her call, after it was confirmed."""
    call = town.network.phone(number).rings("12349").answered()
    call.hears("ask_service").presses("2")
    call.hears("ask_day").presses("2")
    call.hears("ask_part").presses("1")
    call.hears("readback", "tomorrow", "morning", "bathing").presses("1")
    return call.hears("order_done")


def hears_who_comes(call: Call) -> None:
    """The habit of an elder who takes the callback and confirms it."""
    call.answers().hears("callback").waits_for_end_of_speech().presses("1").hears("callback_confirmed")


def test_mrs_wang_orders_a_bath_by_key_and_hears_who_comes(town: Town) -> None:
    wang = town.network.phone(WANG).when_called(hears_who_comes)
    bath = town.network.phone(BATH).accepts(offer="zh-CN")

    call = wang.rings("12349").answered(within=3)
    call.hears("greeting", "王/f", "ask_service", "zh-CN")
    orders_a_bath_from_here(call)
    call.hangs_up()

    order = town.rows.the_order("accepted", within=20)
    assert (order.service, order.wanted_part, order.channel) == ("bathing", "morning", "phone")
    told = bath.is_rung().hears("offer_accepted")
    told.has_heard("offer", "道里区", "tomorrow", "morning", "bathing", "offer_accepted").did_not_hear("王/f")
    town.rows.the_callback("confirmed", within=20)
    wang.is_rung().has_heard("callback_hello", "王/f", "callback", "tomorrow", "morning", "bathing", "康乐助浴")
    assert town.rows.outcomes() == ["accepted", "confirmed"]
    assert [move.to_status for move in town.rows.all(OrderEvent)] == ["confirmed", "offered", "accepted"]
    assert town.rows.all(Task) == []


def orders_a_bath_from_here(call: Call) -> None:
    """From the open question on."""
    call.presses("2").hears("ask_day").presses("2").hears("ask_part").presses("1")
    call.hears("readback", "tomorrow", "morning", "bathing").presses("1").hears("order_done")


def test_the_first_declines_the_second_is_busy_and_the_third_accepts(town: Town) -> None:
    town.network.phone(WANG).when_called(hears_who_comes)
    town.network.phone(BATH).declines(offer="offer")
    town.network.phone(CARE).is_busy()
    town.network.phone(HELP).accepts(offer="offer")

    orders_a_bath(town).hangs_up()

    order = town.rows.the_order("accepted", within=30)
    assert [offer.status for offer in town.rows.all(Offer)] == ["declined", "expired", "accepted"]
    assert order.provider_id == town.rows.all(Offer)[2].provider_id
    town.rows.the_callback("confirmed", within=20)
    town.network.phone(WANG).is_rung().has_heard("callback", "邻里帮")
    assert town.rows.outcomes() == ["declined", "busy", "accepted", "confirmed"]


def test_the_first_does_not_answer_and_the_second_accepts(town: Town) -> None:
    town.network.phone(WANG).when_called(hears_who_comes)
    town.network.phone(BATH).does_not_answer()
    town.network.phone(CARE).accepts(offer="offer")

    orders_a_bath(town).hangs_up()

    town.rows.the_order("accepted", within=30)
    assert town.rows.outcomes()[:2] == ["no_answer", "accepted"]


def test_a_voicemail_and_a_dead_number_never_accept(town: Town) -> None:
    town.network.phone(WANG).when_called(hears_who_comes)
    town.network.phone(BATH).number_is_dead()
    town.network.phone(CARE).when_called(habits.listens())
    town.network.phone(HELP).accepts(offer="offer")

    orders_a_bath(town).hangs_up()

    town.rows.the_order("accepted", within=60)
    assert town.rows.outcomes()[:3] == ["invalid", "no_key", "accepted"]


def test_an_announcement_before_anybody_answers_is_no_answer(town: Town) -> None:
    """关机, 空号: the network speaks in early media (183) and then refuses. Nobody has heard an offer."""
    # What is told within the ring time counts: a longer announcement is cut off by our own CANCEL, and is no answer.
    off = town.network.phone(BATH).when_called(habits.is_switched_off("关机", "zh", sip_code=480))
    # This trunk's table says what its 487 after a voice means; a 404 says it by itself, with cause 1.
    unknown = town.network.phone(CARE).when_called(habits.is_switched_off("空号", "zh", sip_code=487))
    gone = town.network.phone(WANG).when_called(habits.is_switched_off("空号", "zh", sip_code=404))
    town.network.phone(HELP).accepts(offer="offer")

    orders_a_bath(town).hangs_up()

    order = town.rows.the_order("accepted", within=60)
    assert [offer.status for offer in town.rows.all(Offer)] == ["expired", "expired", "accepted"]
    assert order.provider_id == town.rows.all(Offer)[2].provider_id
    town.rows.the_callback("failed", within=20)
    assert town.rows.outcomes() == ["no_answer", "invalid", "accepted", "invalid"]
    assert [one.answered_at is None for one in town.rows.all(Attempt)] == [True, True, False, True]
    for phone in (off, unknown, gone):
        (call,) = phone.calls_received
        assert call.answered_at is None and "offer" not in call.names_heard()


def test_nobody_accepts_and_an_agent_has_a_task(town: Town) -> None:
    for number in (BATH, CARE, HELP):
        town.network.phone(number).declines(offer="offer")

    orders_a_bath(town).hangs_up()

    order = town.rows.the_order("needs_agent", within=40)
    task = town.rows.the_task("no_provider")
    assert task.order_id == order.id
    town.network.phone(WANG).was_not_rung()


def test_a_trunk_in_trouble_is_tried_again_and_does_not_count_against_the_provider(town: Town) -> None:
    town.network.phone(WANG).when_called(hears_who_comes)
    town.network.phone(BATH).when_called(habits.rejects(503), habits.accepts(offer="offer"))

    orders_a_bath(town).hangs_up()

    town.rows.the_order("accepted", within=30)
    assert town.rows.outcomes()[:2] == ["congestion", "accepted"]
    town.network.phone(CARE).was_not_rung()


def test_mrs_wang_is_out_and_is_rung_again(town: Town) -> None:
    wang = town.network.phone(WANG).when_called(habits.does_not_answer(), hears_who_comes)
    town.network.phone(BATH).accepts(offer="offer")

    orders_a_bath(town).hangs_up()

    town.rows.the_callback("confirmed", within=40)
    wang.was_rung(times=2)
    assert town.rows.outcomes() == ["accepted", "no_answer", "confirmed"]


def test_mrs_wang_cannot_be_reached_and_an_agent_has_a_task(town: Town) -> None:
    wang = town.network.phone(WANG).is_busy()
    town.network.phone(BATH).accepts(offer="offer")

    orders_a_bath(town).hangs_up()

    town.rows.the_callback("failed", within=40)
    task = town.rows.the_task("callback")
    assert task.elder_id is not None
    wang.was_rung(times=3)


def test_ordering_the_same_bath_twice_makes_one_order(town: Town) -> None:
    town.network.phone(BATH).does_not_answer()
    orders_a_bath(town).hangs_up()

    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("ask_service").presses("2").hears("ask_day").presses("2").hears("ask_part").presses("1")
    call.hears("readback").presses("1").hears("order_known", "1001").hangs_up()

    assert len(town.rows.orders()) == 1


def test_mrs_wang_hangs_up_before_confirming_and_what_was_understood_is_kept(town: Town) -> None:
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("ask_service").presses("2").hears("ask_day").presses("3").hears("ask_part")
    call.hangs_up()

    task = town.rows.the_task("partial")
    assert town.rows.slots(task) == {"service": "bathing", "day": town.today(2)}
    assert town.rows.orders() == []
    [row] = town.rows.all(CallRow)
    assert (row.state, row.end) == ("ended", "hung_up")


def test_mrs_wang_changes_the_day_at_the_read_back_and_the_rest_stays(town: Town) -> None:
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("ask_service").presses("2").hears("ask_day").presses("1").hears("ask_part").presses("3")
    call.hears("readback", "today", "afternoon", "bathing").presses("2")
    call.hears("ask_what_changes").presses("2").hears("ask_day").presses("2")
    call.hears("readback", "tomorrow", "afternoon", "bathing").presses("1").hears("order_done").hangs_up()

    order = town.rows.the_order()
    assert (order.service, order.wanted_on.isoformat(), order.wanted_part) == ("bathing", town.today(1), "afternoon")


def test_mrs_kim_is_greeted_in_korean_and_changes_to_english_by_key(town: Town) -> None:
    call = town.network.phone(KIM).rings("12349").answered()
    call.hears("greeting", "김/f", "ask_service", "ko")
    call.presses("#").hears("ask_service", "en")
    call.presses("*").hears("ask_service", "en")
    call.presses("8").hears("ask_others", "en")
    call.hangs_up()

    # Chosen once, remembered.
    call = town.network.phone(KIM).rings("12349").answered()
    call.hears("greeting", "김/f", "ask_service", "en").did_not_hear("ko").hangs_up()


def test_zero_gets_a_person_at_every_question(town: Town) -> None:
    agent = town.network.phone(AGENT).when_called(habits.listens())
    questions = ("ask_service", "ask_day", "ask_part", "readback")
    for last, _ in enumerate(questions):
        call = town.network.phone(WANG).rings("12349").answered()
        for question in questions[:last]:
            call.hears(question).presses("2")
        call.hears(questions[last]).presses("0").hears("to_person")
        agent.is_rung().answered()
        town.rows.an_agent_talks()
        call.hangs_up()


def test_nine_is_an_alarm_and_reaches_a_person(town: Town) -> None:
    agent = town.network.phone(AGENT).when_called(habits.listens())
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("ask_service").presses("9").hears("emergency")

    task = town.rows.the_task("alarm")
    assert (task.priority, task.elder_id is not None) == (0, True)
    agent.is_rung().answered()
    town.rows.an_agent_talks()
    call.hangs_up()
    town.rows.wait_for(lambda: town.rows.all(CallRow)[0].end == "person", 10, "the end of the call with a person")


def test_a_provider_who_hangs_up_without_a_key_has_not_accepted(town: Town) -> None:
    town.network.phone(BATH).when_called(habits.hangs_up_after(2))
    town.network.phone(CARE).accepts(offer="offer")
    town.network.phone(WANG).when_called(hears_who_comes)

    orders_a_bath(town).hangs_up()

    town.rows.the_order("accepted", within=30)
    assert [attempt.outcome for attempt in town.rows.all(Attempt)][:2] == ["no_key", "accepted"]


def test_a_provider_hears_the_offer_in_korean_and_gets_a_person_by_zero(town: Town) -> None:
    agent = town.network.phone(AGENT).when_called(habits.listens())

    def changes_language_and_asks(call: Call) -> None:
        call.answers().hears("offer", "zh-CN").presses("#").hears("offer", "ko")
        call.presses("3").hears("offer", "ko").presses("0").hears("to_person", "ko").is_silent(30)

    town.network.phone(BATH).when_called(changes_language_and_asks)
    town.network.phone(CARE).accepts(offer="offer")
    town.network.phone(WANG).when_called(hears_who_comes)

    orders_a_bath(town).hangs_up()

    agent.is_rung(within=20).answered()
    town.rows.an_agent_talks()
    town.network.phone(BATH).calls_received[0].hangs_up()
    town.rows.the_order("accepted", within=30)
    assert town.rows.outcomes()[:2] == ["person", "accepted"]
