"""Has messages written down, one after another, in a process each (ivr/transcripts.py). The rows are the queue."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from models import clock
from models.audio import Audio, Transcript
from models.session import read, write
from models.settings import ROOT, settings

log = logging.getLogger(__name__)

# Two minutes at most are recorded; decoding runs at about real time. Longer than this, and it hangs (s).
LONGEST_S = 600
# What somebody is to read as well as hear.
_WRITTEN_DOWN = ("message", "word", "care_word")
# What could not be written down for so long has been listened to by now.
_FRESH = timedelta(days=7)


def run(stop: threading.Event) -> None:
    """Work until `stop`. Where nothing listens (HOTLINE_SPEECH=false), nothing is written down either."""
    while settings().speech and not stop.wait(settings().sweep_s):
        try:
            audio_id = due(clock.now())
            if audio_id is not None:
                one(audio_id, stop)
        except (SQLAlchemyError, OSError):
            log.exception("a message could not be written down yet")


def due(now: datetime) -> int | None:
    """Return the oldest message that nobody has tried to write down."""
    waiting = (
        select(Audio.id)
        .where(
            Audio.kind.in_(_WRITTEN_DOWN),
            Audio.transcript.is_(None),
            Audio.erased_at.is_(None),
            Audio.created_at > now - _FRESH,
        )
        .order_by(Audio.id)
        .limit(1)
    )
    with read() as session:
        return session.scalar(waiting)


def one(audio_id: int, stop: threading.Event, command: tuple[str, ...] = ("-m", "ivr.transcripts")) -> None:
    """Have one message written down; what breaks the process is not tried again."""
    process = subprocess.Popen([sys.executable, *command, str(audio_id)], cwd=ROOT)
    deadline = time.monotonic() + LONGEST_S
    while process.poll() is None:
        if stop.wait(0.1):
            process.terminate()
            process.wait()
            return
        if time.monotonic() > deadline:
            process.kill()
    # A process that ended well has written how it went; the others leave the row as it was.
    with write() as session:
        unwritten = update(Audio).where(Audio.id == audio_id, Audio.transcript.is_(None))
        session.execute(unwritten.values(transcript=Transcript.FAILED))
