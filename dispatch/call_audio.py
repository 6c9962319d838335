"""Recordings of whole calls: from the two files that Asterisk wrote into one, in the one store of audio.

Asterisk writes `<uniqueid>.in.alaw` (what the other side said) and `.out.alaw`
(what she heard) into the spool, without Python. When the call is over they
become the left and the right of one file, and a row of the call. Working them
off is safe to repeat; a file that a kill has cut off is a shorter recording.
"""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.outbox import transaction
from models import audio, clock
from models.audio import Audio
from models.calls import Call
from models.session import read
from models.settings import settings

log = logging.getLogger(__name__)

KIND = "call"
# Asterisk may still be writing the end of a call whose channel is gone (s).
SETTLES_S = 2
# While Asterisk cannot be asked which calls live: so long nothing was written, and the call is over (s).
STALE_S = 300
# A call whose row was never written (the database was away, and no note told of it) is kept by itself after this (s).
NO_ROW_S = 3600
BYTES_PER_MS = 8
_IN, _OUT = ".in.alaw", ".out.alaw"
_SILENCE = b"\xd5"
_CHUNK = 1 << 20


def collect(living: set[str] | None) -> int:
    """Take in every recording whose call is over. `living`: the channels that exist now, None if nobody knows."""
    done = 0
    for path in sorted(settings().spool_dir.glob(f"*{_IN}")):
        channel_id = path.name.removesuffix(_IN)
        age = abs(time.time() - path.stat().st_mtime)
        over = age > STALE_S if living is None else channel_id not in living and age > SETTLES_S
        try:
            done += over and _take_in(path, channel_id, age)
        except OSError as error:
            # A full disk: it stays in the spool, and what is there is heard of by doctor and metrics.
            log.warning("the recording of %s waits: %s", channel_id, error.strerror)
    return done


def waiting() -> int:
    """Return how many recordings lie in the spool: of calls that go on, and of those that could not be taken in."""
    return sum(1 for _ in settings().spool_dir.glob(f"*{_IN}"))


def _take_in(heard: Path, channel_id: str, age: float) -> int:
    said = heard.with_name(channel_id + _OUT)
    with read() as session:
        call_id = session.scalar(select(Call.id).where(Call.channel_id == channel_id))
    if call_id is None and age < NO_ROW_S:
        return 0
    joined = heard.with_name(channel_id + ".joined")
    try:
        frames = _join(heard, said, joined)
        if frames:
            key = audio.keep(settings().audio_dir, joined)
            with transaction() as session:
                _row(session, key, call_id, frames // BYTES_PER_MS)
    finally:
        joined.unlink(missing_ok=True)
    # Committed: only now may the spool forget. The one that is looked for goes last.
    said.unlink(missing_ok=True)
    heard.unlink(missing_ok=True)
    return 1


def _row(session: Session, key: str, call_id: int | None, duration_ms: int) -> None:
    # Two dispatchers may come at the same time: the call's row makes the second wait.
    if call_id is not None:
        session.execute(select(Call.id).where(Call.id == call_id).with_for_update())
    same = Audio.kind == KIND, Audio.content_key == key, Audio.call_id == call_id
    if session.scalar(select(Audio.id).where(*same)) is None:
        session.add(Audio(content_key=key, kind=KIND, call_id=call_id, duration_ms=duration_ms, created_at=clock.now()))


def _join(left: Path, right: Path, target: Path) -> int:
    """Write both sides as one WAV of two channels in A-law, as the trunk brought them; return how many frames."""
    sizes = left.stat().st_size, right.stat().st_size if right.exists() else 0
    frames = max(sizes)
    with target.open("wb") as file:
        file.write(_header(frames))
        for one, other in zip(_chunks(left, frames), _chunks(right, frames), strict=True):
            both = bytearray(2 * len(one))
            both[0::2], both[1::2] = one, other
            file.write(both)
    return frames


def _chunks(path: Path, frames: int) -> Iterator[bytes]:
    """Yield the file in chunks up to `frames` bytes, silence where it is shorter."""
    with path.open("rb") if path.exists() else Path("/dev/null").open("rb") as file:
        for start in range(0, frames, _CHUNK):
            size = min(_CHUNK, frames - start)
            yield file.read(size).ljust(size, _SILENCE)


def _header(frames: int) -> bytes:
    """Return a WAV header: A-law, two channels, 8 kHz."""
    size = 2 * frames
    form = struct.pack("<HHIIHHH", 6, 2, 8000, 16000, 2, 8, 0)
    fact = struct.pack("<4sII", b"fact", 4, frames)
    body = b"WAVE" + struct.pack("<4sI", b"fmt ", len(form)) + form + fact + struct.pack("<4sI", b"data", size)
    return struct.pack("<4sI", b"RIFF", len(body) + size) + body
