"""How Chinese characters sound, without tones; and what the ear of a recogniser takes for the same."""

from __future__ import annotations

import os
import re
from functools import lru_cache

# The table of single characters is enough: half the memory.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")

from pypinyin import Style, pinyin

# zh/z ch/c sh/s, n/l, r/l, h/f at the beginning; an/ang en/eng in/ing at the end.
_NEAR = (
    (re.compile("^([zcs])h"), r"\1"),
    (re.compile("^[nr](?=.)"), "l"),
    (re.compile("^h(?=u)"), "f"),
    (re.compile("ng$"), "n"),
)
_WEN = {"fu": "fu", "fui": "fei", "fuan": "fan", "fua": "fa", "fuo": "fo", "fun": "fen"}


@lru_cache(maxsize=8192)
def exact(character: str) -> frozenset[str]:
    """Return every reading without its tone: 行 is xing and hang."""
    readings = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    return frozenset(readings[0]) if readings else frozenset({character})


@lru_cache(maxsize=8192)
def near(character: str) -> frozenset[str]:
    """Return every reading with the sounds made one that are taken for each other."""
    return frozenset(_blurred(reading) for reading in exact(character))


def _blurred(reading: str) -> str:
    for pattern, instead in _NEAR:
        reading = pattern.sub(instead, reading)
    return _WEN.get(reading, reading)


# Of sounds alike, how alike two words are: 1 the same characters, 0 not.
HOMOPHONE, NEIGHBOUR = 0.92, 0.8


def alike(said: str, phrase: str) -> float:
    """Return how alike two words of the same length sound: the mean over characters, 0 if one sounds different."""
    total = 0.0
    for a, b in zip(said, phrase, strict=True):
        if a == b:
            total += 1
        elif exact(a) & exact(b):
            total += HOMOPHONE
        elif near(a) & near(b):
            total += NEIGHBOUR
        else:
            return 0.0
    return total / len(phrase)
