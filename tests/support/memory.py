"""The tests' folders lie in memory where there is plenty of it: a commit waits for no disk, and means the same.

Thousands of short-lived databases, all with full sync as in service, took a tenth of the run in waits for the disk.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil
import pytest

_MEMORY = Path("/dev/shm")
# Short: sockets lie in these folders, and the kernel allows a path of 107 bytes.
_PREFIX = f"hotline-{os.getuid()}-"
# A whole run needs less than 1 GB; the towns need the rest.
_ENOUGH = 6 << 30
_FOLDER = pytest.StashKey[Path]()


def use(config: pytest.Config) -> None:
    """Have this run and its workers keep their folders in memory, unless somebody has said where."""
    if os.environ.get("PYTEST_DEBUG_TEMPROOT") or config.option.basetemp or not _fits():
        return
    for old in _MEMORY.glob(f"{_PREFIX}*"):
        # What a run has left that failed, or was killed.
        if not psutil.pid_exists(int(old.name.removeprefix(_PREFIX))):
            shutil.rmtree(old, ignore_errors=True)
    folder = config.stash[_FOLDER] = _MEMORY / f"{_PREFIX}{os.getpid()}"
    config.option.basetemp = str(folder)


def leave(config: pytest.Config, failed: bool) -> None:
    """Give the memory back; after a failure at the beginning of the next run, for somebody may want to look."""
    if _FOLDER in config.stash and not failed:
        config.add_cleanup(lambda: shutil.rmtree(config.stash[_FOLDER], ignore_errors=True))


def _fits() -> bool:
    try:
        there = os.statvfs(_MEMORY)
    except OSError:
        return False
    # Some tests start programs that they have put into their folder.
    usable = os.access(_MEMORY, os.W_OK) and not there.f_flag & os.ST_NOEXEC
    return usable and min(there.f_bavail * there.f_frsize, psutil.virtual_memory().available) > _ENOUGH
