"""Journeys by voice: Korean, the real model, a synthetic caller."""

from __future__ import annotations

import pytest

from models.audio import Audio
from models.calls import CallEvent, Utterance
from models.journal import Entry
from tests.calls.conftest import DATABASES, Town
from tests.calls.test_orders_by_key import hears_who_comes
from tests.support import habits, sound
from tests.support.world import AGENT, BATH, KIM, WANG

pytestmark = [pytest.mark.call, pytest.mark.speech]


@pytest.mark.parametrize("speaking_town", DATABASES, indirect=True)
def test_mrs_kim_says_what_she_needs_and_when(speaking_town: Town) -> None:
    town = speaking_town
    kim = town.network.phone(KIM).when_called(habits.listens())
    town.network.phone(BATH).accepts(offer="offer")

    call = kim.rings("12349").answered()
    call.hears("greeting", "김/f", "ask_service_spoken", "ko").says("샤워")
    call.hears("ask_day", "ko").says("내일")
    call.hears("ask_part", "ko").says("오후")
    call.hears("readback", "tomorrow", "afternoon", "bathing", "ko").says("네")
    call.hears("order_done", "1001").hangs_up()

    order = town.rows.the_order("accepted", within=20)
    assert (order.service, order.wanted_part, order.language) == ("bathing", "afternoon", "ko")
    assert [said.text for said in town.rows.all(Utterance)] == ["샤워", "내일", "오후", "네"]


def test_mrs_kim_says_day_and_service_in_one_breath_and_is_asked_only_for_the_rest(speaking_town: Town) -> None:
    town = speaking_town
    call = town.network.phone(KIM).rings("12349").answered()
    call.hears("greeting", "ask_service_spoken", "ko").says("이야기 모레")
    call.hears("ask_part", "ko").did_not_hear("ask_day").says("오후")
    call.hears("readback", "day_after", "afternoon", "companionship", "ko").says("네")
    call.hears("order_done").hangs_up()

    order = town.rows.the_order()
    assert (order.service, order.wanted_on.isoformat(), order.wanted_part) == (
        "companionship", town.today(2), "afternoon",
    )  # fmt: skip


def test_mrs_kim_interrupts_the_prompt_and_goes_on_by_key(speaking_town: Town) -> None:
    town = speaking_town
    town.network.phone(KIM).when_called(hears_who_comes)
    town.network.phone(BATH).accepts(offer="offer")

    call = town.network.phone(KIM).rings("12349").answered()
    call.hears("greeting").says("이야기")
    call.is_silent(0.2).did_not_hear("ask_service_spoken")
    call.hears("ask_day").presses("3").hears("ask_part").presses("3")
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
    # Asked once more, differently: now the keys are named.
    call.hears("not_understood", within=20).hears("ask_service", "ko").says("샤워")
    # After the second time in a row a person takes over, who gets what was said and what is known already.
    call.hears("ask_day", within=20).says("비행기가 하늘을 날아갑니다")
    call.hears("not_understood", within=20).hears("ask_day", "ko").says("비행기가 하늘을 날아갑니다")
    call.hears("to_person", within=20)

    agent.is_rung().answered()
    town.rows.an_agent_talks()
    call.hangs_up()

    said = town.rows.all(Utterance)
    assert [(one.text if one.score else "", one.audio_id is not None) for one in said] == [
        ("", True), ("샤워", False), ("", True), ("", True),
    ]  # fmt: skip
    assert all(audio.duration_ms > 1000 for audio in town.rows.all(Audio))
    journal = town.rows.all(CallEvent)
    assert [entry.data["slots"] for entry in journal if entry.kind == Entry.SLOT][-1] == {"service": "bathing"}
    assert [entry.data["reason"] for entry in journal if entry.kind == Entry.TO_PERSON] == ["not_understood"]


def test_mrs_wang_is_not_invited_to_speak_where_no_model_listens(speaking_town: Town) -> None:
    call = speaking_town.network.phone(WANG).rings("12349").answered()
    call.hears("greeting", "王/f", "ask_service", "zh-CN").did_not_hear("ask_service_spoken")
    call.presses("#").hears("ask_service_spoken", "ko")
    call.hangs_up()


def test_a_radio_and_an_endless_talker_come_to_a_person_and_order_nothing(speaking_town: Town) -> None:
    town = speaking_town
    kim = town.network.phone(KIM, lines=3)
    talk = "어제 시장에 가서 배추를 샀어요 우리 아들이 어제 왔다 갔어 오늘 날씨가 참 좋네 "
    noises = [sound.spoken(talk * 6, "ko", 150), sound.music(35), sound.noise(35)]

    calls = [kim.rings("12349").answered().hears("greeting") for _ in noises]
    for call, noise in zip(calls, noises, strict=True):
        call.plays(noise, wait=False)
    for call in calls:
        call.hears("to_person", within=40).hangs_up()
    assert town.rows.orders() == []
