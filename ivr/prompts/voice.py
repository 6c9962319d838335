"""Voices: they turn lines into one telephone-band file (8 kHz, mono, 16 bit), cached by what is said and how.

espeak-ng is a stand-in for recorded people: it obeys the same protocol, and the
console names it a stand-in. Tones are the voice of tests: a far end can prove
which prompt it heard. Where a person has recorded a prompt, the recording takes
the stand-in's place in the same file.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import groupby
from pathlib import Path
from typing import Protocol

import numpy as np

from ivr import tones
from ivr.prompts import recorded, sound
from ivr.prompts.catalogue import DIALPLAN_PROMPTS
from ivr.prompts.pieces import pieces
from ivr.prompts.sound import Samples, write_wav
from ivr.prompts.words import Line
from models import toolbox
from models.settings import settings

__all__ = ["RATE_HZ", "Manner", "Voice", "VoiceFailed", "build_static", "silence", "utterance", "voice", "write_wav"]

RATE_HZ = sound.RATE_HZ
# espeak-ng's voices, and words a minute: slower than talk, the listener is 85.
_ESPEAK = {"zh-CN": ("cmn", 180), "ko": ("ko", 160), "en": ("en-us", 130)}
# The tempo of a slow pace, against the normal one.
SLOW = 0.78
# Between two pieces of a sentence, between two sentences (ms).
_JOINT_MS = 60
_PAUSE_MS = 250
# On hold, between two times of the sentence.
_HOLD_PAUSE_MS = 12_000


class VoiceFailed(RuntimeError):
    """A line could not be rendered; the call goes to a person."""


@dataclass(frozen=True)
class Manner:
    """How it is said: the language, `pace` normal or slow, `volume` normal or loud."""

    language: str
    pace: str = "normal"
    volume: str = "normal"

    @property
    def marks(self) -> tuple[str, ...]:
        """What is not normal."""
        return tuple(mark for mark in (self.pace, self.volume) if mark != "normal")


class Voice(Protocol):
    """Renders lines into a WAV file."""

    name: str

    def identity(self, lines: Sequence[Line], manner: Manner) -> str:
        """Return what decides the sound: the same identity is the same file."""

    def render(self, lines: Sequence[Line], manner: Manner, target: Path) -> None:
        """Write the WAV file `target`.

        Raises:
            VoiceFailed: it cannot be rendered.
        """


class EspeakVoice:
    """The stand-in voice."""

    name = "espeak"

    def identity(self, lines: Sequence[Line], manner: Manner) -> str:
        """The sentence itself, and what is not normal about it."""
        return "/".join((" ".join(line.text(manner.language) for line in lines), *manner.marks))

    def render(self, lines: Sequence[Line], manner: Manner, target: Path) -> None:
        """Speak the sentence; one with a number in it is joined of pieces, so that a new number costs no speaking."""
        found = pieces(lines, manner.language)
        if len(found) == 1:
            self._speak(found[0].text, found[0].language, manner.pace, target)
            samples = sound.trim(sound.read_wav(target))
        else:
            parts = []
            for piece in found:
                gap = _PAUSE_MS if piece.pause else _JOINT_MS
                parts += [self._piece(piece.text, piece.language, manner.pace), sound.silence(gap)]
            samples = np.concatenate(parts[:-1])
        write_wav(target, sound.louder(samples) if manner.volume == "loud" else samples)

    @lru_cache(maxsize=256)  # noqa: B019 (there is one voice a process)
    def _piece(self, text: str, language: str, pace: str) -> Samples:
        """Return a piece's sound without the silence around it."""
        file = _target(self.name, language, f"piece/{pace}/{text}")
        if not file.exists():
            _write_once(file, partial(self._speak, text, language, pace))
        return sound.trim(sound.read_wav(file))

    def _speak(self, text: str, language: str, pace: str, target: Path) -> None:
        """Speak with espeak-ng, bring to the telephone band with sox."""
        name, speed = _ESPEAK[language]
        words_a_minute = str(round(speed * (SLOW if pace == "slow" else 1)))
        raw = target.with_suffix(".raw.wav")
        try:
            espeak = _espeak()
            espeak.run("-v", name, "-s", words_a_minute, "-w", str(raw), "--stdin", input=text.encode(), timeout=20)
            telephone = ("-r", str(RATE_HZ), "-c", "1", "-b", "16")
            sound.sox().run("-V1", str(raw), *telephone, str(target), "norm", "-3", timeout=20)
        except (toolbox.ToolMissing, OSError, subprocess.SubprocessError) as error:
            raise VoiceFailed(str(error)) from error
        finally:
            raw.unlink(missing_ok=True)


class ToneVoice:
    """The voice of tests: the codes of each line as short melodies (ivr.tones)."""

    name = "tones"

    def identity(self, lines: Sequence[Line], manner: Manner) -> str:
        """The codes; the language is one more code at the end, and what is not normal."""
        return "|".join([*(code for line in lines for code in line.codes()), manner.language, *manner.marks])

    def render(self, lines: Sequence[Line], manner: Manner, target: Path) -> None:
        """Write the melodies one after another."""
        melody = np.concatenate([tones.render(code) for code in self.identity(lines, manner).split("|")])
        write_wav(target, melody)


@cache
def _espeak() -> toolbox.Tool:
    return toolbox.espeak(settings().cache_dir)


