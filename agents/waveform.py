"""How loud a recording is over its time, for the picture beside which it is played.

Worked out once and kept beside the sound under the same content key, so that it goes when the sound goes.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import audio

# So many columns has a picture, whatever the length.
COLUMNS = 400
# Its middle line and its half height, in units of the picture.
MIDDLE = 50
_PCM, _A_LAW = 1, 6
# A voice on the telephone rarely comes near full scale: this share of it fills the picture.
_FULL = 0.6


@dataclass(frozen=True)
class Waveform:
    """Peaks of each channel from 0 (silence) to 255 (full scale), COLUMNS of each; one channel or two."""

    channels: tuple[bytes, ...]

    def path(self, channel: int) -> str:
        """Return the outline of a channel as an SVG path: the first above the middle, the second below it.

        One channel alone is drawn on both sides.
        """
        heights = [min(MIDDLE, round(peak / 255 / _FULL * MIDDLE, 1)) for peak in self.channels[channel]]
        above = [f"L{x + 0.5} {MIDDLE - height:g}" for x, height in enumerate(heights)]
        below = [f"L{x + 0.5} {MIDDLE + height:g}" for x, height in enumerate(heights)]
        if len(self.channels) == 1:
            outline = above + below[::-1]
        else:
            outline = above if channel == 0 else below
        return f"M0 {MIDDLE}{''.join(outline)}L{COLUMNS if len(self.channels) > 1 else 0} {MIDDLE}Z"


def of(store: Path, content_key: str) -> Waveform | None:
    """Return the waveform of a recording; None where its sound is gone, or in a form that is not known here."""
    path = audio.path_of(store, content_key)
    if not path.is_file():
        return None
    kept = audio.peaks_of(store, content_key)
    with suppress(OSError):
        found = _split(kept.read_bytes())
        if found is not None:
            return found
    try:
        worked_out = _peaks(path)
    except (OSError, ValueError, struct.error):
        return None
    # Without it, it is worked out again: a full disk is no reason to show nothing.
    with suppress(OSError):
        part = kept.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(b"".join(worked_out.channels))
        part.replace(kept)
        if not path.is_file():
            # Erased meanwhile: nothing of it stays.
            kept.unlink(missing_ok=True)
    return worked_out


def _split(kept: bytes) -> Waveform | None:
    many, rest = divmod(len(kept), COLUMNS)
    if rest or many not in (1, 2):
        return None
    return Waveform(tuple(kept[at * COLUMNS : (at + 1) * COLUMNS] for at in range(many)))


def _peaks(path: Path) -> Waveform:
    """Read a WAV file, A-law or 16 bit.

    Raises:
        ValueError: it is none, or of another form.
    """
    form, channels, begin, size = _layout(path)
    if form not in (_PCM, _A_LAW) or channels not in (1, 2):
        raise ValueError(f"form {form}, {channels} channels")
    raw = np.memmap(path, np.uint8 if form == _A_LAW else np.dtype("<i2"), "r", offset=begin)
    frames = min(len(raw), size // raw.itemsize) // channels
    found = [bytearray(COLUMNS) for _ in range(channels)]
    for column in range(COLUMNS):
        # Column by column: half an hour is not held in memory at once.
        piece = raw[frames * column // COLUMNS * channels : frames * (column + 1) // COLUMNS * channels]
        for channel in range(channels):
            side = piece[channel::channels]
            if len(side):
                found[channel][column] = int(_ALAW_PEAK[side].max()) if form == _A_LAW else _loudest(side)
    return Waveform(tuple(bytes(one) for one in found))


def _loudest(samples: NDArray[np.int16]) -> int:
    return int(np.abs(samples.astype(np.int32)).max() >> 7)


def _layout(path: Path) -> tuple[int, int, int, int]:
    """Return form, channels, and where the samples begin and how many bytes they are."""
    with path.open("rb") as file:
        riff, _, wave = struct.unpack("<4sI4s", file.read(12))
        if (riff, wave) != (b"RIFF", b"WAVE"):
            raise ValueError("no WAV")
        form = channels = 0
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                return form, channels, file.tell(), size
            body = file.read(size + size % 2)
            if name == b"fmt ":
                form, channels = struct.unpack_from("<HH", body)
    raise ValueError("no samples")


def _alaw_peaks() -> NDArray[np.uint8]:
    """Return how far from silence each of the 256 values of A-law (G.711) is, 0 to 255."""
    value = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (value >> 4) & 7, value & 15
    linear = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return (linear >> 7).astype(np.uint8)


_ALAW_PEAK = _alaw_peaks()
