"""Ports for everything one test world starts, taken so that no other world can collide.

Asking the system for a free port and using it later is a race that parallel
tests lose now and then. Here a whole block of ports is held by a file lock for
as long as its owner lives; the system gives the lock back if the owner dies.
The blocks lie below the range from which the system hands out ports itself.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import IO

_FIRST, _LAST, _SIZE = 10000, 32000, 400
# The first ports of a block are for servers, the rest for the sound of calls (two ports a call).
_SERVERS = 40


class PortBlock:
    """One reserved block: `take()` gives a server's port, `rtp` the range for media (180 calls; more with `wide`)."""

    def __init__(self, wide: int = 1) -> None:
        folder = Path(tempfile.gettempdir()) / f"hotline-ports-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        self._size = wide * _SIZE
        starts = list(range(_FIRST, _LAST - self._size + 1, _SIZE))
        random.shuffle(starts)
        for start in starts:
            self._locks = [lock for at in range(start, start + self._size, _SIZE) if (lock := _lock(folder / str(at)))]
            if len(self._locks) == wide:
                self.first = start
                self._next = start
                return
            self.release()
        raise RuntimeError("every block of test ports is in use")

    def take(self) -> int:
        """The next port of the block on which nobody listens, neither TCP nor UDP."""
        while self._next < self.first + _SERVERS:
            port = self._next
            self._next += 1
            if _is_free(port):
                return port
        raise RuntimeError(f"no free port left in the block of {self.first}")

    @property
    def rtp(self) -> tuple[int, int]:
        """First and last port for media."""
        return self.first + _SERVERS, self.first + self._size - 1

    def release(self) -> None:
        """Gives the block back."""
        while self._locks:
            self._locks.pop().close()


def _lock(file: Path) -> IO[str] | None:
    """Takes the lock of one block; None if somebody else has it."""
    lock = file.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            # As servers do it: a connection that is only waiting for its end does not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == socket.SOCK_STREAM))
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
