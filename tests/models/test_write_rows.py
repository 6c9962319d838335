"""The writers by Core: one after another, each whole or not at all."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import OperationalError

from models import session as sessions
from models.people import PhoneNumber
from models.rows import Rows, orm
from models.session import read, write_rows
from models.settings import settings


def put(rows: Rows, value: str) -> None:
    rows.connection().execute(insert(PhoneNumber.__table__), {"value": value, "kind": "mobile", "public_id": value})  # type: ignore[arg-type]


def numbers() -> list[str]:
    with read() as session:
        return list(session.scalars(select(PhoneNumber.value).order_by(PhoneNumber.value)))


def test_what_breaks_leaves_nothing_and_the_next_one_writes(database: Engine) -> None:
    with pytest.raises(RuntimeError, match="broke"), write_rows() as rows:
        put(rows, "1")
        raise RuntimeError("it broke")
    with write_rows() as rows:
        put(rows, "2")
    assert numbers() == ["2"]


def test_objects_are_written_in_the_same_transaction(database: Engine) -> None:
    with pytest.raises(RuntimeError, match="broke"), write_rows() as rows:
        with orm(rows) as session:
            session.add(PhoneNumber(value="1", kind="mobile"))
        raise RuntimeError("it broke")
    assert numbers() == []
    with write_rows() as rows, orm(rows) as session:
        session.add(PhoneNumber(value="2", kind="mobile"))
    assert numbers() == ["2"]


def test_many_calls_write_one_after_another(database: Engine) -> None:
    def call(number: int) -> None:
        for turn in range(5):
            with write_rows() as rows:
                put(rows, f"{number}{turn}")

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers()) == 40


def test_a_writer_that_never_ends_is_not_waited_for_for_ever(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "db_busy_ms", 50)
    begun, over = threading.Event(), threading.Event()

    def stuck() -> None:
        with write_rows():
            begun.set()
            over.wait(5)

    thread = threading.Thread(target=stuck)
    thread.start()
    begun.wait(5)
    try:
        with pytest.raises(OperationalError, match="still writing"), write_rows():
            pass
    finally:
        over.set()
        thread.join()
    assert sessions._writer(sessions.engine())._turn.acquire(blocking=False)


def test_the_turn_and_the_lock_are_waited_for_together_no_longer_than_once(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that waits for another call of this process, which waits for another process."""
    monkeypatch.setattr(settings(), "db_busy_ms", 1000)
    with write_rows():
        pass
    waits: list[float] = []

    def call(after: float) -> None:
        time.sleep(after)
        began = time.monotonic()
        with pytest.raises(OperationalError), write_rows():
            pass
        waits.append(time.monotonic() - began)

    other = sqlite3.connect(settings().var_dir / "hotline.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    threads = [threading.Thread(target=call, args=(after,)) for after in (0, 0.4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.execute("ROLLBACK")
    other.close()
    assert all(0.9 <= wait <= 1.5 for wait in waits), waits
    with write_rows() as rows:
        put(rows, "1")


def test_a_turn_does_not_wait_for_the_disk_and_whatever_is_promised_does(database: Engine) -> None:
    if database.dialect.name != "sqlite":
        pytest.skip("PostgreSQL waits by itself")

    def syncs(rows: Rows) -> object:
        return rows.driver.execute("PRAGMA synchronous").fetchone()[0]

    with write_rows(synced=False) as rows:
        assert syncs(rows) == 1
        put(rows, "1")
    other = sqlite3.connect(settings().var_dir / "hotline.db")
    assert other.execute("SELECT count(*) FROM phone_numbers").fetchone() == (1,), "another process reads it"
    other.close()
    with write_rows() as rows:
        assert syncs(rows) == 2
    with pytest.raises(RuntimeError), write_rows(synced=False):
        raise RuntimeError("broke")
    with write_rows() as rows:
        assert syncs(rows) == 2
