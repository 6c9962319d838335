"""A hotline's stores for a benchmark: a database at the newest schema, an embedded Redis, people to serve."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hotline import up
from models import clock, register, schema
from models.orphans import dies_with_me
from models.phone import normalise
from models.register import NewElder
from models.session import engine, write
from models.settings import settings
from tests.support import postgres
from tests.support.fresh import forget


@contextmanager
def hotline_in(folder: Path, **chosen: object) -> Iterator[None]:
    """Point this process's settings to `folder`; `chosen` are further HOTLINE_… settings. Later all is as before."""
    values = {"VAR_DIR": folder, "DATABASE_URL": "", "GATEWAY": "console", **chosen}
    wanted = {f"HOTLINE_{name}": str(value) for name, value in values.items()}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ |= wanted
    forget()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        forget()


@contextmanager
def stores(on_postgres: bool = False, redis: bool = True, **chosen: object) -> Iterator[Path]:
    """Run them; settings of this process point there. `chosen` are further HOTLINE_… settings."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hotline-bench-")))
        url = stack.enter_context(postgres.cluster(durable=True)) if on_postgres else ""
        stack.enter_context(hotline_in(folder, DATABASE_URL=url, **chosen))
        settings().run_dir.mkdir(parents=True)
        schema.upgrade(engine())
        if redis:
            _start_redis(stack)
        yield folder


def _start_redis(stack: ExitStack) -> None:
    """As `hotline up` starts it: append-only, synced every second."""
    for program in up.embedded_redis(settings()):
        process = subprocess.Popen(program.command, stdout=subprocess.DEVNULL, preexec_fn=dies_with_me())
        stack.callback(process.wait)
        stack.callback(process.kill)
    deadline = time.monotonic() + 10
    while not settings().redis_socket.exists():
        if time.monotonic() > deadline:
            raise AssertionError("Redis did not start")
        time.sleep(0.02)


def elders(count: int) -> list[int]:
    """Register so many elders, each with a telephone; return their ids."""
    with write() as session:
        return [
            register.add_elder(session, NewElder(f"王{n}", [normalise(f"+864511{n:07}")]), clock.now()).id
            for n in range(count)
        ]
