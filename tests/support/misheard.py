"""What a recogniser makes of a sentence, by dice: characters of the same or a near sound, and speech about nothing."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from ivr.speech.fillers import FILLERS
from ivr.understanding.sounds import exact, near
from tests.support.intents import Row

# Of the wrong characters so many sound the same; the others only near it.
SAME = 0.7


@cache
def _alike() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The 3,755 commonest characters (GB 2312, level 1) by sound, and by near sound."""
    by_sound: dict[str, list[str]] = defaultdict(list)
    by_near: dict[str, list[str]] = defaultdict(list)
    for first in range(0xB0, 0xD8):
        for second in range(0xA1, 0xFF):
            character = bytes((first, second)).decode("gb2312", errors="ignore")
            for sound in exact(character) if character else ():
                by_sound[sound].append(character)
            for sound in near(character) if character else ():
                by_near[sound].append(character)
    return by_sound, by_near


def misheard(row: Row, dice: random.Random, wrong: int) -> Row:
    """The sentence with so many of its characters heard as others."""
    letters = list(row.text)
    places = [place for place, letter in enumerate(letters) if "一" <= letter <= "鿿"]
    for place in dice.sample(places, min(wrong, len(places))):
        same, close = _alike()
        sounds, table = (exact, same) if dice.random() < SAME else (near, close)
        choice = [letter for sound in sorted(sounds(letters[place])) for letter in table[sound]]
        letters[place] = dice.choice(choice or [letters[place]])
    return replace(row, text="".join(letters))


def babble(dice: random.Random, count: int, language: str) -> Iterator[Row]:
    """Sentences of everyday words that ask for nothing: the fillers of the speech server's lists."""
    words = FILLERS[language]
    for _ in range(count):
        text = ("" if language == "zh-CN" else " ").join(dice.choices(words, k=dice.randint(1, 6)))
        grammar = dice.choice(("open", "service", "day", "part", "confirm"))
        yield Row(language, "babble", grammar, text, *(None,) * 6)
