"""A text covered by known words as well as it goes: the best path over its letters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ivr.understanding import chinese_time, english_time, korean_time, lexicon, time_words
from ivr.understanding.text import Text
from ivr.understanding.time_words import Said

# Of equal coverings the one of fewer words is taken: 送晚饭 is one wish, not 送 and 晚饭.
WORD_COSTS = 0.15
LITTLE_WEIGHS = 0.85
RULES: dict[str, tuple[time_words.Rule, ...]] = {
    "zh-CN": chinese_time.RULES,
    "ko": korean_time.RULES,
    "en": english_time.RULES,
}


@dataclass(frozen=True)
class Piece:
    """A stretch of the text and what it is: a phrase of a `group`, a time word, or nothing known ("rest")."""

    start: int
    end: int
    group: str
    code: str = ""
    quality: float = 1.0
    time: tuple[Said, ...] = ()

    def gain(self) -> float:
        """Return what the piece is worth on the path."""
        if self.group == "rest":
            return 0.0
        weight = LITTLE_WEIGHS if self.group in ("little", "deny") else 1.0
        return weight * self.quality * (self.end - self.start) - WORD_COSTS


def cover(text: Text, language: str, groups: Sequence[str]) -> list[Piece]:
    """Return the pieces, in order and without a gap."""
    if not len(text):
        return []
    pieces = _candidates(text, language, frozenset(groups) | {"decoy"})
    best: list[tuple[float, list[Piece]] | None] = [None] * (len(text) + 1)
    best[0] = (0.0, [])
    for start in range(len(text)):
        here = best[start]
        if here is None:
            continue
        for piece in pieces[start]:
            gain = here[0] + piece.gain()
            there = best[piece.end]
            if there is None or gain > there[0] + 1e-9:
                best[piece.end] = (gain, [*here[1], piece])
    path = best[len(text)]
    return path[1] if path else [Piece(0, len(text), "rest")]


def _candidates(text: Text, language: str, groups: frozenset[str]) -> dict[int, list[Piece]]:
    found: dict[int, list[Piece]] = defaultdict(list)
    whole_words = language == "en"
    for start in range(len(text)):
        if start in text.edges:
            after = min(edge for edge in text.edges if edge > start)
            found[start].append(Piece(start, after, "rest"))
        if whole_words and start not in text.edges:
            continue
        for word, end, quality in lexicon.at(text.letters, start, language):
            if word.group in groups and (not whole_words or end in text.edges):
                found[start].append(Piece(start, end, word.group, word.code, quality, word.time))
    if "time" in groups:
        for start, end, said in time_words.find(text.letters, RULES[language]):
            if not whole_words or {start, end} <= text.edges:
                found[start].append(Piece(start, end, "time", "", 1.0, said))
    return found
