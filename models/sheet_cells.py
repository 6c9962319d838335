"""What the cells of our files mean: columns, words for codes, numbers, dates; shared by every import and export."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from models.phone import BadNumber, Number, NumberKind, normalise
from models.settings import settings
from models.sheets import Row
from models.vocabulary import LANGUAGES

T = TypeVar("T")


@dataclass(frozen=True)
class Column:
    """One column: its name in the code, the heading we write, other headings we know, and what may stand in it."""

    name: str
    heading: str
    also: tuple[str, ...] = ()
    limit: int = 0  # characters; 0: the column has rules of its own
    required: bool = False
    example: str = ""
    advice: str = ""


# Word to code; the first word of each code is the one we write.
LANGUAGE_WORDS: Mapping[str, str] = {
    "汉语": "zh-CN", "朝鲜语": "ko", "英语": "en", **{language: language for language in LANGUAGES}, "": "zh-CN",
}  # fmt: skip


def headings(columns: Sequence[Column]) -> dict[str, str]:
    """Return every heading that is understood, in small letters, and the column it means."""
    return {
        heading.lower(): column.name
        for column in columns
        for heading in (column.name, column.heading, *column.also)
    }  # fmt: skip


def written(words: Mapping[str, object], code: object) -> str:
    """Return the word that stands for `code` in a file of ours."""
    return next((word for word, value in words.items() if value == code), "")


def cells_of(row: Row, names: Sequence[str], limits: Mapping[str, int]) -> dict[str, str]:
    """Return the row's cells by name, those that the file does not have empty.

    Raises:
        ValueError: a cell says nothing usable, is too long, or holds a line break.
    """
    if row.faults:
        raise ValueError("; ".join(row.faults))
    cells = {name: row.cells.get(name, "") for name in names}
    for name, text in cells.items():
        sound(name, text, limits.get(name, 400))
    return cells


def sound(name: str, text: str, limit: int) -> None:
    """Raise ValueError if the text is too long or not printable."""
    if len(text) > limit:
        raise ValueError(f"{name} is longer than {limit} characters")
    # Printable, or a blank of whatever width: Chinese files have wide ones.
    if any(not char.isprintable() and unicodedata.category(char) != "Zs" for char in text):
        raise ValueError(f"{name} contains a line break or a control character")


def known(cells: Mapping[str, str], name: str, words: Mapping[str, T]) -> T:
    """Return what the cell of this name means; ValueError names the words that it can be."""
    text = cells[name]
    if (code := text if text in words else text.lower()) in words:
        return words[code]
    listed = ", ".join(word for word in words if word)
    raise ValueError(f"{name} is {text[:20]!r}; it can be {listed}{' or empty' if '' in words else ''}")


def parts(text: str) -> list[str]:
    """Return what is separated by one of the usual signs."""
    for sign in "；、，,/":
        text = text.replace(sign, ";")
    return [part.strip() for part in text.split(";") if part.strip()]


def phone_numbers(text: str) -> list[Number]:
    """Return the telephone numbers in a cell, the first one to be rung first; ValueError says what is none."""
    each = parts(text)
    if not each:
        raise ValueError("the telephone number is missing")
    numbers = []
    for part in each:
        try:
            number = normalise(part, settings().area_code)
        except BadNumber as error:
            raise ValueError(f"{part[:20]!r} is not a telephone number") from error
        if number.kind is NumberKind.SHORT_CODE:
            raise ValueError(f"{number} is a short code, nobody's own number")
        numbers.append(number)
    return list(dict.fromkeys(numbers))


def batched(values: list[T], size: int = 500) -> Iterator[list[T]]:
    """Yield `values` in parts that fit into one question."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
