"""The migrations make exactly the tables of the models, on both databases, and rows erase what they must."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, make_url, text
from sqlalchemy.exc import IntegrityError

from models import schema
from models.session import make_engine, write
from models.tables import metadata


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        return list(compare_metadata(context, metadata))


def test_one_head_and_the_database_stands_on_it(database: Engine) -> None:
    (head,) = schema.heads()
    assert schema.current(database) == head
    schema.upgrade(database)
    assert schema.current(database) == head


def test_the_migrations_make_the_models_tables_on_sqlite(database: Engine) -> None:
    assert differences(database) == []
    assert set(inspect(database).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_the_migrations_make_the_models_tables_on_postgresql(postgres_database: Engine) -> None:
    assert differences(postgres_database) == []


def test_sqlite_keeps_what_it_was_told(database: Engine) -> None:
    with database.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_a_writer_takes_the_lock_at_once(database: Engine) -> None:
    with write() as session:
        session.connection()
        with closing(sqlite3.connect(str(database.url.database), timeout=0.05)) as second:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                second.execute("BEGIN IMMEDIATE")
            # Readers go on meanwhile.
            assert second.execute("SELECT count(*) FROM people").fetchone() == (0,)


@pytest.mark.parametrize("name", ["database", "postgres_database"])
def test_an_error_of_the_database_does_not_quote_people(name: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(name)
    with pytest.raises(IntegrityError) as caught, write() as session:
        statement = text(
            "INSERT INTO people (public_id, name, family_name, language, created_at)"
            " VALUES (:p, :name, NULL, 'zh-CN', CURRENT_TIMESTAMP)"
        )
        session.execute(statement, {"p": "x", "name": "王秀英"})
    shown = str(caught.value).split("DETAIL")[0]
    assert "王秀英" not in shown


def test_no_column_holds_a_path_and_money_is_whole() -> None:
    for table in metadata.tables.values():
        for column in table.columns:
            assert not re.search(r"path|file", column.name), f"{table.name}.{column.name}"
            assert column.type.__class__.__name__ not in ("Float", "Numeric"), f"{table.name}.{column.name}"
            assert column.type.__class__.__name__ != "DateTime", f"{table.name}.{column.name} would take naive times"


def test_journal_history_and_outbox_have_no_room_for_people() -> None:
    for name in ("call_events", "order_events", "outbox"):
        columns = {column.name for column in metadata.tables[name].columns}
        assert columns <= {
            "id", "call_id", "at", "kind", "data", "order_id", "from_status", "to_status", "actor", "actor_id",
            "verb", "subject_id", "created_at", "due_at", "enqueued_at", "done_at", "failures",
        }  # fmt: skip


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_a_hotline_with_calls_is_brought_to_the_newest_schema(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if name == "sqlite":
        engine = make_engine(f"sqlite:///{tmp_path / 'old.db'}")
    else:
        url = make_url(request.getfixturevalue("_postgres_url"))
        cluster = make_engine(url.render_as_string(False))
        with cluster.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("DROP DATABASE IF EXISTS old"))
            connection.execute(text("CREATE DATABASE old"))
        cluster.dispose()
        engine = make_engine(url.set(database="old").render_as_string(False))
    schema.upgrade(engine, "0001")
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO people (id, public_id, name, family_name, language, created_at)"
            " VALUES (1, 'a', '王', '王', 'zh-CN', '2026-11-22 01:00:00')",
            "INSERT INTO elders (id, address, card_number, needs) VALUES (1, '', 'D-0001', '')",
            "INSERT INTO calls (id, public_id, channel_id, direction, purpose, state, elder_id, language, started_at)"
            " VALUES (1, 'b', 'c', 'in', 'inbound', 'ended', 1, 'zh-CN', '2026-11-22 01:00:00')",
            "INSERT INTO call_events (id, call_id, at, kind, data)"
            " VALUES (1, 1, '2026-11-22 01:00:00', 'answered', '{}')",
        ):
            connection.execute(text(statement))
    schema.upgrade(engine)
    assert differences(engine) == []
    with engine.connect() as connection:
        assert connection.execute(text("SELECT card_digits FROM elders")).scalar() == "0001"
        assert connection.execute(text("SELECT identified_by FROM calls")).scalar() == "none"
    engine.dispose()
