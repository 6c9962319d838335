"""What a telephone heard: the received audio, read back as prompt keys, voice and silence.

The ear is fed with frames as they arrive and keeps one timeline in which the
sample position is the time since the call was answered: a line on which
nothing is sent (Asterisk sends no packets while it only waits) becomes silence
of the right length. Reading the melodies is done only when somebody asks, so
that twenty quiet calls cost next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from ivr.tones import CODE_LENGTH, MARKER_HZ, SAMPLE_RATE, SYMBOLS_HZ, Code, Samples

WINDOW = SAMPLE_RATE // 50
HOP = WINDOW // 2
HOP_MS = 1000 * HOP // SAMPLE_RATE
# The tones lie on whole bins of a 20 ms window.
_BIN_HZ = SAMPLE_RATE // WINDOW
_BINS = np.array([MARKER_HZ, *SYMBOLS_HZ]) // _BIN_HZ
_MARKER = 0
# A tone is one frequency that carries most of the energy of its window; speech and noise do not.
_PURITY = 0.7
# Quieter than this (RMS of 16 bit samples) is silence: a-law's idle noise is 8, a low voice 300.
QUIET_RMS = 60.0
# Two windows of the same tone make a symbol; one alone may be a transition or a click.
_MIN_WINDOWS = 2
# A melody whose next symbol has not come by then was cut off.
_PATIENCE_WINDOWS = 12


@dataclass(frozen=True)
class Heard:
    """One melody: when it began, in ms since the answer, and its symbols (fewer if it was cut off)."""

    ms: int
    code: Code

    @property
    def whole(self) -> bool:
        return len(self.code) == CODE_LENGTH


@dataclass
class Ear:
    """Collects one direction of a call and reads it."""

    audio: bytearray = field(default_factory=bytearray)
    melodies: list[Heard] = field(default_factory=list)
    # The loudness of each 10 ms since the answer.
    levels: list[float] = field(default_factory=list)
    _read_to: int = 0
    _reader: _Reader = field(default_factory=lambda: _Reader())
    _lock: Lock = field(default_factory=Lock)

    def hears(self, frame: bytes, ms: float | None = None) -> None:
        """Appends received samples; `ms` is when the first of them arrived, since the answer."""
        with self._lock:
            if ms is not None:
                missing = int(ms * SAMPLE_RATE / 1000) - len(self.audio) // 2
                if missing > 0 and (not self.audio or missing * 1000 // SAMPLE_RATE > self._jitter_ms()):
                    self.audio += bytes(2 * missing)
            self.audio += frame

    def _jitter_ms(self) -> int:
        """What may be missing on a busy machine without being a pause of the sender.

        In the middle of a sound more is forgiven: a hole there would break a melody.
        """
        last = np.frombuffer(bytes(self.audio[-80:]), np.int16)
        return 400 if len(last) and np.abs(last).max() > 3 * QUIET_RMS else 80

    def pass_time(self, ms: float) -> None:
        """Nothing has been received until now: silence, up to a margin for what is under way."""
        self.hears(b"", ms - 60)

    def listen(self) -> list[Heard]:
        """Reads what has arrived since the last time; the melodies heard so far."""
        with self._lock:
            samples = np.frombuffer(bytes(self.audio[2 * self._read_to :]), np.int16)
            count = (len(samples) - WINDOW) // HOP + 1
            if count > 0:
                windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP][:count]
                for tone, level in zip(*_tones(windows), strict=True):
                    self.levels.append(float(level))
                    heard = self._reader.next_window(int(tone))
                    if heard is not None:
                        self.melodies.append(heard)
                self._read_to += count * HOP
            return list(self.melodies)

    @property
    def ms(self) -> int:
        """How much has been heard."""
        return len(self.audio) * 500 // SAMPLE_RATE

    def quiet_ms(self) -> int:
        """How long it has been quiet, up to the last sample read."""
        self.listen()
        for back, level in enumerate(reversed(self.levels)):
            if level > QUIET_RMS:
                return back * HOP_MS
        return len(self.levels) * HOP_MS

    def voice_ms(self, since_ms: int = 0) -> int:
        """How much sound there was since a moment."""
        self.listen()
        return HOP_MS * sum(level > QUIET_RMS for level in self.levels[since_ms // HOP_MS :])

    def last_sound_ms(self) -> int | None:
        """When the last sound ended, or None if there was none."""
        self.listen()
        for index in range(len(self.levels) - 1, -1, -1):
            if self.levels[index] > QUIET_RMS:
                return (index + 1) * HOP_MS
        return None


@dataclass
class _Reader:
    """Turns the tone of each window into symbols and symbols into melodies."""

    index: int = 0
    run_tone: int = -1
    run_length: int = 0
    since_symbol: int = 0
    began: int | None = None
    symbols: list[int] = field(default_factory=list)

    def next_window(self, tone: int) -> Heard | None:
        """Takes the tone of the next 10 ms (-1: none); a melody when one is complete or was cut off."""
        self.index += 1
        self.since_symbol += 1
        self.run_length = self.run_length + 1 if tone == self.run_tone else 1
        self.run_tone = tone
        if tone >= 0 and self.run_length == _MIN_WINDOWS:
            return self._symbol(tone)
        if self.began is not None and self.since_symbol > _PATIENCE_WINDOWS:
            return self._finish()
        return None

    def _symbol(self, tone: int) -> Heard | None:
        self.since_symbol = 0
        if tone == _MARKER:
            # The same marker heard on, across a lost packet, is not a new melody.
            cut = self._finish() if self.symbols else None
            self.began = self.index - _MIN_WINDOWS
            return cut
        if self.began is None or (self.symbols and self.symbols[-1] == tone - 1):
            return None
        self.symbols.append(tone - 1)
        return self._finish() if len(self.symbols) == CODE_LENGTH else None

    def _finish(self) -> Heard | None:
        began, symbols = self.began, tuple(self.symbols)
        self.began = None
        self.symbols = []
        return Heard(began * HOP_MS, symbols) if began is not None and symbols else None


def _tones(windows: Samples) -> tuple[list[int], list[float]]:
    """For each window the index of its pure tone (-1: none, 0: marker) and its loudness."""
    wave = windows.astype(np.float32)
    power = (wave**2).mean(axis=1)
    spectrum = np.abs(np.fft.rfft(wave, axis=1)) ** 2
    candidates = spectrum[:, _BINS]
    best = candidates.argmax(axis=1)
    # A pure tone of power p has p * WINDOW^2 / 2 in its one bin.
    purity = candidates.max(axis=1) / np.maximum(power * WINDOW**2 / 2, 1)
    levels = np.sqrt(power)
    tones = np.where((purity > _PURITY) & (levels > QUIET_RMS), best, -1)
    return tones.tolist(), levels.tolist()


def decode(samples: Samples) -> list[Heard]:
    """All melodies of a piece of audio."""
    ear = Ear()
    # Half a second of silence ends a melody that was cut off.
    ear.hears(samples.astype(np.int16).tobytes() + bytes(SAMPLE_RATE))
    return ear.listen()
