"""A town for each journey: the hotline, the public network, and a fresh database.

The two Asterisks and the hotline's processes are started once a database for
all journeys of a test process; every journey begins with an emptied database.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError

from ivr.prompts.catalogue import CATALOGUE
from models import vocabulary
from models.calls import Call as CallRow
from models.dialing import Attempt, AttemptStatus
from models.outbox import OutboxEntry
from models.tables import metadata
from tests.calls.towns import Town, Towns
from tests.support import postgres, world
from tests.support.carrier import Carrier
from tests.support.hotline_process import HotlineProcess
from tests.support.oracle import problems
from tests.support.world import Rows

# What is spoken in place of variables, by code; the far end is to name it in failures.
CODES = [
    *CATALOGUE,
    *vocabulary.LANGUAGES,
    *(c.code for group in vocabulary.GRAMMARS.values() for c in group),
    "王/f", "김/f", "道里区", "康乐助浴", "安心到家", "邻里帮", "some_service", "slow", "loud",
    *(str(number) for number in range(1001, 1100)),
]  # fmt: skip
DATABASES = ("sqlite", "postgresql")
__all__ = [
    "DATABASES", "Town", "begin_anew", "end_calls", "harbin_hour_offset", "new_town", "oracle_of", "settings_for_tests",
]  # fmt: skip


TOWNS = pytest.StashKey[Towns]()
# The largest towns' stories are told beside each other, each file in a town of its own.
SIDE_BY_SIDE = ("test_orders_by_key", "test_callers")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stories of one town are told one after another: a town a worker would be sixteen, and two cores are few."""
    for item in items:
        town = _shared_town(item)
        if town is not None and item.get_closest_marker("xdist_group") is None:
            part = item.path.stem if item.path.stem in SIDE_BY_SIDE else ""
            item.add_marker(pytest.mark.xdist_group(f"town {town} {part}".strip()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """A worker's town ends with its last story: seven processes, and ports that others could use."""
    yield
    done = _shared_town(item)
    if "PYTEST_XDIST_WORKER" not in os.environ or TOWNS not in item.config.stash or done is None:
        return
    if nextitem is None or _shared_town(nextitem) != done:
        item.config.stash[TOWNS].close(done)


def _shared_town(item: pytest.Item) -> str | None:
    names = getattr(item, "fixturenames", ())
    params = item.callspec.params if hasattr(item, "callspec") else {}
    if "town" in names and "town" in params:
        return str(params["town"])
    if "sqlite_town" in names:
        return "sqlite"
    kinds = {
        "shaken_town": "shaken",
        "speaking_town": "speech",
        "shaken_speaking_town": "shaken speech",
        "recording_town": "recording",
    }
    for fixture, kind in kinds.items():
        if fixture in names:
            return f"{kind} {params.get(fixture, 'sqlite')}"
    return None


def harbin_hour_offset(hour: int) -> float:
    """Seconds from now to `hour` o'clock today in Harbin: no journey depends on the hour of the day."""
    harbin = datetime.now(UTC) + timedelta(hours=8)
    return (harbin.replace(hour=hour, minute=0, second=0, microsecond=0) - harbin).total_seconds()


def hotline_now(town: Town) -> datetime:
    """The hotline's own clock, a moment ago: in the journeys it is always morning."""
    offset = float(town.hotline.env["HOTLINE_CLOCK_OFFSET_S"])
    return datetime.now(UTC) + timedelta(seconds=offset - 2)


def settings_for_tests(**more: object) -> dict[str, object]:
    """Short clocks, tones for prompts, an agents' telephone."""
    return {
        "VOICE": "tones",
        "SPEECH": "false",
        "AGENT_PHONES": json.dumps([world.AGENT]),
        "CLOCK_OFFSET_S": harbin_hour_offset(9),
        "ANSWER_TIMEOUT_MS": 4000,
        "ANSWER_TIMEOUT_SLOW_MS": 5500,
        "OFFER_RING_S": 4,
        "CALLBACK_RING_S": 4,
        "CALLBACK_RETRY_S": 2,
        # Whatever day the tests are run, and for reminders at any hour: what is due is rung.
        "RETURN_VISIT_WORKDAYS": "false",
        "RETURN_VISIT_RETRY_S": 2,
        "REMINDER_WINDOWS": '[["00:00:00", "23:59:59"]]',
        "REMINDER_RETRY_S": 2,
        "AGENT_RING_S": 4,
        "QUEUE_WAIT_S": 10,
        "WAIT_LAP_S": 3,
        "STOP_CALLS_S": 20,
        "SWEEP_S": 1,
        "LEARN_EVERY_S": 1,
        "CAMPAIGN_S": 0.5,
        "LEDGER_S": 1,
        "LOST_CALL_S": 4,
        # A carrier that tells a dead number in a voice, and then says 487.
        "TRUNK_CAUSES": '{"trunk": {"early 487": "invalid"}}',
        "LOST_JOB_S": 3,
        "TRANSIENT_RETRY_S": 1,
        **more,
    }


def new_town(stack: ExitStack, folder: Path, **settings: object) -> Town:
    """Start a network and a hotline; they stop with `stack`."""
    return found_town(stack, folder, Carrier(), settings)


def found_town(stack: ExitStack, folder: Path, carrier: Carrier, settings: dict[str, object]) -> Town:
    """Do the same with a carrier of one's own."""
    url = str(settings.get("DATABASE_URL") or f"sqlite:///{folder / 'hotline.db'}")
    network = stack.enter_context(carrier)
    network.learn(CODES)
    hotline = stack.enter_context(HotlineProcess(folder, network.address, settings_for_tests(**settings)))
    network.hotline = hotline.sip
    rows = Rows(url)
    stack.callback(rows.close)
    return Town(network, hotline, rows)


def found(stack: ExitStack, name: str, folder: Path) -> Town:
    """Found a town by its name: the database, `speech` where it listens, `shaken` where things break, `recording`."""
    url = stack.enter_context(postgres.cluster()) if "postgresql" in name else ""
    more = {"RECORDING": "true", "RECORDING_FREE_GB": 0, "SMS": "console"} if "recording" in name else {}
    return new_town(stack, folder, DATABASE_URL=url, SPEECH=str("speech" in name).lower(), **more)


@pytest.fixture(scope="session")
def _towns(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Towns]:
    towns = request.config.stash[TOWNS] = Towns(found, tmp_path_factory.mktemp)
    yield towns
    towns.close_all()


@pytest.fixture(params=DATABASES)
def town(request: pytest.FixtureRequest, _towns: Towns) -> Iterator[Town]:
    """A fresh town on each database: nobody has rung yet."""
    town = _towns[request.param]
    begin_anew(town)
    yield town
    end_calls(town)


@pytest.fixture
def sqlite_town(_towns: Towns) -> Iterator[Town]:
    """A fresh town on SQLite, for what cannot depend on the database."""
    town = _towns["sqlite"]
    begin_anew(town)
    yield town
    end_calls(town)


@pytest.fixture
def speaking_town(request: pytest.FixtureRequest, _towns: Towns) -> Iterator[Town]:
    """A town whose hotline listens for Korean with the real model; on SQLite unless the journey says otherwise."""
    town = _towns["speech " + getattr(request, "param", "sqlite")]
    begin_anew(town)
    yield town
    end_calls(town)


@pytest.fixture
def recording_town(request: pytest.FixtureRequest, _towns: Towns) -> Iterator[Town]:
    """A town that records calls and writes text messages; on SQLite unless the journey says otherwise."""
    town = _towns["recording " + getattr(request, "param", "sqlite")]
    begin_anew(town)
    yield town
    end_calls(town)


@pytest.fixture
def shaken_town(request: pytest.FixtureRequest, _towns: Towns) -> Iterator[Town]:
    """A town where things are broken, and whole again before the next; on SQLite unless the journey says otherwise."""
    yield from _shaken(_towns, getattr(request, "param", "sqlite"))


@pytest.fixture
def shaken_speaking_town(_towns: Towns) -> Iterator[Town]:
    """The same, with a hotline that listens for Korean."""
    yield from _shaken(_towns, "speech sqlite")


def _shaken(towns: Towns, name: str) -> Iterator[Town]:
    """However a story of faults was told, the oracle has the last word: nothing lost, nothing doubled, no call left."""
    town = towns.whole(f"shaken {name}")
    begin_anew(town)
    own = dict(town.hotline.env)
    yield town
    nobody_rings_any_more(town)
    town.rows.wait_for(lambda: not oracle_of(town), 60, "clean bill", lambda: "; ".join(oracle_of(town)))
    end_calls(town)
    if town.hotline.env != own:
        # Its clock was moved: at another hour the next story's calls would wait for theirs.
        town.hotline.stop()
        town.hotline.env.update(own)
        town.hotline.start()


def oracle_of(town: Town) -> list[str]:
    """What is wrong with the rows and the channels, and who rang and is not in the list of callers."""
    with town.rows.session() as session:
        found = problems(session)
    rang = sum(not call.incoming and call.answered_at is not None for call in town.network.calls)
    listed = [call for call in town.rows.all(CallRow) if call.direction == "in"]
    if rang != len(listed):
        found.append(f"{rang} callers were answered, {len(listed)} are listed")
    found += [f"call {call.id} ({call.end}) never ended" for call in listed if call.ended_at is None]
    return found


def nobody_rings_any_more(town: Town) -> None:
    """All callers hang up, if they have not yet."""
    for call in list(town.network.calls):
        if not call.incoming:
            call.hangs_up()


def begin_anew(town: Town) -> None:
    """Nobody has rung yet, every telephone rings in vain until it is told what to do, and the rows are new."""
    town.network.calls.clear()
    town.network._phones.clear()
    for note in (town.hotline.folder / "spool").glob("*"):
        note.unlink(missing_ok=True)
    _patiently(lambda: _renew_rows(town))


def _patiently(write: Callable[[], None]) -> None:
    """Write beside the hotline: where it reads or writes just then, once more; its own work is short."""
    for patience in range(20):
        try:
            write()
            return
        except OperationalError:
            time.sleep(0.1 * patience)
    raise AssertionError("the hotline lets nobody write")


def _renew_rows(town: Town) -> None:
    with town.rows.writing() as session:
        if session.get_bind().dialect.name == "sqlite":
            session.execute(text("PRAGMA defer_foreign_keys=ON"))
            for table in metadata.sorted_tables:
                session.execute(table.delete())
        else:
            postgres.empty(session.connection())
        world.settle(session)


def end_calls(town: Town) -> None:
    """The story is over: everybody hangs up, and nobody else is dialled.

    A telephone that still rings stops: its next habit is no part of the story, and in vain it would ring for seconds.
    """
    nobody_rings_any_more(town)
    _patiently(lambda: _take_errands_away(town))
    known = -1
    while known != len(town.network.calls):
        # A call that ends may lead to another one, unless its errand is taken away.
        known = len(town.network.calls)
        for call in list(town.network.calls):
            call.hangs_up()
        _patiently(lambda: _take_errands_away(town))
        time.sleep(0.3)
    town.network.raise_problems()


def _take_errands_away(town: Town) -> None:
    with town.rows.writing() as session:
        now = datetime.now(UTC)
        session.execute(update(OutboxEntry).where(OutboxEntry.done_at.is_(None)).values(done_at=now))
        waiting = update(Attempt).where(Attempt.status == AttemptStatus.DUE)
        session.execute(waiting.values(status=AttemptStatus.CLOSED))
