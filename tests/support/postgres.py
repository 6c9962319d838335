"""A PostgreSQL cluster of our own: unprivileged, on a socket in a folder that is gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, delete, text

from models import toolbox
from models.orphans import dies_with_me
from models.tables import metadata
from tests.support.patience import PATIENCE

START_S = 30


@contextmanager
def cluster(durable: bool = False) -> Iterator[str]:
    """Run a cluster; yield the SQLAlchemy URL of an empty database in it.

    What is committed outlives every process; the machine as well if `durable`, which a test cannot tell apart and a
    measurement can.
    """
    binaries = toolbox.postgres_bin_dir()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_short_and_open()))
    run: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.STDOUT,
        "cwd": folder,
    }
    run["env"] = {**os.environ, "LC_ALL": "C.UTF-8"}
    if os.getuid() == 0:
        # initdb refuses root.
        shutil.chown(folder, "nobody", "nogroup")
        run |= {"user": "nobody", "group": "nogroup", "extra_groups": []}
    data = folder / "data"
    options = {
        "listen_addresses": "",
        "unix_socket_directories": folder,
        "timezone": "Asia/Shanghai",
        # Not in /dev/shm, which may be small and keeps what a killed server leaves.
        "dynamic_shared_memory_type": "mmap",
        "fsync": "on" if durable else "off",
    }
    try:
        made = subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "hotline", "--auth=trust", "-E", "UTF8", "--no-sync"],
            **{**run, "stdout": subprocess.PIPE}, text=True, errors="replace",
        )  # fmt: skip
        if made.returncode:
            raise AssertionError(f"initdb ended with {made.returncode}:\n{made.stdout}")
        # Not by pg_ctl, whose server is nobody's child: this one ends with us, at once and with what it shares.
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [binaries / "postgres", "-D", data, *(f"--{name}={value}" for name, value in options.items())],
                **{**run, "stdout": log}, preexec_fn=dies_with_me(signal.SIGQUIT),
            )  # fmt: skip
        try:
            _wait(server, folder)
            yield f"postgresql+psycopg://hotline@/postgres?host={folder}"
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def empty(connection: Connection) -> None:
    """Delete every row, and let ids begin anew; whoever writes just then is waited for.

    Of all tables a test writes into a few: TRUNCATE would make new files for each of them, a second's work.
    """
    names = [table.name for table in metadata.sorted_tables]
    connection.execute(text(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE"))
    # Keys are not looked at while everything goes.
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    one = "SELECT '{0}' WHERE EXISTS (SELECT FROM {0})"
    for name in connection.scalars(text(" UNION ALL ".join(one.format(name) for name in names))).all():
        connection.execute(delete(metadata.tables[name]))
    connection.execute(text("SET LOCAL session_replication_role = origin"))
    anew = "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences"
    connection.execute(text(f"{anew} WHERE last_value IS NOT NULL"))


def _short_and_open() -> Path | None:
    """Where a cluster can lie: the kernel takes 107 bytes as a socket's path, and root's runs as nobody."""
    for name in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        path = Path(name).resolve()
        reached = os.getuid() or all(part.stat().st_mode & 0o001 for part in (path, *path.parents))
        if len(os.fsencode(path)) < 70 and reached and os.access(path, os.W_OK | os.X_OK):
            return path
    return None


def _wait(server: subprocess.Popen[bytes], folder: Path) -> None:
    """Until it takes connections."""
    deadline = time.monotonic() + START_S * PATIENCE
    while True:
        try:
            psycopg.connect(host=str(folder), user="hotline", dbname="postgres").close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                said = (folder / "log").read_text(errors="replace")
                raise AssertionError(f"PostgreSQL did not start:\n{said[-4000:]}") from error
            time.sleep(0.05)
        else:
            return
