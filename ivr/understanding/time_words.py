"""Time words found in a text as what they say, not yet as a date: `dates.py` does that."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """One time word. Exactly one kind, `n` and `m` by kind:

    day: n days from today (negative: over). weekday: n 0 Monday … 6, m weeks from this one (None: not said).
    month: the n-th (0: the last day) of the month that is m from this one.
    week: n weeks from this one, without a day. date: the n-th, m the month (None: not said).
    holiday: n days after `code`, its Chinese name. part: `code`, or "night": past the last part of a day.
    clock: n hours, m minutes, `code` am, pm or "". now: this moment.
    every: again and again, `code` day, week or month; what else is said of the day is the first of them.
    """

    kind: str
    n: int = 0
    m: int | None = None
    code: str = ""


Found = tuple[int, int, tuple[Said, ...]]
Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[Said, ...] | None]]


def find(letters: str, rules: Sequence[Rule]) -> Iterator[Found]:
    """Yield every time word as (start, end, what it says); they may overlap."""
    for pattern, say in rules:
        at = 0
        while (match := pattern.search(letters, at)) is not None:
            at = match.start() + 1
            what = say(match)
            if what is not None and match.end() > match.start():
                yield match.start(), match.end(), what


def part(code: str) -> Callable[[re.Match[str]], tuple[Said, ...]]:
    """Return the rule's right side for a part of the day."""
    return lambda match: (Said("part", code=code),)


def every(code: str, *first: Said) -> tuple[Said, ...]:
    """Return what a word of repetition says: each `code`, from `first` on."""
    return (Said("every", code=code), *first)


def now(match: re.Match[str]) -> tuple[Said, ...]:
    """Return the rule's right side for this moment."""
    return (Said("now"),)
