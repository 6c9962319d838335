"""Care visits that people make: whom they may take, and what a result does to visit, duty and escalation.

The rules are data of the results (models.care_runs.Effect); `conclude` is the one
place where they are applied, in the transaction of whoever wrote the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from dispatch import care, tasks
from dispatch.duties import Evidence
from models.calls import Call
from models.campaigns import VISIT_ENDS, CampaignMode, CareAnswer, CareVisit, Decision, VisitStatus
from models.care_runs import CareHold, Effect, VisitCall
from models.duties import ProofKind
from models.results import CallOutcome, CallResult
from models.tasks import Task, TaskKind, TaskState, TaskStep, move_task

# A conversation took place: she was reached for certain.
TALKED = frozenset({Effect.REACHED, Effect.FOLLOW_UP, Effect.URGENT})
_VAIN = frozenset({Effect.NOT_REACHED, Effect.BAD_NUMBER})


@dataclass(frozen=True)
class Finding:
    """What came of a try: the chosen result, who chose it, in which call, and what she answered (codes)."""

    result: CallResult
    user_id: int
    call: Call | None = None
    note: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)


def work_for(mode: str) -> tuple[VisitStatus, ...]:
    """Return in which states a campaign's visits are people's: what the machine cannot settle, all of a staff's list.

    What others are looking in for, or the machine is ringing just now, is left to them.
    """
    return (VisitStatus.WAITING, VisitStatus.AGENT) if mode == CampaignMode.STAFF else (VisitStatus.AGENT,)


def workable(visit: CareVisit) -> bool:
    """Return whether people work on this visit now."""
    return visit.status in work_for(visit.campaign.mode)


def held(now: datetime) -> ColumnElement[bool]:
    """Return the condition on CareVisit that somebody works on her elder now."""
    return exists().where(CareHold.elder_id == CareVisit.elder_id, CareHold.until > now)


def bad_numbers(session: Session, visit_id: int) -> set[int]:
    """Return the numbers of hers that were found to be none in this visit, by a result that is final."""
    query = (
        select(Call.number_id)
        .join(CallOutcome, CallOutcome.call_id == Call.id)
        .join(CallResult, CallResult.code == CallOutcome.code)
        .where(
            CallOutcome.visit_id == visit_id,
            CallResult.effect == Effect.BAD_NUMBER,
            CallResult.is_final.is_(True),
            Call.number_id.is_not(None),
        )
    )
    return {number_id for number_id in session.scalars(query) if number_id is not None}


def numbers(session: Session, visit: CareVisit) -> list[int]:
    """Return the ids of her numbers that may still be tried, the one to ring first at the head."""
    bad = bad_numbers(session, visit.id)
    return [one for one in care.numbers(session, visit) if one not in bad]


def tries(session: Session, visit_id: int) -> int:
    """Return how many results of this visit used up one of its attempts."""
    query = (
        select(func.count())
        .select_from(CallOutcome)
        .join(CallResult, CallResult.code == CallOutcome.code)
        .where(CallOutcome.visit_id == visit_id, CallResult.effect.in_(_VAIN))
    )
    return session.scalar(query) or 0


def conclude(session: Session, visit: CareVisit, found: Finding, now: datetime) -> CallOutcome:
    """Write what came of a try, and do what it means. The caller has locked the visit.

    Raises:
        NoProof: a conversation is claimed that nothing shows.
    """
    outcome = CallOutcome(
        call_id=found.call.id if found.call else None, visit_id=visit.id, user_id=found.user_id,
        code=found.result.code, note=found.note, at=now,
    )  # fmt: skip
    session.add(outcome)
    session.flush()
    _keep_answers(session, visit, found, now)
    effect = Effect(found.result.effect or "")
    if effect in TALKED:
        _close_task(session, visit, found, now)
        call_id = found.call.id if found.call else None
        care.reached(session, visit.elder_id, Evidence(ProofKind.AGENT, now, call_id, by_user_id=found.user_id), now)
        _end_own(visit, call_id, now)
        _look_after(session, visit, outcome, effect, now)
    elif effect == Effect.REFUSED:
        _close_task(session, visit, found, now)
        care.decide(session, visit.elder_id, Decision.REFUSES, now, found.user_id)
    elif effect == Effect.SKIPPED or not _given_up(session, visit, found):
        _later(session, visit, found, now)
    elif visit.status not in VISIT_ENDS:
        _close_task(session, visit, found, now)
        care.not_reached(session, visit, "agent", now)
    return outcome


def _given_up(session: Session, visit: CareVisit, found: Finding) -> bool:
    if not numbers(session, visit):
        return True
    if found.result.effect == Effect.BAD_NUMBER:
        # With another number of hers it goes on.
        return tries(session, visit.id) >= visit.campaign.attempts
    return found.result.is_final or tries(session, visit.id) >= visit.campaign.attempts


def _end_own(visit: CareVisit, call_id: int | None, now: datetime) -> None:
    """A notice (a storm) is ended by its own conversation only, and this was it."""
    if visit.status not in VISIT_ENDS:
        visit.status, visit.closed_at, visit.call_id = VisitStatus.PROVED, now, call_id


def _later(session: Session, visit: CareVisit, found: Finding, now: datetime) -> None:
    if visit.status in VISIT_ENDS:
        return
    due = now + timedelta(seconds=found.result.retry_s or 0)
    visit.due_at = care.window_for(session, visit, now).next_open(due) if found.result.retry_s else due
    task = _task(session, visit)
    if task is not None:
        move_task(task, TaskStep(TaskState.POOL, due_at=visit.due_at), now)
        if found.result.effect != Effect.SKIPPED:
            task.tries += 1
        task.locked_by_id = task.locked_until = None


def _close_task(session: Session, visit: CareVisit, found: Finding, now: datetime) -> None:
    task = _task(session, visit)
    if task is not None:
        move_task(task, TaskStep(TaskState.CLOSED, result=found.result.code, note=found.note), now, found.user_id)


def _task(session: Session, visit: CareVisit) -> Task | None:
    return tasks.open_of(session, TaskKind.CARE, care.task_key(visit))


def task_locked(session: Session, visit: CareVisit, user_id: int, now: datetime) -> bool:
    """Return whether a colleague has the task of this visit open."""
    task = _task(session, visit)
    if task is None or task.locked_until is None or task.locked_until < now:
        return False
    return task.locked_by_id != user_id


def lock_task(session: Session, visit: CareVisit, user_id: int, until: datetime) -> None:
    """Keep others out of the visit's task for as long as somebody works on the visit."""
    task = _task(session, visit)
    if task is not None:
        task.locked_by_id, task.locked_until = user_id, until


