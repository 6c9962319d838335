"""Samples of the telephone band: 8 kHz, mono, 16 bit. Read, write, trim, stretch, raise. No prompt, no row."""

from __future__ import annotations

import struct
import wave
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import toolbox
from models.settings import settings

RATE_HZ = 8000
# How loud silence may be, against the loudest sample; and what is left of it at both ends (ms).
_SILENT = 0.03
_MARGIN_MS = 60
# The loudest sample after levelling: −3 dB of full scale.
_PEAK = 0.708 * 32767

Samples = NDArray[np.int16]


def read_wav(path: Path) -> Samples:
    """Return the samples of a file of ours."""
    with wave.open(str(path)) as sound:
        return np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")


def write_wav(target: Path, samples: NDArray[np.generic]) -> None:
    """Write 16-bit samples as telephone-band WAV."""
    data = samples.astype("<i2", copy=False).tobytes()
    # One write, in the middle of a call: `wave` seeks and asks its way through, half a millisecond.
    target.write_bytes(_header(len(data)) + data)


def _header(size: int) -> bytes:
    """Return the 44 bytes in front of `size` bytes of PCM."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16, b"data", size
    )


def duration_ms(samples: NDArray[np.generic]) -> int:
    """Return how long it sounds."""
    return len(samples) * 1000 // RATE_HZ


def length_ms(path: Path) -> int:
    """Return how long a file of ours sounds."""
    with wave.open(str(path)) as sound:
        return int(sound.getnframes() * 1000 // sound.getframerate())


def silence(ms: int) -> Samples:
    """Return silence."""
    return np.zeros(ms * RATE_HZ // 1000, dtype=np.int16)


def trim(samples: Samples) -> Samples:
    """Cut the silence off both ends, but for a margin. Silence alone leaves nothing."""
    loudness = np.abs(samples.astype(np.int32))
    loud = np.flatnonzero(loudness > max(_SILENT * loudness.max(initial=0), 50))
    if not loud.size:
        return samples[:0]
    margin = _MARGIN_MS * RATE_HZ // 1000
    return samples[max(0, loud[0] - margin) : loud[-1] + margin]


def level(samples: Samples) -> Samples:
    """Bring the loudest sample to −3 dB."""
    peak = np.abs(samples.astype(np.int32)).max(initial=0)
    return np.rint(samples * (_PEAK / peak)).astype(np.int16) if peak else samples


def louder(samples: Samples) -> Samples:
    """Raise by about 6 dB for the hard of hearing; what would be cut off is rounded instead."""
    full = 0.95 * 32767
    return np.rint(full * np.tanh(2 * samples / full)).astype(np.int16)


def stretch(source: Path, target: Path, tempo: float) -> None:
    """Write `source` at `tempo` (0.8: a quarter longer), its pitch unchanged.

    Raises:
        ToolMissing, OSError, subprocess.SubprocessError: sox could not do it.
    """
    sox().run("-V1", str(source), str(target), "tempo", "-s", str(tempo), timeout=20)


@cache
def sox() -> toolbox.Tool:
    """The tool that converts and stretches."""
    return toolbox.sox(settings().cache_dir)
