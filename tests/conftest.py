"""What every room's tests need: a fresh database in a folder of their own, and a PostgreSQL for those that ask."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models import schema, session
from models.orphans import dies_with
from tests.support import groups, memory, once, postgres
from tests.support.fresh import forget
from tests.support.groups import pytest_configure_node, pytest_xdist_make_scheduler
from tests.support.patience import PATIENCE

__all__ = ["pytest_configure_node", "pytest_xdist_make_scheduler"]

# Nothing that is imported for the tests is garbage.
gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """A worker of xdist ends with the run that started it, and with the worker all that it has started."""
    if hasattr(config, "workerinput"):
        dies_with(os.getppid())
    else:
        memory.use(config)
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    once.share_settings(patch)
    once.share_statements(patch)
    once.share_addresses(patch)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the scheduler the groups; and what was imported is never walked again in search of garbage."""
    groups.tell(session)
    gc.freeze()
    # A test drops a whole console: looked for after every 700 objects, garbage costs a twentieth of the run.
    gc.set_threshold(10_000, 20, 10)
    gc.enable()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Give back what the run's folders took of the memory."""
    memory.leave(session.config, failed=exitstatus != pytest.ExitCode.OK)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A patient machine has more time for a test, its towns included."""
    if PATIENCE > 1:
        usual = float(config.getini("timeout"))
        for item in items:
            mark = item.get_closest_marker("timeout")
            seconds = float(mark.args[0]) if mark and mark.args else usual
            item.add_marker(pytest.mark.timeout(seconds * PATIENCE), append=False)


@pytest.fixture
def hotline_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A hotline's empty folder, named by the environment; the gateway rings nobody, Redis is away.

    It speaks in tones: the stand-in voice is two processes for each sentence that a folder has not heard yet.
    """
    monkeypatch.setenv("HOTLINE_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("HOTLINE_VOICE", "tones")
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "")
    monkeypatch.setenv("HOTLINE_GATEWAY", "console")
    forget()
    yield tmp_path
    forget()


@pytest.fixture(scope="session")
def _empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a database that has its tables and nothing in them: made once, copied for each test."""
    path = tmp_path_factory.mktemp("schema") / "hotline.db"
    engine = session.make_engine(f"sqlite:///{path}")
    schema.upgrade(engine)
    with engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture
def database(hotline_dir: Path, _empty_sqlite: Path) -> Engine:
    """A fresh SQLite database at the newest schema."""
    (hotline_dir / "hotline.db").write_bytes(_empty_sqlite.read_bytes())
    return session.engine()


@pytest.fixture(scope="session")
def _postgres_url() -> Iterator[str]:
    with postgres.cluster() as url:
        engine = session.make_engine(url)
        schema.upgrade(engine)
        engine.dispose()
        yield url


@pytest.fixture
def postgres_database(hotline_dir: Path, monkeypatch: pytest.MonkeyPatch, _postgres_url: str) -> Engine:
    """An emptied PostgreSQL database at the newest schema."""
    monkeypatch.setenv("HOTLINE_DATABASE_URL", _postgres_url)
    forget()
    with session.engine().begin() as connection:
        postgres.empty(connection)
    return session.engine()
