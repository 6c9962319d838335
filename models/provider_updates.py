"""A file of providers that changes those who are registered. It is told what would change before anything is written.

A line's provider is known by one of its numbers or by a worker's code, which do not
change as names do; else by its name. What the line says replaces what is there:
a worker whose code is missing has left. All lines, or none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import provider_export, provider_files, register
from models.lookup import number_row
from models.people import NumberRole, PersonNumber, PhoneNumber
from models.provider_files import Entry, NewWorker
from models.providers import Provider, ProviderArea, ProviderHours, ProviderItem, ProviderNumber, Worker
from models.sheet_cells import phone_numbers
from models.sheets import Row


@dataclass(frozen=True)
class Change:
    """A registered provider and what the file says of it; `told`: each difference in words."""

    provider_id: int
    entry: Entry
    told: tuple[str, ...]


@dataclass
class Plan:
    """What would be written, and what is wrong. With any problem nothing is written."""

    new: list[Entry] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    same: int = 0
    problems: list[str] = field(default_factory=list)


def plan(session: Session, rows: Iterable[Row]) -> Plan:
    """Check every row against the rules, each other and the database; nothing is written."""
    result = Plan()
    seen: dict[object, int] = {}
    registered = {
        provider.id: provider_files.entry_of(Row(0, {name: str(cell) for name, cell in cells.items()}))
        for provider, cells in provider_export.known_rows(session)
    }
    gone = set(session.scalars(select(Worker.code).where(Worker.ended_at.is_not(None))))
    for row in rows:
        try:
            entry = provider_files.entry_of(row)
            for key in (f"name {entry.provider.name}", *(f"worker's code {one.code}" for one in entry.workers)):
                if key in seen:
                    raise ValueError(f"{key} is in line {seen[key]} too")
                seen[key] = row.line
            if ended := sorted({one.code for one in entry.workers} & gone):
                raise ValueError(f"worker's code {ended[0]} was given out already")
            provider_id = _whose(session, entry)
            if provider_id is not None and provider_id in seen:
                raise ValueError(f"it is the provider of line {seen[provider_id]} too")
            seen[provider_id] = row.line
        except ValueError as error:
            result.problems.append(f"line {row.line}: {error}")
            continue
        if provider_id is None:
            result.new.append(entry)
        elif told := differences(registered[provider_id], entry):
            result.changes.append(Change(provider_id, entry, told))
        else:
            result.same += 1
    return result


def differences(before: Entry, after: Entry) -> tuple[str, ...]:
    """Return what is different, field by field: "capacity: 3 → 5"."""
    return tuple(
        f"{name}: {_said(old)} → {_said(new)}"
        for (name, old), (_, new) in zip(_fields(before), _fields(after), strict=True)
        if old != new
    )


def apply(session: Session, planned: Plan, now: datetime) -> None:
    """Write all that was planned. With problems nothing may be written: ask before."""
    provider_files.add(session, provider_files.Checked(planned.new), now)
    for change in planned.changes:
        update(session, session.get_one(Provider, change.provider_id), change.entry, now)
    session.flush()


def _whose(session: Session, entry: Entry) -> int | None:
    """Return the provider that is meant, None for a new one.

    Raises:
        ValueError: the line has numbers or codes of several.
    """
    values = [number.value for number in entry.provider.numbers]
    by_number = select(ProviderNumber.provider_id).join(PhoneNumber).where(PhoneNumber.value.in_(values))
    by_code = select(Worker.provider_id).where(Worker.code.in_([one.code for one in entry.workers]))
    found = {*session.scalars(by_number), *session.scalars(by_code)}
    if len(found) > 1:
        raise ValueError("its numbers and workers' codes belong to several providers")
    return found.pop() if found else session.scalar(select(Provider.id).where(Provider.name == entry.provider.name))


def _fields(entry: Entry) -> list[tuple[str, Any]]:
    own = [(one.name, getattr(entry, one.name)) for one in fields(entry) if one.name not in ("provider", "workers")]
    ours = [(name, getattr(entry.provider, name)) for name in ("name", "kind", "language", "position")]
    numbers = tuple(number.value for number in entry.provider.numbers)
    services = tuple(sorted(entry.provider.services))
    workers = tuple(sorted((one.code, one.name, _dialable(one)) for one in entry.workers))
    return [*ours, ("phones", numbers), ("services", services), *own, ("workers", workers)]


def _dialable(worker: NewWorker) -> tuple[str, ...]:
    return tuple(number.value for number in phone_numbers(worker.phones)) if worker.phones else ()


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return "; ".join(_said(one) for one in value) or "-"
    return "-" if value in (None, "") else str(value)


def update(session: Session, provider: Provider, entry: Entry, now: datetime) -> None:
    """Make `provider` what the entry says. That codes and name are free is asked before (`plan`)."""
    new = entry.provider
    provider.name, provider.kind, provider.language, provider.position = new.name, new.kind, new.language, new.position
    provider.capacity, provider.wants_sms = entry.capacity, entry.wants_sms
    provider.paused_until, provider.pause_reason = entry.paused_until, entry.pause_reason
    for kind in (ProviderNumber, ProviderArea, ProviderHours):
        session.execute(delete(kind).where(kind.provider_id == provider.id))
    for position, number in enumerate(new.numbers):
        row = number_row(session, number)
        session.add(ProviderNumber(provider_id=provider.id, number_id=row.id, position=position))
    register.cover(session, provider, [area for path in entry.areas if (area := register.area_at(session, *path))])
    session.add_all(
        ProviderHours(provider_id=provider.id, weekday=weekday, opens=opens, closes=closes)
        for weekday, (opens, closes) in entry.hours
    )
    # A service that stays keeps its doubt.
    lost = ProviderItem.provider_id == provider.id, ProviderItem.service.not_in(new.services)
    session.execute(delete(ProviderItem).where(*lost))
    kept = set(session.scalars(select(ProviderItem.service).where(ProviderItem.provider_id == provider.id)))
    session.add_all(ProviderItem(provider_id=provider.id, service=one) for one in new.services if one not in kept)
    _update_workers(session, provider, entry, now)
    session.flush()
    session.expire(provider)


def _update_workers(session: Session, provider: Provider, entry: Entry, now: datetime) -> None:
    at_work = {one.code: one for one in provider.workers if one.ended_at is None}
    named = {one.code: one for one in entry.workers}
    for code, worker in at_work.items():
        if code not in named:
            worker.ended_at = now
            continue
        worker.person.name = named[code].name
        worker.person.family_name = register.family_name_of(named[code].name)
        wanted = _dialable(named[code])
        if tuple(link.number.value for link in worker.person.numbers) != wanted:
            worker.person.numbers.clear()
            session.flush()
            for position, number in enumerate(phone_numbers(named[code].phones) if wanted else ()):
                link = PersonNumber(number=number_row(session, number), role=NumberRole.OWN, position=position)
                worker.person.numbers.append(link)
    for code, new in named.items():
        if code not in at_work:
            provider_files.add_worker(session, provider, new, now)
