"""The month's report of care visits: how often somebody had to ring for one proof, and at which hours elders answer.

The visit rate itself is the month of the ledger (dispatch.duty_month). Every
figure here is counted from tries, and opens their calls.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from agents.parties import Party, party
from dispatch.duty_month import Line, MonthView
from dispatch.duty_rules import month_span
from models import clock
from models.calls import Call
from models.campaigns import CareVisit, VisitStatus
from models.care_runs import VisitCall
from models.dialing import Attempt
from models.duties import CareProof, ProofKind

SHOWN = 200
# So many tries and more are one figure.
MOST = 5
TRIES, ANSWERED, PROVED = "tries", "answered", "proved"
WHATS = (TRIES, ANSWERED, PROVED)


@dataclass(frozen=True)
class Try:
    """Somebody, or the machine, rang her for a visit."""

    call_id: int
    visit_id: int
    at: datetime
    answered: bool
    proved: bool


@dataclass(frozen=True)
class Hour:
    """The tries of one hour of the day, over the month."""

    hour: int
    tries: int
    answered: int
    proved: int

    @property
    def share(self) -> float | None:
        """The share that proved something; None where nobody was rung."""
        return self.proved / self.tries if self.tries else None


@dataclass(frozen=True)
class CallRow:
    """A call behind a figure."""

    public_id: str
    at: datetime
    party: Party
    purpose: str
    end: str | None


@dataclass(frozen=True)
class Effort:
    """How often it was rung. `needed`: number of tries (the last: so many and more) to proved visits."""

    tries: int
    answered: int
    proved: int
    needed: tuple[tuple[int, int], ...]

    @property
    def per_proof(self) -> float | None:
        """Tries for each proof by telephone; None without a proof."""
        return self.tries / self.proved if self.proved else None


def tries(session: Session, month: date) -> list[Try]:
    """Return every try of the month, the machine's and people's, the oldest first."""
    begin, end = month_span(month)
    proved = exists().where(CareProof.call_id == Call.id)
    within = Call.started_at >= begin, Call.started_at < end
    by_machine = (
        select(Call.id, Attempt.care_visit_id, Call.started_at, Attempt.answered_at, proved)
        .join(Attempt, Attempt.call_id == Call.id)
        .where(Attempt.care_visit_id.is_not(None), *within)
    )
    by_people = (
        select(Call.id, VisitCall.visit_id, Call.started_at, Call.answered_at, proved)
        .join(VisitCall, VisitCall.call_id == Call.id)
        .where(*within)
    )
    found = {
        call_id: Try(call_id, visit_id or 0, at, answered is not None, bool(is_proof))
        for query in (by_machine, by_people)
        for call_id, visit_id, at, answered, is_proof in session.execute(query)
    }
    return sorted(found.values(), key=lambda one: (one.at, one.call_id))


def effort(session: Session, month: date, made: Sequence[Try]) -> Effort:
    """Return how often it was rung, and how many tries the proved visits needed."""
    needed = Counter(min(len(calls), MOST) for calls in _of_proved(session, month, made).values())
    return Effort(
        len(made),
        sum(one.answered for one in made),
        sum(one.proved for one in made),
        tuple((number, needed[number]) for number in range(1, MOST + 1)),
    )


def _of_proved(session: Session, month: date, made: Sequence[Try]) -> dict[int, list[int]]:
    """Return the calls of each visit that was proved in the month, of the month's tries."""
    begin, end = month_span(month)
    closed = CareVisit.closed_at >= begin, CareVisit.closed_at < end
    visits = set(session.scalars(select(CareVisit.id).where(CareVisit.status == VisitStatus.PROVED, *closed)))
    found: dict[int, list[int]] = defaultdict(list)
    for one in made:
        if one.visit_id in visits:
            found[one.visit_id].append(one.call_id)
    return found


def by_hour(made: Sequence[Try]) -> list[Hour]:
    """Return the hours of the day as the clock on the wall has them."""
    sorted_in: dict[int, list[Try]] = defaultdict(list)
    for one in made:
        sorted_in[clock.local(one.at).hour].append(one)
    return [
        Hour(hour, len(them), sum(one.answered for one in them), sum(one.proved for one in them))
        for hour in range(24)
        for them in (sorted_in[hour],)
    ]


def calls(session: Session, month: date, what: str, only: tuple[int | None, int | None]) -> tuple[int, list[CallRow]]:
    """Return how many calls a figure counts, and the newest of them. `only`: of an hour; of visits with so many tries.

    Raises:
        KeyError: nothing is counted so.
    """
    if what not in WHATS:
        raise KeyError(what)
    made = tries(session, month)
    hour, number = only
    ids = {
        one.call_id
        for one in made
        if (hour is None or clock.local(one.at).hour == hour)
        and (what == TRIES or (one.answered if what == ANSWERED else one.proved))
    }
    if number is not None:
        proved = _of_proved(session, month, made).values()
        ids &= {call_id for them in proved if min(len(them), MOST) == number for call_id in them}
    rows = session.scalars(select(Call).where(Call.id.in_(sorted(ids, reverse=True)[:SHOWN])).order_by(Call.id.desc()))
    return len(ids), [
        CallRow(row.public_id, row.started_at, party(row.elder, row.provider, row.number), row.purpose, row.end)
        for row in rows
    ]


def table(view: MonthView) -> list[tuple[str, Line]]:
    """Return the lines of the report: by what, and the line; the whole at the head."""
    parts = (("group", view.groups), ("community", view.communities), ("butler", view.butlers))
    return [("all", view.total), *((by, line) for by, lines in parts for line in lines)]


KINDS = tuple(kind.value for kind in ProofKind)
