"""A console of its own for each test: a fresh database, settings from the environment, caches emptied."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.test import TestResponse

from agents import accounts
from models import session, settings
from tests.support.fresh import forget
from tests.web.secret import SECRET
from tests.web.world import PASSWORD, World
from web.app import create_app
from web.config import ConsoleSettings


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One Chromium a file: not one for each worker that comes by."""
    for item in items:
        if item.get_closest_marker("browser") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(f"browser {item.path.stem}"))


@pytest.fixture
def var_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _empty_sqlite: Path) -> Iterator[Path]:
    """A fresh hotline's folder with an empty database, named by the environment."""
    monkeypatch.setenv("HOTLINE_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", f"sqlite:///{tmp_path / 'hotline.db'}")
    monkeypatch.setenv("HOTLINE_WEB_SECRET", SECRET)
    forget()
    (tmp_path / "hotline.db").write_bytes(_empty_sqlite.read_bytes())
    yield tmp_path
    forget()


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same kind of hash with less work in it: the tests make hundreds."""
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def broken_database(var_dir: Path) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """`with broken_database():` the database cannot be reached."""
    unreachable = session.make_engine("sqlite:////nowhere/at/all.db")
    real = session.engine

    @contextmanager
    def broken() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session, "engine", lambda: unreachable)
            yield
        assert session.engine is real

    yield broken
    unreachable.dispose()


@pytest.fixture
def world(var_dir: Path) -> World:
    """An empty town."""
    return World()


class _Compiled(BytecodeCache):
    """Templates that were compiled for one test's console are there for the next one's."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill it, if it was compiled before; it knows by its source whether it still fits."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what has been compiled."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


@pytest.fixture
def app(var_dir: Path) -> Flask:
    """The console; its watcher is quick and its heart beats fast."""
    console = ConsoleSettings(watch_s=0.02, heartbeat_s=0.2, refresh_s=0.5)
    app = create_app(settings.settings(), console)
    app.config["TESTING"] = True
    app.jinja_env.bytecode_cache = _COMPILED
    return app


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Somebody's browser, not logged in."""
    return Browser(app)


class Browser:
    """A client that fills in forms as a page would: with the token that the page carries."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()

    def get(self, path: str, **more: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(path, **more)

    def token(self, path: str = "/login") -> str:
        """The token of the first form on a page."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).text)
        assert found, f"no form on {path}"
        return found[1]

    def post(self, path: str, form: Mapping[str, str | list[str]], page: str = "/login") -> TestResponse:
        """Send a form that stands on `page`."""
        return self.client.post(path, data={"csrf_token": self.token(page), **form})

    def login(self, name: str, password: str = PASSWORD, **more: str) -> TestResponse:
        """Log in."""
        return self.post("/login", {"name": name, "password": password, **more})


@pytest.fixture
def agent(world: World, browser: Browser) -> Browser:
    """An agent's browser, logged in."""
    world.user("小陈")
    assert browser.login("小陈").status_code == 303
    return browser
