"""She was not reached: family, butler, somebody who goes there. Every step is stamped; a proof or a person ends it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from dispatch import campaign_rules, tasks
from dispatch.campaign_rules import Steps, Window
from dispatch.duty_month import Places
from models.campaigns import (
    CareVisit,
    Escalation,
    EscalationStatus,
    EscalationStep,
    StepKind,
    VisitStatus,
)
from models.contacts import Contact, Relation
from models.dialing import Attempt, AttemptStatus, Outcome
from models.journal import Entry, note
from models.lookup import numbers_of_elder
from models.tasks import TaskKind

log = logging.getLogger(__name__)

PROVED, DECIDED = EscalationStatus.PROVED, EscalationStatus.DECIDED
# Family and butlers are rung in the evening and on days off too.
OTHERS_HOURS = Window(spans=((8 * 60, 21 * 60),), days_off=True)
# She is rung again after a promise; if nothing has come of it so much later, the next one is asked.
_AGAIN_PATIENCE = timedelta(hours=24)
_YOUNG = timedelta(seconds=60)
_HIGH = 0


@dataclass(frozen=True)
class Asked:
    """Somebody who can be asked to look in."""

    kind: str
    person_id: int
    number_ids: tuple[int, ...]


def begin(session: Session, visit: CareVisit, why: str, now: datetime) -> Escalation:
    """Nobody has reached her: begin to ask others. Safe to repeat."""
    known = session.scalar(select(Escalation).where(Escalation.visit_id == visit.id))
    visit.status = VisitStatus.ESCALATED
    if known is not None:
        return known
    row = Escalation(visit_id=visit.id, elder_id=visit.elder_id, why=why, created_at=now, visit=visit)
    session.add(row)
    session.flush()
    _next(session, row, now)
    return row


def _next(session: Session, row: Escalation, now: datetime) -> None:
    """Ask whoever comes next; in the end somebody goes there."""
    visit = row.visit
    visit.status = VisitStatus.ESCALATED
    steps = campaign_rules.steps_of(visit.campaign.steps)
    asked = set(session.scalars(select(EscalationStep.person_id).where(EscalationStep.escalation_id == row.id)))
    for one in _candidates(session, visit, steps, now):
        if one.person_id not in asked and one.number_ids:
            step = _step(session, row, one.kind, now)
            step.person_id, step.number_id = one.person_id, one.number_ids[0]
            _ring(session, step, one.number_ids[0], now, 0)
            return
    _go_there(session, row, steps, now)


def _candidates(session: Session, visit: CareVisit, steps: Steps, now: datetime) -> Iterator[Asked]:
    for kind in steps.order:
        if kind == StepKind.CONTACT:
            agreed = (Contact.may_look_in.is_(True), Contact.ended_at.is_(None), Contact.relation != Relation.BUTLER)
            query = select(Contact).where(Contact.elder_id == visit.elder_id, *agreed)
            for contact in session.scalars(query.order_by(Contact.position, Contact.id)).unique():
                yield _asked(session, StepKind.CONTACT, contact.person_id)
        elif kind == StepKind.BUTLER:
            person_id, _ = Places(session, now).butler(visit.elder_id, visit.elder.area_id)
            if person_id is not None:
                yield _asked(session, StepKind.BUTLER, person_id)


def _asked(session: Session, kind: str, person_id: int) -> Asked:
    return Asked(kind, person_id, tuple(one.number_id for one in numbers_of_elder(session, person_id)))


def _step(session: Session, row: Escalation, kind: str, now: datetime) -> EscalationStep:
    step = EscalationStep(escalation_id=row.id, kind=kind, began_at=now, escalation=row)
    session.add(step)
    session.flush()
    return step


def _ring(session: Session, step: EscalationStep, number_id: int, now: datetime, pause_s: float) -> None:
    from dispatch.attempts import new_attempt

    new_attempt(session, step, number_id, OTHERS_HOURS.next_open(now + timedelta(seconds=pause_s)))


def _go_there(session: Session, row: Escalation, steps: Steps, now: datetime) -> None:
    visit = row.visit
    within = steps.go_there_high_h if visit.rank == _HIGH else steps.go_there_h
    step = _step(session, row, StepKind.GO_THERE, now)
    step.due_at = now + timedelta(hours=within)
    new = tasks.NewTask(
        TaskKind.GO_THERE,
        f"step:{step.id}",
        elder_id=visit.elder_id,
        data={
            "deadline": step.due_at.isoformat(timespec="seconds"), "visit_id": visit.id, "escalation_id": row.id,
            "why": row.why,
        },
    )  # fmt: skip
    tasks.open_task(session, new, now)


def go_there_again(session: Session, visit: CareVisit, now: datetime) -> None:
    """Somebody was at her door in vain: somebody goes again, with a new deadline."""
    row = session.scalars(select(Escalation).where(Escalation.visit_id == visit.id)).one()
    _end_open_steps(session, row, "not_reached", now)
    _go_there(session, row, campaign_rules.steps_of(visit.campaign.steps), now)


def promise(session: Session, attempt: Attempt, now: datetime) -> None:
    """A contact or a butler pressed 1: she is looked in on, and rung again when there was time for it."""
    from dispatch.attempts import close_attempt

    step = attempt.escalation_step
    assert step is not None  # noqa: S101 (the dialplan's context and the attempt agree)
    if attempt.call_id is not None:
        note(session, attempt.call_id, Entry.LOOK_IN, now, escalation_step_id=step.id, answer="promised")
    close_attempt(session, attempt, Outcome.CONFIRMED, now)


def refuse(session: Session, attempt: Attempt, now: datetime) -> None:
    """A contact or a butler pressed 2: the next one is asked."""
    from dispatch.attempts import close_attempt

    if attempt.call_id is not None:
        note(
            session, attempt.call_id, Entry.LOOK_IN, now, escalation_step_id=attempt.escalation_step_id, answer="cannot"
        )
    close_attempt(session, attempt, Outcome.DECLINED, now)


def after_attempt(session: Session, step_id: int, attempt: Attempt, now: datetime) -> None:
    """An attempt to reach somebody who may look in was closed."""
    step = session.scalars(
        select(EscalationStep).where(EscalationStep.id == step_id).with_for_update(of=EscalationStep)
    ).one()
    row = step.escalation
    if step.ended_at is not None or row.status != EscalationStatus.OPEN:
        return
    step.call_id = attempt.call_id or step.call_id
    steps = campaign_rules.steps_of(row.visit.campaign.steps)
    # Whoever asked for a person has heard it, and says to that person what becomes of it.
    if attempt.outcome in (Outcome.CONFIRMED, Outcome.PERSON):
        step.outcome, step.ended_at = "promised", now
        again = _step(session, row, StepKind.AGAIN, now)
        again.due_at = now + timedelta(hours=steps.promise_h)
        row.visit.status = VisitStatus.WAITING
        row.visit.due_at = campaign_rules.window_of(row.visit.campaign.window).next_open(again.due_at)
        return
    if attempt.outcome != Outcome.DECLINED and _try_again(session, step, attempt, steps, now):
        return
    step.outcome = "cannot" if attempt.outcome == Outcome.DECLINED else "not_reached"
    step.ended_at = now
    session.flush()
    _next(session, row, now)


def _try_again(session: Session, step: EscalationStep, attempt: Attempt, steps: Steps, now: datetime) -> bool:
    made = select(Attempt).where(Attempt.escalation_step_id == step.id, Attempt.status == AttemptStatus.CLOSED)
    tried = list(session.scalars(made.order_by(Attempt.id)))
    faults = sum(one.outcome in (Outcome.CONGESTION, Outcome.LOST) for one in tried)
    if len(tried) - faults >= steps.attempts or faults > 5 or step.person_id is None:
        return False
    useless = {one.number_id for one in tried if one.outcome in (Outcome.INVALID, Outcome.REFUSED)}
    ids = [one.number_id for one in numbers_of_elder(session, step.person_id) if one.number_id not in useless]
    if not ids:
        return False
    at = ids.index(attempt.number_id) + 1 if attempt.number_id in ids else 0
    step.number_id = ids[at % len(ids)]
    _ring(session, step, step.number_id, now, steps.retry_s)
    return True


def rung_again(session: Session, visit: CareVisit, now: datetime) -> bool:
    """She was rung once more after a promise, in vain: the next one is asked. False where there was no promise."""
    row = session.scalar(
        select(Escalation).where(Escalation.visit_id == visit.id, Escalation.status == EscalationStatus.OPEN)
    )
    if row is None:
        return False
    _end_open_steps(session, row, "not_reached", now)
    _next(session, row, now)
    return True


def end(session: Session, visit: CareVisit, how: EscalationStatus, now: datetime, by_id: int | None = None) -> None:
    """She was reached, or a person has decided: nobody is asked any more. Safe to repeat."""
    from dispatch.attempts import close_attempt

    row = session.scalar(select(Escalation).where(Escalation.visit_id == visit.id).with_for_update(of=Escalation))
    if row is None or row.status != EscalationStatus.OPEN:
        return
    row.status, row.closed_at, row.closed_by_id = how, now, by_id
    for step in _end_open_steps(session, row, how.value, now):
        tasks.settle(session, TaskKind.GO_THERE, f"step:{step.id}", now)
        due = select(Attempt).where(Attempt.escalation_step_id == step.id, Attempt.status == AttemptStatus.DUE)
        for attempt in session.scalars(due):
            close_attempt(session, attempt, Outcome.TOO_LATE, now)


def _end_open_steps(session: Session, row: Escalation, outcome: str, now: datetime) -> list[EscalationStep]:
    query = select(EscalationStep).where(EscalationStep.escalation_id == row.id, EscalationStep.ended_at.is_(None))
    open_ones = list(session.scalars(query))
    for step in open_ones:
        step.outcome, step.ended_at = outcome, now
    session.flush()
    return open_ones


def sweep(session: Session, now: datetime) -> int:
    """Go on with what nobody goes on with: a step without an attempt, a promise of which nothing came."""
    under_way = exists().where(Attempt.escalation_step_id == EscalationStep.id, Attempt.status != AttemptStatus.CLOSED)
    asked = EscalationStep.kind.in_((StepKind.CONTACT, StepKind.BUTLER)), EscalationStep.began_at < now - _YOUNG
    lost = select(EscalationStep).where(EscalationStep.ended_at.is_(None), *asked, ~under_way)
    vain = select(EscalationStep).where(
        EscalationStep.ended_at.is_(None),
        EscalationStep.kind == StepKind.AGAIN,
        EscalationStep.due_at < now - _AGAIN_PATIENCE,
    )
    found = [*session.scalars(lost), *session.scalars(vain)]
    done = 0
    for step in found:
        row = step.escalation
        step.outcome, step.ended_at = "not_reached", now
        session.flush()
        if row.status == EscalationStatus.OPEN and row.visit.status != VisitStatus.CALLING:
            log.warning("escalation %s: step %s led to nothing; the next one is asked", row.public_id, step.public_id)
            _next(session, row, now)
            done += 1
    return done
