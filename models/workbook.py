"""Reading a sheet of an .xlsx workbook. What a spreadsheet shows and what it holds differ: nothing is guessed."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.cell import range_boundaries

from models.sheets import Headings, NotATable, Row, Table, ignored, name_columns

# A workbook is a zip: what it says it unpacks to.
LARGEST_UNPACKED = 300_000_000
# A spreadsheet keeps 15 digits of a number; of a longer one the end is zeros.
EXACT = 10**15
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+[0-9]+:[A-Z]+[0-9]+)"')


@dataclass(frozen=True)
class _Cell:
    text: str = ""
    fault: str = ""
    dated: bool = False


_EMPTY = _Cell()


def read(data: bytes, headings: Headings, sheet: str) -> Table:
    """Return the rows of a sheet: of `sheet`, or of the first visible one.

    Raises:
        NotATable: broken or not a workbook, too large when unpacked, no such sheet, no heading.
    """
    _refuse_bombs(data)
    with warnings.catch_warnings():
        # openpyxl warns of what it does not keep (drawings, validations): we do not write the file again.
        warnings.simplefilter("ignore")
        try:
            book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
            visible = [one for one in book.worksheets if one.sheet_state == "visible"]
            chosen = next((one for one in visible if not sheet or one.title == sheet), None)
            if chosen is None:
                names = ", ".join(one.title for one in visible)
                raise NotATable(f"no sheet is called {sheet!r}; there are: {names}" if sheet else "it has no sheet")
            merged = _merged(data, chosen._worksheet_path)  # type: ignore[attr-defined]
            # The size that the file states may be wrong.
            chosen.reset_dimensions()
            lines = [
                (number, [_cell(cell) for cell in row])
                for number, row in enumerate(chosen.iter_rows(), start=1)
                if any(cell.value is not None for cell in row)
            ]
        except NotATable:
            raise
        except Exception as error:
            # A broken workbook breaks the reader in any of a dozen ways; each means the same to the user.
            raise NotATable(f"the workbook is broken, or no .xlsx ({type(error).__name__})") from error
    rest = tuple(one.title for one in visible if one is not chosen)
    heading, lines = _heading(lines, headings)
    columns = name_columns(heading, headings)
    rows = list(_rows(lines, columns, _Merged(merged, lines, headings.spread), headings.dates))
    return Table(rows, ignored(heading, columns), chosen.title, rest)


def _refuse_bombs(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(one.file_size for one in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise NotATable("the workbook is broken; is the file cut off?") from error
    if unpacked > LARGEST_UNPACKED:
        raise NotATable(f"larger than {LARGEST_UNPACKED // 1_000_000} MB when unpacked")


def _merged(data: bytes, inner: str) -> list[tuple[int, int, int, int]]:
    """Return the merged ranges as (first column, first row, last column, last row), from 1 on."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        found = _MERGED.findall(archive.read(inner.lstrip("/")))
    ranges = (range_boundaries(ref.decode()) for ref in found)
    return [(a, b, c, d) for a, b, c, d in ranges if a and b and c and d]


def _heading(lines: list[tuple[int, list[_Cell]]], headings: Headings) -> tuple[list[str], list[Any]]:
    """Return the heading row's texts and the lines below it; a title above it is passed over."""
    for at, (_, cells) in enumerate(lines):
        texts = [cell.text for cell in cells]
        if sum(bool(text.strip()) for text in texts) > 1 or any(t.strip().lower() in headings.known for t in texts):
            return texts, lines[at + 1 :]
    raise NotATable("the sheet is empty")


class _Merged:
    """What merged cells mean: in the columns of places their text holds for every row; elsewhere they are a fault."""

    def __init__(
        self,
        ranges: Sequence[tuple[int, int, int, int]],
        lines: Sequence[tuple[int, list[_Cell]]],
        spread: frozenset[str],
    ) -> None:
        self._spread = spread
        texts = dict(lines)
        self._cells: dict[tuple[int, int], tuple[bool, str]] = {}
        for first_column, first, last_column, last in ranges:
            head = texts.get(first, [])
            text = head[first_column - 1].text if len(head) >= first_column else ""
            # Whole columns may be merged far below the last row: only lines that are there count.
            for row in (number for number in texts if first <= number <= last):
                for column in range(first_column, min(last_column, 200) + 1):
                    self._cells[row, column] = (first_column == last_column, text)

    def text(self, line: int, column: int, name: str, cell: _Cell) -> _Cell:
        """Return what the cell means."""
        merged = self._cells.get((line, column))
        if merged is None:
            return cell
        down, text = merged
        if down and name in self._spread:
            return _Cell(text)
        return _Cell(cell.text, "is a merged cell; unmerge it and fill in each")


def _rows(
    lines: Sequence[tuple[int, list[_Cell]]], columns: Sequence[str], merged: _Merged, dates: frozenset[str]
) -> Iterator[Row]:
    for line, cells in lines:
        filled = [*cells, *[_EMPTY] * (len(columns) - len(cells))]
        meant: Mapping[str, _Cell] = {
            name: merged.text(line, at, name, cell if name in dates else _no_date(cell))
            for at, (name, cell) in enumerate(zip(columns, filled, strict=False), start=1)
            if name
        }
        if not any(cell.text.strip() or cell.fault for cell in meant.values()):
            continue
        faults = tuple(f"{name} {cell.fault}" for name, cell in meant.items() if cell.fault)
        yield Row(line, {name: cell.text.strip() for name, cell in meant.items()}, faults)


def _no_date(cell: _Cell) -> _Cell:
    return _Cell(cell.text, "is a date; format the column as text and type it again") if cell.dated else cell


def _cell(cell: Any) -> _Cell:
    value = cell.value
    match value:
        case None:
            return _EMPTY
        case _ if cell.data_type == "f":
            return _Cell(fault="is a formula; copy the column and paste it as values")
        case _ if cell.data_type == "e":
            return _Cell(fault=f"is an error of the spreadsheet ({value})")
        case bool():
            return _Cell("是" if value else "否")
        case datetime():
            return _Cell(value.date().isoformat(), dated=True)
        case date() | time():
            return _Cell(value.isoformat(), dated=True)
        case int() | float():
            return _number(value, str(cell.number_format or ""))
        case _:
            return _Cell(str(value))


def _number(value: int | float, shown: str) -> _Cell:
    if abs(value) >= EXACT:
        return _Cell(fault="is a number of more than 15 digits, its end is lost; format the column as text")
    if value != int(value):
        return _Cell(repr(value))
    text = str(int(value))
    # A format of zeros shows 0001 where the number is 1.
    return _Cell(text.zfill(len(shown)) if re.fullmatch(r"0+", shown) else text)
