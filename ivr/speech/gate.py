"""The voice-activity gate: decides from 20 ms frames when she begins and when she has finished.

Decoding silence costs as much as decoding speech, and a recogniser with a
phrase list hears words in a cough. So nothing reaches the recogniser before the
gate opens, and a line on which nobody speaks costs next to nothing.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import numpy as np
import webrtcvad

SAMPLE_RATE = 8000  # Hz
FRAME_MS = 20
FRAME_BYTES = SAMPLE_RATE * FRAME_MS // 1000 * 2  # 16-bit mono

_SILENT_DBFS = -96.0
_LOWEST_FLOOR = -70.0  # dBFS
_FLOOR_RISE_DB_S = 5.0
_WEBRTCVAD: Any = webrtcvad  # the package has no type hints


@dataclass(frozen=True, slots=True)
class GateSettings:
    """How the gate judges. Times are milliseconds, levels dBFS (root mean square of a frame).

    `onset_voiced` of the last `onset_window` frames must be speech before the
    gate opens: 5 of 7 is 100 ms, long enough that a click does not stop a
    prompt. `pre_roll_ms` of what came before is kept, because the first
    consonant is too soft to open the gate. `floor_margin_db` is how far above
    the line's own noise speech must be.
    """

    endpoint_ms: int = 700
    max_utterance_ms: int = 10_000
    pre_roll_ms: int = 600
    onset_voiced: int = 5
    onset_window: int = 7
    aggressiveness: int = 2  # of webrtcvad, 0 to 3
    quietest_dbfs: float = -56.0
    floor_margin_db: float = 8.0

    @property
    def pre_roll_frames(self) -> int:
        """Frames kept while the gate is shut: the pre-roll and the frames that opened it."""
        return self.pre_roll_ms // FRAME_MS + self.onset_window


class Heard(Enum):
    """What one frame meant."""

    SILENCE = auto()  # the gate is shut
    ONSET = auto()  # the gate opened with this frame; `Gate.pre_roll` holds the audio so far
    SPEECH = auto()  # she is speaking
    PAUSE = auto()  # the gate is open and she is silent, for less than the endpoint
    END = auto()  # she has been silent for long enough: the utterance is over
    TOO_LONG = auto()  # the utterance was cut at its longest


class Gate:
    """The gate of one call. Feed it frames of exactly FRAME_BYTES; after an utterance, `reset` it.

    `endpoint_ms` may be changed at any time.
    """

    def __init__(self, settings: GateSettings | None = None) -> None:
        self.settings = settings or GateSettings()
        self.endpoint_ms = self.settings.endpoint_ms
        self._vad: Any = _WEBRTCVAD.Vad(self.settings.aggressiveness)
        self._recent: deque[bytes] = deque(maxlen=self.settings.pre_roll_frames)
        self._voiced: deque[bool] = deque(maxlen=self.settings.onset_window)
        self._floor = _LOWEST_FLOOR
        self._open = False
        self._open_ms = 0
        self._quiet_ms = 0

    def reset(self) -> None:
        """Shuts the gate for the next turn. What it has learnt of the line's noise stays."""
        self._recent.clear()
        self._voiced.clear()
        self._open = False
        self._open_ms = self._quiet_ms = 0

    def shut(self) -> None:
        """Takes the onset back: what opened the gate was not she. What was heard stays for the next look."""
        self._voiced.clear()
        self._open = False

    @property
    def is_open(self) -> bool:
        """Whether an utterance is under way."""
        return self._open

    @property
    def pre_roll(self) -> bytes:
        """The audio up to now, at most the pre-roll. Meant to be read once, at ONSET."""
        return b"".join(self._recent)

    def feed(self, frame: bytes) -> Heard:
        """Judges one frame. Raises ValueError for a frame of another length."""
        if len(frame) != FRAME_BYTES:
            raise ValueError(f"a frame has {FRAME_BYTES} bytes, not {len(frame)}")
        self._voiced.append(self._is_voice(frame))
        if not self._open:
            self._recent.append(frame)
            if sum(self._voiced) < self.settings.onset_voiced:
                return Heard.SILENCE
            self._open = True
            self._open_ms = self._quiet_ms = 0
            return Heard.ONSET
        return self._feed_open()

    def _feed_open(self) -> Heard:
        self._open_ms += FRAME_MS
        # One voiced frame alone is a crackle; it must not put off the end of the utterance.
        if self._voiced[-1] and sum(list(self._voiced)[-3:]) >= 2:
            self._quiet_ms = 0
        else:
            self._quiet_ms += FRAME_MS
        if self._quiet_ms >= self.endpoint_ms:
            return Heard.END
        if self._open_ms >= self.settings.max_utterance_ms:
            return Heard.TOO_LONG
        return Heard.PAUSE if self._quiet_ms else Heard.SPEECH

    def _is_voice(self, frame: bytes) -> bool:
        level = level_dbfs(frame)
        # The floor falls with the line at once and rises slowly, so it stays below
        # speech, which has gaps, and reaches steady noise, which has none.
        self._floor = max(_LOWEST_FLOOR, min(level, self._floor + _FLOOR_RISE_DB_S * FRAME_MS / 1000))
        if level < self.settings.quietest_dbfs or level < self._floor + self.settings.floor_margin_db:
            return False
        return bool(self._vad.is_speech(frame, SAMPLE_RATE))


def level_dbfs(pcm: bytes) -> float:
    """The level of 16-bit audio: 0 for a full-scale square wave, -96 for digital silence."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    power = float(samples @ samples) / max(1, samples.size)
    return 10 * math.log10(power / 32768**2) if power > 1 else _SILENT_DBFS
