"""Takes in a recording of a prompt: decodes WAV, MP3 or M4A, judges it, brings it to the telephone band.

What is uploaded is decoded by FFmpeg's libraries (PyAV) with the format named by
us from the first bytes: nothing in a file can lead the decoder to other files.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ivr.prompts import sound
from ivr.prompts.completeness import LONGEST_MS
from ivr.prompts.sound import RATE_HZ, Samples

# What is uploaded (bytes); three minutes of WAV in CD quality would be thirty times a prompt.
LARGEST = 5 * 1024 * 1024
# Nothing is decoded beyond this (ms): a small file can unpack to hours.
_DECODED_MS = 60_000
# A recording much longer than the stand-in is of another text, or has talk around it.
_TIMES_STAND_IN = 2.0
_ALWAYS_ALLOWED_MS = 3000
SHORTEST_MS = 300
# The loudest sample of a voice that telephones will carry (−30 dB of full scale).
_QUIET = 0.03
# Samples at the limit, per thousand: more than a single click.
_CLIPPED_PER_MILLE = 2.0
_LIMIT = 0.999


class Refused(ValueError):
    """The recording cannot be used. `code` says why; the console and the studio have words for it.

    unknown_format, damaged, no_sound, too_short, too_long, too_quiet, clipped, too_large
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Limits:
    """How long a recording may be. `stand_in_ms`: how long the stand-in says the same text; 0 if unknown."""

    stand_in_ms: int = 0

    @property
    def longest_ms(self) -> int:
        """Seven seconds at most, and twice the stand-in unless that is very short."""
        if not self.stand_in_ms:
            return LONGEST_MS
        return min(LONGEST_MS, max(_ALWAYS_ALLOWED_MS, round(_TIMES_STAND_IN * self.stand_in_ms)))


def take_in(data: bytes, limits: Limits) -> Samples:
    """Return the recording as it will be played: trimmed, levelled, in the telephone band.

    Raises:
        Refused: with the reason.
    """
    if len(data) > LARGEST:
        raise Refused("too_large")
    original, telephone = _decode(data)
    peak = float(np.abs(original).max(initial=0)) / 32768
    if peak < 0.001:
        raise Refused("no_sound")
    if peak < _QUIET:
        raise Refused("too_quiet")
    if float((np.abs(original) >= _LIMIT * 32767).mean()) * 1000 > _CLIPPED_PER_MILLE:
        raise Refused("clipped")
    samples = sound.level(sound.trim(telephone))
    length = sound.duration_ms(samples)
    if length < SHORTEST_MS:
        raise Refused("too_short")
    if length > limits.longest_ms:
        raise Refused("too_long")
    return samples


def format_of(data: bytes) -> str:
    """Return FFmpeg's name of the format, from the first bytes.

    Raises:
        Refused: it is none of the three.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    if data[4:8] == b"ftyp":
        return "mov"
    if data[:3] == b"ID3" or (len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2):
        return "mp3"
    raise Refused("unknown_format")


def _decode(data: bytes) -> tuple[NDArray[np.int32], Samples]:
    """Return the samples as they came, one channel, and in the telephone band."""
    # FFmpeg's libraries are large, and most processes never record anything.
    import av
    import av.error
    from av.audio.resampler import AudioResampler

    form = format_of(data)
    own = AudioResampler(format="s16", layout="mono")
    band = AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    came: list[NDArray[np.int16]] = []
    made: list[NDArray[np.int16]] = []
    try:
        with av.open(io.BytesIO(data), mode="r", format=form) as container:
            if not container.streams.audio:
                raise Refused("no_sound")
            rate = container.streams.audio[0].rate
            taken = 0
            for frame in container.decode(audio=0):
                taken += frame.samples
                if rate and taken * 1000 // rate > _DECODED_MS:
                    raise Refused("too_long")
                for single in own.resample(frame):
                    came.append(single.to_ndarray()[0].copy())
                    # A frame that was resampled is used up.
                    made += [one.to_ndarray()[0] for one in band.resample(single)]
            made += [one.to_ndarray()[0] for one in band.resample(None)]
    except (av.error.FFmpegError, ValueError, MemoryError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused("damaged") from error
    if not came or not made:
        raise Refused("no_sound")
    return np.concatenate(came).astype(np.int32), np.concatenate(made)
