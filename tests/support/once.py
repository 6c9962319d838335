"""What comes out the same for every test is worked out once a process: statements, addresses of pages.

Each test has an engine and a console of its own, as it should. But SQLAlchemy compiles every statement anew for each
engine, and Werkzeug writes and compiles a function for each address of each console: a third of the units' time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from models import session

# The statements of all tests; an engine's own would hold 500.
_STATEMENTS: LRUCache[Any, Any] = LRUCache(10_000)
_COMPILE = Rule._compile_builder
_BUILDERS: dict[object, Callable[..., tuple[str, str]]] = {}


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


def share_addresses(patch: pytest.MonkeyPatch) -> None:
    """Keep the functions that write the addresses of pages, by all that goes into them."""

    def compile_builder(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        kinds = tuple((name, type(converter)) for name, converter in rule._converters.items())
        key = (rule.rule, append_unknown, tuple(rule._trace), tuple((rule.defaults or {}).items()), kinds)
        if key not in _BUILDERS:
            _BUILDERS[key] = _COMPILE(rule, append_unknown)
        return _BUILDERS[key]

    patch.setattr(Rule, "_compile_builder", compile_builder)
