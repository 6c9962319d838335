"""Writing a table of ours as .xlsx: text as text, choices in the cells, a sheet of explanations."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from models.sheet_cells import Column

if TYPE_CHECKING:
    from models.sheet_files import Cells, Layout


def write(path: Path, layout: Layout, lines: Iterable[Cells]) -> int:
    """Write the .xlsx of `sheet_files.write`; return how many lines it has."""
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
