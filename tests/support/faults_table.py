"""What `make faults` has measured: one line an instant as it happens, and a table at the end."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "var" / "faults.jsonl"


def note(fault: str, database: str, instant: float, recovered: float) -> None:
    """Write one instant; several test processes write into the same file, a line at a time."""
    if "HOTLINE_FAULT_INSTANTS" not in os.environ:
        return
    FILE.parent.mkdir(exist_ok=True)
    line = {"fault": fault, "database": database, "instant_s": round(instant, 2), "recovered_s": round(recovered, 2)}
    with FILE.open("a") as file:
        file.write(json.dumps(line) + "\n")


def table() -> str:
    """Which fault, how often, and the worst time to recover."""
    lines = [json.loads(line) for line in FILE.read_text().splitlines()] if FILE.exists() else []
    found = defaultdict(list)
    for line in lines:
        found[line["fault"], line["database"]].append(line["recovered_s"])
    rows = [f"{'fault':<20} {'database':<12} {'times':>5} {'median s':>9} {'worst s':>8}"]
    for (fault, database), times in sorted(found.items()):
        ordered = sorted(times)
        rows.append(f"{fault:<20} {database:<12} {len(times):>5} {ordered[len(times) // 2]:>9.1f} {ordered[-1]:>8.1f}")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())  # noqa: T201
