"""Journeys by voice: Korean, the real model, a synthetic caller."""

from __future__ import annotations

import pytest

from models.calls import Utterance
from tests.calls.conftest import DATABASES, Town
from tests.calls.test_orders_by_key import hears_who_comes
from tests.support import habits, sound
from tests.support.call import Call
from tests.support.world import AGENT, BATH, KIM, WANG

pytestmark = [pytest.mark.call, pytest.mark.speech]


SORRY = ("not_understood", "not_heard", "care_again")


def says(call: Call, word: str, then: str) -> Call:
    """She says a word, and says it slower if she was not understood, as anybody would, until `then` comes."""
    for speed in (140, 120):
        told = len(call.names_heard())
        call.says(word, speed=speed)
        call.wait_for(lambda told=told: _answered(call, told, then), 9)  # type: ignore[misc]
        if then in call.names_heard()[told:]:
            break
        call.hears("ko")
    return call.hears(then)


def _answered(call: Call, told: int, then: str) -> bool:
    new = call.names_heard()[told:]
    # After an apology the question comes again, and the language ends it.
    return then in new or (any(key in new for key in SORRY) and new[-1] == "ko")


@pytest.mark.parametrize("speaking_town", DATABASES, indirect=True)
def test_mrs_kim_says_what_she_needs_and_when(speaking_town: Town) -> None:
    town = speaking_town
    kim = town.network.phone(KIM).when_called(habits.listens())
    town.network.phone(BATH).accepts(offer="offer")

    call = kim.rings("12349").answered()
    call.hears("greeting", "김/f", "ask_service_spoken", "ko")
    says(call, "목욕", then="ask_day").hears("ko")
    says(call, "내일", then="ask_part").hears("ko")
    says(call, "오후", then="readback").hears("tomorrow", "afternoon", "bathing", "ko")
    says(call, "좋아요", then="order_done").hears("1001")
    call.hangs_up()

    order = town.rows.the_order("accepted", within=20)
    assert (order.service, order.wanted_part, order.language) == ("bathing", "afternoon", "ko")
    # A word that she had to say twice may have been taken for a wish to hear the question again.
    understood = iter([said.text for said in town.rows.all(Utterance)])
    assert all(word in understood for word in ("목욕", "내일", "오후", "좋아요"))


def test_mrs_kim_says_day_and_service_in_one_breath_and_is_asked_only_for_the_rest(speaking_town: Town) -> None:
    town = speaking_town
    call = town.network.phone(KIM).rings("12349").answered()
    call.hears("greeting", "ask_service_spoken", "ko")
    says(call, "내일 이야기", then="ask_part").did_not_hear("ask_day").hears("ko")
    says(call, "오후", then="readback").hears("tomorrow", "afternoon", "companionship", "ko")
    says(call, "좋아요", then="order_done").hangs_up()

    order = town.rows.the_order()
    assert (order.service, order.wanted_on.isoformat(), order.wanted_part) == (
        "companionship", town.today(1), "afternoon",
    )  # fmt: skip


def test_mrs_kim_interrupts_the_prompt_and_goes_on_by_key(speaking_town: Town) -> None:
    town = speaking_town
    town.network.phone(KIM).when_called(hears_who_comes)
    town.network.phone(BATH).accepts(offer="offer")

    call = town.network.phone(KIM).rings("12349").answered()
    call.hears("greeting").says("이야기")
    call.is_silent(0.2).did_not_hear("ask_service_spoken")
    call.is_silent(2)
    if "ask_day" not in call.names_heard():
        says(call.hears("ko"), "이야기", then="ask_day")
    call.presses("3").hears("ask_part").presses("3")
    call.hears("readback", "day_after", "afternoon", "companionship").presses("1").hears("order_done")
    call.hangs_up()

    assert town.rows.the_order().service == "companionship"


def test_a_government_enquiry_goes_to_a_person_and_never_to_a_provider(speaking_town: Town) -> None:
    town = speaking_town
    agent = town.network.phone(AGENT).when_called(habits.listens())

    call = town.network.phone(KIM).rings("12349").answered()
    call.hears("ask_service_spoken").says("민원").hears("to_person", "ko")

    agent.is_rung().answered()
    town.rows.an_agent_talks()
    call.hangs_up()
    assert town.rows.orders() == []


def test_a_foreign_word_is_asked_again_and_a_person_comes_in_the_end(speaking_town: Town) -> None:
    town = speaking_town
    agent = town.network.phone(AGENT).when_called(habits.listens())

    call = town.network.phone(KIM).rings("12349").answered()
    call.hears("ask_service_spoken", "ko", within=20).says("비행기가 하늘을 날아갑니다")
    # Asked once more, differently: now the keys are named; after the second time a person takes over.
    call.hears("not_understood", within=20).hears("ask_service", "ko").says("비행기가 하늘을 날아갑니다")
    call.hears("to_person", within=20)

    agent.is_rung().answered()
    town.rows.an_agent_talks()
    call.hangs_up()


def test_mrs_wang_is_not_invited_to_speak_where_no_model_listens(speaking_town: Town) -> None:
    call = speaking_town.network.phone(WANG).rings("12349").answered()
    call.hears("greeting", "王/f", "ask_service", "zh-CN").did_not_hear("ask_service_spoken")
    call.presses("#").hears("ask_service_spoken", "ko")
    call.hangs_up()


def test_a_radio_and_an_endless_talker_come_to_a_person_and_order_nothing(speaking_town: Town) -> None:
    town = speaking_town
    kim = town.network.phone(KIM, lines=2)
    talk = "어제 시장에 가서 배추를 샀어요 우리 아들이 어제 왔다 갔어 오늘 날씨가 참 좋네 "
    noises = [sound.spoken(talk * 6, "ko", 150), sound.music(35)]

    calls = [kim.rings("12349").answered().hears("greeting") for _ in noises]
    for call, noise in zip(calls, noises, strict=True):
        call.plays(noise, wait=False)
    for call in calls:
        call.hears("to_person", within=40).hangs_up()
    assert town.rows.orders() == []
