"""Writing a table of ours: CSV or .xlsx, whole or not at all, with a sheet of explanations and choices in the cells."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from models.phone import Number, NumberKind
from models.sheet_cells import Column
from models.sheets import guarded

Cells = dict[str, "str | date"]


@dataclass(frozen=True)
class Layout:
    """What a file looks like: the sheet's name, its columns, the words that can be chosen; dates and wide columns."""

    title: str
    columns: Sequence[Column]
    choices: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    dates: frozenset[str] = frozenset()
    wide: frozenset[str] = frozenset()


def write(path: Path, layout: Layout, lines: Iterable[Cells]) -> int:
    """Write a file of ours, readable by its owner only, whole or not at all; return how many lines it has.

    Raises:
        ValueError: the name ends neither in .csv nor in .xlsx.
    """
    writer = {".csv": _csv, ".xlsx": _xlsx}.get(path.suffix.lower())
    if writer is None:
        raise ValueError("the file's name must end in .csv or .xlsx")
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        written_lines = writer(unfinished, layout, lines)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return written_lines


def dialled(value: str, kind: str) -> str:
    """Return the number as it is dialled here; with a dash, so that no spreadsheet takes it for a sum."""
    number = Number(value, NumberKind(kind))
    if number.kind is NumberKind.FOREIGN:
        return "00" + value.removeprefix("+")
    national = number.national
    if national.startswith("0"):
        at = 3 if national[1] in "12" else 4
        return f"{national[:at]}-{national[at:]}"
    return f"{national[:3]}-{national[3:7]}-{national[7:]}"


def _csv(path: Path, layout: Layout, lines: Iterable[Cells]) -> int:
    done = 0
    # With a byte order mark: without it Excel takes UTF-8 for the local encoding.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(column.heading for column in layout.columns)
        for cells in lines:
            writer.writerow(guarded(str(cells.get(column.name, ""))) for column in layout.columns)
            done += 1
    return done


def _xlsx(path: Path, layout: Layout, lines: Iterable[Cells]) -> int:
    from models import workbook_files  # It takes a third of a second to load, and few processes ever write one.

    return workbook_files.write(path, layout, lines)
