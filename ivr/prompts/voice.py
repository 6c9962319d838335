"""Voices: they turn lines into one telephone-band file (8 kHz, mono, 16 bit), cached by what is said.

espeak-ng is a stand-in for recorded people: it obeys the same protocol, and the
console names it a stand-in. Tones are the voice of tests: a far end can prove
which prompt it heard.
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from ivr import tones
from ivr.prompts.catalogue import CATALOGUE, DIALPLAN_PROMPTS
from ivr.prompts.words import Line
from models import toolbox
from models.settings import settings

RATE_HZ = 8000
# espeak-ng's voices, and words a minute: slower than talk, the listener is 85.
_ESPEAK = {"zh-CN": ("cmn", 150), "ko": ("ko", 140), "en": ("en-us", 130)}
_PAUSE_MS = 150


class VoiceFailed(RuntimeError):
    """A line could not be rendered; the call goes to a person."""


class Voice(Protocol):
    """Renders lines of one language into a WAV file."""

    name: str

    def identity(self, lines: Sequence[Line], language: str) -> str:
        """Return what decides the sound: the same identity is the same file."""

    def render(self, lines: Sequence[Line], language: str, target: Path) -> None:
        """Write the WAV file `target`.

        Raises:
            VoiceFailed: it cannot be rendered.
        """


class EspeakVoice:
    """The stand-in voice."""

    name = "espeak"

    def identity(self, lines: Sequence[Line], language: str) -> str:
        """The sentence itself."""
        return " ".join(line.text(language) for line in lines)

    def render(self, lines: Sequence[Line], language: str, target: Path) -> None:
        """Speak with espeak-ng, bring to the telephone band with sox."""
        voice, speed = _ESPEAK[language]
        raw = target.with_suffix(".raw.wav")
        try:
            espeak, sox = _programs()
            text = self.identity(lines, language)
            espeak.run("-v", voice, "-s", str(speed), "-w", str(raw), "--stdin", input=text.encode(), timeout=20)
            sox.run("-V1", str(raw), "-r", str(RATE_HZ), "-c", "1", "-b", "16", str(target), "norm", "-3", timeout=20)
        except (toolbox.ToolMissing, OSError, subprocess.SubprocessError) as error:
            raise VoiceFailed(str(error)) from error
        finally:
            raw.unlink(missing_ok=True)


class ToneVoice:
    """The voice of tests: the codes of each line as short melodies (ivr.tones)."""

    name = "tones"

    def identity(self, lines: Sequence[Line], language: str) -> str:
        """The codes; the language is one more code at the end."""
        return "|".join([*(code for line in lines for code in line.codes()), language])

    def render(self, lines: Sequence[Line], language: str, target: Path) -> None:
        """Write the melodies one after another."""
        melody = np.concatenate([tones.render(code) for code in self.identity(lines, language).split("|")])
        write_wav(target, melody)


def write_wav(target: Path, samples: np.ndarray) -> None:
    """Write 16-bit samples as telephone-band WAV."""
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())


@cache
def _programs() -> tuple[toolbox.Tool, toolbox.Tool]:
    return toolbox.espeak(settings().cache_dir), toolbox.sox(settings().cache_dir)


@cache
def voice() -> Voice:
    """Return the voice of this process, as configured."""
    return ToneVoice() if settings().voice == "tones" else EspeakVoice()


def utterance(lines: Sequence[Line], language: str) -> str:
    """Return the file to play, as Asterisk wants it: absolute, without extension. Rendered if it is new.

    Raises:
        VoiceFailed: it cannot be rendered.
    """
    identity = f"{voice().name}/{language}/{voice().identity(lines, language)}"
    key = hashlib.sha256(identity.encode()).hexdigest()[:32]
    target = settings().prompt_dir / voice().name / language / f"{key}.wav"
    if not target.exists():
        _write_once(lines, language, target)
    return str(target.with_suffix(""))


def build_static(language: str) -> int:
    """Render what the dialplan plays by itself, under names it knows. Returns how many were new."""
    new = 0
    for key in DIALPLAN_PROMPTS:
        target = static_dir() / language / f"{key}.wav"
        if not target.exists():
            _write_once([Line(key)], language, target)
            new += 1
    # The tone after which a message is recorded: Debian's Asterisk brings none of its own here.
    write_wav(static_dir() / language / "beep.wav", _beep())
    return new


def _beep() -> np.ndarray:
    """950 Hz for 400 ms, as China's network sounds it before a recording."""
    seconds = np.arange(int(0.4 * RATE_HZ)) / RATE_HZ
    return 0.3 * 32767 * np.sin(2 * np.pi * 950 * seconds)


def warm(language: str) -> None:
    """Render every prompt without variables, so that no caller waits for it."""
    for key, texts in CATALOGUE.items():
        if "{" not in texts[language]:
            utterance([Line(key)], language)


def static_dir() -> Path:
    """Return the folder whose files the dialplan plays by name."""
    return settings().prompt_dir / voice().name / "static"


@cache
def silence() -> str:
    """Return a silent file: what is played while only listening."""
    target = settings().prompt_dir / "silence.wav"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        write_wav(target, np.zeros(RATE_HZ // 10, dtype=np.int16))
    return str(target.with_suffix(""))


def _write_once(lines: Sequence[Line], language: str, target: Path) -> None:
    """Render beside the target and move it in place: a file is whole or it is not there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        part = Path(folder) / "part.wav"
        voice().render(lines, language, part)
        part.replace(target)
