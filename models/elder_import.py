"""Import of elders from CSV: read, check every row, and only then write all of them, or none."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import register
from models.people import Elder, Person, PersonNumber, PhoneNumber
from models.phone import BadNumber, Number, NumberKind, mask, normalise
from models.register import NewElder
from models.settings import settings
from models.vocabulary import LANGUAGES

# The columns, by any of their headings.
HEADINGS: Mapping[str, str] = {
    "name": "name", "姓名": "name",
    "sex": "sex", "性别": "sex",
    "born_on": "born_on", "出生日期": "born_on",
    "language": "language", "语言": "language",
    "district": "district", "区": "district",
    "community": "community", "社区": "community",
    "grid": "grid", "网格": "grid",
    "address": "address", "地址": "address",
    "card_number": "card_number", "卡号": "card_number",
    "phones": "phones", "电话": "phones",
    "needs": "needs", "特殊需求": "needs",
}  # fmt: skip
REQUIRED = ("name", "phones")
LARGEST_BYTES = 20_000_000
_LIMITS = {
    "name": 80,
    "address": 200,
    "card_number": 32,
    "needs": 400,
    "district": 80,
    "community": 80,
    "grid": 80,
}
_SEXES = {"": None, "f": "f", "女": "f", "m": "m", "男": "m"}
_LANGUAGES = {"": "zh-CN", "汉语": "zh-CN", "朝鲜语": "ko", **{language: language for language in LANGUAGES}}


class NotATable(ValueError):
    """The file as a whole cannot be read; the text says why."""


# By what an elder is known again: (name, number) or (card,).
Identity = tuple[str, str] | tuple[str]


@dataclass(frozen=True)
class Row:
    """One line of the file."""

    line: int
    cells: Mapping[str, str]


@dataclass
class Checked:
    """What may be written, and what is wrong. With any problem nothing is written."""

    elders: list[tuple[NewElder, tuple[str, str, str]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def parse(data: bytes) -> list[Row]:
    """Return the rows of a CSV file in UTF-8 (with or without BOM) or GB18030.

    Raises:
        NotATable: wrong encoding, no heading, a column missing, too large, or broken quoting.
    """
    if len(data) > LARGEST_BYTES:
        raise NotATable(f"larger than {LARGEST_BYTES // 1_000_000} MB")
    text = _decode(data)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    columns: list[str] | None = None
    short = False
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _columns(cells)
                continue
            short = len(cells) < len(columns)
            filled = [*cells, *[""] * (len(columns) - len(cells))]
            named = {name: cell.strip() for name, cell in zip(columns, filled, strict=False) if name}
            if len(cells) > len(columns):
                named["_extra"] = str(len(cells) - len(columns))
            rows.append(Row(reader.line_num, named))
    except csv.Error as error:
        raise NotATable(f"line {reader.line_num}: the quoting is broken ({error}); is the file cut off?") from error
    if columns is None:
        raise NotATable("the file is empty")
    if rows and not text.endswith(("\n", "\r")) and short:
        raise NotATable(f"line {rows[-1].line}: fewer cells than the heading, and no line end; is the file cut off?")
    return rows


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


def _columns(cells: list[str]) -> list[str]:
    columns = [HEADINGS.get(cell.strip().lower(), "") for cell in cells]
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise NotATable(f"the first line must name the columns; missing: {', '.join(missing)}")
    return columns


def check(session: Session, rows: Iterable[Row]) -> Checked:
    """Check every row against the rules and the database; nothing is written."""
    result = Checked()
    sound: list[tuple[int, NewElder, tuple[str, str, str]]] = []
    for row in rows:
        try:
            sound.append((row.line, *_read_row(row)))
        except ValueError as error:
            result.problems.append(f"line {row.line}: {error}")
    registered = _registered(session, [new for _, new, _ in sound])
    seen: dict[Identity, int] = {}
    for line, new, area in sound:
        keys = _identities(new)
        if known := next((key for key in keys if key in registered), None):
            result.problems.append(f"line {line}: already registered ({_masked(known)})")
        elif double := next((key for key in keys if key in seen), None):
            result.problems.append(f"line {line}: the same as line {seen[double]} ({_masked(double)})")
        else:
            seen.update(dict.fromkeys(keys, line))
            result.elders.append((new, area))
    return result


def write_all(session: Session, checked: Checked, now: datetime) -> None:
    """Write every checked elder into the open transaction.

    Raises:
        ValueError: there were problems.
    """
    if checked.problems:
        raise ValueError("a file with problems is not imported")
    areas = {path: register.area_at(session, *path) for path in dict.fromkeys(path for _, path in checked.elders)}
    for new, path in checked.elders:
        area = areas[path]
        register.add_elder(session, NewElder(**{**vars(new), "area": area}), now)


def _read_row(row: Row) -> tuple[NewElder, tuple[str, str, str]]:
    cells = {name: row.cells.get(name, "") for name in set(HEADINGS.values())}
    if "_extra" in row.cells:
        raise ValueError(f"{row.cells['_extra']} cells more than the heading has")
    for name, limit in _LIMITS.items():
        if len(cells[name]) > limit:
            raise ValueError(f"{name} is longer than {limit} characters")
        # Printable, or a blank of whatever width: Chinese files have wide ones.
        if any(not char.isprintable() and unicodedata.category(char) != "Zs" for char in cells[name]):
            raise ValueError(f"{name} contains a line break or a control character")
    if not cells["name"]:
        raise ValueError("the name is missing")
    if cells["sex"].lower() not in _SEXES:
        raise ValueError(f"sex is {cells['sex']!r}; it can be f, m, 女, 男 or empty")
    if cells["language"] not in _LANGUAGES:
        raise ValueError(f"language is {cells['language']!r}; it can be {', '.join(LANGUAGES)}")
    new = NewElder(
        name=cells["name"],
        numbers=_numbers(cells["phones"]),
        sex=_SEXES[cells["sex"].lower()],
        born_on=_date(cells["born_on"]),
        language=_LANGUAGES[cells["language"]],
        address=cells["address"],
        card_number=cells["card_number"] or None,
        needs=cells["needs"],
    )
    return new, (cells["district"], cells["community"], cells["grid"])


def _numbers(text: str) -> list[Number]:
    parts = [part for part in text.replace("；", ";").replace("、", ";").replace("/", ";").split(";") if part.strip()]
    if not parts:
        raise ValueError("the telephone number is missing")
    numbers = []
    for part in parts:
        try:
            number = normalise(part, settings().area_code)
        except BadNumber as error:
            raise ValueError(f"{part.strip()[:20]!r} is not a telephone number") from error
        if number.kind is NumberKind.SHORT_CODE:
            raise ValueError(f"{number} is a short code, nobody's own number")
        numbers.append(number)
    return list(dict.fromkeys(numbers))


def _date(text: str) -> date | None:
    if not text:
        return None
    try:
        born = date.fromisoformat(text.replace("/", "-").replace(".", "-"))
    except ValueError as error:
        raise ValueError(f"born_on is {text!r}; write it as 1941-03-08") from error
    if not 1900 <= born.year <= 2020:
        raise ValueError(f"born_on is {text!r}: no elder was born then")
    return born


def _identities(new: NewElder) -> list[Identity]:
    """Return by what she would be known again: name and first number together, and the card."""
    keys: list[Identity] = [(new.name, str(new.numbers[0]))]
    return [*keys, (new.card_number,)] if new.card_number else keys


def _masked(key: Identity) -> str:
    return f"{key[0]}, {mask(key[1])}" if len(key) == 2 else f"card {key[0]}"


def _registered(session: Session, elders: list[NewElder]) -> set[Identity]:
    """Return which identities of `elders` the database has. A few questions for all rows, not one for each."""
    found: set[Identity] = set()
    for part in _batched(elders):
        by_number = (
            select(Person.name, PhoneNumber.value)
            .join(PersonNumber, PersonNumber.person_id == Person.id)
            .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
            .where(PhoneNumber.value.in_([str(new.numbers[0]) for new in part]))
        )
        found |= {(name, value) for name, value in session.execute(by_number)}
        cards = [new.card_number for new in part if new.card_number]
        found |= {
            (card,) for card in session.scalars(select(Elder.card_number).where(Elder.card_number.in_(cards))) if card
        }
    return found


def _batched(elders: list[NewElder], size: int = 500) -> list[list[NewElder]]:
    """Return `elders` in parts that fit into one question."""
    return [elders[start : start + size] for start in range(0, len(elders), size)]
