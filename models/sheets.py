"""Reading a table from a file: CSV or .xlsx, into rows of named text cells, with what is wrong in each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

LARGEST_BYTES = 20_000_000
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"  # .xls, and .xlsx under a password
_ZIP = b"PK\x03\x04"
# What a spreadsheet would take for a formula; our CSV has an apostrophe before it.
FORMULA = ("=", "+", "-", "@")


class NotATable(ValueError):
    """The file as a whole cannot be read; the text says why."""


@dataclass(frozen=True)
class Row:
    """One line of the file. `faults` are cells that say nothing usable: formulas, errors, merged cells."""

    line: int
    cells: Mapping[str, str]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Headings:
    """Which columns are known, by which headings (in small letters), and which must be there."""

    known: Mapping[str, str]
    required: Sequence[str]
    # Columns in which one merged cell over several rows means each of these rows.
    spread: frozenset[str] = frozenset()
    # Columns in which a spreadsheet's date is meant as one; elsewhere it has made it of something else.
    dates: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Table:
    """What was read. `ignored`: headings nobody knows; `sheet` and `other_sheets` of a workbook."""

    rows: list[Row]
    ignored: tuple[str, ...] = ()
    sheet: str = ""
    other_sheets: tuple[str, ...] = field(default=())


def read(data: bytes, headings: Headings, sheet: str = "") -> Table:
    """Return the table in a CSV file (UTF-8, with or without BOM, or GB18030) or in a sheet of an .xlsx workbook.

    `sheet` names the sheet; without it the first visible one is read.

    Raises:
        NotATable: too large, broken, encrypted, another format; no such sheet; no heading or a column missing.
    """
    if len(data) > LARGEST_BYTES:
        raise NotATable(f"larger than {LARGEST_BYTES // 1_000_000} MB")
    if data.startswith(_OLD_OFFICE):
        raise NotATable("an old .xls workbook, or one under a password; save it as .xlsx without a password")
    if data.startswith(_ZIP):
        from models import workbook  # It takes a third of a second to load; CSV does without.

        return workbook.read(data, headings, sheet)
    if sheet:
        raise NotATable("a CSV file has no sheets")
    return _read_csv(data, headings)


def name_columns(cells: Sequence[str], headings: Headings) -> list[str]:
    """Return the columns' names in the order of a heading row; "" for those nobody knows.

    Raises:
        NotATable: a column is missing, or there twice.
    """
    columns = [headings.known.get(cell.strip().lower(), "") for cell in cells]
    missing = [name for name in headings.required if name not in columns]
    if missing:
        raise NotATable(f"the first line must name the columns; missing: {', '.join(missing)}")
    twice = [cells[at] for at, name in enumerate(columns) if name and name in columns[:at]]
    if twice:
        raise NotATable(f"the same column is there twice: {', '.join(twice)}")
    return columns


def ignored(cells: Iterable[str], columns: Iterable[str]) -> tuple[str, ...]:
    """Return the headings that were not understood."""
    return tuple(cell.strip() for cell, name in zip(cells, columns, strict=False) if cell.strip() and not name)


def guarded(text: str) -> str:
    """Return `text` as a CSV cell that no spreadsheet takes for a formula; `_bare` takes the apostrophe off again."""
    return "'" + text if text.lstrip("'").startswith(FORMULA) else text


def _bare(text: str) -> str:
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA) else text


def _read_csv(data: bytes, headings: Headings) -> Table:
    text = _decode(data)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    columns: list[str] | None = None
    unknown: tuple[str, ...] = ()
    short = False
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = name_columns(cells, headings)
                unknown = ignored(cells, columns)
                continue
            short = len(cells) < len(columns)
            filled = [*cells, *[""] * (len(columns) - len(cells))]
            named = {name: _bare(cell.strip()) for name, cell in zip(columns, filled, strict=False) if name}
            more = len(cells) - len(columns)
            faults = (f"{more} cells more than the heading has",) if more > 0 else ()
            rows.append(Row(reader.line_num, named, faults))
    except csv.Error as error:
        raise NotATable(f"line {reader.line_num}: the quoting is broken ({error}); is the file cut off?") from error
    if columns is None:
        raise NotATable("the file is empty")
    if rows and not text.endswith(("\n", "\r")) and short:
        raise NotATable(f"line {rows[-1].line}: fewer cells than the heading, and no line end; is the file cut off?")
    return Table(rows, unknown)


def _decode(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            # UTF-8 throughout and broken only in its very last character: half a file, not another encoding.
            if error.reason == "unexpected end of data" and not data[: error.start].isascii():
                raise NotATable("the last character is incomplete; is the file cut off?") from error
            continue
        if "\x00" not in text:
            return text
    raise NotATable("neither UTF-8 nor GB18030; save it as “CSV UTF-8”")
