"""A prompt voice for tests: every prompt is a short melody that the far end can read back.

A test that only hears "some audio" cannot tell the greeting from the goodbye.
Here each prompt key has a melody of its own, one marker and six symbols, which
the tests' ear turns back into the key: so a test proves *which* prompt reached
the telephone, through Asterisk, the codec and the trunk.

The tones lie 100 Hz apart on multiples of 50 Hz: a window of 20 ms holds whole
periods of each of them, so they do not leak into each other. No two tones
sound together, and each is away from the eight DTMF frequencies, so Asterisk's
digit detector has nothing to find. Neighbouring symbols differ, and each
melody begins with the marker, which makes melodies readable back to back.
"""

from __future__ import annotations

import hashlib
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 8000
MARKER_HZ = 1050
SYMBOLS_HZ = tuple(range(1750, 3251, 100))
CODE_LENGTH = 6
SYMBOL_MS = 40
# The pause lets a listener see the end of the last symbol even when the next melody follows at once.
TAIL_MS = 15
_RAMP_MS = 4
_AMPLITUDE = 0.35 * 32767

Code = tuple[int, ...]
Samples = NDArray[np.int16]


def tone_code(key: str) -> Code:
    """The six symbols of a key: 12 million melodies, so a thousand prompts rarely share one."""
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    rest = int.from_bytes(digest, "big")
    rest, first = divmod(rest, len(SYMBOLS_HZ))
    symbols = [first]
    while len(symbols) < CODE_LENGTH:
        rest, step = divmod(rest, len(SYMBOLS_HZ) - 1)
        # A step of at least one keeps neighbours apart, so that each boundary can be heard.
        symbols.append((symbols[-1] + 1 + step) % len(SYMBOLS_HZ))
    return tuple(symbols)


def render(key: str) -> Samples:
    """The melody of a key: 8 kHz, mono, 16 bit, 295 ms."""
    tones = [MARKER_HZ, *(SYMBOLS_HZ[symbol] for symbol in tone_code(key))]
    pause = np.zeros(SAMPLE_RATE * TAIL_MS // 1000, np.int16)
    return np.concatenate([*(_tone(hertz) for hertz in tones), pause])


@cache
def _tone(hertz: int) -> Samples:
    """One symbol, faded in and out so that its edges carry no energy at other frequencies. Not to be written into."""
    count = SAMPLE_RATE * SYMBOL_MS // 1000
    ramp = SAMPLE_RATE * _RAMP_MS // 1000
    envelope = np.ones(count)
    envelope[:ramp] = (1 - np.cos(np.pi * (np.arange(ramp) + 0.5) / ramp)) / 2
    envelope[-ramp:] = envelope[:ramp][::-1]
    wave = _AMPLITUDE * envelope * np.sin(2 * np.pi * hertz * np.arange(count) / SAMPLE_RATE)
    tone = np.rint(wave).astype(np.int16)
    tone.setflags(write=False)
    return tone


def collisions(keys: list[str]) -> list[tuple[str, str]]:
    """Pairs of keys that share a melody; a voice made of tones must have none."""
    ordered = sorted({(tone_code(key), key) for key in keys})
    return [(one[1], two[1]) for one, two in pairwise(ordered) if one[0] == two[0]]
