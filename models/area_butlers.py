"""Import of butlers (养老管家), one for each grid or community: every row checked, then all written, or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import sheets
from models.duties import AreaButler
from models.lookup import number_row
from models.people import Area, AreaKind, Person, PersonNumber
from models.phone import Number
from models.register import family_name_of, person_at
from models.sheet_cells import Column, cells_of, headings, phone_numbers
from models.sheets import Headings, Row, Table

COLUMNS = (
    Column("district", "区", limit=80, required=True, example="道里区"),
    Column("community", "社区", limit=80, example="河畔社区"),
    Column("grid", "网格", limit=80, example="第一网格", advice="留空为整个社区"),
    Column("name", "姓名", ("管家", "养老管家"), limit=80, required=True, example="孙管家"),
    Column("phones", "电话", ("联系方式",), required=True, example="11000000009"),
)
_HEADINGS = Headings(headings(COLUMNS), ("district", "name", "phones"), frozenset({"district", "community"}))
_NAMES = tuple(column.name for column in COLUMNS)
_LIMITS = {column.name: column.limit for column in COLUMNS if column.limit}


@dataclass(frozen=True)
class NewButler:
    """One row: who is the butler of which area."""

    area_id: int
    name: str
    numbers: Sequence[Number]


@dataclass
class Checked:
    """What may be written, and what is wrong. With any problem nothing is written."""

    butlers: list[NewButler] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read(data: bytes, sheet: str = "") -> Table:
    """Return the table in a CSV file or .xlsx workbook.

    Raises:
        sheets.NotATable: the file as a whole cannot be read; the text says why.
    """
    return sheets.read(data, _HEADINGS, sheet)


def check(session: Session, rows: Iterable[Row]) -> Checked:
    """Check every row against the areas there are; nothing is written."""
    result = Checked()
    lines: dict[int, int] = {}
    for row in rows:
        try:
            cells = cells_of(row, _NAMES, _LIMITS)
            if not cells["name"]:
                raise ValueError("the name is missing")
            new = NewButler(
                _area(session, [cells[kind.value] for kind in AreaKind]), cells["name"], phone_numbers(cells["phones"])
            )
            if new.area_id in lines:
                raise ValueError(f"the same area as line {lines[new.area_id]}")
        except ValueError as error:
            result.problems.append(f"line {row.line}: {error}")
            continue
        lines[new.area_id] = row.line
        result.butlers.append(new)
    return result


def _area(session: Session, path: Sequence[str]) -> int:
    """Return the area of a path of names. A new area is not made: most of them would be misspelt ones."""
    found: int | None = None
    for at, name in enumerate(path):
        if not name:
            if any(path[at:]):
                raise ValueError("a smaller area needs the larger one")
            break
        same = Area.parent_id == found if found is not None else Area.parent_id.is_(None)
        found = session.scalar(select(Area.id).where(same, Area.name == name))
        if found is None:
            raise ValueError(f"there is no area {' · '.join(path[: at + 1])}")
    if found is None:
        raise ValueError("the district is missing")
    return found


def write(session: Session, checked: Checked, now: datetime) -> int:
    """Let each be the butler of her area from now on, in the place of whoever was; return how many are new.

    Raises:
        ValueError: there were problems.
    """
    if checked.problems:
        raise ValueError("a file with problems is not imported")
    done = 0
    for new in checked.butlers:
        person = person_at(session, new.name, new.numbers[0]) or _person(session, new, now)
        here = AreaButler.area_id == new.area_id, AreaButler.ended_at.is_(None)
        before = list(session.scalars(select(AreaButler).where(*here)))
        if [row.person_id for row in before] == [person.id]:
            continue
        for row in before:
            row.ended_at = now
        session.add(AreaButler(area_id=new.area_id, person_id=person.id, since=now))
        done += 1
    session.flush()
    return done


def _person(session: Session, new: NewButler, now: datetime) -> Person:
    person = Person(name=new.name, family_name=family_name_of(new.name), created_at=now)
    session.add(person)
    session.flush()
    for position, number in enumerate(new.numbers):
        session.add(PersonNumber(person_id=person.id, number_id=number_row(session, number).id, position=position))
    session.flush()
    return person
