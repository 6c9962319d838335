"""Phrase lists: what a recogniser may hear in one turn, and what counts as having heard it.

A recogniser that knows only the phrases of the turn hears one of them in
everything. So each list also holds fillers, everyday words that nobody is asked
for here: foreign speech comes back as those. Only an utterance that is wholly
phrases is accepted ("내일 오후 목욕" is three of them), with one exception: a cry
for help is heard among whatever else was said.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from ivr.speech.fillers import FILLERS, eats

log = logging.getLogger(__name__)

# A filler this much like a phrase would be heard in its place.
_TOO_SIMILAR = 0.5
_LONGEST_WORD = 8
# More phrases in one breath than any request has slots are a sound that fits everything.
_MOST_PHRASES = 8
# Confidence of each word of a cry for help among other words. Of 296 foreign utterances 7 held one, 2 of them so sure.
SURE_CRY = 0.85

Knows = Callable[[str], bool]


@dataclass(frozen=True)
class Grammar:
    """The phrases of one turn, split into words that the model knows, and the fillers beside them."""

    name: str
    phrases: dict[str, str]  # the words as the recogniser spells them → the phrase as it was given
    fillers: tuple[str, ...]
    missing: tuple[str, ...] = ()  # phrases left out, because the model lacks a word of theirs
    urgent: frozenset[str] = frozenset()  # keys of `phrases` that count wherever they stand
    joint: str = " "  # what stands between two phrases in the script of the language

    @cached_property
    def entries(self) -> list[str]:
        """What the recogniser is given."""
        return [*self.phrases, *self.fillers]

    def match(self, words: Sequence[str], sure: Sequence[float] = ()) -> str | None:
        """What the words say, as the vocabulary spells it; None where something else was said as well.

        The same phrase again counts once: she says 네, 네. A cry for help counts
        also among other words, if each word of it is `sure` (0 to 1, in the order of
        `words`), and then is all that is returned: rather one alarm too many, which a
        person hears.
        """
        said = self._phrases_of(words)
        if said is not None and len(said) <= _MOST_PHRASES:
            return self.joint.join(said)
        for key in self.urgent:
            cry = key.split()
            for at in range(len(words) - len(cry) + 1):
                if list(words[at : at + len(cry)]) == cry and min(sure[at : at + len(cry)], default=1) >= SURE_CRY:
                    return self.phrases[key]
        return None

    @cached_property
    def _longest(self) -> int:
        return max((len(key.split()) for key in self.phrases), default=0)

    def _phrases_of(self, words: Sequence[str]) -> list[str] | None:
        """The words as the fewest phrases that make them up wholly, repetitions left out."""
        best: list[list[str] | None] = [[]]
        for end in range(1, len(words) + 1):
            choices = [
                [*before, self.phrases[key]]
                for start in range(max(0, end - self._longest), end)
                if (before := best[start]) is not None and (key := " ".join(words[start:end])) in self.phrases
            ]
            best.append(min(choices, key=len) if choices else None)
        said = best[-1]
        if not said:
            return None
        return [phrase for at, phrase in enumerate(said) if at == 0 or phrase != said[at - 1]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a turn's grammar is made from.

    `private` phrases (names of a household) are of this call only and never
    logged; `urgent` ones are those of `phrases` that cry for help.
    """

    name: str
    phrases: tuple[str, ...]
    private: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()


def build(wanted: Wanted, language: str, knows: Knows) -> Grammar:
    """Makes the list of one turn. `knows` says whether a word is in the model's vocabulary.

    A phrase with a word that the model lacks is left out and named in a
    warning, since Vosk would drop it without one.
    """
    known: dict[str, str] = {}
    missing: list[str] = []
    for phrase in (*(phrase for phrase in wanted.phrases if not eats(phrase, language)), *wanted.private):
        words = split_words(phrase, knows)
        if words is None:
            missing.append(phrase)
        else:
            known.setdefault(" ".join(words), phrase)
    # Phrases are our own words, not the caller's, and may be logged; names may not.
    if told := [phrase for phrase in missing if phrase not in wanted.private]:
        log.warning("grammar %s (%s): the model lacks words of: %s", wanted.name, language, ", ".join(told))
    fillers = tuple(
        filler
        for filler in FILLERS.get(language, ())
        if knows(filler) and not any(similarity(filler, entry) >= _TOO_SIMILAR for entry in known)
    )
    urgent = frozenset(key for key, phrase in known.items() if phrase in wanted.urgent)
    joint = "" if language.startswith("zh") else " "
    return Grammar(wanted.name, known, fillers, tuple(missing), urgent, joint)


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


@lru_cache(maxsize=1 << 16)  # each filler meets the same phrases in every turn
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
