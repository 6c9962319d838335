"""Which of a few names she said: the elders of a household, the people somebody rings for."""

from __future__ import annotations

from collections.abc import Sequence

from ivr.understanding import sounds
from ivr.understanding import text as texts


def which(said: str, names: Sequence[str], language: str) -> int | None:
    """Return the number of the one name that is in what she said; None if none or several are.

    Chinese names count by their sound too (王奶奶, 汪奶奶), unless another one is said exactly.
    """
    heard = texts.read(said, language)
    found = [_likeness(heard, texts.read(name, language).letters, language) for name in names]
    best = max(found, default=0.0)
    return found.index(best) if best and found.count(best) == 1 else None


def _likeness(heard: texts.Text, name: str, language: str) -> float:
    """Return how well the name is heard anywhere in the text: 1 exactly, less by sound, 0 not."""
    if not name:
        return 0.0
    starts = range(len(heard) - len(name) + 1)
    if language == "zh-CN":
        return max((sounds.alike(heard.letters[at : at + len(name)], name) for at in starts), default=0.0)
    found = (at for at in starts if at in heard.edges and heard.letters.startswith(name, at))
    return float(any(language == "ko" or at + len(name) in heard.edges for at in found))
