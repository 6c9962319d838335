"""What breaks, and what was promised: the caller reaches a person, nothing confirmed is lost or doubled."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from sqlalchemy import text

from hotline import secret_store
from ivr.speech_health import AGAIN_S
from models.calls import Call as CallRow
from models.calls import CallEvent
from models.dialing import Attempt
from models.journal import Entry
from models.orders import Order
from models.orphans import dies_with_me
from models.outbox import OutboxEntry
from models.settings import ROOT
from tests.calls.conftest import DATABASES, Town
from tests.calls.test_fault_instants import asterisk, at_rest
from tests.calls.test_orders_by_key import hears_who_comes, orders_a_bath
from tests.speech.test_family import Family
from tests.support import habits
from tests.support.ami_proxy import AmiProxy
from tests.support.call import Call
from tests.support.call_state import StoryError
from tests.support.world import AGENT, BATH, KIM, STRANGER, WANG

log = logging.getLogger(__name__)

pytestmark = [pytest.mark.call, pytest.mark.fault]
on_both_databases = pytest.mark.parametrize("shaken_town", DATABASES, indirect=True)


@contextmanager
def nobody_restarts(town: Town) -> Iterator[None]:
    """The supervisor stands still, so that what is killed stays dead."""
    supervisor = town.hotline.supervisor_pid
    os.kill(supervisor, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)


@on_both_databases
def test_without_the_agi_server_mrs_wang_reaches_a_person_within_three_seconds(shaken_town: Town) -> None:
    town = shaken_town
    agent = town.network.phone(AGENT).when_called(habits.listens(ring=0))
    with nobody_restarts(town):
        town.hotline.kill("agi")
        began = time.monotonic()
        call = town.network.phone(WANG).rings("12349").answered()
        call.hears("failsafe")
        agent.is_rung(within=3)
        assert time.monotonic() - began <= 3 * town.network.patience
        call.is_silent(1).hangs_up()
        # The agent's telephone makes the row as soon as it rings; the note's last line ends it.
        [row] = town.rows.wait_for(
            lambda: [row for row in town.rows.all(CallRow) if row.ended_at], 10, "call ended by the dialplan's note"
        )
        assert (row.end, row.elder_id is not None) == ("person", True)


@on_both_databases
def test_without_the_agi_server_and_without_agents_a_message_becomes_a_task(shaken_town: Town) -> None:
    town = shaken_town
    town.network.phone(AGENT).does_not_answer()
    with nobody_restarts(town):
        town.hotline.kill("agi")
        call = town.network.phone(WANG).rings("12349").answered()
        call.hears("failsafe").hears("leave_message", within=20)
        call.is_silent(0.7).says("목욕 부탁합니다 내일 오후에 와 주세요").hears("message_thanks", within=15)
        call.hangs_up()
    task = town.rows.the_task("message")
    assert task.elder_id is not None


@contextmanager
def nobody_takes_calls(town: Town) -> Iterator[None]:
    """The way to the AGI server leads to somebody who does not even pick up: nothing is refused, nothing begins."""
    with ExitStack() as stack:
        deaf = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        place = deaf.getsockname()
        full: list[socket.socket] = []
        with suppress(TimeoutError):
            while len(full) < 20:
                full.append(stack.enter_context(socket.create_connection(place, timeout=0.3)))
        asterisk(town, f"dialplan set global AGI agi://127.0.0.1:{place[1]}")
        stack.callback(
            asterisk, town, f"dialplan set global AGI agi://127.0.0.1:{town.hotline.env['HOTLINE_AGI_PORT']}"
        )
        yield


def test_whoever_hangs_up_before_the_conversation_has_begun_is_listed_all_the_same(shaken_town: Town) -> None:
    town = shaken_town
    with nobody_takes_calls(town):
        town.network.phone(WANG).rings("12349").answered().hangs_up()
        [row] = town.rows.wait_for(lambda: town.rows.ended_calls(), 15, "call of which only the dialplan knew")
    assert (row.end, row.direction, row.elder_id is not None) == ("hung_up", "in", True)
    assert town.rows.the_task("partial").elder_id == row.elder_id


@contextmanager
def locked_database(town: Town) -> Iterator[None]:
    """Somebody else holds what every call wants to write, and does not let go."""
    with town.rows.writing() as session:
        if session.connection().dialect.name == "postgresql":
            session.execute(text("LOCK TABLE calls, call_events IN SHARE MODE"))
        yield


@on_both_databases
def test_a_locked_database_is_waited_for_less_than_three_seconds(shaken_town: Town) -> None:
    town = shaken_town
    town.network.phone(AGENT, lines=2).when_called(habits.listens(ring=0))
    midway = town.network.phone(WANG).rings("12349").answered().hears("ask_service")
    with locked_database(town):
        began = time.monotonic()
        midway.presses("2").hears("failsafe", within=4)
        assert time.monotonic() - began <= 3, "in the middle"
        began = time.monotonic()
        fresh = town.network.phone(KIM).rings("12349").answered()
        fresh.hears("failsafe", within=4)
        assert time.monotonic() - began <= 3, "at the beginning"
    midway.hangs_up()
    fresh.hangs_up()
    # The dialplan's notes are worked off when the database is free again: each call is there once, and has its end.
    town.rows.wait_for(lambda: len(town.rows.ended_calls()) == 2, 20, "two calls that are over")
    assert len(town.rows.all(CallRow)) == 2


@on_both_databases
def test_the_agi_server_is_killed_in_the_middle_and_what_was_understood_is_kept(shaken_town: Town) -> None:
    town = shaken_town
    agent = town.network.phone(AGENT).when_called(habits.listens())
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("ask_service").presses("2").hears("ask_day").presses("2").hears("ask_part")
    town.hotline.kill("agi")
    call.hears("failsafe")
    agent.is_rung().answered()
    slots = [event.data["slots"] for event in town.rows.all(CallEvent) if event.kind == Entry.SLOT]
    assert slots[-1] == {"service": "bathing", "day": town.today(1)}
    call.hangs_up()


def test_a_stalled_agi_server_is_killed_and_the_call_goes_to_a_person(shaken_town: Town) -> None:
    town = shaken_town
    town.network.phone(AGENT).when_called(habits.listens())
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("ask_service")
    os.kill(town.hotline.pids()["agi"], signal.SIGSTOP)
    call.presses("2").hears("failsafe", within=20)
    call.hangs_up()


def test_without_the_speech_server_mrs_kim_orders_by_key(shaken_speaking_town: Town) -> None:
    town = shaken_speaking_town
    town.network.phone(BATH).accepts(offer="offer")
    with nobody_restarts(town):
        town.hotline.kill("speech")
        time.sleep(1.5)  # The health check looks once a second.
        call = town.network.phone(KIM).rings("12349").answered()
        call.hears("greeting", "ask_service", "ko").did_not_hear("ask_service_spoken")
        call.presses("2").hears("ask_day").presses("2").hears("ask_part").presses("2")
        call.hears("readback").presses("1").hears("order_done").hangs_up()
    assert town.rows.the_order().service == "bathing"


def _whole(town: Town) -> Family:
    """The speech server's processes, all of them there, and the calls' server knows it."""
    family = Family(int(town.hotline.env["HOTLINE_SPEECH_PORT"]), town.hotline.pids()["speech"])
    family.waits(family.is_whole, 20)
    time.sleep(2 * AGAIN_S * town.network.patience)
    return family


def _after(call: Call, key: str, since: float) -> float:
    """Seconds from `since` (time.monotonic) to the beginning of the first sentence `key` after it."""
    call.hears(key, within=6)
    assert call.answered_at is not None
    # Not the last one: on a busy machine this is looked at when she has been asked once more.
    moments = [call.answered_at + ms / 1000 for ms, name in call.heard if name == key]
    return next((at for at in moments if at >= since), moments[-1]) - since


A_SECOND = 1.0  # the promise: the keypad within 1 s
ENDS = [("server", signal.SIGABRT), ("server", signal.SIGKILL), ("server", signal.SIGSTOP), ("parent", signal.SIGKILL)]


def test_the_speech_server_ends_mid_word_and_the_keypad_is_there_within_a_second(shaken_speaking_town: Town) -> None:
    """A key right then counts, and who presses none hears the question again, with its keys."""
    town = shaken_speaking_town
    kim = town.network.phone(KIM, lines=2)
    for who, end in ENDS:
        other = town.network.phone(WANG).rings("12349").answered().hears("ask_service")
        family = _whole(town)
        hasty, patient = calls = [kim.rings("12349").answered() for _ in range(2)]
        for call in calls:
            call.hears("ask_service_spoken", "ko")
        patient.says("목욕", wait=False)
        hasty.says("목욕", wait=False).is_silent(0.4)
        dead_at = time.monotonic()
        os.kill(family.server.pid if who == "server" else town.hotline.pids()["speech"], end)
        hasty.presses("2")
        counted = _after(hasty, "ask_day", dead_at)
        asked = _after(patient, "ask_service", dead_at)
        again = time.monotonic()
        counted_again = _after(patient.presses("2"), "ask_day", again)
        log.info("%s %s: key %.2f s, question %.2f s, key %.2f s", who, end.name, counted, asked, counted_again)
        # One that stands still is given a second to come to itself. Her keys count all the while.
        soon = A_SECOND * town.network.patience
        assert asked < soon + (1.0 if end == signal.SIGSTOP else 0), (who, end.name, asked, patient.story())
        assert counted < soon and counted_again < soon, (who, end.name, counted, counted_again, hasty.story())
        # This call stays with its keys.
        hasty.presses("2").hears("ask_part", within=2).hangs_up()
        patient.hangs_up()
        # Who was on another line noticed nothing.
        other.presses("2").hears("ask_day").hangs_up()
    assert [event.kind for event in town.rows.all(CallEvent)].count(Entry.SPEECH_OFF) == 2 * len(ENDS)
    # Who rings now is heard.
    _whole(town)
    kim.rings("12349").answered().hears("ask_service_spoken", "ko").hangs_up()


@on_both_databases
def test_a_power_cut_after_the_spoken_confirmation_loses_nothing_and_doubles_nothing(shaken_town: Town) -> None:
    town = shaken_town
    bath = town.network.phone(BATH, lines=2).when_called(_accepts_if_it_hears_the_offer)
    town.network.phone(WANG).when_called(hears_who_comes)
    call = orders_a_bath(town)
    town.hotline.kill_everything()
    call.hangs_up()

    town.hotline.start()
    order = town.rows.the_order(within=1)
    assert order.service == "bathing"
    town.rows.wait_for(lambda: at_rest(town), 60, "end of the order's course")
    # A cut while the offer was being told is nobody's answer: the same provider is asked again.
    settled = [one.outcome for one in town.rows.all(Attempt) if one.outcome in ("accepted", "confirmed")]
    assert sorted(map(str, settled)) == ["accepted", "confirmed"], town.rows.summary()
    bath.was_rung()


@on_both_databases
def test_an_emptied_redis_and_a_killed_worker_only_delay_the_order(shaken_town: Town) -> None:
    town = shaken_town
    town.network.phone(BATH).accepts(offer="offer")
    town.network.phone(WANG).when_called(hears_who_comes)
    with nobody_restarts(town):
        town.hotline.kill("worker")
        orders_a_bath(town).hangs_up()
        town.hotline.redis().flushall()
    town.rows.the_order("accepted", within=60)
    town.rows.the_callback("confirmed", within=60)
    assert town.rows.outcomes().count("accepted") == 1
    town.rows.wait_for(
        lambda: all(entry.done_at for entry in town.rows.all(OutboxEntry)), 20, "outbox with everything done"
    )


def test_without_redis_the_order_is_taken_and_worked_off_when_it_is_back(shaken_town: Town) -> None:
    town = shaken_town
    town.network.phone(BATH).accepts(offer="offer")
    town.network.phone(WANG).when_called(hears_who_comes)
    with nobody_restarts(town):
        town.hotline.kill("redis")
        orders_a_bath(town).hangs_up()
        assert town.rows.the_order().status == "confirmed"
    town.rows.the_order("accepted", within=60)


def test_asterisk_dies_in_a_call_and_mrs_wang_is_rung_back_by_an_agent(shaken_town: Town) -> None:
    town = shaken_town
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("ask_service").presses("2").hears("ask_day")
    town.hotline.kill("asterisk")
    task = town.rows.the_task("partial", within=30)
    assert town.rows.slots(task) == {"service": "bathing"}
    call.hangs_up()
    town.rows.wait_for(lambda: _answers_again(town), 15, "call answered after the restart")


def test_asterisk_and_the_agi_server_die_together_and_the_sweep_finds_her(shaken_town: Town) -> None:
    town = shaken_town
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("ask_service").presses("2").hears("ask_day")
    # Stopped first, the AGI server cannot write how its call ended; so only the sweep is left to notice.
    pids = town.hotline.pids()
    os.kill(pids["agi"], signal.SIGSTOP)
    os.kill(pids["asterisk"], signal.SIGKILL)
    os.kill(pids["agi"], signal.SIGKILL)
    task = town.rows.the_task("partial", within=30)
    assert town.rows.slots(task) == {"service": "bathing"}
    assert [row.end for row in town.rows.all(CallRow)] == ["lost"]
    call.hangs_up()


def test_a_stop_lets_the_calls_under_way_come_to_their_end_and_takes_no_new_one(shaken_town: Town) -> None:
    town = shaken_town
    asked = town.network.phone(WANG).rings("12349").answered().hears("ask_service")
    halfway = town.network.phone(KIM).rings("12349").answered().hears("ask_service")
    halfway.presses("2").hears("ask_day").presses("2").hears("ask_part")
    town.hotline.begin_to_stop()
    time.sleep(0.5)
    town.network.phone(STRANGER).rings("12349").is_refused()
    asked.presses("2").hears("ask_day").presses("2").hears("ask_part")
    for call in (asked, halfway):
        call.presses("2").hears("readback").presses("1").hears("order_done").hangs_up()
    assert town.hotline.ends(within=30) == 0
    town.hotline.start()
    town.rows.wait_for(lambda: len(town.rows.all(Order)) == 2, 10, "two orders", lambda: "")
    ends = [row.end for row in town.rows.all(CallRow) if row.direction == "in"]
    assert ends == ["hung_up", "hung_up"], "their own hang-ups after the order, and no call of the stranger's"


def test_more_callers_than_it_carries_are_refused_and_the_others_notice_nothing(shaken_town: Town) -> None:
    town = shaken_town
    with _restarted(town, HOTLINE_MOST_CALLS="2"):
        wang = town.network.phone(WANG).rings("12349").answered().hears("ask_service")
        kim = town.network.phone(KIM).rings("12349").answered()
        for _ in range(2):
            town.network.phone(STRANGER).rings("12349").is_refused()
        wang.presses("2").hears("ask_day").hangs_up()
        kim.hears("ask_service").hangs_up()


@contextmanager
def _restarted(town: Town, **environment: str) -> Iterator[None]:
    """The hotline with other settings, and afterwards with its own."""
    own = dict(town.hotline.env)
    town.hotline.stop()
    town.hotline.env.update(environment)
    try:
        town.hotline.start()
        yield
    finally:
        town.hotline.stop()
        town.hotline.env.clear()
        town.hotline.env.update(own)
        town.hotline.start()


@on_both_databases
@pytest.mark.parametrize("reached", [True, False], ids=["dialled", "not_dialled"])
def test_the_line_to_asterisk_is_cut_between_originate_and_its_answer(shaken_town: Town, reached: bool) -> None:
    town = shaken_town
    bath = town.network.phone(BATH, lines=2).accepts(offer="offer")
    town.network.phone(WANG).when_called(hears_who_comes)
    with AmiProxy(int(town.hotline.env["HOTLINE_AMI_PORT"]), reached=reached) as proxy, nobody_restarts(town):
        town.hotline.kill("worker")
        with _a_worker(town, HOTLINE_AMI_PORT=str(proxy.port)):
            orders_a_bath(town).hangs_up()
            town.rows.the_callback("confirmed", within=60)
        assert proxy.cuts == 1
    # Whether it was dialled is asked of Asterisk: never twice, and not never.
    bath.was_rung(times=1)
    assert town.rows.outcomes() == ([] if reached else ["lost"]) + ["accepted", "confirmed"]


@contextmanager
def _a_worker(town: Town, **environment: str) -> Iterator[None]:
    """A worker in the place of the town's own, from its first sign of life until the end of the block."""
    began = time.time()
    # The supervisor hands its children the secrets that it has made.
    secrets = {f"HOTLINE_{name.upper()}": value for name, value in secret_store.ensure(town.hotline.folder).items()}
    worker = subprocess.Popen(
        [sys.executable, "-m", "dispatch", "worker"], cwd=ROOT,
        env={**os.environ, **secrets, **town.hotline.env, **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=dies_with_me(),
    )  # fmt: skip
    try:
        beat = town.hotline.folder / "run" / "worker.beat"
        town.rows.wait_for(lambda: beat.exists() and beat.stat().st_mtime > began, 20, "worker")
        yield
    finally:
        worker.kill()
        worker.wait()


def _accepts_if_it_hears_the_offer(call: Call) -> None:
    """A habit: the power cut may come when this telephone has just been answered, and then nothing is heard."""
    try:
        call.rings_for(0.3).answers().hears("offer", within=3)
    except StoryError:
        return
    call.presses("1").hears("offer_accepted").waits_until_it_ends()


def _answers_again(town: Town) -> bool:
    call = town.network.phone(WANG).rings("12349")
    answered = call.wait_for(lambda: call.answered_at is not None, 2)
    if answered:
        call.hears("greeting")
    call.hangs_up()
    return answered
