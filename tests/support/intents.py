"""Sentences with what they mean, as data, and how well they are understood.

One half of the rows, by a hash of the text, is for choosing thresholds and
words; only the other half is reported.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from ivr.understanding import Meaning
from ivr.understanding.understand import THRESHOLD, weigh

FOLDER = Path(__file__).parent.parent / "ivr"
FILES = {"zh-CN": "intents_zh.csv", "ko": "intents_ko.csv", "en": "intents_en.csv"}
# The moment in which every sentence of the files is said: a Wednesday.
SAID_AT = datetime(2026, 11, 25, 9, tzinfo=ZoneInfo("Asia/Shanghai"))


@dataclass(frozen=True)
class Row:
    """One sentence: how it came about (`kind`), what was asked, and what it means; no intent: nothing is understood."""

    language: str
    kind: str
    grammar: str
    text: str
    intent: str | None
    code: str | None
    service: str | None
    day: date | None
    part: str | None
    at: time | None

    @property
    def reported(self) -> bool:
        """Whether the row belongs to the half that is reported."""
        return hashlib.sha256(self.text.encode()).digest()[0] % 2 == 1


def rows(language: str) -> list[Row]:
    """Return the sentences of a language."""
    with (FOLDER / FILES[language]).open(encoding="utf-8", newline="") as file:
        return [_row(language, {name: value or None for name, value in line.items()}) for line in csv.DictReader(file)]


def _row(language: str, line: dict[str, str | None]) -> Row:
    day, at = line["day"], line["at"]
    return Row(
        language,
        line["kind"] or "",
        line["grammar"] or "",
        line["text"] or "",
        line["intent"],
        line["code"],
        line["service"],
        date.fromisoformat(f"{SAID_AT.year}-{day}") if day else None,
        line["part"],
        time.fromisoformat(at) if at else None,
    )


@dataclass
class Result:
    """How a set of rows was understood, as counts and as sentences to look at."""

    sentences: int = 0  # that mean something
    understood: int = 0  # with the right intent and answer
    missed: int = 0  # taken for nothing
    slots_right: int = 0  # of `understood`: service, day, part and time exactly as said, nothing added
    nothing: int = 0  # that mean nothing
    accepted: int = 0  # of those, taken for something
    false_orders: int = 0  # a service would have been ordered that was not asked for, before any read-back
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[tuple[Row, Meaning]] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        """Right intents and answers, of the sentences that mean something."""
        return self.understood / max(1, self.sentences)

    @property
    def slot_accuracy(self) -> float:
        """Sentences with everything right, of those that mean something."""
        return self.slots_right / max(1, self.sentences)

    @property
    def false_accepts(self) -> float:
        """Sentences that mean nothing and were taken for something."""
        return self.accepted / max(1, self.nothing)


def judge(chosen: Iterable[Row], threshold: int = THRESHOLD) -> Result:
    """Understand the rows and count."""
    result = Result()
    for row in chosen:
        meaning = weigh(row.text, row.language, row.grammar, SAID_AT)
        if meaning.score < threshold:
            meaning = Meaning()
        right = meaning.intent == row.intent and (row.intent is None or meaning.code == row.code or row.code is None)
        when = meaning.when
        slots = right and (meaning.service, when.day, when.part, when.at) == (row.service, row.day, row.part, row.at)
        result.confusion[row.intent or "nothing", meaning.intent or "nothing"] += 1
        ordered = meaning.service if meaning.intent == "order" else None
        result.false_orders += ordered is not None and (row.intent != "order" or ordered != row.service)
        if row.intent is None:
            result.nothing += 1
            result.accepted += bool(meaning)
        else:
            result.sentences += 1
            result.understood += right
            result.slots_right += slots
            result.missed += not meaning
        if not (slots if row.intent else right):
            result.wrong.append((row, meaning))
    return result
