"""Providers as cells of the file that the import reads: of one, of all, written as CSV or .xlsx."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from models import clock, sheet_files
from models.hours import Span, told
from models.people import Area
from models.phone import Number
from models.provider_columns import CHOICES, KINDS, SERVICES, WORKERS, YES_NO, columns
from models.provider_files import Entry, WeekSpan
from models.providers import Provider, Worker
from models.sheet_cells import LANGUAGE_WORDS, Column, phone_numbers, written
from models.sheet_files import Cells, Layout, dialled


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
        f"{week[first]}{'-' + week[last] if last > first else ''} {told((span,))}" for first, last, span in sorted(runs)
    ]


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
