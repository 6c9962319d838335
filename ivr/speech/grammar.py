"""Phrase lists: what a recogniser may hear in one turn, and what counts as having heard it.

A recogniser that knows only the phrases of the turn hears one of them in
everything. So each list also holds fillers, everyday words that nobody is asked
for here: foreign speech comes back as those. Only a whole utterance that is
exactly one phrase is accepted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ivr.speech.fillers import FILLERS

log = logging.getLogger(__name__)

# A filler this much like a phrase would be heard in its place.
_TOO_SIMILAR = 0.5
_LONGEST_WORD = 8

Knows = Callable[[str], bool]


@dataclass(frozen=True)
class Grammar:
    """The phrases of one turn, split into words that the model knows, and the fillers beside them."""

    name: str
    phrases: dict[str, str]  # the words as the recogniser spells them → the phrase as it was given
    fillers: tuple[str, ...]
    missing: tuple[str, ...]  # phrases left out, because the model lacks a word of theirs

    @cached_property
    def entries(self) -> list[str]:
        """What the recogniser is given."""
        return [*self.phrases, *self.fillers]

    def match(self, words: Sequence[str]) -> str | None:
        """The one phrase that the words are, or None.

        The same phrase said more than once is that phrase: she says 네, 네.
        """
        for times in range(1, len(words) + 1):
            part, rest = divmod(len(words), times)
            if not rest and list(words) == list(words[:part]) * times:
                phrase = self.phrases.get(" ".join(words[:part]))
                if phrase is not None:
                    return phrase
        return None


def build(name: str, language: str, phrases: Iterable[str], knows: Knows) -> Grammar:
    """Makes the list of one turn. `knows` says whether a word is in the model's vocabulary.

    A phrase with a word that the model lacks is left out and named in a
    warning, since Vosk would drop it without one.
    """
    known: dict[str, str] = {}
    missing: list[str] = []
    for phrase in phrases:
        words = split_words(phrase, knows)
        if words is None:
            missing.append(phrase)
        else:
            known.setdefault(" ".join(words), phrase)
    if missing:
        # Phrases are our own words, not the caller's: they may be logged.
        log.warning("grammar %s (%s): the model lacks words of: %s", name, language, ", ".join(missing))
    fillers = tuple(
        filler
        for filler in FILLERS.get(language, ())
        if knows(filler) and not any(similarity(filler, entry) >= _TOO_SIMILAR for entry in known)
    )
    return Grammar(name, known, fillers, tuple(missing))


def split_words(phrase: str, knows: Knows) -> list[str] | None:
    """The phrase as words of the vocabulary, or None where that cannot be.

    Chinese is written without spaces and its models know words, not sentences:
    a run of Chinese characters is cut into the fewest known words. Other
    scripts keep their own words.
    """
    words: list[str] = []
    for part in phrase.split():
        if knows(part):
            words.append(part)
            continue
        pieces = _cut(part, knows) if all("\u4e00" <= letter <= "\u9fff" for letter in part) else None
        if pieces is None:
            return None
        words.extend(pieces)
    return words or None


def _cut(text: str, knows: Knows) -> list[str] | None:
    best: list[list[str] | None] = [[]]
    for end in range(1, len(text) + 1):
        choices = [
            [*head, text[start:end]]
            for start in range(max(0, end - _LONGEST_WORD), end)
            if (head := best[start]) is not None and knows(text[start:end])
        ]
        best.append(min(choices, key=len) if choices else None)
    return best[-1]


def similarity(one: str, other: str) -> float:
    """How alike two words are: 1 the same, 0 nothing in common. Korean by sounds, others by letters."""
    a, b = _sounds(one), _sounds(other)
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above = row
        row = [i]
        for j, y in enumerate(b, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y)))
    return 1 - row[-1] / max(len(a), len(b), 1)


def _sounds(word: str) -> list[str]:
    """A Hangul syllable is up to three sounds in one letter; take them apart."""
    sounds: list[str] = []
    for letter in word:
        index = ord(letter) - 0xAC00
        if not 0 <= index < 11172:
            sounds.append(letter)
            continue
        first, middle, last = index // 588, index % 588 // 28, index % 28
        if first != 11:  # the letter that stands for "no consonant"
            sounds.append(f"f{first}")
        sounds.append(f"m{middle}")
        if last:
            sounds.append(f"l{last}")
    return sounds
