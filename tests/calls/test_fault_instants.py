"""Each fault at a random instant of an order's course, and then the oracle: nothing lost, nothing doubled, ≤ 60 s.

`make test` takes one seeded instant of each; `make faults N=20` twenty random
ones on both databases, and ends with a table: which fault, how often, and the
longest time to recover.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from redis.exceptions import RedisError
from sqlalchemy import select, text

from dispatch.orders import OrderRequest, place_order
from models import clock, toolbox
from models.calls import Call
from models.dialing import Attempt
from models.orphans import dies_with_me
from models.people import Elder
from models.ratings import OrderRating
from models.settings import ROOT
from tests.calls.conftest import DATABASES, Town
from tests.calls.test_day_after import an_order, clean, is_done
from tests.support import faults_table, habits
from tests.support.call import Call as CarrierCall
from tests.support.call_state import StoryError
from tests.support.oracle import problems
from tests.support.patience import PATIENCE
from tests.support.world import BATH, WANG

pytestmark = [pytest.mark.call, pytest.mark.fault, pytest.mark.timeout(180)]

# How often each fault strikes: N of `make faults`.
INSTANTS = int(os.environ.get("HOTLINE_FAULT_INSTANTS", "0"))
# From the order to the end of its callback it takes about so long (s).
COURSE_S = 6.0
# The promise of faults.md (s). A crowded machine is given as much longer as everywhere.
RECOVERS_S = 60.0

Fault = Callable[[Town], None]


def worker_killed(town: Town) -> None:
    town.hotline.kill("worker")


def worker_hangs(town: Town) -> None:
    """It stands still in the middle of whatever it does, and wakes up long after others have taken over."""
    pid = town.hotline.pids()["worker"]
    os.kill(pid, signal.SIGSTOP)
    time.sleep(8)
    os.kill(pid, signal.SIGCONT)


def dispatcher_killed(town: Town) -> None:
    town.hotline.kill("dispatcher")


def redis_emptied(town: Town) -> None:
    town.hotline.redis().flushall()


def redis_killed(town: Town) -> None:
    town.hotline.kill("redis")


def redis_full(town: Town) -> None:
    """Out of memory, and nothing may be thrown out; after a while there is room again."""
    redis = town.hotline.redis()
    redis.config_set("maxmemory-policy", "noeviction")
    redis.config_set("maxmemory", "1")
    time.sleep(8)
    try:
        redis.config_set("maxmemory", "0")
    except RedisError:
        town.hotline.kill("redis")


def ami_cut(town: Town) -> None:
    """Every manager session of Asterisk is thrown out, between whatever question and its answer."""
    asterisk(town, "module reload manager")
    for line in asterisk(town, "manager show connected").splitlines():
        if line.startswith("hotline"):
            asterisk(town, f"manager kick session {line.split()[3]}")


def asterisk_killed(town: Town) -> None:
    town.hotline.kill("asterisk")


def database_away(town: Town) -> None:
    """For eight seconds whoever wants to write waits in vain; PostgreSQL has thrown everybody out, too."""
    with town.rows.writing() as session:
        if town.rows.dialect == "postgresql":
            session.execute(text(_THROW_OUT))
            session.execute(text("LOCK TABLE orders, offers, attempts, calls, outbox IN ACCESS EXCLUSIVE MODE"))
        time.sleep(8)


def clock_moved(town: Town) -> None:
    """The power goes, and when it is back the clock shows another hour: one less, the next time one more."""
    _moved_back.symmetric_difference_update([town.hotline.folder])
    by_s = -3600 if town.hotline.folder in _moved_back else 3600
    town.hotline.kill_everything()
    env = town.hotline.env
    env["HOTLINE_CLOCK_OFFSET_S"] = str(float(env["HOTLINE_CLOCK_OFFSET_S"]) + by_s)
    town.hotline.start()


def two_workers(town: Town) -> None:
    """A second worker, on the same errands, for a while."""
    second = subprocess.Popen(
        [sys.executable, "-m", "dispatch", "worker"], cwd=ROOT, env={**os.environ, **town.hotline.env},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=dies_with_me(),
    )  # fmt: skip
    time.sleep(5)
    second.kill()
    second.wait()


_THROW_OUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'"
)
# Towns whose clock was an hour behind the last time.
_moved_back: set[Path] = set()
FAULTS: list[Fault] = [
    worker_killed, worker_hangs, dispatcher_killed, redis_emptied, redis_killed, redis_full, ami_cut, asterisk_killed,
    two_workers, database_away, clock_moved,
]  # fmt: skip
# After these Asterisk is another one.
ASTERISK_DIES = (asterisk_killed, clock_moved)


def asterisk(town: Town, command: str) -> str:
    """Ask its console."""
    tool = toolbox.asterisk(toolbox.default_cache_dir())
    conf = town.hotline.folder / "run" / "asterisk" / "etc" / "asterisk.conf"
    done = tool.run("-C", str(conf), "-rx", command, capture_output=True, text=True, timeout=20)
    return str(done.stdout)


def case(fault: Fault, seed: int, database: str) -> object:
    """One instant. Of many, those of a fault run one after another in one process."""
    marks = (pytest.mark.xdist_group(f"instants-{database}-{fault.__name__}"),) if INSTANTS else ()
    return pytest.param(fault, seed, database, id=f"{fault.__name__}-{database}-{seed}", marks=marks)


def cases() -> list[object]:
    """One seeded instant of each fault, on one database after the other; or as many random ones as were asked for."""
    if not INSTANTS:
        return [case(fault, number, DATABASES[number % 2]) for number, fault in enumerate(FAULTS)]
    # All processes of one run must agree on the cases: `make faults` chooses the seed.
    base = int(os.environ.get("HOTLINE_FAULT_SEED", "1"))
    return [
        case(fault, base + number, database) for database in DATABASES for fault in FAULTS for number in range(INSTANTS)
    ]


@pytest.mark.parametrize(("fault", "seed", "shaken_town"), cases(), indirect=["shaken_town"])
def test_a_fault_at_any_instant_loses_nothing_and_doubles_nothing(shaken_town: Town, fault: Fault, seed: int) -> None:
    town = shaken_town
    town.network.phone(BATH, lines=2).when_called(presses_one_after("offer"))
    town.network.phone(WANG, lines=2).when_called(presses_one_after("callback"))
    instant = random.Random(seed).uniform(0, COURSE_S)
    confirms_an_order(town)
    time.sleep(instant)
    struck = time.monotonic()
    fault(town)
    town.rows.wait_for(lambda: at_rest(town), RECOVERS_S + 30, "end of the order's course")
    recovered = time.monotonic() - struck
    faults_table.note(fault.__name__, town.rows.dialect, instant, recovered)
    with town.rows.session() as session:
        found = problems(session)
    assert not found, f"seed {seed}, {instant:.2f} s: {'; '.join(found)}"
    attempts = town.rows.all(Attempt)
    settled = [one.outcome for one in attempts if one.outcome in ("accepted", "confirmed")]
    # A call that Asterisk's death has cut is nobody's answer: whoever was in it is asked again.
    assert sorted(map(str, settled)) == ["accepted", "confirmed"], town.rows.summary()
    # A killed Asterisk tells the network nothing: the call that it left behind stands there, with nobody in it.
    at_once = 1 + (fault in ASTERISK_DIES)
    assert all(calls_at_once(town, number) <= at_once for number in (BATH, WANG)), "one call at a time to one person"
    assert recovered <= RECOVERS_S * PATIENCE, f"seed {seed}: {recovered:.0f} s"


RETURN_FAULTS: list[Fault] = [worker_killed, redis_emptied, asterisk_killed]


def return_cases() -> list[object]:
    """The faults of a return visit, each on both databases."""
    base, times = int(os.environ.get("HOTLINE_FAULT_SEED", "1")), max(1, INSTANTS)
    return [
        case(fault, base + 7 * nth + number, database)
        for database in DATABASES
        for nth, fault in enumerate(RETURN_FAULTS)
        for number in range(times)
    ]


@pytest.mark.parametrize(("fault", "seed", "shaken_town"), return_cases(), indirect=["shaken_town"])
def test_a_fault_in_the_return_visit_has_her_asked_once_all_the_same(
    shaken_town: Town, fault: Fault, seed: int
) -> None:
    town = shaken_town
    town.network.phone(WANG, lines=2).when_called(presses_one_after("ask_score", "5"))
    is_done(town, an_order(town))
    instant = random.Random(seed).uniform(0, COURSE_S)
    time.sleep(instant)
    struck = time.monotonic()
    fault(town)
    town.rows.wait_for(lambda: asked_and_at_rest(town), RECOVERS_S + 30, "end of the return visit")
    recovered = time.monotonic() - struck
    faults_table.note(f"return: {fault.__name__}", town.rows.dialect, instant, recovered)
    assert clean(town) == [], f"seed {seed}, {instant:.2f} s"
    answered = [one.outcome for one in town.rows.all(Attempt) if one.return_visit_id and one.outcome == "confirmed"]
    assert answered == ["confirmed"], town.rows.summary()
    at_once = 1 + (fault is asterisk_killed)
    assert [one.score for one in town.rows.all(OrderRating)] == [5] and calls_at_once(town, WANG) <= at_once
    assert recovered <= RECOVERS_S * PATIENCE, f"seed {seed}: {recovered:.0f} s"


def asked_and_at_rest(town: Town) -> bool:
    """She has said how it was, and nothing is under way any more."""
    ended = all(call.ended_at for call in town.rows.all(Call))
    under_way = [one for one in town.rows.all(Attempt) if one.status != "closed"]
    return town.rows.the_order().status == "settled" and ended and not under_way


def presses_one_after(prompt: str, key: str = "1") -> habits.Habit:
    """A habit: answers, hears the matter, presses the key; the fault may come between any of these."""

    def habit(call: CarrierCall) -> None:
        try:
            call.rings_for(0.3).answers().hears(prompt, within=20)
            call.waits_for_end_of_speech(within=20).presses(key).waits_until_it_ends()
        except StoryError:
            call.hangs_up()

    return habit


def calls_at_once(town: Town, number: str) -> int:
    """The most calls that stood answered at this telephone at the same time, as the network saw it."""
    taken = [
        (call.answered_at, call.ended_at or time.monotonic())
        for call in town.network.calls
        if call.incoming and call.phone.number == number and call.answered_at is not None
    ]
    return max((sum(begin <= at < end for begin, end in taken) for at, _ in taken), default=0)


def confirms_an_order(town: Town) -> None:
    """What stands in the rows when a confirmation has been spoken. Nobody is woken for it: that, too, may be lost."""
    with town.rows.writing() as session:
        elder_id = session.scalars(select(Elder.id).order_by(Elder.id)).first() or 0
        now = clock.now() + timedelta(seconds=float(town.hotline.env["HOTLINE_CLOCK_OFFSET_S"]))
        day = (now + timedelta(hours=8, days=1)).date()
        place_order(session, OrderRequest("k1", "phone", elder_id, "bathing", day, "morning", "zh-CN"), now)


def at_rest(town: Town) -> bool:
    """The order has its end, and nothing is under way any more."""
    if town.rows.the_order().status not in ("accepted", "needs_agent"):
        return False
    with town.rows.session() as session:
        return not problems(session, at_rest=True) and all(call.ended_at for call in town.rows.all(Call))
