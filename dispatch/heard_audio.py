"""Audio of spoken answers: from the speech server's spool to the call's rows, and its end.

The speech server knows no calls. It leaves what she said in the spool under its
content key and hands the key to the conversation, whose row makes it a
recording. What no row asked for is deleted; how long the others are kept stands
in dispatch/retention.py.
"""

from __future__ import annotations

import logging
import re
import time
from datetime import datetime

from sqlalchemy.orm import Session

from models import audio
from models.audio import Audio
from models.settings import settings

log = logging.getLogger(__name__)

KIND = "utterance"
# A call asks for its audio within seconds; what lies longer in the spool belongs to a call that was cut (s).
UNCLAIMED_S = 3600
_KEY = re.compile(r"[0-9a-f]{64}")
_HEADER_BYTES = 44
_BYTES_PER_MS = 16


def recording(session: Session, call_id: int, key: str, now: datetime) -> Audio | None:
    """Take the audio of `key` out of the spool into the store and return its new row; None if it is not there."""
    if not _KEY.fullmatch(key):
        return None
    source = settings().heard_dir / f"{key}.wav"
    try:
        length = max(0, source.stat().st_size - _HEADER_BYTES) // _BYTES_PER_MS
        stored = audio.keep(settings().audio_dir, source)
    except OSError as error:
        log.warning("the audio of an answer could not be kept: %s", error.strerror)
        return None
    row = Audio(content_key=stored, kind=KIND, call_id=call_id, duration_ms=length, created_at=now)
    session.add(row)
    session.flush()
    return row


def delete_unclaimed() -> None:
    """Delete what nobody took out of the spool."""
    unclaimed = time.time() - UNCLAIMED_S
    for path in settings().heard_dir.glob("*"):
        try:
            if path.stat().st_mtime < unclaimed:
                path.unlink()
        except FileNotFoundError:
            continue
