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


# Characters with more than one everyday reading. The dictionary's rare ones (能 as nai) make anything sound alike.
_OTHERS = (
    "行 hang 了 liao 着 zhao 得 dei 觉 jiao 乐 yue 长 chang 重 chong 调 diao 率 shuai 血 xie 卡 qia 落 lao"
    " 降 xiang 便 pian 弹 dan 数 shuo 校 jiao 朝 zhao 藏 zang 角 jue 强 jiang 和 huo 单 shan 假 jia 大 dai"
)
_ALSO = dict(zip(_OTHERS.split()[::2], _OTHERS.split()[1::2], strict=True))


@lru_cache(maxsize=8192)
def exact(character: str) -> frozenset[str]:
    """Return the everyday readings without tones: 行 is xing and hang."""
    reading = pinyin(character, style=Style.NORMAL, errors="ignore")
    if not reading:
        return frozenset({character})
    return frozenset({reading[0][0], _ALSO.get(character, reading[0][0])})


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
    """Return how alike two words of the same length sound: the mean over characters, 0 if one sounds different.

    Of two characters at least one must sound the same: else any pair is near something.
    """
    total, worst = 0.0, 0
    for a, b in zip(said, phrase, strict=True):
        if a == b:
            total += 1
        elif exact(a) & exact(b):
            total += HOMOPHONE
        elif near(a) & near(b):
            total += NEIGHBOUR
            worst += 1
        else:
            return 0.0
    return 0.0 if worst == len(phrase) < 3 else total / len(phrase)
