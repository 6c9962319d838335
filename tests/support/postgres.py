"""A PostgreSQL cluster of our own: unprivileged, on a socket in a folder that is gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models import toolbox


@contextmanager
def cluster() -> Iterator[str]:
    """Run a cluster; yield the SQLAlchemy URL of an empty database in it."""
    binaries = toolbox.postgres_bin_dir()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    as_user: dict[str, Any] = {}
    if os.getuid() == 0:
        # initdb refuses root.
        shutil.chown(folder, "nobody", "nogroup")
        as_user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
    data = folder / "data"
    log = folder / "log"
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c timezone=Asia/Shanghai"
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    run = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": folder, "env": environment}
    try:
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "hotline", "--auth=trust", "-E", "UTF8", "--no-sync"],
            **run,
            **as_user,
        )
        subprocess.run([binaries / "pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start"], **run, **as_user)
        try:
            yield f"postgresql+psycopg://hotline@/postgres?host={folder}"
        finally:
            subprocess.run([binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **run, **as_user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
