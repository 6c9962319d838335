"""A process of dispatch says that it is at work: in a row for people, by a file for the supervisor."""

from __future__ import annotations

import logging
import os
import socket
import time
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError

from models import clock
from models.processes import ProcessBeat
from models.session import write
from models.settings import Settings, settings

log = logging.getLogger(__name__)

# The row is written so often at most (s); the file at every sign of life.
ROW_EVERY_S = 5.0
# Rows of processes that are gone are kept for so long, for their last error (hours).
KEPT_H = 24


def beat_file(chosen: Settings, kind: str) -> str:
    """Return the path whose time of change is the last sign of life of the process `kind`."""
    return str(chosen.run_dir / f"{kind}.beat")


class Beat:
    """The sign of life of this process. Made once in it; never raises."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._started = clock.now()
        self._written = 0.0
        self._error: tuple[str, datetime] | None = None
        self.done = 0

    def failed(self, where: str, error: BaseException) -> None:
        """Remember what went wrong: the place and the exception's name, never its text."""
        self._error = (f"{where}: {type(error).__name__}"[:80], clock.now())
        self._written = 0.0

    def beat(self) -> None:
        """At work. Cheap: the file at once, the row every few seconds."""
        path = beat_file(settings(), self._kind)
        try:
            os.utime(path)
        except FileNotFoundError:
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            except OSError:
                return
        except OSError:
            return
        if time.monotonic() - self._written >= ROW_EVERY_S:
            self._written = time.monotonic()
            try:
                self._write()
            except SQLAlchemyError as error:
                # The database is away; the file still says that this process is not.
                log.warning("no sign of life could be written: %s", type(error).__name__)

    def _write(self) -> None:
        now = clock.now()
        who = {"kind": self._kind, "host": socket.gethostname()[:80], "pid": os.getpid()}
        with write() as session:
            row = session.scalar(select(ProcessBeat).filter_by(**who))
            if row is None:
                row = ProcessBeat(**who, started_at=self._started, beat_at=now)
                session.add(row)
                old = ProcessBeat.beat_at < now - timedelta(hours=KEPT_H)
                session.execute(delete(ProcessBeat).where(old))
            row.started_at, row.beat_at, row.done = self._started, now, self.done
            if self._error is not None:
                row.last_error, row.last_error_at = self._error
