"""Whether there is a voice in some audio at all.

A phrase list hears a word in a burst of noise ("yes") and in a dialling tone
("today"). A voice vibrates, noise does not; a voice has many overtones, the
tones of a telephone network have one frequency or two. So a phrase is believed
only where enough of the utterance is periodic in the range of the human pitch,
and more than a tone.
"""

from __future__ import annotations

import numpy as np

_WINDOW = 400  # samples: 50 ms, three periods of the deepest voice
_STEP = 160  # samples: 20 ms
_LAGS = slice(20, 115)  # samples: 400 to 70 Hz
_PERIODIC = 0.5  # of 1; white noise reaches 0.3
_TONE = 0.97  # of the power in two narrow bands; speech reaches 0.88
_FIRST_BYTES = 16_000  # one second
_BAND = 5  # bins of 10 Hz to either side


def is_voice(pcm: bytes, least_ms: int) -> bool:
    """Whether 8 kHz, 16-bit audio holds at least so many milliseconds of a voice."""
    # Most who speak have done so within the first second: the rest need not be looked at.
    first = pcm[:_FIRST_BYTES]
    if voiced_ms(first) >= least_ms and not is_tone(first):
        return True
    return voiced_ms(pcm) >= least_ms and not is_tone(pcm)


def is_tone(pcm: bytes) -> bool:
    """Whether nearly all of the sound is one tone or two: engaged, dialling, a key, a modem."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    if samples.size < _WINDOW:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_STEP]
    power = (np.abs(np.fft.rfft(windows * np.hanning(_WINDOW), 2 * _WINDOW, axis=1)) ** 2).mean(axis=0)
    total = float(power.sum())
    in_peaks = 0.0
    for _ in range(2):
        peak = int(power.argmax())
        band = slice(max(0, peak - _BAND), peak + _BAND + 1)
        in_peaks += float(power[band].sum())
        power[band] = 0
    return in_peaks > _TONE * total > 0


def voiced_ms(pcm: bytes) -> int:
    """How many milliseconds of 8 kHz, 16-bit audio are a vibrating voice (or a tone)."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    if samples.size < _WINDOW:
        return 0
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_STEP]
    windows = windows - windows.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(windows, 2 * _WINDOW, axis=1)
    likeness = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :_WINDOW]
    # A long lag compares fewer samples; make up for those.
    likeness /= 1 - np.arange(_WINDOW) / _WINDOW
    energy = likeness[:, 0]
    # Below -60 dBFS there is nothing to hear, however regular.
    loud = energy > _WINDOW * 32.0**2
    periodic = likeness[:, _LAGS].max(axis=1) > _PERIODIC * energy
    return int(np.count_nonzero(loud & periodic)) * _STEP // 8