@cache
def voice() -> Voice:
    """Return the voice of this process, as configured."""
    return ToneVoice() if settings().voice == "tones" else EspeakVoice()


def utterance(lines: Sequence[Line], language: str, pace: str = "normal", volume: str = "normal") -> str:
    """Return the file to play, as Asterisk wants it: absolute, without extension. Rendered if it is new.

    Raises:
        VoiceFailed: it cannot be rendered.
    """
    manner = Manner(language, pace, volume)
    people = recorded.present(language)
    taken = {line.key: people[line.key] for line in lines if line.key in people} if people else {}
    if not taken:
        return _stand_in(lines, manner)
    identity = "/".join((voice().identity(lines, manner), *taken.values()))
    target = _target("people", language, identity)
    if not target.exists():
        _write_once(target, partial(_compose, lines, manner, taken))
    return str(target)[: -len(".wav")]


def stand_in(key: str, language: str) -> Path:
    """Return the stand-in's file of a prompt without variables, whether it is recorded or not.

    Raises:
        VoiceFailed: it cannot be rendered.
    """
    return Path(_stand_in((Line(key),), Manner(language)) + ".wav")


def _stand_in(lines: Sequence[Line], manner: Manner) -> str:
    file = _stand_in_file(settings().var_dir, voice().name, tuple(lines), manner)
    # Asked in every turn: the prompts may be emptied at any time.
    if not os.path.exists(f"{file}.wav"):  # noqa: PTH110 (a path's own costs several times as much)
        _write_once(Path(f"{file}.wav"), partial(voice().render, lines, manner))
    return file


@lru_cache(maxsize=2048)
def _stand_in_file(_var_dir: Path, name: str, lines: tuple[Line, ...], manner: Manner) -> str:
    """Return the file of what most calls say, without putting its sentences together each time."""
    return str(_target(name, manner.language, voice().identity(lines, manner)))[: -len(".wav")]


def _compose(lines: Sequence[Line], manner: Manner, taken: Mapping[str, str], target: Path) -> None:
    """Join what people have recorded with what the stand-in says between."""
    parts: list[Samples] = []
    for key, group in groupby(lines, lambda line: line.key if line.key in taken else None):
        if key is None:
            parts.append(sound.read_wav(Path(_stand_in(tuple(group), manner) + ".wav")))
        else:
            parts += [_recorded(taken[key], manner, target)] * len(list(group))
        parts.append(sound.silence(_PAUSE_MS))
    write_wav(target, np.concatenate(parts[:-1]))


def _recorded(content_key: str, manner: Manner, beside: Path) -> Samples:
    source = recorded.sound_of(content_key)
    slow = beside.with_suffix(".slow.wav")
    try:
        if manner.pace == "slow":
            sound.stretch(source, slow, SLOW)
            source = slow
        samples = sound.read_wav(source)
    except (toolbox.ToolMissing, OSError, subprocess.SubprocessError) as error:
        raise VoiceFailed(str(error)) from error
    finally:
        slow.unlink(missing_ok=True)
    return sound.louder(samples) if manner.volume == "loud" else samples


def _target(voice_name: str, language: str, identity: str) -> Path:
    key = hashlib.sha256(f"{voice_name}/{language}/{identity}".encode()).hexdigest()[:32]
    return settings().prompt_dir / voice_name / language / f"{key}.wav"


def build_static(language: str) -> int:
    """Put what the dialplan plays by itself under names it knows. Returns how many were new or have changed."""
    new = 0
    for key in DIALPLAN_PROMPTS:
        source = Path(utterance((Line(key),), language) + ".wav")
        target = static_dir() / language / f"{key}.wav"
        if not target.exists() or not filecmp.cmp(source, target, shallow=False):
            _write_once(target, partial(shutil.copyfile, source))
            new += 1
    # What somebody on hold hears: the sentence, and then nothing for a while.
    _write_once(static_dir() / language / "hold" / "hold.wav", partial(_hold, language))
    # The tone after which a message is recorded: Debian's Asterisk brings none of its own here.
    _write_once(static_dir() / language / "beep.wav", partial(write_wav, samples=_beep()))
    return new


def _hold(language: str, target: Path) -> None:
    sentence = sound.read_wav(Path(utterance((Line("on_hold"),), language) + ".wav"))
    write_wav(target, np.concatenate([sentence, sound.silence(_HOLD_PAUSE_MS)]))


def _beep() -> Samples:
    """950 Hz for 400 ms, as China's network sounds it before a recording."""
    seconds = np.arange(int(0.4 * RATE_HZ)) / RATE_HZ
    return (0.3 * 32767 * np.sin(2 * np.pi * 950 * seconds)).astype(np.int16)


def static_dir() -> Path:
    """Return the folder whose files the dialplan plays by name."""
    return settings().prompt_dir / voice().name / "static"


@cache
def silence() -> str:
    """Return a silent file: what is played while only listening."""
    target = settings().prompt_dir / "silence.wav"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        write_wav(target, sound.silence(100))
    return str(target.with_suffix(""))


def _write_once(target: Path, render: Callable[[Path], object]) -> None:
    """Render beside the target and move it in place: a file is whole or it is not there."""
    if not target.parent.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
    # Two calls may render the same sentence at the same time.
    part = target.with_suffix(f".{os.getpid()}-{threading.get_ident()}.wav")
    try:
        render(part)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
