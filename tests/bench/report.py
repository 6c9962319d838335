"""What a benchmark leaves: one entry in var/bench.json, a few lines on the terminal, and the arithmetic of both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One benchmark's result. `ratio` is ours ÷ other, both in `unit`; `goal` None: reported only."""

    ratio: float
    better: str  # lower, higher
    goal: float | None
    ours: float
    other: float
    unit: str
    spread: str

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None:
            return None
        return self.ratio <= self.goal if self.better == "lower" else self.ratio >= self.goal


def compare(
    ours: Sequence[float], other: Sequence[float], goal: float | None, unit: str, better: str = "lower"
) -> Figure:
    """Return the ratio of medians of rounds measured side by side; `better` says which way is the good one.

    The spread is the lowest and the highest ratio of a single round.
    """
    if len(ours) != len(other) or not ours:
        raise ValueError("each round needs both sides")
    ratios = [a / b for a, b in zip(ours, other, strict=True)]
    return Figure(
        ratio=round(median(ours) / median(other), 3),
        better=better,
        goal=goal,
        ours=round(median(ours), 3),
        other=round(median(other), 3),
        unit=unit,
        spread=f"{min(ratios):.3f}–{max(ratios):.3f} over {len(ratios)} rounds",
    )


def save(path: Path, name: str, figure: Figure) -> None:
    """Put the entry into the file; the entries of other benchmarks stay."""
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    kept[name] = asdict(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
    part.replace(path)


def verdict(name: str, figure: Figure) -> str:
    """Return the line that says how it went."""
    sign = "≤" if figure.better == "lower" else "≥"
    bound = f"goal {sign} {figure.goal}"
    goal = {None: "reported, no goal", True: f"{bound}: met", False: f"{bound}: NOT MET"}
    return (
        f"{name}: ratio {figure.ratio} (ours {figure.ours} {figure.unit}, other {figure.other} {figure.unit}; "
        f"{figure.spread}); {goal[figure.met]}"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows in columns, the first one to the left, the others to the right."""
    cells = [list(map(str, head)), *(list(map(str, row)) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return "\n".join(
        "  " + "  ".join(t.ljust(w) if c == 0 else t.rjust(w) for c, (t, w) in enumerate(zip(row, widths, strict=True)))
        for row in cells
    )
