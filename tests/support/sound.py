"""Sounds that a telephone makes: speech, noise, beeps, and the files they are kept in.

Everything is 8 kHz, mono, 16 bit: what a telephone line carries.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np

from ivr.tones import SAMPLE_RATE, Samples
from models.settings import settings
from models.toolbox import espeak

# espeak-ng's names of the hotline's languages.
_VOICES = {"ko": "ko", "zh": "cmn", "zh-CN": "cmn", "en": "en"}
_SPEED, _PITCH = 140, 50
# Voice, speed and pitch in which the recogniser gets a word right that the synthetic voice otherwise mumbles: each of
# 16 to 24 times at the questions of the journeys, in pieces of any length and with up to 100 ms of the sound lost, as
# on a busy machine (as it speaks else, 오후 was heard 2 times of 10, 좋아요 at the read-back 4 times).
_CLEAR = {
    "네": ("ko+f2", 140, 50),
    "내일": ("ko", 150, 50),
    "이야기 모레": ("ko", 150, 50),
    "샤워": ("ko", 140, 65),
    "오후": ("ko", 105, 50),
    "좋아요": ("ko", 130, 50),
    "비행기가 하늘을 날아갑니다": ("ko", 110, 50),
}


def spoken(text: str, language: str = "ko", speed: int | None = None) -> Samples:
    """A text in espeak-ng's voice, at the speed given or as it is clearest; made once, then read from the cache."""
    voice, pace, pitch = _VOICES.get(language, language), speed or _SPEED, _PITCH
    if voice == "ko" and speed is None:
        voice, pace, pitch = _CLEAR.get(text, (voice, pace, pitch))
    name = hashlib.sha256(f"v3|{voice}|{pace}|{pitch}|{text}".encode()).hexdigest()[:24]
    folder = Path(tempfile.gettempdir()) / f"hotline-spoken-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{name}.wav"
    if not path.exists():
        draft = folder / f"{name}.{os.getpid()}.{id(text)}.draft"
        words = ("-v", voice, "-s", str(pace), "-p", str(pitch), "-w", draft, "--", text)
        espeak(settings().cache_dir).run(*words, stderr=subprocess.DEVNULL)
        save(draft, _at_talking_level(resample(*_read(draft))))
        # Renamed only when complete: tests run side by side.
        draft.rename(path)
    return load(path)


def _at_talking_level(samples: Samples) -> Samples:
    """The loudest sample at −6 dB of full scale, as a telephone delivers a voice."""
    loudest = max(1, int(np.abs(samples.astype(np.int32)).max()))
    return np.asarray(samples * (0.5 * 32767 / loudest), dtype=np.int16)


def load(path: Path | str) -> Samples:
    """A wav file, whatever its rate, as telephone sound."""
    return resample(*_read(Path(path)))


def save(path: Path, *channels: Samples) -> None:
    """Writes one channel, or several side by side, as a wav file."""
    length = max(map(len, channels))
    padded = np.zeros((length, len(channels)), np.int16)
    for index, samples in enumerate(channels):
        padded[: len(samples), index] = samples
    with wave.open(str(path), "wb") as out:
        out.setnchannels(len(channels))
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(padded.tobytes())


def resample(samples: Samples, rate: int) -> Samples:
    """To 8 kHz, by cutting the spectrum."""
    if rate == SAMPLE_RATE or not len(samples):
        return samples
    count = round(len(samples) * SAMPLE_RATE / rate)
    spectrum = np.fft.rfft(samples.astype(np.float64))
    kept = np.zeros(count // 2 + 1, complex)
    kept[: min(len(kept), len(spectrum))] = spectrum[: len(kept)]
    out = np.fft.irfft(kept, count) * (count / len(samples))
    return np.clip(np.rint(out), -32768, 32767).astype(np.int16)


def noise(seconds: float, level: int = 1500) -> Samples:
    """White noise, the same every time."""
    random = np.random.default_rng(12349)
    return random.normal(0, level, int(seconds * SAMPLE_RATE)).clip(-32768, 32767).astype(np.int16)


def music(seconds: float) -> Samples:
    """A slow chord that changes its key: what a radio in the room may sound like."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    base = 220 * 2 ** ((time * 2).astype(int) % 5 / 12)
    chord = sum(np.sin(2 * np.pi * base * step * time) for step in (1, 1.25, 1.5, 2.02))
    return np.asarray(chord * 2500).astype(np.int16)


def beep(seconds: float = 0.5, hertz: int = 440) -> Samples:
    """The tone after which one may speak."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (9000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)


def _read(path: Path) -> tuple[Samples, int]:
    with wave.open(str(path), "rb") as source:
        if source.getsampwidth() != 2:
            raise ValueError(f"{path}: 16 bit samples wanted")
        samples = np.frombuffer(source.readframes(source.getnframes()), np.int16)
        return samples[:: source.getnchannels()], source.getframerate()
