"""The catalogue as people look at it: each prompt per language, its text, stand-in or recorded, by whom, when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from ivr.prompts.catalogue import CATALOGUE, Prompt
from models import recordings
from models.recordings import PromptRecording


@dataclass(frozen=True)
class Spoken:
    """One prompt in one language. `waiting`: recorded, but its language was not whole then."""

    language: str
    text: str
    live: PromptRecording | None = None
    waiting: PromptRecording | None = None


@dataclass(frozen=True)
class Listed:
    """One prompt in every language that was asked for."""

    prompt: Prompt
    spoken: tuple[Spoken, ...]

    @property
    def recordable(self) -> bool:
        """A prompt with variables stays with the stand-in."""
        return not self.prompt.variables


def listed(session: Session, languages: Sequence[str]) -> list[Listed]:
    """Return the whole catalogue in its own order."""
    live = recordings.present(session)
    newest = recordings.present(session, live=False)
    return [_listed(prompt, languages, live, newest) for prompt in CATALOGUE.values()]


_Rows = dict[tuple[str, str], PromptRecording]


def _listed(prompt: Prompt, languages: Sequence[str], live: _Rows, newest: _Rows) -> Listed:
    spoken = []
    for language in languages:
        at = (prompt.key, language)
        waiting = newest.get(at)
        spoken.append(
            Spoken(
                language,
                prompt.text.get(language, ""),
                live.get(at),
                waiting if waiting is not None and waiting.live_at is None else None,
            )
        )
    return Listed(prompt, tuple(spoken))
