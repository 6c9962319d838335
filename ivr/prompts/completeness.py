"""Is a language whole? Every prompt has its text, the variables agree, it renders, and none is too long."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ivr.prompts import sound, voice
from ivr.prompts.catalogue import CATALOGUE, Prompt
from ivr.prompts.samples import typical

# An old person keeps what she heard in the last seconds.
LONGEST_MS = 7000
MOST_CHOICES = 4
# How a text names the keys 1–7; 8 is "more", 9, 0 and the signs hold everywhere.
_CHOICE = {
    "zh-CN": re.compile(r"(?<!\d)([1-7])(?!\d)"),
    "ko": re.compile(r"(?<!\d)([1-7])번"),
    "en": re.compile(r"(?<!\d)([1-7])(?!\d)"),
}


class Lack(StrEnum):
    """What can be wrong with a prompt."""

    NO_TEXT = "no_text"
    VARIABLES = "variables"
    SILENT = "silent"  # it cannot be rendered
    TOO_LONG = "too_long"
    CHOICES = "choices"


@dataclass(frozen=True)
class Problem:
    """One fault. `detail`: a length in ms, the names that disagree, …"""

    key: str
    language: str
    lack: Lack
    detail: str = ""


def check(language: str) -> list[Problem]:
    """Return what is wrong with a language; rendered files are read from the cache."""
    return [problem for prompt in CATALOGUE.values() for problem in _faults(prompt, language)]


def check_texts(languages: Sequence[str]) -> list[Problem]:
    """The part that needs no rendering: texts and variables."""
    return [
        problem
        for language in languages
        for prompt in CATALOGUE.values()
        if (problem := _text_fault(prompt, language)) is not None
    ]


def measure_ms(key: str, language: str) -> int:
    """Return how long a prompt sounds with typical values at normal pace.

    Raises:
        VoiceFailed: it cannot be rendered.
    """
    return sound.length_ms(Path(voice.utterance((typical(key, language),), language) + ".wav"))


def _text_fault(prompt: Prompt, language: str) -> Problem | None:
    text = prompt.text.get(language, "").strip()
    if not text:
        return Problem(prompt.key, language, Lack.NO_TEXT)
    named = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    if odd := named ^ set(prompt.variables):
        return Problem(prompt.key, language, Lack.VARIABLES, ", ".join(sorted(odd)))
    return None


def _faults(prompt: Prompt, language: str) -> Iterator[Problem]:
    if (fault := _text_fault(prompt, language)) is not None:
        yield fault
        return
    choices = set(_CHOICE[language].findall(prompt.text[language])) if language in _CHOICE else set()
    if len(choices) > MOST_CHOICES:
        yield Problem(prompt.key, language, Lack.CHOICES, str(len(choices)))
    try:
        length = measure_ms(prompt.key, language)
    except (voice.VoiceFailed, KeyError) as error:
        yield Problem(prompt.key, language, Lack.SILENT, f"{type(error).__name__}: {error}")
        return
    if length == 0:
        yield Problem(prompt.key, language, Lack.SILENT)
    elif length > LONGEST_MS:
        yield Problem(prompt.key, language, Lack.TOO_LONG, str(length))
