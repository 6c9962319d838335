"""Does the model of each language know the words of all our phrases? Vosk drops those it does not know in silence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ivr.speech.fillers import eats
from ivr.speech.grammar import split_words
from ivr.speech.models import load, model_folder
from models import vocabulary


@dataclass(frozen=True)
class Checked:
    """One language. Without a `model` nothing can be missing: its callers press keys."""

    language: str
    model: str | None
    phrases: int
    left_out: tuple[str, ...] = ()  # on purpose: they would be heard in everything
    missing: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything that is listed can be heard."""
        return not self.missing


def phrases_of(language: str) -> tuple[str, ...]:
    """Every phrase of every question, each once."""
    every = (phrase for name in vocabulary.GRAMMARS for phrase in vocabulary.phrases(language, name))
    return tuple(dict.fromkeys(every))


def check(languages: Iterable[str], cache_dir: Path) -> list[Checked]:
    """Check each language; loads its model, seconds each. A model that cannot be read counts as none."""
    return [_check(language, model_folder(language, cache_dir)) for language in languages]


def _check(language: str, folder: Path | None) -> Checked:
    every = phrases_of(language)
    left_out = tuple(phrase for phrase in every if eats(phrase, language))
    if folder is None:
        return Checked(language, None, len(every), left_out)
    try:
        model = load(folder)
    except OSError:
        return Checked(language, None, len(every), left_out)
    missing = tuple(p for p in every if p not in left_out and split_words(p, model.knows) is None)
    return Checked(
        language, folder.name if folder.name != "model" else folder.parent.name, len(every), left_out, missing
    )
