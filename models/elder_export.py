"""Export of elders in the import's own columns, and the empty template: CSV or .xlsx, by the file's name."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from models.contacts import Contact
from models.elder_columns import (
    CONTACTS,
    LANGUAGE_WORDS,
    MANNERS,
    RELATIONS,
    RIGHTS,
    SEXES,
    Column,
    columns,
    written,
)
from models.people import Area, Elder, Person
from models.phone import Number, NumberKind
from models.preferences import ElderSetting
from models.sheets import guarded

_PART = 500
_CHOICES = {
    "sex": SEXES,
    "language": LANGUAGE_WORDS,
    **{name.value: words for name, words in MANNERS.items()},
    "contact1_relation": RELATIONS,
}
Cells = dict[str, "str | date"]


class TooMuch(RuntimeError):
    """An elder has more contacts than a file has columns for."""


def count(session: Session) -> int:
    """Return how many elders there are."""
    return session.scalar(select(func.count()).select_from(Elder)) or 0


def columns_needed(session: Session) -> tuple[Column, ...]:
    """Return the columns for all elders there are.

    Raises:
        TooMuch: somebody has more contacts than the import takes.
    """
    each = select(func.count().label("n")).where(Contact.ended_at.is_(None)).group_by(Contact.elder_id).subquery()
    most = session.scalar(select(func.max(each.c.n))) or 0
    if most > CONTACTS:
        raise TooMuch(f"an elder has {most} contacts; a file has room for {CONTACTS}")
    return columns(max(1, most))


def rows(session: Session) -> Iterator[Cells]:
    """Yield every elder as named cells, in the order of registration, a part of them in memory at a time."""
    areas = {area.id: (area.parent_id, area.kind, area.name) for area in session.scalars(select(Area))}
    last = 0
    while True:
        part = session.scalars(
            select(Elder).where(Elder.id > last).order_by(Elder.id).limit(_PART)
            .options(selectinload(Elder.person).selectinload(Person.numbers))
        ).all()  # fmt: skip
        if not part:
            return
        last = part[-1].id
        manners, contacts = _manners(session, part), _contacts(session, part)
        for elder in part:
            yield {
                **_own(elder),
                **dict(_places(areas, elder.area_id)),
                **manners.get(elder.id, {}),
                **contacts.get(elder.id, {}),
            }
        session.expunge_all()


def write(path: Path, wanted: Sequence[Column], lines: Iterable[Cells]) -> int:
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
        written_lines = writer(unfinished, wanted, lines)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return written_lines


def _own(elder: Elder) -> Cells:
    person = elder.person
    cells: Cells = {
        "name": person.name,
        "phones": _phones(person),
        "sex": written(SEXES, person.sex) if person.sex else "",
        "language": written(LANGUAGE_WORDS, person.language),
        "address": elder.address,
        "card_number": elder.card_number or "",
        "needs": elder.needs,
    }
    return cells | ({"born_on": person.born_on} if person.born_on else {})


def _phones(person: Person) -> str:
    return "；".join(_number(link.number.value, link.number.kind) for link in person.numbers)


def _number(value: str, kind: str) -> str:
    """Return the number as it is dialled here; with a dash, so that no spreadsheet takes it for a sum."""
    number = Number(value, NumberKind(kind))
    if number.kind is NumberKind.FOREIGN:
        return "00" + value.removeprefix("+")
    national = number.national
    if national.startswith("0"):
        at = 3 if national[1] in "12" else 4
        return f"{national[:at]}-{national[at:]}"
    return f"{national[:3]}-{national[3:7]}-{national[7:]}"


def _places(areas: dict[int, tuple[int | None, str, str]], area_id: int | None) -> Iterator[tuple[str, str]]:
    while area_id is not None:
        area_id, kind, name = areas[area_id]
        yield kind, name


def _manners(session: Session, part: Sequence[Elder]) -> dict[int, Cells]:
    found: dict[int, Cells] = {}
    present = (
        select(ElderSetting.elder_id, ElderSetting.name, ElderSetting.value)
        .where(ElderSetting.elder_id.in_([elder.id for elder in part]), ElderSetting.undone_at.is_(None))
        .order_by(ElderSetting.id)
    )
    for elder_id, name, value in session.execute(present):
        for setting, words in MANNERS.items():
            if name == setting:
                found.setdefault(elder_id, {})[name] = written(words, value)
    return found


def _contacts(session: Session, part: Sequence[Elder]) -> dict[int, Cells]:
    found: dict[int, Cells] = {}
    ties = session.scalars(
        select(Contact)
        .where(Contact.elder_id.in_([elder.id for elder in part]), Contact.ended_at.is_(None))
        .order_by(Contact.elder_id, Contact.position, Contact.id)
        .options(selectinload(Contact.person).selectinload(Person.numbers))
    )
    for tie in ties:
        cells = found.setdefault(tie.elder_id, {})
        of = f"contact{len(cells) // 4 + 1}"
        cells |= {
            f"{of}_name": tie.person.name,
            f"{of}_relation": written(RELATIONS, tie.relation),
            f"{of}_phones": _phones(tie.person),
            f"{of}_rights": "；".join(
                written(RIGHTS, right) for right in dict.fromkeys(RIGHTS.values()) if getattr(tie, right)
            ),
        }
    return found


def _csv(path: Path, wanted: Sequence[Column], lines: Iterable[Cells]) -> int:
    done = 0
    # With a byte order mark: without it Excel takes UTF-8 for the local encoding.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(column.heading for column in wanted)
        for cells in lines:
            writer.writerow(guarded(str(cells.get(column.name, ""))) for column in wanted)
            done += 1
    return done


def _xlsx(path: Path, wanted: Sequence[Column], lines: Iterable[Cells]) -> int:
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet("老人")
    sheet.freeze_panes = "B2"
    for at, column in enumerate(wanted, start=1):
        letter = get_column_letter(at)
        # Whole columns as text: a card or a number that is typed later keeps its zeros and its last digits.
        sheet.column_dimensions[letter].number_format = "yyyy-mm-dd" if column.name == "born_on" else "@"
        sheet.column_dimensions[letter].width = 24 if column.name in ("phones", "address", "needs") else 14
        choices = _CHOICES.get("contact1_relation" if column.name.endswith("_relation") else column.name)
        if choices:
            sheet.data_validations.append(_choice(letter, choices))
    sheet.append([_heading(sheet, column) for column in wanted])
    done = 0
    for cells in lines:
        sheet.append([_cell(sheet, cells.get(column.name, "")) for column in wanted])
        done += 1
    notes: Any = book.create_sheet("说明")
    for letter, width in (("A", 18), ("B", 30), ("C", 60)):
        notes.column_dimensions[letter].width = width
    notes.append(["列", "例（虚构）", "说明"])
    for column in wanted:
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
