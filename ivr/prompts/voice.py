"""Voices: they turn lines into one telephone-band file (8 kHz, mono, 16 bit), cached by what is said.

espeak-ng is a stand-in for recorded people: it obeys the same protocol, and the
console names it a stand-in. Tones are the voice of tests: a far end can prove
which prompt it heard.
"""

from __future__ import annotations

import hashlib
import os
import string
import subprocess
import threading
import wave
from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial
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
_ESPEAK = {"zh-CN": ("cmn", 180), "ko": ("ko", 160), "en": ("en-us", 130)}
# A variable of this name is spoken digit by digit.
_SPELLED = "number"
# Silence at the end of a piece where two are joined, and how loud silence may be.
_JOINT_MS = 120
_SILENT = 300


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
        """Speak the sentence; one with a number in it is joined of pieces, so that a new number costs no speaking."""
        pieces = _pieces(lines, language)
        if len(pieces) == 1:
            self._speak(pieces[0], language, target)
        else:
            write_wav(target, np.concatenate([self._piece(piece, language) for piece in pieces]))

    @lru_cache(maxsize=256)  # noqa: B019 (there is one voice a process)
    def _piece(self, text: str, language: str) -> np.ndarray:
        """Return a piece's sound without the silence behind it."""
        file = _target(self.name, language, f"piece/{text}")
        if not file.exists():
            _write_once(file, partial(self._speak, text, language))
        with wave.open(str(file)) as sound:
            samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
        loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _SILENT)
        end = loud[-1] + _JOINT_MS * RATE_HZ // 1000 if loud.size else 0
        return samples[:end]

    def _speak(self, text: str, language: str, target: Path) -> None:
        """Speak with espeak-ng, bring to the telephone band with sox."""
        voice, speed = _ESPEAK[language]
        raw = target.with_suffix(".raw.wav")
        try:
            espeak, sox = _programs()
            espeak.run("-v", voice, "-s", str(speed), "-w", str(raw), "--stdin", input=text.encode(), timeout=20)
            sox.run("-V1", str(raw), "-r", str(RATE_HZ), "-c", "1", "-b", "16", str(target), "norm", "-3", timeout=20)
        except (toolbox.ToolMissing, OSError, subprocess.SubprocessError) as error:
            raise VoiceFailed(str(error)) from error
        finally:
            raw.unlink(missing_ok=True)


def _pieces(lines: Sequence[Line], language: str) -> list[str]:
    """Return the sentences, divided where a number is spoken: each digit is a piece of its own."""
    pieces = [""]
    for line in lines:
        values = dict(line.values)
        for text, name, _form, _conversion in string.Formatter().parse(CATALOGUE[line.key].text[language]):
            pieces[-1] += text
            if name == _SPELLED:
                pieces += [*values[name].text.split(), ""]
            elif name:
                pieces[-1] += values[name].text
        pieces[-1] += " "
    # What stood behind the number begins with its comma or full stop.
    stripped = (piece.strip().lstrip("，。,. ") for piece in pieces)
    return [piece for piece in stripped if piece]


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
    target = _target(voice().name, language, voice().identity(lines, language))
    if not target.exists():
        _write_once(target, partial(voice().render, lines, language))
    return str(target)[: -len(".wav")]


def _target(voice_name: str, language: str, identity: str) -> Path:
    key = hashlib.sha256(f"{voice_name}/{language}/{identity}".encode()).hexdigest()[:32]
    return settings().prompt_dir / voice_name / language / f"{key}.wav"


def build_static(language: str) -> int:
    """Render what the dialplan plays by itself, under names it knows. Returns how many were new."""
    new = 0
    for key in DIALPLAN_PROMPTS:
        target = static_dir() / language / f"{key}.wav"
        if not target.exists():
            _write_once(target, partial(voice().render, [Line(key)], language))
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
    for key, prompt in CATALOGUE.items():
        if not prompt.variables:
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


def _write_once(target: Path, render: Callable[[Path], None]) -> None:
    """Render beside the target and move it in place: a file is whole or it is not there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # Two calls may render the same sentence at the same time.
    part = target.with_suffix(f".{os.getpid()}-{threading.get_ident()}.wav")
    try:
        render(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