def unlock_task(session: Session, visit: CareVisit) -> None:
    """Nobody works on the visit any more."""
    task = _task(session, visit)
    if task is not None:
        task.locked_by_id = task.locked_until = None


def _keep_answers(session: Session, visit: CareVisit, found: Finding, now: datetime) -> None:
    """Her answers belong to the call in which she gave them."""
    if found.call is None:
        return
    there = set(session.scalars(select(CareAnswer.question).where(CareAnswer.call_id == found.call.id)))
    for question, answer in found.answers.items():
        if question not in there:
            session.add(
                CareAnswer(
                    visit_id=visit.id, elder_id=visit.elder_id, call_id=found.call.id, question=question,
                    answer=answer, how="agent", at=now,
                )
            )  # fmt: skip
    session.flush()


def _look_after(session: Session, visit: CareVisit, outcome: CallOutcome, effect: Effect, now: datetime) -> None:
    """What she needs is somebody's task from now on; the alarm stands before all others."""
    kind = {Effect.FOLLOW_UP: TaskKind.FOLLOW_UP, Effect.URGENT: TaskKind.ALARM}.get(effect)
    if kind is None:
        return
    left = care.numbers(session, visit)
    new = tasks.NewTask(
        kind, f"outcome:{outcome.id}", call_id=outcome.call_id, elder_id=visit.elder_id,
        number_id=left[0] if left else None, data={"visit_id": visit.id},
    )  # fmt: skip
    task = tasks.open_task(session, new, now)
    # The note tells the next colleague what it is about.
    outcome.task_id = task.id


def call_of(session: Session, visit_id: int, user_id: int) -> Call | None:
    """Return the call that this agent made for the visit and wrote no result of yet; one that was answered first."""
    written = exists().where(CallOutcome.call_id == Call.id)
    query = (
        select(Call)
        .join(VisitCall, VisitCall.call_id == Call.id)
        .where(VisitCall.visit_id == visit_id, VisitCall.user_id == user_id, ~written)
        .order_by(Call.ended_at.is_not(None), Call.answered_at.is_(None), Call.id.desc())
        .limit(1)
    )
    return session.scalar(query)
