"""The month of the duty ledger for the console: a line by its name, and the elders and calls behind each figure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, selectinload

from agents.parties import Party
from dispatch import duty_month
from dispatch.duty_month import Figure, Line, MonthView
from models.calls import Call, Direction
from models.care_runs import VisitCall
from models.duties import CareProof, Duty, ProofKind
from models.people import Elder, Person
from models.users import User

SHOWN = 100
STATES = (duty_month.IN_TIME, duty_month.LATE, duty_month.DECIDED, duty_month.PENDING, duty_month.OVERDUE)
# What a figure counts: everything due, everything reached, each state, each kind of proof, who is looked for.
DUE, DONE, ESCALATED = "due", "done", "escalated"
WHATS = (DUE, DONE, *STATES, ESCALATED, *(kind.value for kind in ProofKind))
BY = ("all", "group", "community", "butler")


@dataclass(frozen=True)
class DutyRow:
    """One duty behind a figure. `call`: public id of the one that proved it; `by`: who talked with her or was there.

    `calls`: when we rang her for it, with the calls' public ids, the newest first; the one that proved it is among
    them, unless she rang us.
    """

    elder: Party
    group: str
    deadline: datetime
    state: str
    proved_at: datetime | None
    kind: str
    call: str | None
    by: str
    decision: str | None
    calls: tuple[tuple[datetime, str], ...] = ()


def lines(view: MonthView, by: str) -> tuple[Line, ...]:
    """Return the lines of one way to look at the month."""
    of = {"group": view.groups, "community": view.communities, "butler": view.butlers}
    return of.get(by, (view.total,))


def figure(view: MonthView, by: str, name: str, what: str) -> Figure:
    """Return the figure of a line.

    Raises:
        KeyError: there is no such line, or nothing that is counted so.
    """
    line = next((one for one in lines(view, by) if by == "all" or one.name == name), None)
    if line is None or what not in WHATS or by not in BY:
        raise KeyError((by, name, what))
    if what == ESCALATED:
        return line.escalated
    if what in tuple(ProofKind):
        return line.proofs.get(what, Figure())
    states = {DUE: STATES, DONE: (duty_month.IN_TIME, duty_month.LATE)}.get(what, (what,))
    found = [line.states[state] for state in states if state in line.states]
    return Figure(
        tuple(sorted(duty_id for one in found for duty_id in one.duty_ids)),
        tuple(dict.fromkeys(call_id for one in found for call_id in one.call_ids)),
    )


def behind(session: Session, shown: Figure, skip: int, now: datetime) -> list[DutyRow]:
    """Return a page of the duties of a figure, with what proved each and the calls that were made for it."""
    ids = shown.duty_ids[skip : skip + SHOWN]
    rows = session.execute(
        select(Duty, CareProof, Call.public_id, User.name, Person.name)
        .outerjoin(CareProof, CareProof.id == Duty.proof_id)
        .outerjoin(Call, Call.id == CareProof.call_id)
        .outerjoin(User, User.id == CareProof.by_user_id)
        .outerjoin(Person, Person.id == CareProof.by_person_id)
        .where(Duty.id.in_(ids))
        .options(selectinload(Duty.elder).joinedload(Elder.person))
        .order_by(Duty.deadline, Duty.id)
    ).all()
    made = _calls(session, [duty for duty, *_ in rows], now)
    return [
        DutyRow(
            Party("elder", duty.elder.person.name, duty.elder.person.public_id), duty.group, duty.deadline,
            duty_month.state_of(duty.status, duty.deadline, proof.at if proof else None, now),
            proof.at if proof else None, proof.kind if proof else "", call, person or user or "", duty.decision,
            made[duty.id],
        )
        for duty, proof, call, user, person in rows
    ]  # fmt: skip


def _calls(session: Session, duties: list[Duty], now: datetime) -> dict[int, tuple[tuple[datetime, str], ...]]:
    """Return when the elder of each duty was rung while it was open, by the machine or by people."""
    if not duties:
        return {}
    by_people = exists().where(VisitCall.call_id == Call.id)
    query = select(Call.elder_id, Call.started_at, Call.public_id).where(
        Call.elder_id.in_({duty.elder_id for duty in duties}),
        Call.started_at >= min(duty.opens_at for duty in duties),
        (Call.purpose == "care") | by_people,
        Call.direction == Direction.OUT,
    )
    hers: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for elder_id, at, public_id in session.execute(query.order_by(Call.id.desc())):
        hers[elder_id or 0].append((at, public_id))
    return {
        duty.id: tuple(one for one in hers[duty.elder_id] if duty.opens_at <= one[0] <= (duty.closed_at or now))
        for duty in duties
    }


def month_of(text: str, today: date) -> date:
    """Return the first day of the month written as 2026-11; of this month where nothing is written.

    Raises:
        ValueError: it is no month.
    """
    if not text:
        return today.replace(day=1)
    return date.fromisoformat(f"{text}-01")


def next_month(month: date, by: int) -> date:
    """Return the first day of the month so many months later, or earlier."""
    count = month.year * 12 + month.month - 1 + by
    return date(count // 12, count % 12 + 1, 1)
