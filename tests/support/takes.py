"""Recordings as staff would bring them: something like a voice, in the formats of computers and telephones."""

from __future__ import annotations

import io
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

Waves = NDArray[np.float64]


def voiced(seconds: float = 1.5, peak: float = 0.5, rate: int = 44100) -> Waves:
    """A tone that swells and fades, with half a second of silence around it; `peak` 1 is full scale."""
    time = np.arange(int(seconds * rate)) / rate
    tone = peak * np.sin(2 * np.pi * 300 * time) * np.clip(np.sin(np.pi * time / seconds) * 3, 0, 1)
    quiet = np.zeros(rate // 2)
    return np.concatenate([quiet, tone, quiet])


def encoded(samples: Waves, form: str = "wav", codec: str = "pcm_s16le", rate: int = 44100) -> bytes:
    """The file: `form` is FFmpeg's name of it (wav, mp3, ipod for M4A)."""
    target = io.BytesIO()
    with av.open(target, "w", format=form) as container:
        stream = cast(AudioStream, container.add_stream(codec, rate=rate, layout="mono"))
        data = np.rint(np.clip(samples, -1, 1) * 32767).astype(np.int16)[np.newaxis, :]
        frame = av.AudioFrame.from_ndarray(data, format="s16", layout="mono")
        frame.sample_rate = rate
        fitting = av.AudioResampler(stream.format, stream.layout, rate, stream.frame_size or None)
        for part in [*fitting.resample(frame), *fitting.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return target.getvalue()
