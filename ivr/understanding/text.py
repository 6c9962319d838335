"""What a recogniser or a person writes, made comparable: no blanks, no punctuation, one spelling."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

LONGEST = 300  # letters; nobody orders a bath in more, and the work stays bounded

# 儿 after a word is the north's way to speak, not another word; these keep theirs.
_ERHUA = re.compile("(?<![女孙婴幼托健少生胎产小育])儿(?![子媳女童歌孙科])")
_DAY_ER = re.compile("([今明后昨前])儿")
_NOT_WORDS = re.compile(r"[^\w:']+")


@dataclass(frozen=True)
class Text:
    """Letters without blanks, and where words begin and end: each Chinese character is a word of its own."""

    letters: str
    edges: frozenset[int]

    def __len__(self) -> int:
        """Count the letters."""
        return len(self.letters)


def read(text: str, language: str) -> Text:
    """Return the text to be understood, at most LONGEST letters of it."""
    words = _NOT_WORDS.sub(" ", unicodedata.normalize("NFKC", text).lower().replace("’", "'").replace("_", " ")).split()
    if language == "zh-CN":
        letters = plain_chinese("".join(words))[:LONGEST]
        return Text(letters, frozenset(range(len(letters) + 1)))
    edges, end = {0}, 0
    kept = []
    for word in words:
        if end + len(word) > LONGEST:
            break
        end += len(word)
        kept.append(word)
        edges.add(end)
    return Text("".join(kept), frozenset(edges))


def plain_chinese(letters: str) -> str:
    """Return the letters without the 儿 that only colours a word."""
    return _ERHUA.sub("", _DAY_ER.sub(r"\1天", letters)) if len(letters) > 1 else letters
