"""The duty ledger's rows: obligations are written as they open, and closed by a proof or by a person.

`prove` is the only writer of a proof, `decide` of an end without one. What has to
be there is worked out by dispatch/duty_rules.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, bindparam, func, insert, select
from sqlalchemy.orm import Session, joinedload

from dispatch import duty_rules
from dispatch.duty_rules import WEEK, Member, Rule
from models import clock
from models.duties import (
    RISKS,
    CareProof,
    Duty,
    DutyRule,
    DutyStatus,
    ElderGroup,
    Period,
    ProofKind,
    default_rules,
)
from models.prepared import Prepared

# Obligations of earlier periods than this are not written any more, should nobody have looked for so long.
LOOKS_BACK = timedelta(days=190)
_DUTIES = cast(Table, Duty.__table__)
# Asked at each call that reaches somebody.
_KNOWN = Prepared(
    select(CareProof.id).where(CareProof.call_id == bindparam("of_call"), CareProof.kind == bindparam("by")).limit(1)
)
_PROVE = Prepared(
    insert(cast(Table, CareProof.__table__)), "elder_id", "kind", "at", "noted_at", "call_id", "by_person_id",
    "by_user_id",
)  # fmt: skip
_OWED = Prepared(select(Duty.id).where(Duty.elder_id == bindparam("of_elder"), Duty.status == DutyStatus.OPEN).limit(1))


class NoProof(ValueError):
    """What was given does not prove that she was reached; the text says why."""


@dataclass(frozen=True)
class Evidence:
    """By what she is known to have been reached."""

    kind: str  # ProofKind
    at: datetime
    call_id: int | None = None
    by_person_id: int | None = None
    by_user_id: int | None = None

    def check(self) -> None:
        """Raises NoProof where somebody or something is missing that a proof needs."""
        if self.kind in (ProofKind.KEY, ProofKind.ANSWERS) and self.call_id is None:
            raise NoProof("a call proves only with its id")
        if self.kind == ProofKind.AGENT and self.by_user_id is None and self.call_id is None:
            raise NoProof("an agent's conversation needs the agent or the call")
        if self.kind == ProofKind.VISIT and self.by_person_id is None and self.by_user_id is None:
            raise NoProof("a visit in person needs who was there")


@dataclass(frozen=True)
class Due:
    """By when an elder has to be reached next, and why."""

    duty_id: int
    elder_id: int
    deadline: datetime
    group: str
    overdue: bool


def settle_rules(session: Session, now: datetime) -> int:
    """Write the default rules where there are none yet, valid from the first of this month. Returns how many."""
    if session.scalar(select(func.count()).select_from(DutyRule)):
        return 0
    rows = default_rules(clock.local_date(now).replace(day=1))
    session.execute(insert(DutyRule), rows)
    return len(rows)


def rules(session: Session) -> list[Rule]:
    """Return every rule as plain values."""
    return [_rule(row) for row in session.scalars(select(DutyRule).order_by(DutyRule.id))]


def _rule(row: DutyRule) -> Rule:
    first = timedelta(hours=row.first_within_h) if row.first_within_h is not None else None
    return Rule(row.id, row.group, row.period, first, frozenset(row.proof), row.valid_from, row.valid_to)


def join(session: Session, elder_id: int, group: str, now: datetime, by_user_id: int | None = None) -> ElderGroup:
    """She belongs to `group` from now on; another risk class ends the one before. Safe to repeat.

    The first elder of all brings the default rules, where nobody has written others.
    """
    settle_rules(session, now)
    here = select(ElderGroup).where(ElderGroup.elder_id == elder_id, ElderGroup.ended_at.is_(None))
    current = {row.group: row for row in session.scalars(here.with_for_update())}
    if group in current:
        return current[group]
    if group in RISKS:
        for risk in RISKS:
            if risk in current:
                _end(session, current[risk], now, by_user_id)
    row = ElderGroup(elder_id=elder_id, group=group, since=now, by_user_id=by_user_id)
    session.add(row)
    session.flush()
    refresh(session, now, [elder_id])
    return row


def leave(session: Session, elder_id: int, group: str, now: datetime, by_user_id: int | None = None) -> bool:
    """She does not belong to `group` any more. Returns whether she did."""
    row = session.scalar(
        select(ElderGroup).where(
            ElderGroup.elder_id == elder_id, ElderGroup.group == group, ElderGroup.ended_at.is_(None)
        )
    )
    if row is None:
        return False
    _end(session, row, now, by_user_id)
    return True


def _end(session: Session, row: ElderGroup, now: datetime, by_user_id: int | None) -> None:
    """Whoever changes her group decides with it that the open duty of the old one is none any more."""
    row.ended_at = now
    open_ones = select(Duty).where(
        Duty.elder_id == row.elder_id, Duty.group == row.group, Duty.status == DutyStatus.OPEN
    )
    for duty in session.scalars(open_ones):
        duty.status, duty.decision, duty.decided_by_id, duty.closed_at = (
            DutyStatus.DECIDED, "regrouped", by_user_id, now,
        )  # fmt: skip
    session.flush()


def refresh(session: Session, now: datetime, elder_ids: Sequence[int] | None = None) -> int:
    """Write every obligation that has opened and is not there yet, for these elders or all. Returns how many.

    Safe to repeat and to run beside itself: an obligation is known by elder, group and opening.
    """
    fresh = _fresh(session, now, elder_ids)
    if fresh:
        session.execute(insert(_DUTIES), fresh)
    return len(fresh)


def lacking(session: Session, now: datetime) -> list[int]:
    """Return the elders for whom `refresh` would write something. Reads only: nobody waits for the lock meanwhile."""
    return list(dict.fromkeys(row["elder_id"] for row in _fresh(session, now, None)))


def _fresh(session: Session, now: datetime, elder_ids: Sequence[int] | None) -> list[dict[str, Any]]:
    """Return the rows of obligations that have opened and are not there yet."""
    known_rules = defaultdict(list)
    for rule in rules(session):
        known_rules[rule.group].append(rule)
    members = select(ElderGroup.elder_id, ElderGroup.group, ElderGroup.since, ElderGroup.ended_at).where(
        (ElderGroup.ended_at.is_(None)) | (ElderGroup.ended_at > now)
    )
    duties = select(Duty.elder_id, Duty.group, Duty.opens_at, Duty.status, Duty.proof_id).where(
        Duty.opens_at > now - LOOKS_BACK - timedelta(days=92)
    )
    proofs = select(CareProof.elder_id, CareProof.at, CareProof.kind, CareProof.id).where(
        CareProof.at > now - LOOKS_BACK
    )
    if elder_ids is not None:
        members = members.where(ElderGroup.elder_id.in_(elder_ids))
        duties = duties.where(Duty.elder_id.in_(elder_ids))
        proofs = proofs.where(CareProof.elder_id.in_(elder_ids))
    there: dict[tuple[int, str], dict[datetime, tuple[str, int | None]]] = defaultdict(dict)
    for elder_id, group, opens, status, proof_id in session.execute(duties):
        there[elder_id, group][opens] = (status, proof_id)
    reached: dict[int, list[tuple[datetime, str, int]]] = defaultdict(list)
    for elder_id, at, kind, proof_id in session.execute(proofs.order_by(CareProof.at)):
        reached[elder_id].append((at, kind, proof_id))
    fresh: list[dict[str, Any]] = []
    for elder_id, group, since, ended in session.execute(members):
        for rule in known_rules.get(group, ()):
            member = Member(group, since, ended)
            mine = _Mine(there[elder_id, group], reached[elder_id])
            fresh += [{"elder_id": elder_id, **row} for row in _missing(rule, member, mine, now)]
    return fresh


@dataclass(frozen=True)
class _Mine:
    """What stands already of one elder and group."""

    duties: dict[datetime, tuple[str, int | None]]
    proofs: list[tuple[datetime, str, int]]


def _missing(rule: Rule, member: Member, mine: _Mine, now: datetime) -> Iterator[dict[str, Any]]:
    span = duty_rules.in_force(rule, member, now)
    if span is None:
        return
    begin, end = span
    counting = [(at, proof_id) for at, kind, proof_id in mine.proofs if kind in rule.proof]
    if rule.period == Period.WEEK:
        yield from _missing_weeks(rule, begin, mine, counting)
        return
    for opens, deadline in duty_rules.calendar_spans(rule, max(begin, now - LOOKS_BACK), end):
        if opens not in mine.duties and not (opens < now - LOOKS_BACK):
            yield _row(rule, opens, deadline, next((one for one in counting if one[0] > opens), None))


def _missing_weeks(
    rule: Rule, begin: datetime, mine: _Mine, counting: list[tuple[datetime, int]]
) -> Iterator[dict[str, Any]]:
    last = max((opens for opens in mine.duties if opens >= begin), default=None)
    by_id = {proof_id: at for at, proof_id in counting}
    if last is None:
        opens: datetime | None = begin
        deadline = duty_rules.first_deadline(rule, begin)
    else:
        status, proof_id = mine.duties[last]
        if status == DutyStatus.OPEN:
            return
        # After a decision (she is in hospital) the week begins anew with what came next.
        opens = by_id.get(proof_id or 0)
        deadline = (opens or last) + WEEK
    while opens is not None and opens not in mine.duties:
        proof = next((one for one in counting if one[0] > opens), None)
        yield _row(rule, opens, deadline, proof)
        opens, deadline = (proof[0], proof[0] + WEEK) if proof else (None, deadline)


def _row(rule: Rule, opens: datetime, deadline: datetime, proof: tuple[datetime, int] | None) -> dict[str, Any]:
    return {
        "rule_id": rule.id,
        "group": rule.group,
        "opens_at": opens,
        "deadline": deadline,
        "status": DutyStatus.PROVED.value if proof else DutyStatus.OPEN.value,
        "proof_id": proof[1] if proof else None,
        "closed_at": proof[0] if proof else None,
    }


def prove(session: Session, elder_id: int, evidence: Evidence, now: datetime) -> int:
    """She was reached: write the proof and close what it meets. A second proof of one kind in a call is the first.

    Returns the proof's id.

    Raises:
        NoProof: the evidence lacks who, or in which call; or it lies in the future.
    """
    evidence.check()
    if evidence.at > now + timedelta(minutes=5):
        raise NoProof("nobody can have been reached in the future")
    if evidence.call_id is not None:
        known = _KNOWN.scalar(session, {"of_call": evidence.call_id, "by": evidence.kind})
        if known is not None:
            return cast(int, known)
    session.flush()
    proof_id = _PROVE.insert(session, {
        "elder_id": elder_id, "kind": str(evidence.kind), "at": evidence.at, "noted_at": now,
        "call_id": evidence.call_id, "by_person_id": evidence.by_person_id, "by_user_id": evidence.by_user_id,
    })  # fmt: skip
    met = False
    # A notice, a list, a second call in a week: not every call has a duty.
    open_ones = open_duties(session, elder_id) if _OWED.scalar(session, {"of_elder": elder_id}) is not None else []
    for duty in open_ones:
        if duty.opens_at < evidence.at and evidence.kind in duty.rule.proof:
            duty.status, duty.proof_id, duty.closed_at, met = DutyStatus.PROVED, proof_id, now, True
    session.flush()
    if met:
        # The week after it begins.
        refresh(session, now, [elder_id])
    return proof_id


def decide(session: Session, elder_id: int, decision: str, now: datetime, by_user_id: int | None) -> int:
    """A person ends the open duties of an elder without a proof. Returns how many."""
    ended = open_duties(session, elder_id)
    for duty in ended:
        duty.status, duty.decision, duty.decided_by_id, duty.closed_at = (
            DutyStatus.DECIDED, decision, by_user_id, now,
        )  # fmt: skip
    session.flush()
    return len(ended)


def open_duties(session: Session, elder_id: int) -> list[Duty]:
    """Return the elder's open duties, locked, the earliest deadline first."""
    query = select(Duty).where(Duty.elder_id == elder_id, Duty.status == DutyStatus.OPEN).order_by(Duty.deadline)
    whole = query.options(joinedload(Duty.rule, innerjoin=True))
    return list(session.scalars(whole.with_for_update(of=Duty)))


def next_due(session: Session, elder_ids: Iterable[int], now: datetime) -> dict[int, Due]:
    """Return by when each of these elders has to be reached next, and why. Who has no open duty is not in it."""
    query = (
        select(Duty.id, Duty.elder_id, Duty.deadline, Duty.group)
        .where(Duty.elder_id.in_(list(elder_ids)), Duty.status == DutyStatus.OPEN)
        .order_by(Duty.deadline.desc(), Duty.id.desc())
    )
    return {row.elder_id: Due(row.id, row.elder_id, row.deadline, row.group, row.deadline < now)
            for row in session.execute(query)}  # fmt: skip
