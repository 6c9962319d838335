"""Writing a table of ours: CSV or .xlsx, whole or not at all, with a sheet of explanations and choices in the cells."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

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
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(layout.title)
    sheet.freeze_panes = "B2"
    for at, column in enumerate(layout.columns, start=1):
        letter = get_column_letter(at)
        # Whole columns as text: a card or a number that is typed later keeps its zeros and its last digits.
        sheet.column_dimensions[letter].number_format = "yyyy-mm-dd" if column.name in layout.dates else "@"
        sheet.column_dimensions[letter].width = 24 if column.name in layout.wide else 14
        if column.name in layout.choices:
            sheet.data_validations.append(_choice(letter, layout.choices[column.name]))
    sheet.append([_heading(sheet, column) for column in layout.columns])
    done = 0
    for cells in lines:
        sheet.append([_cell(sheet, cells.get(column.name, "")) for column in layout.columns])
        done += 1
    notes: Any = book.create_sheet("说明")
    for letter, width in (("A", 18), ("B", 30), ("C", 60)):
        notes.column_dimensions[letter].width = width
    notes.append(["列", "例（虚构）", "说明"])
    for column in layout.columns:
        notes.append([_cell(notes, text) for text in (column.heading, column.example, column.advice)])
    book.save(path)
    return done


def _heading(sheet: Any, column: Column) -> Any:
    cell: Any = WriteOnlyCell(sheet, column.heading)
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: Any, value: Any) -> Any:
    if value == "":
        return None
    cell: Any = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        # A text is a text, whatever it begins with.
        cell.data_type, cell.number_format = "s", "@"
    else:
        cell.number_format = "yyyy-mm-dd"
    return cell


def _choice(letter: str, words: Any) -> DataValidation:
    first: dict[Any, str] = {}
    for word, code in words.items():
        if word:
            first.setdefault(code, word)
    choice = DataValidation(type="list", formula1='"' + ",".join(first.values()) + '"', allow_blank=True)
    choice.add(f"{letter}2:{letter}20000")
    return choice
