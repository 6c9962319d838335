"""INTENT: sentences with a recogniser's errors, as text: what is understood, and what is wrongly taken for a wish.

The threshold and the words are chosen on one half of the sentences (`Row.reported`
false); all figures are of the other half.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

from ivr.understanding.understand import THRESHOLD
from models.vocabulary import LANGUAGES
from tests.bench.report import Figure, table
from tests.support.intents import Result, Row, judge, rows
from tests.support.misheard import babble, misheard

# Understood wrongly or not at all, of the reported Mandarin half: at most this share.
LIMIT = 0.08


def run() -> Figure:
    """Print the figures of each language and the confusion of Mandarin; return its share of errors ÷ the limit."""
    reported = {language: [row for row in rows(language) if row.reported] for language in LANGUAGES}
    results = {language: judge(half) for language, half in reported.items()}
    print(f"INTENT: threshold {THRESHOLD}; the half that nothing was chosen on")  # noqa: T201
    head = (
        "language",
        "meaningful",
        "intent",
        "all slots",
        "missed",
        "meaningless",
        "taken for something",
        "false orders",
    )
    print(table(head, [_line(language, result) for language, result in results.items()]))  # noqa: T201
    mandarin = results["zh-CN"]
    by_kind = {kind: judge(row for row in reported["zh-CN"] if row.kind == kind) for kind in _kinds()}
    print("Mandarin by kind:")  # noqa: T201
    print(table(("kind", *head[1:]), [_line(kind, result) for kind, result in by_kind.items()]))  # noqa: T201
    print("by dice: characters heard as others (70 % the same sound); everyday words that ask for nothing:")  # noqa: T201
    print(table(("made by dice", *head[1:]), list(_by_dice(reported["zh-CN"]))))  # noqa: T201
    print("meant → taken for, where they differ:")  # noqa: T201
    print(_confusion(mandarin))  # noqa: T201
    errors = 1 - (mandarin.slots_right + mandarin.nothing - mandarin.accepted) / (mandarin.sentences + mandarin.nothing)
    return Figure(
        ratio=round(errors / LIMIT, 3),
        better="lower",
        goal=1.0,
        ours=round(100 * errors, 2),
        other=100 * LIMIT,
        unit="% of sentences not understood exactly (intent and every slot)",
        spread=f"{mandarin.sentences + mandarin.nothing} sentences; false accepts {mandarin.false_accepts:.1%}",
    )


def _kinds() -> list[str]:
    return sorted({row.kind for row in rows("zh-CN")})


def _by_dice(reported: list[Row]) -> Iterator[tuple[object, ...]]:
    """Yield the lines of sentences that nobody wrote down, the same ones in each run."""
    dice = random.Random(12349)
    clear = [row for row in reported if row.intent and row.kind in ("plain", "dialect", "noise") and len(row.text) > 1]
    for wrong in (1, 2):
        garbled = [misheard(row, dice, wrong) for row in clear for _ in range(5) if len(row.text) > 2 * wrong]
        yield _line(f"{wrong} of a sentence wrong", judge(garbled))
    for language in LANGUAGES:
        yield _line(f"babble, {language}", judge(babble(dice, 1000, language)))


def _line(name: str, result: Result) -> tuple[object, ...]:
    meaningful = bool(result.sentences)
    return (
        name,
        result.sentences,
        f"{result.accuracy:.1%}" if meaningful else "-",
        f"{result.slot_accuracy:.1%}" if meaningful else "-",
        result.missed,
        result.nothing,
        f"{result.accepted} ({result.false_accepts:.1%})",
        result.false_orders,
    )


def _confusion(result: Result) -> str:
    """Return what was meant against what was understood, by intent; the right ones as one count each."""
    right: Counter[str] = Counter()
    lines = []
    for (meant, taken), times in sorted(result.confusion.items()):
        if meant == taken:
            right[meant] += times
        else:
            lines.append((meant, taken, times))
    shown = [(meant, "itself", times) for meant, times in sorted(right.items())]
    return table(("meant", "taken for", "times"), [*shown, *lines])
