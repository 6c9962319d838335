"""What comes out the same for every test is worked out once a process: statements, addresses of pages, settings, rows.

Each test has an engine, a console and a database of its own, as it should. But SQLAlchemy compiles every statement anew
for each engine, and Werkzeug writes and compiles a function for each address of each console: a third of the units'
time. What pydantic asks of each setting's type, each time, and the rows that many tests begin with were the next tenth.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
import sqlalchemy
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from models import session

# The statements of all tests; an engine's own would hold 500.
_STATEMENTS: LRUCache[Any, Any] = LRUCache(10_000)
_COMPILE = Rule._compile_builder
_NAMES: dict[tuple[type, str], list[tuple[str, str, bool]]] = {}
_COMPLEX: dict[int, tuple[FieldInfo, tuple[bool, bool]]] = {}
_BUILDERS: dict[object, Callable[..., tuple[str, str]]] = {}
# The file of a database, and what was returned with it, by what was written into it.
_WRITTEN: dict[Hashable, tuple[bytes, bytes]] = {}
T = TypeVar("T")


def written(key: Hashable, write: Callable[[], T]) -> T:
    """Have `write` fill this test's new database and return what it says; the next time take the copy.

    Only for what does not depend on the moment, or has it in `key`. Whatever `write` returns is the test's own copy.
    """
    engine = session.engine()
    if engine.dialect.name != "sqlite":
        return write()
    file = Path(engine.url.database or "")
    if key not in _WRITTEN:
        told = write()
        # The last connection that ends takes the log of writes back into the file.
        engine.dispose()
        assert not file.with_name(f"{file.name}-wal").exists(), "a connection is still open"
        _WRITTEN[key] = file.read_bytes(), pickle.dumps(told)
        return told
    engine.dispose()
    content, pickled = _WRITTEN[key]
    file.write_bytes(content)
    return cast(T, pickle.loads(pickled))  # noqa: S301 (it was written above)


def share_statements(patch: pytest.MonkeyPatch) -> None:
    """Keep compiled statements by the kind of their dialect: all of ours are made in one way, by `make_engine`."""

    def create_engine(url: str, **more: Any) -> Engine:
        engine = sqlalchemy.create_engine(url, **more)
        engine._compiled_cache = _STATEMENTS
        return engine

    patch.setattr(session, "create_engine", create_engine)
    # Each mapper keeps what it compiles itself, by dialect too.
    for kind in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        patch.setattr(kind, "__eq__", lambda one, other: type(one) is type(other))
        patch.setattr(kind, "__hash__", lambda one: hash(type(one)))


def share_settings(patch: pytest.MonkeyPatch) -> None:
    """Keep what a setting's type says of it: the names of its variables, and whether its value is JSON."""
    names, complexity = EnvSettingsSource._extract_field_info, EnvSettingsSource._field_is_complex

    def extract(source: EnvSettingsSource, field: FieldInfo, name: str, *more: Any) -> list[tuple[str, str, bool]]:
        key = (source.settings_cls, name)
        if more or source.settings_cls.model_fields.get(name) is not field:
            return names(source, field, name, *more)
        if key not in _NAMES:
            _NAMES[key] = names(source, field, name)
        return _NAMES[key]

    def is_complex(source: EnvSettingsSource, field: FieldInfo) -> tuple[bool, bool]:
        # The field is kept as well, so that its id stays its own.
        if id(field) not in _COMPLEX:
            _COMPLEX[id(field)] = field, complexity(source, field)
        return _COMPLEX[id(field)][1]

    patch.setattr(EnvSettingsSource, "_extract_field_info", extract)
    patch.setattr(EnvSettingsSource, "_field_is_complex", is_complex)


def share_addresses(patch: pytest.MonkeyPatch) -> None:
    """Keep the functions that write the addresses of pages, by all that goes into them."""

    def compile_builder(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        kinds = tuple((name, type(converter)) for name, converter in rule._converters.items())
        key = (rule.rule, append_unknown, tuple(rule._trace), tuple((rule.defaults or {}).items()), kinds)
        if key not in _BUILDERS:
            _BUILDERS[key] = _COMPILE(rule, append_unknown)
        return _BUILDERS[key]

    patch.setattr(Rule, "_compile_builder", compile_builder)
