"""A town for each journey: the hotline, the public network, and a fresh database.

The two Asterisks and the hotline's processes are started once for all journeys
of a test process; every journey begins with an emptied database.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ivr.prompts.catalogue import CATALOGUE
from models import vocabulary
from models.tables import metadata
from tests.support import world
from tests.support.carrier import Carrier
from tests.support.hotline_process import HotlineProcess
from tests.support.world import Rows

# What is spoken in place of variables, by code; the far end is to name it in failures.
CODES = [
    *CATALOGUE,
    *vocabulary.LANGUAGES,
    *(c.code for group in vocabulary.GRAMMARS.values() for c in group),
    "王/f", "김/f", "道里区", "康乐助浴", "安心到家", "邻里帮", "some_service",
    *(str(number) for number in range(1001, 1100)),
]  # fmt: skip


@dataclass
class Town:
    """Everything a journey needs."""

    network: Carrier
    hotline: HotlineProcess
    rows: Rows


def morning_offset() -> float:
    """Seconds from now to 9:00 in Harbin: no journey depends on the hour of the day."""
    harbin = datetime.now(UTC) + timedelta(hours=8)
    nine = harbin.replace(hour=9, minute=0, second=0, microsecond=0)
    return (nine - harbin).total_seconds()


def settings_for_tests(**more: object) -> dict[str, object]:
    """Short clocks, tones for prompts, an agents' telephone."""
    return {
        "VOICE": "tones",
        "SPEECH": "false",
        "AGENT_PHONES": json.dumps([world.AGENT]),
        "CLOCK_OFFSET_S": morning_offset(),
        "ANSWER_TIMEOUT_MS": 4000,
        "OFFER_RING_S": 4,
        "CALLBACK_RING_S": 4,
        "CALLBACK_RETRY_S": 2,
        "AGENT_RING_S": 4,
        "QUEUE_WAIT_S": 6,
        "SWEEP_S": 0.5,
        "LOST_CALL_S": 4,
        "LOST_JOB_S": 3,
        "TRANSIENT_RETRY_S": 1,
        **more,
    }


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the database under test."""
    yield f"sqlite:///{tmp_path_factory.mktemp('hotline') / 'hotline.db'}"


@pytest.fixture(scope="session")
def running(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Carrier, HotlineProcess, str]]:
    """The network and the hotline, running."""
    folder = tmp_path_factory.mktemp("var")
    with Carrier() as network:
        network.learn(CODES)
        settings = settings_for_tests(DATABASE_URL=database)
        with HotlineProcess(folder, network.address, settings) as hotline:
            network.hotline = hotline.sip
            yield network, hotline, database


@pytest.fixture
def town(running: tuple[Carrier, HotlineProcess, str]) -> Iterator[Town]:
    """A fresh town: nobody has rung yet."""
    network, hotline, url = running
    _forget(network)
    rows = Rows(url)
    _empty(rows, hotline.folder)
    with rows.writing() as session:
        world.settle(session)
    yield Town(network, hotline, rows)
    for call in list(network.calls):
        call.hangs_up()
    network.raise_problems()
    rows.close()


def _empty(rows: Rows, folder: Path) -> None:
    for note in (folder / "spool").glob("*"):
        note.unlink()
    with rows.writing() as session:
        if session.get_bind().dialect.name == "sqlite":
            session.execute(text("PRAGMA defer_foreign_keys=ON"))
        for table in reversed(metadata.sorted_tables):
            session.execute(table.delete())


def _forget(network: Carrier) -> None:
    """Nobody has rung yet, and every telephone rings in vain until it is told what to do."""
    network.calls.clear()
    network._phones.clear()
