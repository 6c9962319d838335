"""What a caller said after the tone: from the file that Asterisk wrote into the one store of audio."""

from __future__ import annotations

import wave
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import audio
from models.audio import Audio
from models.calls import Call
from models.journal import Entry, note
from models.settings import settings

# Shorter recordings are a breath and a click (ms).
SHORTEST_MS = 1000


def keep(session: Session, call: Call, recording: Path, now: datetime, kind: str = "message") -> Audio | None:
    """Keep the recording with the call, None where nothing was said. Safe to repeat; the file stays where it is.

    `kind`: message, name (a stranger's, who wants to be rung back), or word (hers, in a return visit).
    """
    length = duration_ms(recording)
    if length < SHORTEST_MS:
        return None
    key = audio.keep(settings().audio_dir, recording)
    row = session.scalar(select(Audio).where(Audio.content_key == key, Audio.call_id == call.id))
    if row is None:
        row = Audio(content_key=key, kind=kind, call_id=call.id, duration_ms=length, created_at=now)
        session.add(row)
        session.flush()
        if kind == "message":
            note(session, call.id, Entry.MESSAGE, now, audio_id=row.id)
    return row


def newest(session: Session, call_id: int) -> int | None:
    """Return the id of what was recorded last in a call, after a tone."""
    spoken = (Audio.call_id == call_id, Audio.kind.in_(("message", "name")))
    return session.scalar(select(func.max(Audio.id)).where(*spoken))


def duration_ms(recording: Path) -> int:
    """Return the length of the recording; 0 if there is none. A cut-off header does not hide the audio."""
    try:
        with wave.open(str(recording)) as file:
            frames = file.getnframes() or max(0, recording.stat().st_size - 44) // 2
            return int(frames * 1000 / file.getframerate())
    except (OSError, EOFError, wave.Error):
        return 0
