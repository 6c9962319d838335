"""Nobody is free: she is told honestly where she stands, and may always choose to be rung back."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.audio import Audio
from models.calls import Call as CallRow
from models.calls import CallEvent, Utterance
from models.hours import OpeningHours
from models.journal import Entry
from models.people import PhoneNumber
from models.tasks import Task
from tests.calls.conftest import Town, begin_anew, end_calls, harbin_hour_offset, new_town
from tests.support import habits, sound
from tests.support.call import Call
from tests.support.world import AGENT, CARE, KIM, STRANGER, WANG

pytestmark = pytest.mark.call


@contextmanager
def a_town(folder: Path, **settings: object) -> Iterator[Town]:
    """A town with settings of its own."""
    with ExitStack() as stack:
        town = new_town(stack, folder, **settings)
        begin_anew(town)
        yield town
        end_calls(town)


def asks_for_a_person(town: Town, number: str = WANG) -> Call:
    call = town.network.phone(number).rings("12349").answered()
    return call.hears("ask_service").presses("0")


def number_of(town: Town, task: Task) -> str:
    return next(row.value for row in town.rows.all(PhoneNumber) if row.id == task.number_id)


def journal(town: Town, kind: Entry) -> list[dict[str, object]]:
    return [event.data for event in town.rows.all(CallEvent) if event.kind == kind]


def ends(town: Town) -> list[str | None]:
    return [call.end for call in town.rows.all(CallRow)]


def test_mrs_wang_hears_her_place_and_has_herself_rung_back(town: Town) -> None:
    town.network.phone(AGENT).does_not_answer()
    call = asks_for_a_person(town).hears("to_person")
    call.hears("wait_next", "wait_keys", within=20).did_not_hear("wait_minutes")
    call.presses("1").hears("this_number", WANG)
    call.presses("1").hears("ring_back_noted").is_hung_up_by_hotline()

    task = town.rows.the_task("ring_back")
    assert number_of(town, task) == WANG and task.elder_id is not None
    assert task.data == {"slots": {}, "language": "zh-CN", "reason": "asked"}
    town.rows.wait_for(lambda: not list((town.hotline.folder / "spool").iterdir()), 5, "spool that is worked off")
    assert ends(town) == ["ring_back"] and [task.kind for task in town.rows.all(Task)] == ["ring_back"]
    assert journal(town, Entry.WAIT_TOLD) == [{"place": 1, "minutes": 0}]


def test_two_who_wait_keep_their_places_and_are_told_the_minutes(sqlite_town: Town) -> None:
    town = sqlite_town
    answers_every_three_minutes(town)
    town.network.phone(AGENT).does_not_answer()
    first = town.network.phone(STRANGER).rings("12349").answered().hears("ask_stranger").presses("0").hears("to_person")
    second = asks_for_a_person(town).hears("to_person")
    # The one telephone is ringing for the first: the second is told at once, and keeps her place from lap to lap.
    second.hears("wait_place", "2", "wait_minutes", "6min")
    first.hears("wait_next", "wait_minutes", "3min", within=20)
    first.hangs_up()
    second.hears("wait_next", within=20).hangs_up()


def answers_every_three_minutes(town: Town) -> None:
    """An hour in which somebody always waited, and an agent took the next one every three minutes."""
    now = datetime.now(UTC) + timedelta(seconds=harbin_hour_offset(9))
    with town.rows.writing() as session:
        for number in range(4):
            at = now - timedelta(minutes=30 - 3 * number)
            call = CallRow(
                channel_id=f"earlier-{number}", direction="in", purpose="inbound", state="ended", end="person",
                started_at=at, waiting_since=at - timedelta(minutes=10), ended_at=at + timedelta(minutes=2),
            )  # fmt: skip
            session.add(call)
            session.flush()
            session.add(CallEvent(call_id=call.id, at=at, kind=Entry.AGENT_ANSWERED, data={}))


def test_another_number_is_keyed_in_and_read_back(sqlite_town: Town) -> None:
    town = sqlite_town
    town.network.phone(AGENT).does_not_answer()
    call = asks_for_a_person(town).hears("to_person").is_silent(1.0)
    # At any moment, also while it rings.
    call.presses("1").hears("this_number", WANG).presses("2").hears("ask_number")
    call.presses("12#").hears("ring_back_bad", "ask_number")
    call.presses("10000001#").hears("this_number", WANG).presses("1").hears("ring_back_noted")
    call.is_hung_up_by_hotline()
    assert number_of(town, town.rows.the_task("ring_back")) == WANG


def test_a_withheld_number_is_asked_for(sqlite_town: Town) -> None:
    town = sqlite_town
    town.network.phone(AGENT).does_not_answer()
    call = town.network.phone(WANG).rings("12349", withheld=True).answered()
    call.hears("ask_stranger").presses("0").hears("to_person").is_silent(1)
    call.presses("1").hears("ask_number").presses("10000001#").hears("this_number", WANG)
    call.presses("1").hears("ring_back_noted")
    task = town.rows.the_task("ring_back")
    assert number_of(town, task) == WANG and town.rows.all(CallRow)[0].number_id is None


def test_9_while_she_waits_is_an_alarm_and_goes_before_those_who_came_earlier(tmp_path: Path) -> None:
    # One long lap: nobody leaves the queue for a sentence, so that it is the priority that decides.
    with a_town(tmp_path, WAIT_LAP_S=60, QUEUE_WAIT_S=120) as town:
        agent = town.network.phone(AGENT).does_not_answer()
        other = town.network.phone(STRANGER).rings("12349").answered()
        other.hears("ask_stranger").presses("0").hears("to_person")
        call = asks_for_a_person(town).hears("wait_place", "2").presses("9").hears("emergency")
        task = town.rows.the_task("alarm")
        assert task.priority == 0
        agent.when_called(habits.listens(ring=0))
        town.rows.an_agent_talks(15)
        (answered,) = [one for one in town.rows.all(CallRow) if one.state == "agent"]
        assert answered.id == task.call_id
        call.did_not_hear("emergency_nobody").hangs_up()
        other.hangs_up()


def test_with_nobody_logged_in_the_message_begins_at_once(tmp_path: Path) -> None:
    with a_town(tmp_path, AGENT_PHONES="[]") as town:
        call = asks_for_a_person(town)
        began = time.monotonic()
        call.hears("leave_message", within=3).did_not_hear("to_person")
        assert time.monotonic() - began <= 3 * town.network.patience
        # She need not speak to a machine.
        call.presses("1").hears("this_number").presses("1").hears("ring_back_noted").is_hung_up_by_hotline()
        assert number_of(town, town.rows.the_task("ring_back")) == WANG

        # An emergency finds nobody either: it is told so, and is an alarm.
        begin_anew(town)
        call = town.network.phone(WANG).rings("12349").answered().hears("ask_service").presses("9")
        call.hears("emergency", "emergency_nobody", "leave_message").hangs_up()
        town.rows.the_task("alarm")

        # She speaks, asks for a person, speaks again; nothing of it is lost. Her 9 stops the recorder, which does not
        # say what stopped it: she stays on the line, and it is taken for what it was.
        begin_anew(town)
        call = asks_for_a_person(town).hears("leave_message", "or_ring_back").is_silent(0.9)
        call.plays(sound.beep(2, 700)).presses("0").hears("leave_message", "or_ring_back").is_silent(0.9)
        call.plays(sound.beep(2, 900)).presses("9").hears("message_keys", "message_keys", within=10)
        call.hears("emergency", "emergency_nobody", within=10).hangs_up()
        town.rows.the_task("alarm")
        task = town.rows.the_task("message")
        (kept,) = [one for one in town.rows.all(Audio) if one.id == task.audio_id]
        assert kept.duration_ms is not None and kept.duration_ms >= 3800


def test_an_emergency_without_agents_rings_the_emergency_number(tmp_path: Path) -> None:
    with a_town(tmp_path, AGENT_PHONES="[]", EMERGENCY_NUMBER=CARE, ON_CALL_NUMBER=AGENT) as town:
        town.network.phone(CARE).when_called(habits.answers_and_presses("1", offer="on_call"))
        call = town.network.phone(WANG).rings("12349").answered().hears("ask_service").presses("9").hears("emergency")
        town.rows.an_agent_talks()
        call.did_not_hear("leave_message").hangs_up()
        town.rows.the_task("alarm")
        town.rows.wait_for(lambda: ends(town) == ["person"], 10, "call that a person took")

        # Outside the hours the telephone on call is rung; its voicemail does not take her call.
        begin_anew(town)
        town.network.phone(AGENT).has_voicemail()
        with town.rows.writing() as session:
            session.add(OpeningHours(weekday=harbin_today(), opens=600, closes=660))
        call = asks_for_a_person(town).hears("closed", "today", "10:00")
        call.hears("leave_message", within=20).hangs_up()
        town.network.phone(AGENT).was_rung(1)
        town.rows.the_task("missed")
        # While it rings there, 9 is what it always is.
        town.network.phone(AGENT).does_not_answer()
        call = asks_for_a_person(town).hears("closed", "today", "10:00")
        assert call.wait_for(lambda: len(town.network.phone(AGENT).calls_received) == 2, 10), call.story()
        call.presses("9").hears("emergency", within=3).hangs_up()
        town.rows.the_task("alarm")


def harbin_today() -> int:
    return (datetime.now(UTC) + timedelta(hours=8)).weekday()


def test_after_hours_she_hears_when_people_are_back_and_still_orders_by_the_machine(town: Town) -> None:
    with town.rows.writing() as session:
        session.add(OpeningHours(weekday=harbin_today(), opens=13 * 60, closes=17 * 60))
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("ask_service").presses("2").hears("ask_day").presses("0")
    call.hears("closed", "today", "13:00", "leave_message", within=10).did_not_hear("to_person")
    town.network.phone(AGENT).was_not_rung()
    call.presses("1").hears("this_number").presses("1").hears("ring_back_noted")
    assert town.rows.slots(town.rows.the_task("ring_back")) == {"service": "bathing"}


def test_the_agi_server_dies_while_she_waits_and_the_wait_goes_on(shaken_town: Town) -> None:
    town = shaken_town
    town.network.phone(AGENT).does_not_answer()
    call = asks_for_a_person(town).hears("wait_next", within=20)
    supervisor = town.hotline.supervisor_pid
    os.kill(supervisor, signal.SIGSTOP)
    try:
        town.hotline.kill("agi")
        call.hears("wait_on", within=20).presses("1").hears("ring_back_shown").is_hung_up_by_hotline()
    finally:
        os.kill(supervisor, signal.SIGCONT)
    assert number_of(town, town.rows.the_task("ring_back")) == WANG
    assert ends(town) == ["ring_back"]


def test_what_mrs_kim_leaves_as_a_message_is_written_down_for_the_agent(speaking_town: Town) -> None:
    town = speaking_town
    town.network.phone(AGENT).does_not_answer()
    with town.rows.writing() as session:
        session.add(OpeningHours(weekday=harbin_today(), opens=13 * 60, closes=17 * 60))
    call = town.network.phone(KIM).rings("12349").answered().hears("ask_service_spoken").presses("0")
    call.hears("closed", "13:00", "leave_message", "or_ring_back").is_silent(0.9)
    call.says("월요일에 병원에 가고 싶어요", language="ko").hears("message_thanks").hangs_up()

    task = town.rows.the_task("message")
    words = town.rows.wait_for(
        lambda: [one for one in town.rows.all(Utterance) if one.audio_id == task.audio_id], 60, "transcript"
    )
    # Which words survive free decoding of a synthetic voice on a busy line varies; test_transcripts has clean sound.
    assert re.search("[가-힣]{2}", words[0].text) and words[0].language == "ko"
    assert [row.transcript for row in town.rows.all(Audio)] == ["done"]
