"""Providers and their workers from a file, and into one: the same columns both ways. All rows, or none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from models import clock, register, sheet_files, sheets
from models.hours import DAY_MINUTES, Span
from models.lookup import number_row
from models.people import Area, NumberRole, Person, PersonNumber
from models.phone import Number
from models.provider_columns import (
    CHOICES,
    HEADINGS,
    KINDS,
    LIMITS,
    NAMES,
    REQUIRED,
    SERVICES,
    WEEKDAYS,
    WORKERS,
    YES_NO,
    columns,
)
from models.providers import Provider, ProviderHours, Worker
from models.register import NewProvider
from models.sheet_cells import LANGUAGE_WORDS, Column, cells_of, known, parts, phone_numbers, written
from models.sheet_files import Cells, Layout, dialled
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


# The other way.


def cells_of_entry(entry: Entry) -> dict[str, str]:
    """Return an entry as the cells in which `known_cells` tells the same provider, the empty ones left out."""
    new = entry.provider

    def numbers(text: str | None, each: Iterable[Number] = ()) -> str:
        found = phone_numbers(text) if text else each
        return "；".join(dialled(one.value, one.kind) for one in found)

    cells = {
        "name": new.name,
        "kind": written(KINDS, new.kind),
        "phones": numbers(None, new.numbers),
        "services": "；".join(written(SERVICES, service) for service in new.services),
        "areas": "；".join(">".join(path) for path in entry.areas),
        "hours": "；".join(hours_text(entry.hours)),
        "capacity": "" if entry.capacity is None else str(entry.capacity),
        "language": written(LANGUAGE_WORDS, new.language),
        "sms": written(YES_NO, entry.wants_sms),
        "position": str(new.position),
        "paused_until": str(clock.local_date(entry.paused_until)) if entry.paused_until else "",
        "pause_reason": entry.pause_reason,
    }
    for number, worker in enumerate(entry.workers, start=1):
        cells[f"worker{number}_name"], cells[f"worker{number}_code"] = worker.name, worker.code
        cells[f"worker{number}_phones"] = numbers(worker.phones)
    return {name: text for name, text in cells.items() if text}


def columns_needed(session: Session) -> tuple[Column, ...]:
    """Return the columns for all providers there are; workers beyond the file's room are left out by `rows`."""
    each = select(func.count().label("n")).where(Worker.ended_at.is_(None)).group_by(Worker.provider_id).subquery()
    most = session.scalar(select(func.max(each.c.n))) or 0
    return columns(min(WORKERS, max(1, most)))


def rows(session: Session) -> Iterator[Cells]:
    """Yield every provider as named cells, in the operator's order."""
    return (cells for _, cells in known_rows(session))


def known_rows(session: Session) -> Iterator[tuple[Provider, Cells]]:
    """Yield every provider and its named cells, in the operator's order."""
    areas = {area.id: area for area in session.scalars(select(Area))}
    for provider in session.scalars(_WHOLE.order_by(Provider.position, Provider.id)):
        yield provider, _cells(provider, areas)


def known_cells(session: Session, provider_id: int) -> Cells | None:
    """Return the named cells of one provider, None if there is no such."""
    areas = {area.id: area for area in session.scalars(select(Area))}
    provider = session.scalar(_WHOLE.where(Provider.id == provider_id).execution_options(populate_existing=True))
    return None if provider is None else _cells(provider, areas)


_WHOLE = select(Provider).options(
    selectinload(Provider.numbers), selectinload(Provider.items), selectinload(Provider.areas),
    selectinload(Provider.hours), selectinload(Provider.workers),
)  # fmt: skip


def _cells(provider: Provider, areas: Mapping[int, Area]) -> Cells:
    cells: Cells = {
        "name": provider.name,
        "kind": written(KINDS, provider.kind),
        "phones": "；".join(dialled(line.number.value, line.number.kind) for line in provider.numbers),
        "services": "；".join(written(SERVICES, item.service) for item in provider.items),
        "areas": "；".join(">".join(_names(areas, covered.area_id)) for covered in provider.areas),
        "hours": "；".join(hours_text((span.weekday, (span.opens, span.closes)) for span in provider.hours)),
        "capacity": "" if provider.capacity is None else str(provider.capacity),
        "language": written(LANGUAGE_WORDS, provider.language),
        "sms": written(YES_NO, provider.wants_sms),
        "position": str(provider.position),
        "pause_reason": provider.pause_reason,
    }
    if provider.paused_until is not None:
        cells["paused_until"] = clock.local_date(provider.paused_until)
    at_work = [worker for worker in provider.workers if worker.ended_at is None]
    for number, worker in enumerate(at_work[:WORKERS], start=1):
        numbers = worker.person.numbers
        cells |= {
            f"worker{number}_name": worker.person.name,
            f"worker{number}_code": worker.code,
            f"worker{number}_phones": "；".join(dialled(link.number.value, link.number.kind) for link in numbers),
        }
    return cells


def hours_text(spans: Iterable[WeekSpan]) -> list[str]:
    """Return spans of the week in words; days in a row with the same span are one."""
    runs: list[tuple[int, int, Span]] = []
    for day, span in sorted(spans, key=lambda one: (one[1], one[0])):
        if runs and runs[-1][2] == span and runs[-1][1] == day - 1:
            runs[-1] = (runs[-1][0], day, span)
        else:
            runs.append((day, day, span))
    week = "一二三四五六日"
    return [
        f"{week[first]}{'-' + week[last] if last > first else ''} {_hm(opens)}-{_hm(closes)}"
        for first, last, (opens, closes) in sorted(runs)
    ]


def _hm(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _names(areas: Mapping[int, Area], area_id: int | None) -> list[str]:
    names: list[str] = []
    while area_id is not None:
        names, area_id = [areas[area_id].name, *names], areas[area_id].parent_id
    return names


def write(path: Path, wanted: Iterable[Column], lines: Iterable[Cells]) -> int:
    """Write a file of providers; return how many lines it has.

    Raises:
        ValueError: the name ends neither in .csv nor in .xlsx.
    """
    wide = frozenset({"phones", "services", "areas", "hours"})
    layout = Layout("服务商", tuple(wanted), CHOICES, frozenset({"paused_until"}), wide)
    return sheet_files.write(path, layout, lines)
