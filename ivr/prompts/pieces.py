"""A sentence, divided for a synthetic voice: digits of numbers, and names of another script."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ivr.prompts.catalogue import CATALOGUE
from ivr.prompts.words import Line

# Variables of these names are spoken digit by digit; each digit is a piece of its own.
SPELLED = frozenset({"number", "phone"})
_COMMA = "，,"
# A voice spells out what is not written in its script, so a name is said by the voice of the name's language.
_SCRIPTS = {"zh-CN": re.compile("[\u4e00-\u9fff]+"), "ko": re.compile("[\uac00-\ud7a3]+(?: [\uac00-\ud7a3]+)*")}


@dataclass(frozen=True)
class Piece:
    """Some words, the language of the voice that says them, and whether a pause follows."""

    text: str
    language: str
    pause: bool = False


def pieces(lines: Sequence[Line], language: str) -> list[Piece]:
    """Return the sentences in pieces, in the order in which they are spoken."""
    texts: list[str | Piece] = [""]
    for line in lines:
        values = dict(line.values)
        for text, name, _form, _conversion in string.Formatter().parse(CATALOGUE[line.key].text[language]):
            texts[-1] = f"{texts[-1]}{text}"
            if name in SPELLED:
                texts += [
                    Piece(digit.rstrip(_COMMA), language, digit[-1] in _COMMA) for digit in values[name].text.split()
                ]
                texts.append("")
            elif name:
                texts[-1] = f"{texts[-1]}{values[name].text}"
        texts[-1] = f"{texts[-1]} "
    found: list[Piece] = []
    for one in texts:
        found += [one] if isinstance(one, Piece) else _by_script(one, language)
    return found


def _by_script(text: str, language: str) -> Iterator[Piece]:
    """Divide a text where its script changes; what stood behind a number begins with its comma or full stop."""
    spans = sorted(
        (match.span(), other)
        for other, pattern in _SCRIPTS.items()
        if other != language
        for match in pattern.finditer(text)
    )
    at = 0
    for (start, end), other in [*spans, ((len(text), len(text)), language)]:
        own = text[at:start].strip().lstrip("，。,. ")
        if own:
            yield Piece(own, language, own[-1] in "。.，,")
        if start < end:
            yield Piece(text[start:end], other)
        at = end
