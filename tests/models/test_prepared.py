"""A prepared statement is the same statement: what SQLAlchemy would send and return, only sooner."""

from __future__ import annotations

import gc
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy import JSON, Engine, Insert, event, insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

import dispatch.jobs  # (whatever is prepared is imported by these two)
import ivr.server
from models.base import UtcDateTime
from models.calls import Call, CallEvent
from models.journal import Entry, last_data, note
from models.people import PhoneNumber
from models.prepared import Prepared
from models.rows import orm
from models.session import engine, read, write, write_rows

NOW = datetime(2026, 11, 22, 8, 30, 0, 1234, UTC)
SAMPLES = {int: 7, str: "喂", bool: True, datetime: NOW, date: NOW.date(), time: time(9, 30)}
ADD = Prepared(insert(PhoneNumber.__table__), "value", "kind")  # type: ignore[arg-type]
ASK = Prepared(select(PhoneNumber.id, PhoneNumber.value).order_by(PhoneNumber.id))

assert dispatch.jobs and ivr.server


@pytest.fixture(params=["database", "postgres_database"])
def either(request: pytest.FixtureRequest) -> Engine:
    """Both databases."""
    found: Engine = request.getfixturevalue(request.param)
    return found


class _Seen(Exception):
    """What went to the driver."""


def _sample(kind: Any) -> Any:
    if isinstance(kind, UtcDateTime):
        return NOW
    return {"喂": 1} if isinstance(kind, JSON) else SAMPLES[kind.python_type]


def _sent(statement: Any, values: Any) -> tuple[str, Any]:
    """Return what SQLAlchemy itself sends to the driver; it is not run."""

    def look(_c: Any, _cursor: Any, sql: str, parameters: Any, _context: Any, _many: bool) -> None:
        raise _Seen(sql, parameters)

    with engine().connect() as connection:
        event.listen(connection, "before_cursor_execute", look)
        with pytest.raises(_Seen) as seen:
            connection.execute(statement, values)
    return seen.value.args


def test_every_prepared_statement_is_what_sqlalchemy_sends(either: Engine) -> None:
    """Text, values, conversions and defaults, of each that the product has; random ids are only of the same kind."""
    # What was imported is kept out of the collector's sight.
    gc.unfreeze()
    # By type: a weak reference that lies about asks what it stands for, and that may be gone.
    found = [one for one in gc.get_objects() if type(one) is Prepared and one not in (ADD, ASK)]
    gc.freeze()
    assert len(found) > 15
    for one in found:
        statement, columns = one._statement, one._columns
        with write_rows() as rows:
            form = one._form(rows)
        if isinstance(statement, Insert):
            values = {name: _sample(statement.table.c[name].type) for name in columns}
        else:
            bound = statement.compile(engine())
            values = {name: _sample(b.type) for name, b in bound.binds.items() if b.required}
        sql, parameters = _sent(statement, values)
        assert form.sql == sql
        ours = form._parameters(values)
        if isinstance(ours, dict):
            assert ours.keys() == parameters.keys()
            pairs = [(ours[name], parameters[name]) for name in ours]
        else:
            pairs = list(zip(ours, parameters, strict=True))
        for mine, its in pairs:
            same_text = isinstance(mine, str) and len(mine) == len(its) == 16  # A random public id.
            assert same_text or mine == its or repr(mine) == repr(its), sql


def test_rows_come_back_as_they_were_written(either: Engine) -> None:
    with write() as session:
        call = Call(channel_id="1.1", direction="in", purpose="inbound", state="talking", started_at=NOW)
        session.add(call)
    with write_rows() as rows:
        note(rows, call.id, Entry.SLOT, NOW, slots={"service": "bathing"}, 词="喂")
        assert last_data(rows, call.id, Entry.SLOT) == {"slots": {"service": "bathing"}, "词": "喂"}
    with read() as session:
        assert session.scalars(select(CallEvent)).one().at == NOW
        assert Prepared(select(CallEvent.at)).scalar(session, {}) == NOW


def test_an_error_is_sqlalchemys_and_tells_no_values(either: Engine) -> None:
    with write_rows() as rows:
        first = ADD.insert(rows, {"value": "+8645112345678", "kind": "landline"})
    with pytest.raises(IntegrityError) as told, write_rows() as rows:
        ADD.insert(rows, {"value": "+8645112345679", "kind": "landline"})
        ADD.insert(rows, {"value": "+8645112345678", "kind": "landline"})
    assert "12345678" not in str(told.value).partition("DETAIL")[0]
    with write_rows() as rows:
        assert ASK.all(rows, {}) == [(first, "+8645112345678")]


def test_both_ways_of_writing_are_one_transaction(either: Engine) -> None:
    with pytest.raises(RuntimeError, match="broke"), write_rows() as rows:
        ADD.insert(rows, {"value": "1", "kind": "mobile"})
        with orm(rows) as session:
            session.add(PhoneNumber(value="2", kind="mobile"))
        ADD.run_all(rows, [{"value": "3", "kind": "mobile"}, {"value": "4", "kind": "mobile"}])
        assert [value for _, value in ASK.all(rows, {})] == ["1", "2", "3", "4"]
        raise RuntimeError("it broke")
    with write() as session:
        assert ASK.all(session, {}) == []
        session.add(PhoneNumber(value="5", kind="mobile"))
        session.flush()
        ADD.insert(session, {"value": "6", "kind": "mobile"})
    with write_rows() as rows:
        ADD.insert(rows, {"value": "7", "kind": "mobile"})
    with read() as session:
        assert [value for _, value in ASK.all(session, {})] == ["5", "6", "7"]


def test_a_commit_that_fails_leaves_nothing_open(either: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        """A driver's connection whose disk is full."""

        def __init__(self, driver: Any) -> None:
            self._driver = driver

        def __getattr__(self, name: str) -> Any:
            return getattr(self._driver, name)

        def commit(self) -> None:
            raise either.dialect.loaded_dbapi.OperationalError("database or disk is full")

    with pytest.raises(SQLAlchemyError, match="full"), write_rows() as rows:
        ADD.insert(rows, {"value": "1", "kind": "mobile"})
        rows.driver = Full(rows.driver)
    with write_rows() as rows:
        assert ASK.all(rows, {}) == []
