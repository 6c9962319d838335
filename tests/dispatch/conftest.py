"""A town on SQLite, and one on PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from dispatch import outbox
from tests.dispatch.town import Town


@pytest.fixture(autouse=True)
def _no_redis(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Redis is only a hint: the rules hold without it. Its own test brings a real one."""
    if "valkey" not in request.fixturenames:
        monkeypatch.setattr(outbox, "wake", lambda ids: len(list(ids)))


@pytest.fixture
def town(database: Engine, monkeypatch: pytest.MonkeyPatch) -> Town:
    return Town(monkeypatch)


@pytest.fixture
def postgres_town(postgres_database: Engine, monkeypatch: pytest.MonkeyPatch) -> Town:
    return Town(monkeypatch)
