"""The one store of audio. A row has a content key; no path ever stands in a row."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import ForeignKey, Index, String, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, Code, Pk, PublicId


class Transcript(StrEnum):
    """How the writing down of a recording went. None in the row: not tried yet."""

    DONE = "done"  # the words are an utterance of the call, with this recording's id
    NO_WORDS = "no_words"  # listened to, nothing understood
    NO_MODEL = "no_model"  # no speech engine knows the language here
    FAILED = "failed"  # the engine broke over it


class Audio(Base):
    """A recording: who is heard belongs to the call; the bytes lie in the store under `content_key`."""

    __tablename__ = "audio"
    __table_args__ = (Index("ix_audio_kept", "kind", "erased_at", "created_at"),)

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    content_key: Mapped[str] = mapped_column(String(64), index=True)  # SHA-256, hexadecimal
    kind: Mapped[Code]  # message, name, word, utterance, call (the whole of it, two channels: the other side, ours)
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"), index=True)
    duration_ms: Mapped[int]
    transcript: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


def path_of(store: Path, content_key: str) -> Path:
    """Return where the bytes of `content_key` lie in `store`."""
    return store / content_key[:2] / f"{content_key}.wav"


def peaks_of(store: Path, content_key: str) -> Path:
    """Return where the picture of these bytes is kept (agents/waveform.py), beside them."""
    return path_of(store, content_key).with_suffix(".peaks")


def keep(store: Path, source: Path) -> str:
    """Copy `source` into `store`, durably, and return its content key. Safe to repeat; `source` stays."""
    content = source.read_bytes()
    key = hashlib.sha256(content).hexdigest()
    target = path_of(store, key)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        part.replace(target)
    return key


def erase(session: Session, store: Path, recording: Audio, now: datetime) -> None:
    """Erase a recording: the row stays and says when, the bytes go, unless another recording has the same.

    The bytes go first: what is cut short here is done again, and nothing lies in the store without a row.
    """
    shared = select(
        exists().where(Audio.content_key == recording.content_key, Audio.id != recording.id, Audio.erased_at.is_(None))
    )
    if not session.scalar(shared):
        peaks_of(store, recording.content_key).unlink(missing_ok=True)
        path_of(store, recording.content_key).unlink(missing_ok=True)
    recording.erased_at = now
