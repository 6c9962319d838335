"""Where the FastAGI server's time goes: a profile's own times, summed by what the code is for."""

from __future__ import annotations

import pstats
from pathlib import Path

# The first pattern that is part of the file's path decides. What fits nothing (builtins, the standard
# library) belongs to whoever called it.
GROUPS = (
    ("Redis wake", ("/redis/", "/rq/", "uuid.py")),
    ("SQLAlchemy", ("/sqlalchemy/",)),
    ("AGI protocol", ("/ivr/agi.py", "/asterisk/agi.py", "/ivr/handover.py", "socket.py")),
    ("prompts", ("/ivr/prompts/", "/ivr/tones.py", "subprocess.py", "tempfile.py")),
    ("turns and words", ("/ivr/turns.py", "/models/vocabulary.py")),
    ("numbers", ("/phonenumbers/", "/models/phone.py")),
    ("our rows", ("/models/", "/dispatch/")),
    ("conversation", ("/ivr/",)),
    ("log", ("/logging/",)),
)
_SQLITE = "sqlite3."
Function = tuple[str, int, str]


def group_of(function: Function) -> str | None:
    """Return the group of a function; None if it belongs to its caller."""
    file, _line, name = function
    if file == "~":
        return "SQLite (with fsync)" if _SQLITE in name else None
    return next((group for group, parts in GROUPS if any(part in file for part in parts)), None)


def shares(path: Path) -> dict[str, float]:
    """Return seconds by group, most first."""
    stats = pstats.Stats(str(path)).stats  # type: ignore[attr-defined]
    owners: dict[Function, dict[str, float]] = {}

    def owner(function: Function, depth: int) -> dict[str, float]:
        """Return the groups that a function's time belongs to, as parts of one."""
        known = group_of(function)
        if known is not None:
            return {known: 1.0}
        if function in owners:
            return owners[function]
        owners[function] = {"other": 1.0}  # For functions that call each other in a circle.
        callers = stats[function][4] if function in stats else {}
        whole = sum(times[3] for times in callers.values())
        if whole > 0 and depth < 30:
            parts: dict[str, float] = {}
            for caller, times in callers.items():
                for group, part in owner(caller, depth + 1).items():
                    parts[group] = parts.get(group, 0.0) + part * times[3] / whole
            owners[function] = parts
        return owners[function]

    totals: dict[str, float] = {}
    for function, (_cc, _nc, own, _ct, _callers) in stats.items():
        for group, part in owner(function, 0).items():
            totals[group] = totals.get(group, 0.0) + own * part
    return dict(sorted(totals.items(), key=lambda item: -item[1]))
