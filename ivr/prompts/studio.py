"""The recording studio, whoever stands in front of it: codes, keeping a recording, making it live, taking it back.

The console and the telephone call the same functions. A recording goes live only
while its language is whole; each change is in the audit.
"""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.prompts import completeness, intake, recorded, sound, voice
from ivr.prompts.catalogue import CATALOGUE, DIALPLAN_PROMPTS
from ivr.prompts.sound import Samples
from models import audio
from models.recordings import PromptRecording, Source, StudioCode
from models.settings import settings
from models.users import AuditEvent
from models.vocabulary import LANGUAGES

# How long a code shown in the console can be dialled.
CODE_LIFE = timedelta(minutes=10)
_CODE_DIGITS = 6


class StudioError(ValueError):
    """It cannot be done. `code`: no_prompt, has_variables, incomplete."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Take:
    """Which prompt is recorded, by whom, from where."""

    key: str
    language: str
    source: Source
    user_id: int


def check_recordable(key: str, language: str) -> None:
    """Refuse what cannot be recorded.

    A prompt with variables stays with the stand-in: names and days would be said
    by another voice in the middle of a person's sentence.

    Raises:
        StudioError: no_prompt, has_variables.
    """
    if key not in CATALOGUE or language not in LANGUAGES:
        raise StudioError("no_prompt")
    if CATALOGUE[key].variables:
        raise StudioError("has_variables")


def limits(key: str, language: str) -> intake.Limits:
    """Return how long a recording of the prompt may be."""
    try:
        return intake.Limits(sound.length_ms(voice.stand_in(key, language)) if settings().voice == "espeak" else 0)
    except voice.VoiceFailed:
        return intake.Limits()


def new_code(session: Session, take: Take, now: datetime) -> StudioCode:
    """Write a fresh code for one recording by telephone; older ones of the same user end.

    Raises:
        StudioError: the prompt cannot be recorded.
    """
    check_recordable(take.key, take.language)
    for old in session.scalars(select(StudioCode).where(StudioCode.used_at.is_(None), StudioCode.expires_at > now)):
        if old.user_id == take.user_id:
            old.expires_at = now
    taken = set(session.scalars(select(StudioCode.code).where(StudioCode.expires_at > now)))
    code = next(
        code for code in iter(lambda: f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}", "") if code not in taken
    )
    row = StudioCode(code=code, key=take.key, language=take.language, user_id=take.user_id, created_at=now)
    row.expires_at = now + CODE_LIFE
    session.add(row)
    session.flush()
    return row


def use_code(session: Session, code: str, now: datetime) -> StudioCode | None:
    """Return what a code stands for, and use it up; None if it stands for nothing (any more)."""
    row = session.scalar(
        select(StudioCode)
        .where(StudioCode.code == code, StudioCode.used_at.is_(None), StudioCode.expires_at > now)
        .with_for_update(of=StudioCode)
    )
    if row is None or row.user.disabled_at is not None:
        return None
    row.used_at = now
    return row


def keep(session: Session, take: Take, samples: Samples, now: datetime) -> PromptRecording:
    """Keep a recording that was judged good. Call `publish`, commit, then `announce`.

    Raises:
        StudioError: the prompt cannot be recorded.
    """
    check_recordable(take.key, take.language)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "take.wav"
        sound.write_wav(file, samples)
        content_key = audio.keep(settings().audio_dir, file)
    row = PromptRecording(
        key=take.key,
        language=take.language,
        content_key=content_key,
        duration_ms=sound.duration_ms(samples),
        source=take.source,
        made_by_id=take.user_id,
        made_at=now,
    )
    session.add(row)
    session.flush()
    _audit(session, take.user_id, "prompt_recorded", row, now)
    return row


def publish(session: Session, row: PromptRecording, user_id: int, now: datetime) -> None:
    """Let callers hear the recording from now on; the one before it is retired.

    Raises:
        StudioError: incomplete; the language has prompts that are not whole, so nothing of it goes live.
    """
    if completeness.check(row.language):
        raise StudioError("incomplete")
    older = select(PromptRecording).where(
        PromptRecording.key == row.key,
        PromptRecording.language == row.language,
        PromptRecording.retired_at.is_(None),
        PromptRecording.id != row.id,
    )
    for other in session.scalars(older):
        other.retired_at = now
    row.live_at, row.retired_at = now, None
    _audit(session, user_id, "prompt_published", row, now)


def retire(session: Session, row: PromptRecording, user_id: int, now: datetime) -> None:
    """Give the prompt back to the stand-in; safe to repeat."""
    if row.retired_at is None:
        row.retired_at = now
        _audit(session, user_id, "prompt_retired", row, now)


def announce(language: str) -> None:
    """After the commit: calls hear it from their next turn on, and so does the dialplan.

    Raises:
        VoiceFailed: what the dialplan plays could not be rendered; calls hear the change all the same.
    """
    recorded.refresh()
    if DIALPLAN_PROMPTS:
        voice.build_static(language)


def _audit(session: Session, user_id: int, action: str, row: PromptRecording, now: datetime) -> None:
    data = {"key": row.key, "language": row.language}
    event = AuditEvent(at=now, user_id=user_id, action=action, subject="prompt_recording", subject_id=row.id, data=data)
    session.add(event)
