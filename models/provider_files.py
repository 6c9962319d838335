"""Providers and their workers from a file, and into one: the same columns both ways. All rows, or none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock, register, sheets
from models.hours import DAY_MINUTES, Span
from models.lookup import number_row
from models.people import NumberRole, Person, PersonNumber
from models.provider_columns import (
    HEADINGS,
    KINDS,
    LIMITS,
    NAMES,
    REQUIRED,
    SERVICES,
    WEEKDAYS,
    WORKERS,
    YES_NO,
)
from models.providers import Provider, ProviderHours, Worker
from models.register import NewProvider
from models.sheet_cells import LANGUAGE_WORDS, cells_of, known, parts, phone_numbers
from models.sheets import Headings, Row, Table

_HEADINGS = Headings(HEADINGS, REQUIRED, frozenset(), frozenset({"paused_until"}))
_CODE = re.compile(r"[0-9]{3,8}")
_HOURS = re.compile(
    r"(?:(?:周|星期)?(?P<first>\w)(?:\s*(?:-|至|到|—|~)\s*(?:周|星期)?(?P<last>\w))?|(?P<daily>每天))?\s+"
    r"(?P<h1>\d{1,2})[:：](?P<m1>\d\d)\s*(?:-|至|到|—|~)\s*(?P<h2>\d{1,2})[:：](?P<m2>\d\d)"
)
_LARGEST = 9999

WeekSpan = tuple[int, Span]


@dataclass(frozen=True)
class NewWorker:
    """A worker of the file."""

    name: str
    code: str
    phones: str = ""


@dataclass(frozen=True)
class Entry:
    """One provider of the file, checked. `areas` are paths of names; empty: everywhere."""

    provider: NewProvider
    areas: tuple[tuple[str, ...], ...]
    hours: tuple[WeekSpan, ...]
    capacity: int | None
    wants_sms: bool
    paused_until: datetime | None
    pause_reason: str
    workers: tuple[NewWorker, ...]


@dataclass
class Checked:
    """What may be written, and what is wrong. With any problem nothing is written."""

    providers: list[Entry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read(data: bytes, sheet: str = "") -> Table:
    """Return the table in a CSV file or .xlsx workbook.

    Raises:
        sheets.NotATable: the file as a whole cannot be read; the text says why.
    """
    return sheets.read(data, _HEADINGS, sheet)


def check(session: Session, rows: Iterable[Row]) -> Checked:
    """Check every row against the rules, each other and the database; nothing is written."""
    result = Checked()
    names: dict[str, str] = dict.fromkeys(session.scalars(select(Provider.name)), "is registered already")
    codes: dict[str, str] = dict.fromkeys(session.scalars(select(Worker.code)), "was given out already")
    for row in rows:
        try:
            entry = entry_of(row)
            for what, value, taken in (
                ("name", entry.provider.name, names),
                *(("worker's code", worker.code, codes) for worker in entry.workers),
            ):
                if value in taken:
                    raise ValueError(f"{what} {value} {taken[value]}")
                taken[value] = f"is in line {row.line} too"
        except ValueError as error:
            result.problems.append(f"line {row.line}: {error}")
        else:
            result.providers.append(entry)
    return result


def add(session: Session, checked: Checked, now: datetime) -> None:
    """Write all that was checked. With problems nothing may be written: ask before."""
    for entry in checked.providers:
        provider = register.add_provider(session, entry.provider, now)
        provider.capacity, provider.wants_sms = entry.capacity, entry.wants_sms
        provider.paused_until, provider.pause_reason = entry.paused_until, entry.pause_reason
        register.cover(session, provider, [area for path in entry.areas if (area := register.area_at(session, *path))])
        session.add_all(
            ProviderHours(provider_id=provider.id, weekday=weekday, opens=opens, closes=closes)
            for weekday, (opens, closes) in entry.hours
        )
        for new in entry.workers:
            add_worker(session, provider, new, now)
    session.flush()


def add_worker(session: Session, provider: Provider, new: NewWorker, now: datetime) -> Worker:
    """Register a worker of `provider`."""
    person = Person(
        name=new.name,
        family_name=register.family_name_of(new.name),
        language=provider.language,
        created_at=now,
    )
    session.add(person)
    for position, number in enumerate(phone_numbers(new.phones) if new.phones else ()):
        row = number_row(session, number)
        person.numbers.append(PersonNumber(number=row, role=NumberRole.OWN, position=position))
    worker = Worker(provider_id=provider.id, person=person, code=new.code, since=now)
    session.add(worker)
    session.flush()
    return worker


def entry_of(row: Row) -> Entry:
    """Return what a row says.

    Raises:
        ValueError: it breaks a rule; the text says which.
    """
    cells = cells_of(row, NAMES, LIMITS)
    if not cells["name"]:
        raise ValueError("the name is missing")
    services = [known({"services": word}, "services", SERVICES) for word in parts(cells["services"])]
    if not services:
        raise ValueError("the services are missing")
    provider = NewProvider(
        name=cells["name"],
        numbers=phone_numbers(cells["phones"]),
        services=tuple(dict.fromkeys(services)),
        kind=known(cells, "kind", KINDS),
        language=known(cells, "language", LANGUAGE_WORDS),
        position=_whole(cells, "position") or 0,
    )
    return Entry(
        provider,
        tuple(dict.fromkeys(_path(part) for part in parts(cells["areas"]))),
        tuple(dict.fromkeys(span for part in parts(cells["hours"]) for span in _spans(part))),
        _whole(cells, "capacity"),
        known(cells, "sms", YES_NO),
        _midnight(cells["paused_until"]),
        cells["pause_reason"],
        tuple(_workers(cells)),
    )


def _whole(cells: Mapping[str, str], name: str) -> int | None:
    text = cells[name]
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text) > _LARGEST:
        raise ValueError(f"{name} is {text[:20]!r}; it can be a number from 0 to {_LARGEST} or empty")
    return int(text)


def _path(part: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in part.replace("＞", ">").split(">"))
    if not all(names) or len(names) > 3 or any(len(name) > 80 for name in names):
        raise ValueError(f"areas has {part[:40]!r}; write district>community>grid")
    return names


def _spans(part: str) -> Iterator[WeekSpan]:
    found = _HOURS.fullmatch(" " + part if part[:1].isdigit() and ":" in part.split()[0] else part)
    if found is None:
        raise ValueError(f"hours has {part[:40]!r}; write 一-五 08:00-17:00")
    first, last = found["first"], found["last"] or found["first"]
    if first and (first not in WEEKDAYS or last not in WEEKDAYS):
        raise ValueError(f"hours has {part[:40]!r}; a weekday is one of 一二三四五六日")
    opens, closes = (int(found[f"h{n}"]) * 60 + int(found[f"m{n}"]) for n in "12")
    if not 0 <= opens < closes <= DAY_MINUTES or int(found["m1"]) > 59 or int(found["m2"]) > 59:
        raise ValueError(f"hours has {part[:40]!r}; it must end after it begins, on the same day")
    days = range(WEEKDAYS[first], WEEKDAYS[last] + 1) if first else range(7)
    if not days:
        raise ValueError(f"hours has {part[:40]!r}; the week begins on Monday")
    for day in days:
        yield day, (opens, closes)


def _midnight(text: str) -> datetime | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text.replace("/", "-").replace(".", "-"))
    except ValueError as error:
        raise ValueError(f"paused_until is {text[:20]!r}; write it as 2027-02-28") from error
    return datetime.combine(day, time(), clock.zone())


def _workers(cells: Mapping[str, str]) -> Iterator[NewWorker]:
    for number in range(1, WORKERS + 1):
        name, code, phones = (cells[f"worker{number}_{what}"] for what in ("name", "code", "phones"))
        if not (name or code or phones):
            continue
        if not (name and code):
            raise ValueError(f"worker{number} needs a name and a code")
        if not _CODE.fullmatch(code):
            raise ValueError(f"worker{number}_code is {code[:20]!r}; it must be 3 to 8 digits")
        if phones:
            phone_numbers(phones)
        yield NewWorker(name, code, phones)
