"""Sessions: short, explicit, never open across a call, a provider request or a transcription."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.rows import Rows
from models.settings import settings
from models.tables import metadata

# Foreign keys reach across modules: whoever has a session must have all tables.
assert metadata.tables  # noqa: S101

# A wait for the turn that is not worth being taken off the wait for the lock (ms).
NOTHING_MS = 50


def make_engine(url: str) -> Engine:
    """Create the engine of `url`: SQLite (WAL, full sync, foreign keys, immediate writes) or PostgreSQL."""
    if not url.startswith("sqlite"):
        # A pool that notices a restarted server, and a server that gives up a waiting statement.
        bounds = f"-c lock_timeout={settings().db_busy_ms} -c statement_timeout={settings().db_statement_ms}"
        return create_engine(
            url,
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=20,
            pool_timeout=settings().db_busy_ms / 1000,
            # Two seconds are the least that the driver can be told.
            connect_args={"connect_timeout": 2, "options": bounds},
            hide_parameters=True,
        )
    # hide_parameters: an error's text goes to the log, and the parameters are people's names and numbers.
    engine = create_engine(
        url,
        connect_args={"timeout": settings().db_busy_ms / 1000},
        pool_size=10,
        max_overflow=50,
        pool_timeout=settings().db_busy_ms / 1000,
        # The connection that was used last has its pages and statements at hand.
        pool_use_lifo=True,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN is deferred and late; ours is sent in `_begin`.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={settings().db_busy_ms}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver = cast(sqlite3.Connection, connection.connection.driver_connection)
        if not driver.in_transaction:  # `write_rows` has begun it already.
            _begin_sqlite(driver, "DEFERRED" if connection.get_execution_options().get("read_only") else "IMMEDIATE")

    return engine


def _begin_sqlite(driver: sqlite3.Connection, mode: str = "IMMEDIATE") -> None:
    """Begin. A writer takes the lock at once: a read that is upgraded later can fail with "locked" without waiting."""
    try:
        # The driver's own call: SQLAlchemy's costs as much as a row, in each of a call's transactions.
        driver.execute(f"BEGIN {mode}")
    except sqlite3.Error as error:
        raise OperationalError(f"BEGIN {mode}", None, error) from error


def serve_callers() -> None:
    """Let this process wait for the database no longer than somebody on the telephone may be left without an answer.

    Call it before the first session.
    """
    chosen = settings()
    chosen.db_busy_ms = chosen.db_statement_ms = chosen.db_caller_ms


@cache
def engine() -> Engine:
    """Return the engine of this process."""
    url = settings().sqlalchemy_url
    if url.startswith("sqlite:///"):
        settings().var_dir.mkdir(parents=True, exist_ok=True)
    return make_engine(url)


@contextmanager
def write() -> Iterator[Session]:
    """Open a transaction for writing; commits at the end, rolls back on any exception."""
    with Session(engine(), expire_on_commit=False) as session, session.begin():
        yield session


class _Writer:
    """SQLite's one writer of this process: a connection that stays, and the queue of those who want it.

    SQLite lets one write at a time in any case and has the others look again
    after a while; here the next one is woken at once, and nothing is opened.
    """

    def __init__(self, engine: Engine) -> None:
        self._turn = threading.Lock()
        self._connection = engine.connect()
        self._synced = True

    @contextmanager
    def turn(self, synced: bool) -> Iterator[Connection]:
        """Wait for the turn to write, then have the connection with the lock taken. `synced`: see `write_rows`."""
        began, patience_ms = time.monotonic(), settings().db_busy_ms
        if not self._turn.acquire(timeout=patience_ms / 1000):
            raise OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("another call is still writing"))
        try:
            driver = cast(sqlite3.Connection, self._connection.connection.driver_connection)
            if synced != self._synced:
                # It cannot be changed inside of a transaction.
                driver.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
                self._synced = synced
            left_ms = patience_ms - round((time.monotonic() - began) * 1000)
            if left_ms > patience_ms - NOTHING_MS:
                _begin_sqlite(driver)
            else:
                # Another process may hold the lock as well: both waits together are no longer than one.
                driver.execute(f"PRAGMA busy_timeout={max(left_ms, 1)}")
                try:
                    _begin_sqlite(driver)
                finally:
                    driver.execute(f"PRAGMA busy_timeout={patience_ms}")
            yield self._connection
        finally:
            self._turn.release()


@cache
def _writer(engine: Engine) -> _Writer:
    return _Writer(engine)


@contextmanager
def write_rows(synced: bool = True) -> Iterator[Rows]:
    """Open a transaction for writing by Core; commits at the end, rolls back on any exception.

    For what runs while somebody is on the telephone: it costs a third of `write`. What is not `synced` outlives the
    end of every process, and a power cut once anything after it has been synced: a turn of the journal, nothing that
    anybody was promised. On SQLite, where the disk is waited for by this process.
    """
    one = engine()
    with _writer(one).turn(synced) if one.dialect.name == "sqlite" else one.connect() as connection:
        rows = Rows(connection)
        try:
            yield rows
        except BaseException:
            rows.rollback()
            raise
        rows.commit()


@contextmanager
def read_rows() -> Iterator[Rows]:
    """Open a connection for reading what a prepared statement asks for; each statement sees what is committed then."""
    with engine().connect() as connection:
        yield Rows(connection)


@contextmanager
def read() -> Iterator[Session]:
    """Open a transaction for reading only."""
    with Session(_reader(engine()), expire_on_commit=False) as session:
        yield session


@cache
def _reader(engine: Engine) -> Engine:
    """Return the same engine for reading: made once, it is asked many times a second."""
    return engine.execution_options(read_only=True)


def inserted_id(result: CursorResult[Any]) -> int:
    """Return the id of the one row that an insert of Core has made, on either database."""
    row = result.inserted_primary_key
    assert row is not None  # noqa: S101 (an insert of one row has one)
    return cast(int, row[0])
