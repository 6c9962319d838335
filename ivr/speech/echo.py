"""Is what comes from her line only our own prompt coming back?

Old lines return what is played into them, some 20 dB softer and up to half a
second late: loud enough to open the gate, and full of the words of the menu.
The server is told which prompt is played. Where the gate opens, the last moment
of her line is looked for in that prompt: an echo is a copy, its correlation
with some place of the prompt is near 1, while her own voice, also over an echo,
is like no place of it.
"""

from __future__ import annotations

import logging
import wave
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ivr.speech.gate import SAMPLE_RATE

log = logging.getLogger(__name__)

Samples = NDArray[np.float32]

# An echo through a noisy line and two codecs reaches 0.8, another voice 0.45 (tests/speech/test_echo.py).
_ALIKE = 0.65
_LOOKED_AT_MS = 240
_LONGEST_PROMPT_S = 30


@lru_cache(maxsize=64)  # about 100 kB each
def prompt(file: str) -> Samples | None:
    """The samples of a prompt, named as Asterisk names it, without its ending; None where it cannot be read."""
    try:
        with wave.open(str(Path(f"{file}.wav"))) as recording:
            if (recording.getframerate(), recording.getsampwidth(), recording.getnchannels()) != (SAMPLE_RATE, 2, 1):
                return None
            frames = recording.readframes(_LONGEST_PROMPT_S * SAMPLE_RATE)
    except (OSError, EOFError, ValueError, wave.Error):
        return None
    return np.frombuffer(frames, dtype="<i2").astype(np.float32)


def is_echo(heard: bytes, of: Samples) -> bool:
    """Whether the end of some 8 kHz, 16-bit audio is a copy of a place of the prompt, at any level."""
    return likeness(heard, of) >= _ALIKE


def likeness(heard: bytes, of: Samples) -> float:
    """The highest correlation of the end of `heard` with any place of the prompt, 0 to 1."""
    sample = np.frombuffer(heard, dtype="<i2").astype(np.float32)[-_LOOKED_AT_MS * SAMPLE_RATE // 1000 :]
    if not sample.size or not of.size:
        return 0.0
    sample = sample - sample.mean()
    # What was looked at may have begun before the prompt, or go on after it.
    of = np.pad(of, sample.size)
    size = 1 << (of.size + sample.size - 1).bit_length()
    alike = np.fft.irfft(np.fft.rfft(of, size) * np.conj(np.fft.rfft(sample, size)), size)[: of.size - sample.size + 1]
    power = np.concatenate(([0.0], np.cumsum(of.astype(np.float64) ** 2)))
    local = power[sample.size :] - power[: -sample.size]
    scale = np.sqrt(np.maximum(local * float(sample @ sample), 1.0))
    # Where the prompt is silent nothing can come back.
    audible = local > sample.size * 100.0**2
    return float(np.max(np.abs(alike) / scale, where=audible, initial=0.0))
