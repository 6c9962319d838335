"""Callers whom the hotline cannot greet by name: unknown, withheld, shared, and odd."""

from __future__ import annotations

import pytest

from models.calls import Call as CallRow
from models.people import PhoneNumber
from models.tasks import Task
from tests.calls.conftest import Town
from tests.support import habits
from tests.support.world import AGENT, HOUSEHOLD, STRANGER, WANG

pytestmark = pytest.mark.call


def test_an_unknown_number_reaches_a_person(town: Town) -> None:
    agent = town.network.phone(AGENT).when_called(habits.listens())

    call = town.network.phone(STRANGER).rings("12349").answered()
    call.hears("welcome", "ask_stranger").hears("to_person", within=15)

    agent.is_rung().answered()
    town.rows.an_agent_talks()
    call.hangs_up()
    town.rows.wait_for(lambda: [c.end for c in town.rows.all(CallRow)] == ["person"], 10, "call with a person")
    assert town.rows.all(Task) == []


def test_an_unknown_number_whom_nobody_answers_leaves_a_message(town: Town) -> None:
    town.network.phone(AGENT).does_not_answer()

    call = town.network.phone(STRANGER).rings("12349").answered()
    call.hears("welcome", "ask_stranger").hears("to_person", within=15).hears("leave_message", within=20)
    call.is_silent(0.5).says("안녕하세요 목욕 부탁합니다 내일 오후에요", language="ko").hears(
        "message_thanks", within=10
    )
    call.hangs_up()

    task = town.rows.the_task("message")
    number = next(n for n in town.rows.all(PhoneNumber) if n.id == task.number_id)
    assert number.value == STRANGER
    assert task.audio_id is not None


def test_an_unknown_number_that_hangs_up_while_waiting_is_rung_back(town: Town) -> None:
    town.network.phone(AGENT).does_not_answer()

    call = town.network.phone(STRANGER).rings("12349").answered()
    call.hears("welcome", "ask_stranger").hears("to_person", within=15).is_silent(3).hangs_up()

    task = town.rows.the_task("missed")
    assert task.data["reason"] == "unknown"


def test_a_withheld_number_reaches_a_person(town: Town) -> None:
    agent = town.network.phone(AGENT).when_called(habits.listens())

    call = town.network.phone(WANG).rings("12349", withheld=True).answered()
    call.hears("welcome", "ask_stranger").hears("to_person", within=15).did_not_hear("greeting")

    agent.is_rung().answered()
    town.rows.an_agent_talks()
    call.hangs_up()
    town.rows.wait_for(lambda: [c.end for c in town.rows.all(CallRow)] == ["person"], 10, "call with a person")
    assert town.rows.all(CallRow)[0].number_id is None


def test_on_a_household_line_each_is_asked_for_and_greeted_by_name(town: Town) -> None:
    call = town.network.phone(HOUSEHOLD).rings("12349").answered()
    call.hears("welcome", "choose_self", "李/m", "1", "choose_self", "赵/f", "2", "choose_none").presses("2")
    call.hears("greeting", "赵/f", "ask_service").hangs_up()

    [row] = town.rows.wait_for(lambda: town.rows.ended_calls(), 10, "the end of the call")
    assert (row.identified_by, row.elder_id) == ("household", town.rows.elder("赵桂兰").id)


@pytest.mark.parametrize("form", ["008645110000001", "045110000001", "10000001", "+86 451 1000 0001", "8645110000001"])
def test_mrs_wang_is_known_however_the_network_writes_her_number(sqlite_town: Town, form: str) -> None:
    town = sqlite_town
    call = town.network.phone(WANG).rings("12349", as_number=form).answered()
    call.hears("greeting", "王/f")
    call.hangs_up()
    row = town.rows.wait_for(lambda: town.rows.ended_calls(), 10, "the end of the call")[-1]
    assert (row.identified_by, row.elder_id) == ("caller_id", town.rows.elder("王秀英").id)


@pytest.mark.parametrize(
    "name", ["\udcff\udcfe王", 'a"; hangup', "$(reboot) ${SHELL(id)}", "result=-1", "名" * 1300, "%s|&;`"]
)
def test_a_hostile_name_changes_nothing(sqlite_town: Town, name: str) -> None:
    town = sqlite_town
    call = town.network.phone(WANG).rings("12349", display_name=name).answered()
    call.hears("greeting", "王/f", "ask_service").presses("2").hears("ask_day")
    call.hangs_up()


@pytest.mark.parametrize("number", ["letters", "0", "+", "12", "999999999999999999999"])
def test_a_number_that_is_none_is_treated_as_withheld(sqlite_town: Town, number: str) -> None:
    town = sqlite_town
    agent = town.network.phone(AGENT).when_called(habits.listens())
    call = town.network.phone(STRANGER).rings("12349", as_number=number).answered()
    call.hears("welcome", "ask_stranger").hears("to_person", within=15)
    agent.is_rung().answered()
    town.rows.an_agent_talks()
    call.hangs_up()
