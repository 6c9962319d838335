"""Keeps what was said, for the agent who takes the call and for better recognition, as far as the settings allow.

The server knows no calls: it leaves the audio in a folder under its content key
and sends the key with the result. The call's own process makes a row of it, or
nobody does, and then the sweep deletes it (dispatch/heard_audio.py).
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import wave
from dataclasses import dataclass
from pathlib import Path

from ivr.speech.gate import SAMPLE_RATE

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Archive:
    """`failed`: keep what was not understood; `understood`: keep the rest too; neither: keep nothing."""

    folder: Path
    failed: bool = False
    understood: bool = False

    def wants(self, understood: bool) -> bool:
        """Whether such an utterance is to be kept."""
        return self.understood if understood else self.failed

    def keep(self, pcm: bytes) -> str:
        """Writes telephone audio and returns its content key; empty where it cannot be written. Blocks."""
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(SAMPLE_RATE)
            out.writeframes(pcm)
        content = buffer.getvalue()
        key = hashlib.sha256(content).hexdigest()
        part = self.folder / f"{key}.{os.getpid()}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
            part.replace(self.folder / f"{key}.wav")
        except OSError as error:  # a full disk costs the audio, never the answer
            log.warning("the audio of an answer is not kept: %s", error.strerror)
            return ""
        return key
