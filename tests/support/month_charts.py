"""The charts of a simulated month as SVG, written by hand: bars with their figures, nothing to install."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

_WIDE, _HIGH, _LEFT, _FOOT, _TOP = 720, 260, 50, 46, 34
_BAR = "#2f6f9f"


def bars(title: str, values: Mapping[str, float]) -> str:
    """Return a bar chart: one bar for each name, its figure above it."""
    top = max([*values.values(), 1])
    step = (_WIDE - _LEFT - 10) / max(1, len(values))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}" ',
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{_LEFT}" y="18" font-size="14">{escape(title)}</text>',
    ]
    room = _HIGH - _FOOT - _TOP
    for place, (name, value) in enumerate(values.items()):
        high = room * value / top
        left, y = _LEFT + place * step, _HIGH - _FOOT - high
        middle = left + step / 2
        parts.append(f'<rect x="{left + 2:.1f}" y="{y:.1f}" width="{step - 4:.1f}" height="{high:.1f}" fill="{_BAR}"/>')
        parts.append(f'<text x="{middle:.1f}" y="{y - 3:.1f}" text-anchor="middle">{value:g}</text>')
        parts.append(f'<text x="{middle:.1f}" y="{_HIGH - _FOOT + 14}" text-anchor="middle">{escape(name)}</text>')
    return "\n".join([parts[0] + parts[1], *parts[2:], "</svg>", ""])


def draw(figures: Mapping[str, Any], folder: Path) -> None:
    """Write the month's charts into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    ends = {name: figures[name] for name in ("proved", "decided", "in_hand", "lost")}
    charts = {
        "month-duties": (f"{figures['duties']} duties of a month, {figures['elders']} elders", ends),
        "month-outcomes": (f"{figures['calls']} automatic calls by outcome", figures["outcomes"]),
        "month-hours": ("Automatic calls by hour of the day", figures["by_hour"]),
        "month-days": ("Proofs by day", {day[-2:]: count for day, count in figures["by_day"].items()}),
    }
    for name, (title, values) in charts.items():
        (folder / f"{name}.svg").write_text(bars(title, {str(key): value for key, value in values.items()}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", type=Path, help="what tests.support.month has printed")
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args()
    told = chosen.figures.read_text()
    draw(json.loads(told[told.index("{\n") :]), chosen.folder)
