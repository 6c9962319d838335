"""Import of elders: read, check every row, and only then write all of them, or none (models/elder_bulk.py)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import sheets
from models.calling_hours import ANY, Hours, read_spans
from models.elder_columns import (
    CONTACTS,
    GROUPS_BY_WORD,
    HEADINGS,
    LIMITS,
    NAMES,
    ONLY_PEOPLE,
    PLACES,
    RELATIONS,
    REQUIRED,
    RIGHTS,
    RISKS_BY_WORD,
    SEXES,
    WEEKDAYS,
    manner_words,
)
from models.people import Elder, Person, PersonNumber, PhoneNumber
from models.phone import mask
from models.preferences import VALUES, Setting
from models.register import NewContact, NewElder
from models.sheet_cells import LANGUAGE_WORDS, batched, cells_of, known, parts, phone_numbers
from models.sheets import Headings, Row, Table
from models.vocabulary import LANGUAGES

_HEADINGS = Headings(HEADINGS, REQUIRED, PLACES, frozenset({"born_on"}))
_NAME_LIMIT = 80

# By what an elder is known again: (name, number) or (card,).
Identity = tuple[str, str] | tuple[str]
AreaPath = tuple[str, str, str]


@dataclass(frozen=True)
class Entry:
    """One elder of the file, checked: `area` by its names, `manners` only where they differ from the usual."""

    elder: NewElder
    area: AreaPath
    contacts: tuple[NewContact, ...] = ()
    manners: Mapping[Setting, str] = field(default_factory=dict)
    hours: Hours = ANY
    groups: tuple[str, ...] = ()  # models.duties.Group, her risk among them


@dataclass
class Checked:
    """What may be written, and what is wrong. With any problem nothing is written."""

    elders: list[Entry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read(data: bytes, sheet: str = "") -> Table:
    """Return the table in a CSV file or .xlsx workbook.

    Raises:
        sheets.NotATable: the file as a whole cannot be read; the text says why.
    """
    return sheets.read(data, _HEADINGS, sheet)


def check(session: Session, rows: Iterable[Row]) -> Checked:
    """Check every row against the rules and the database; nothing is written."""
    result = Checked()
    words_of = manner_words(session)
    sound: list[tuple[int, Entry]] = []
    for row in rows:
        try:
            sound.append((row.line, _entry(row, words_of)))
        except ValueError as error:
            result.problems.append(f"line {row.line}: {error}")
    there = registered(session, [entry.elder for _, entry in sound])
    seen: dict[Identity, int] = {}
    for line, entry in sound:
        keys = identities(entry.elder)
        if old := next((key for key in keys if key in there), None):
            result.problems.append(f"line {line}: already registered ({_masked(old)})")
        elif double := next((key for key in keys if key in seen), None):
            result.problems.append(f"line {line}: the same as line {seen[double]} ({_masked(double)})")
        else:
            seen.update(dict.fromkeys(keys, line))
            result.elders.append(entry)
    return result


def identities(new: NewElder) -> list[Identity]:
    """Return by what she would be known again: name and first number together, and the card."""
    keys: list[Identity] = [(new.name, str(new.numbers[0]))]
    return [*keys, (new.card_number,)] if new.card_number else keys


def registered(session: Session, elders: list[NewElder]) -> set[Identity]:
    """Return which identities of `elders` the database has. A few questions for all rows, not one for each."""
    found: set[Identity] = set()
    for part in batched(elders):
        by_number = (
            select(Person.name, PhoneNumber.value)
            .join(Elder, Elder.id == Person.id)
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


def _entry(row: Row, words_of: Mapping[Setting, Mapping[str, str]]) -> Entry:
    cells = cells_of(row, NAMES, LIMITS)
    if not cells["name"]:
        raise ValueError("the name is missing")
    elder = NewElder(
        name=cells["name"],
        numbers=phone_numbers(cells["phones"]),
        sex=known(cells, "sex", SEXES),
        born_on=_date(cells["born_on"]),
        language=known(cells, "language", LANGUAGE_WORDS) or LANGUAGES[0],
        address=cells["address"],
        card_number=cells["card_number"] or None,
        needs=cells["needs"],
    )
    manners = {
        name: value
        for name, words in words_of.items()
        # An empty cell, and the usual value too, say nothing: her calls may still teach us.
        if cells[name] and (value := known(cells, name, words)) not in (None, VALUES[name][0])
    }
    area = (cells["district"], cells["community"], cells["grid"])
    return Entry(elder, area, _contacts(cells, elder), manners, _hours(cells), _groups(cells))


def _groups(cells: Mapping[str, str]) -> tuple[str, ...]:
    risk = [known(cells, "risk", RISKS_BY_WORD)] if cells["risk"] else []
    named = [known({"groups": word}, "groups", GROUPS_BY_WORD) for word in parts(cells["groups"])]
    return tuple(dict.fromkeys(group.value for group in (*risk, *named)))


def _hours(cells: Mapping[str, str]) -> Hours:
    words = [word for word in re.split(r"[;；,，、\s]+", cells["not_on"].lower()) if word]
    if strange := [word for word in words if word not in WEEKDAYS]:
        raise ValueError(f"not_on: {strange[0]!r} is no weekday")
    never = cells["call_hours"].lower() in ONLY_PEOPLE
    try:
        spans = () if never else read_spans(cells["call_hours"])
        return Hours(spans, frozenset(WEEKDAYS[word] for word in words), never)
    except ValueError as error:
        raise ValueError(f"call_hours, not_on: {error}; write 10:00-11:30；14:00-18:00") from error


def _contacts(cells: Mapping[str, str], elder: NewElder) -> tuple[NewContact, ...]:
    found: dict[tuple[str, str], NewContact] = {}
    for number in range(1, CONTACTS + 1):
        of = f"contact{number}"
        name, relation, phones, rights = (cells[f"{of}_{what}"] for what in ("name", "relation", "phones", "rights"))
        if not (name or relation or phones or rights):
            continue
        if not (name and relation and phones):
            raise ValueError(f"{of} needs a name, a relation and a telephone number")
        if len(name) > _NAME_LIMIT:
            raise ValueError(f"{of}_name is longer than {_NAME_LIMIT} characters")
        numbers = phone_numbers(phones)
        if name == elder.name and set(numbers) & set(elder.numbers):
            raise ValueError(f"{of} is the elder herself")
        if (name, str(numbers[0])) in found:
            raise ValueError(f"{of} is there twice")
        may = {known({f"{of}_rights": word}, f"{of}_rights", RIGHTS): True for word in parts(rights)}
        found[name, str(numbers[0])] = NewContact(
            name,
            numbers,
            known(cells, f"{of}_relation", RELATIONS),
            language=elder.language,
            may_order=may.get("may_order", False),
            may_hear_orders=may.get("may_hear_orders", False),
            may_hear_money=may.get("may_hear_money", False),
            may_hear_health=may.get("may_hear_health", False),
            may_look_in=may.get("may_look_in", False),
            wants_sms=may.get("wants_sms", False),
        )
    return tuple(found.values())


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


def _masked(key: Identity) -> str:
    return f"{key[0]}, {mask(key[1])}" if len(key) == 2 else f"card {key[0]}"
