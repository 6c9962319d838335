"""Writes down what was said in a message: `python -m ivr.transcripts AUDIO_ID`. Safe to run twice.

A process of its own for each message, at the lowest priority: free decoding takes
most of a core and half a gigabyte, and callers who are being listened to come first.
"""

from __future__ import annotations

import json
import os
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from dispatch import tasks
from ivr.speech.gate import SAMPLE_RATE
from ivr.speech.models import load, model_folder
from ivr.understanding import lexicon
from ivr.understanding import text as texts
from models import audio, clock, logs
from models.audio import Audio, Transcript
from models.calls import Call, Utterance
from models.session import read, write
from models.settings import settings
from models.tasks import TaskKind

# What is handed to the recogniser at once (bytes; a quarter of a second).
_PIECE = SAMPLE_RATE // 2
_HEADER = 44


def write_down(audio_id: int) -> None:
    """Decode the recording and keep its words as an utterance of its call; the row says how it went.

    A cry for help among the words is an alarm, as it is at every question.
    """
    with read() as session:
        row = session.get(Audio, audio_id)
        if row is None or row.transcript is not None or row.erased_at is not None or row.call_id is None:
            return
        language = session.get_one(Call, row.call_id).language
        path = audio.path_of(settings().audio_dir, row.content_key)
    folder = model_folder(language, settings().cache_dir)
    words = _words(path, folder) if folder is not None else []
    state = Transcript.NO_MODEL if folder is None else Transcript.DONE if words else Transcript.NO_WORDS
    with write() as session:
        locked = select(Audio).where(Audio.id == audio_id).with_for_update()
        row = session.scalars(locked).one()
        if row.transcript is not None or row.erased_at is not None:
            return
        row.transcript = state
        if not words:
            return
        text, now = " ".join(word for word, _ in words), clock.now()
        score = round(100 * min(1.0, *(sure for _, sure in words)))
        session.add(
            Utterance(call_id=row.call_id, at=now, language=language, text=text, score=score, audio_id=audio_id)
        )
        if lexicon.emergency(texts.read(text, language), language):
            # However unsure the words are: a person listens to it at once, and knows better.
            call = session.get_one(Call, row.call_id)
            tasks.open_task(session, tasks.for_call(TaskKind.ALARM, call, audio_id), now)


def _words(path: Path, folder: Path) -> list[tuple[str, float]]:
    """Return the words of the recording with how sure each is (0..1).

    Raises:
        OSError: the recording or the model cannot be read.
    """
    model = load(folder)
    recogniser = model.free()
    samples = _samples(path, model.sample_rate)
    said: list[dict[str, Any]] = []
    for start in range(0, len(samples), _PIECE):
        if recogniser.AcceptWaveform(samples[start : start + _PIECE]):
            said += json.loads(recogniser.Result()).get("result", ())
    said += json.loads(recogniser.FinalResult()).get("result", ())
    return [(word["word"], float(word["conf"])) for word in said]


def _samples(path: Path, rate: int) -> bytes:
    """Return the sound at `rate` (Hz), 16 bit; a header that was cut off does not hide it."""
    with wave.open(str(path)) as file:
        frames = file.readframes(file.getnframes())
    frames = frames or path.read_bytes()[_HEADER:]
    if rate == SAMPLE_RATE:
        return frames
    sound = np.frombuffer(frames[: len(frames) // 2 * 2], dtype="<i2")
    places = np.arange(0, len(sound), SAMPLE_RATE / rate)
    return bytes(np.interp(places, np.arange(len(sound)), sound).astype("<i2").tobytes())


if __name__ == "__main__":
    logs.configure()
    os.nice(19)
    write_down(int(sys.argv[1]))
