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
    run: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": folder}
    run["env"] = {**os.environ, "LC_ALL": "C.UTF-8"}
    if os.getuid() == 0:
        # initdb refuses root.
        shutil.chown(folder, "nobody", "nogroup")
        run |= {"user": "nobody", "group": "nogroup", "extra_groups": []}
    data = folder / "data"
    log = folder / "log"
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c timezone=Asia/Shanghai"
    try:
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "hotline", "--auth=trust", "-E", "UTF8", "--no-sync"],
            **run,
        )
        subprocess.run([binaries / "pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start"], **run)
        try:
            yield f"postgresql+psycopg://hotline@/postgres?host={folder}"
        finally:
            subprocess.run([binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **run)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
