"""The month of the ledger: due, done, proved how, overdue, by group, community and butler, with what lies behind."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from dispatch.duty_rules import month_span
from models.campaigns import Escalation, EscalationStatus
from models.contacts import Contact, Relation
from models.duties import AreaButler, CareProof, Duty, DutyStatus
from models.people import Area, Elder, Person

# Why a duty counts where it does.
IN_TIME, LATE, DECIDED, PENDING, OVERDUE = "in_time", "late", "decided", "pending", "overdue"


@dataclass(frozen=True)
class Figure:
    """A number that opens what it was counted from: the duties, and the calls of their proofs."""

    duty_ids: tuple[int, ...] = ()
    call_ids: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.duty_ids)


@dataclass(frozen=True)
class Line:
    """One line of the view: by state, and by the kind of proof."""

    name: str
    states: dict[str, Figure] = field(default_factory=dict)
    proofs: dict[str, Figure] = field(default_factory=dict)
    escalated: Figure = Figure()  # of the pending and overdue ones: others are asked to look in

    def count(self, *states: str) -> int:
        """Return how many duties are in one of these states; in all without any."""
        return sum(len(figure) for state, figure in self.states.items() if not states or state in states)

    @property
    def rate(self) -> float | None:
        """The share that was reached (in time or late) of what had to be; None where nothing had to be."""
        due = self.count(IN_TIME, LATE, PENDING, OVERDUE)
        return self.count(IN_TIME, LATE) / due if due else None


@dataclass(frozen=True)
class MonthView:
    """One month: the whole, and the same by group, community and butler."""

    month: date
    total: Line
    groups: tuple[Line, ...]
    communities: tuple[Line, ...]
    butlers: tuple[Line, ...]


@dataclass(frozen=True)
class _Row:
    duty_id: int
    state: str
    proof: str | None
    call_id: int | None
    group: str
    community: str
    butler: str
    escalated: bool


def month_view(session: Session, month: date, now: datetime) -> MonthView:
    """Return what had to be done by a deadline in the month of `month`, and how it stands at `now`."""
    rows = _rows(session, month, now)
    return MonthView(
        month.replace(day=1),
        _line("", rows),
        _lines(rows, "group"),
        _lines(rows, "community"),
        _lines(rows, "butler"),
    )


def state_of(status: str, deadline: datetime, proved_at: datetime | None, now: datetime) -> str:
    """Return how a duty counts."""
    if status == DutyStatus.PROVED and proved_at is not None:
        return IN_TIME if proved_at <= deadline else LATE
    if status == DutyStatus.DECIDED:
        return DECIDED
    return OVERDUE if deadline < now else PENDING


def _rows(session: Session, month: date, now: datetime) -> list[_Row]:
    begin, end = month_span(month)
    open_one = Escalation.elder_id == Duty.elder_id, Escalation.status == EscalationStatus.OPEN
    looked_for = and_(Duty.status == DutyStatus.OPEN, exists().where(*open_one)).label("looked_for")
    query = (
        select(
            Duty.id, Duty.status, Duty.deadline, Duty.group, Duty.elder_id, Elder.area_id,
            CareProof.at, CareProof.kind, CareProof.call_id, looked_for,
        )
        .join(Elder, Elder.id == Duty.elder_id)
        .outerjoin(CareProof, CareProof.id == Duty.proof_id)
        .where(Duty.deadline >= begin, Duty.deadline < end)
        .order_by(Duty.id)
    )  # fmt: skip
    places = Places(session, now)
    return [
        _Row(
            row.id, state_of(row.status, row.deadline, row.at, now), row.kind, row.call_id, row.group,
            places.community(row.area_id), places.butler(row.elder_id, row.area_id)[1],
            bool(row.looked_for),
        )
        for row in session.execute(query)
    ]  # fmt: skip


class Places:
    """Every area and butler, read once: an elder's community by name, and who her butler is."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._areas = {row.id: row for row in session.execute(select(Area.id, Area.parent_id, Area.kind, Area.name))}
        self._of_area = {
            row.area_id: (row.id, row.name)
            for row in session.execute(
                select(AreaButler.area_id, Person.id, Person.name)
                .join(Person, Person.id == AreaButler.person_id)
                .where(AreaButler.since <= now, AreaButler.ended_at.is_(None) | (AreaButler.ended_at > now))
                .order_by(AreaButler.id)
            )
        }
        self._own = {
            row.elder_id: (row.id, row.name)
            for row in session.execute(
                select(Contact.elder_id, Person.id, Person.name)
                .join(Person, Person.id == Contact.person_id)
                .where(Contact.relation == Relation.BUTLER, Contact.ended_at.is_(None))
                .order_by(Contact.position.desc(), Contact.id.desc())
            )
        }

    def community(self, area_id: int | None) -> str:
        """Return the name of the community the area lies in, of the topmost area where there is none."""
        name = ""
        while area_id is not None:
            area = self._areas[area_id]
            name = area.name
            if area.kind == "community":
                break
            area_id = area.parent_id
        return name

    def butler(self, elder_id: int, area_id: int | None) -> tuple[int | None, str]:
        """Return id and name of her butler: her own, else that of the smallest area that has one; (None, "")."""
        if elder_id in self._own:
            return self._own[elder_id]
        while area_id is not None:
            if area_id in self._of_area:
                return self._of_area[area_id]
            area_id = self._areas[area_id].parent_id
        return None, ""


def _lines(rows: list[_Row], by: str) -> tuple[Line, ...]:
    parts: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        parts[getattr(row, by)].append(row)
    return tuple(_line(name, part) for name, part in sorted(parts.items()))


def _line(name: str, rows: list[_Row]) -> Line:
    states: dict[str, list[_Row]] = defaultdict(list)
    proofs: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        states[row.state].append(row)
        if row.state in (IN_TIME, LATE) and row.proof:
            proofs[row.proof].append(row)
    return Line(
        name,
        {state: _figure(part) for state, part in sorted(states.items())},
        {kind: _figure(part) for kind, part in sorted(proofs.items())},
        _figure([row for row in rows if row.escalated]),
    )


def _figure(rows: list[_Row]) -> Figure:
    calls = tuple(dict.fromkeys(row.call_id for row in rows if row.call_id is not None))
    return Figure(tuple(row.duty_id for row in rows), calls)
