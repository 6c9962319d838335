"""Care visits: what a call has proved, what follows an attempt, and how a person ends what the machine cannot.

`reached` is the one place where a proof meets the visit, the duty and the
escalation together. Nothing here rings anybody: the campaign's round does.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, exists, or_, select, union_all, update
from sqlalchemy.orm import Session, joinedload

from dispatch import campaign_rules, duties, escalation, tasks
from dispatch.campaign_rules import Tried, Window
from dispatch.duties import Evidence
from models.calling_hours import hours_of
from models.calls import Call, CallEvent
from models.campaigns import (
    VISIT_ENDS,
    CampaignStatus,
    CareVisit,
    Escalation,
    VisitStatus,
)
from models.care_runs import VisitCall
from models.dialing import Attempt, AttemptStatus, Outcome
from models.duties import CareProof, ProofKind
from models.journal import Entry, note
from models.lookup import numbers_of_elder
from models.people import Elder
from models.prepared import Prepared
from models.rows import Rows, tell
from models.tasks import Task, TaskKind

# Proofs of a machine's call: a key, and, as strong, two answers.
BY_MACHINE = (ProofKind.KEY, ProofKind.ANSWERS)
# A call of ours is news to her for so long; she rings back, and her visit goes on.
NEWS = timedelta(hours=72)
# Whoever takes the receiver says a word or two; what talks longer than this and answers nothing is a machine (s).
MACHINE_TALKS_S = 3.0
HIGH = 0  # CareVisit.rank
# Asked at every key of hers.
_PROOFS = cast(Table, CareProof.__table__)
_PROOF = Prepared(select(_PROOFS.c.id).where(_PROOFS.c.call_id == bindparam("of_call")).limit(1))
_attempts, _tasks, _escalations = (cast(Table, kind.__table__) for kind in (Attempt, Task, Escalation))
_visits, _visit_calls = (cast(Table, kind.__table__) for kind in (CareVisit, VisitCall))
# Asked for every call.
_STATUS = Prepared(select(_visits.c.status).where(_visits.c.id == bindparam("visit")))
_REACHED = Prepared(
    update(_visits)
    .where(_visits.c.id == bindparam("visit"))
    .values(status=VisitStatus.PROVED.value, closed_at=bindparam("at"), call_id=bindparam("by_call"))
)
_FOR = Prepared(
    union_all(
        select(_attempts.c.care_visit_id).where(
            _attempts.c.call_id == bindparam("of_call"), _attempts.c.care_visit_id.is_not(None)
        ),
        select(_visit_calls.c.visit_id).where(_visit_calls.c.call_id == bindparam("of_call")),
    )
)
_USELESS = Prepared(
    select(_attempts.c.number_id).where(
        _attempts.c.care_visit_id == bindparam("visit"),
        _attempts.c.outcome.in_((Outcome.INVALID, Outcome.REFUSED)),
    )
)
_DUE = Prepared(
    select(_attempts.c.id)
    .where(_attempts.c.care_visit_id == bindparam("visit"), _attempts.c.status == AttemptStatus.DUE)
    .limit(1)
)
_HAS_MORE = Prepared(
    union_all(
        select(_tasks.c.id).where(_tasks.c.dedupe_key == bindparam("key"), _tasks.c.closed_at.is_(None)),
        select(_escalations.c.id).where(_escalations.c.visit_id == bindparam("visit")),
    )
)
# Put together once: that costs as much as the row.
_WHOLE = (
    select(CareVisit)
    .where(CareVisit.id == bindparam("visit_id"))
    .options(
        joinedload(CareVisit.elder, innerjoin=True).joinedload(Elder.person, innerjoin=True),
        joinedload(CareVisit.campaign, innerjoin=True),
    )
)
_OPEN_ONES = (
    select(CareVisit)
    .where(CareVisit.elder_id == bindparam("of_elder"), CareVisit.status.not_in(VISIT_ENDS))
    .options(joinedload(CareVisit.campaign, innerjoin=True))
    .order_by(CareVisit.id)
    .with_for_update(of=CareVisit)
)
# Scripts of the ledger: one proof ends every visit of theirs. A notice (a storm) is still told.
_WELL_BEING = ("care", "short")


def task_key(visit: CareVisit) -> str:
    """Return the occasion of the tasks about this visit."""
    return f"visit:{visit.id}"


def reached(session: Session, elder_id: int, evidence: Evidence, now: datetime) -> None:
    """She was reached: write the proof, her duties, her visits and whoever was to look in, in one transaction.

    Raises:
        NoProof: the evidence proves nothing.
    """
    duties.prove(session, elder_id, evidence, now)
    own = None if evidence.call_id is None else _FOR.scalar(session, {"of_call": evidence.call_id})
    for visit in _open_visits(session, elder_id):
        if visit.id != own and visit.campaign.script not in _WELL_BEING:
            continue
        _REACHED.run(session, {"visit": visit.id, "at": now, "by_call": evidence.call_id})
        tell(visit, status=VisitStatus.PROVED, closed_at=now, call_id=evidence.call_id)
        # Nearly all of them are reached by the first call: what a visit never had need not be ended.
        key = tasks.dedupe_key(TaskKind.CARE, task_key(visit))
        if _HAS_MORE.scalar(session, {"visit": visit.id, "key": key}) is not None:
            tasks.settle(session, TaskKind.CARE, task_key(visit), now)
            escalation.end(session, visit, escalation.PROVED, now)
        _withdraw(session, visit, evidence.call_id, now)
    if evidence.call_id is not None:
        note(session, evidence.call_id, Entry.CARE, now, what="proved", by=evidence.kind)


def _open_visits(session: Session, elder_id: int) -> list[CareVisit]:
    return list(session.scalars(_OPEN_ONES, {"of_elder": elder_id}))


def _withdraw(session: Session, visit: CareVisit, but_call_id: int | None, now: datetime) -> None:
    """Nobody rings her for this visit any more: what was to be dialled is taken back."""
    from dispatch.attempts import close_attempt

    if _DUE.scalar(session, {"visit": visit.id}) is None:
        return
    waiting = select(Attempt).where(Attempt.care_visit_id == visit.id, Attempt.status == AttemptStatus.DUE)
    for attempt in session.scalars(waiting):
        if attempt.call_id is None or attempt.call_id != but_call_id:
            close_attempt(session, attempt, Outcome.TOO_LATE, now)


def was_proved(session: Session | Rows, call_id: int | None) -> bool:
    """Return whether this call has proved that she was there."""
    return call_id is not None and _PROOF.scalar(session, {"of_call": call_id}) is not None


def silent(session: Session, attempt: Attempt, talked: bool, now: datetime) -> Outcome:
    """Nobody answered our questions: note whether something talked on the line; return the outcome."""
    outcome = Outcome.MACHINE if talked else Outcome.SILENT
    if attempt.call_id is not None:
        note(session, attempt.call_id, Entry.CARE, now, what=outcome.value, visit_id=attempt.care_visit_id)
    return outcome


def talked(session: Session, call_id: int, now: datetime) -> bool:
    """Return whether something talked on the line as no person does who was asked a question: a machine's greeting."""
    heard = select(CallEvent.at, CallEvent.data).where(CallEvent.call_id == call_id, CallEvent.kind == Entry.TALKED)
    total, begun = 0.0, None
    for at, data in session.execute(heard.order_by(CallEvent.id)):
        total, begun = (total, at) if data.get("ms") is None else (total + data["ms"] / 1000, None)
    if begun is not None:
        total += (now - begun).total_seconds()
    return total >= MACHINE_TALKS_S


def after_attempt(session: Session, visit_id: int, attempt: Attempt, now: datetime) -> None:
    """An attempt for this visit was closed: again, a person, somebody who looks in, or the end."""
    if attempt.outcome == Outcome.PROVED and _STATUS.scalar(session, {"visit": visit_id}) in VISIT_ENDS:
        return  # The proof has ended it, in this call; nothing leads out of an end.
    visit = session.scalars(select(CareVisit).where(CareVisit.id == visit_id).with_for_update(of=CareVisit)).one()
    if attempt.outcome == Outcome.SILENT:
        visit.silences += 1
    if visit.status in VISIT_ENDS or visit.status != VisitStatus.CALLING:
        return
    campaign = visit.campaign
    if campaign.status == CampaignStatus.STOPPED:
        visit.status, visit.closed_at = VisitStatus.STOPPED, now
        return
    if attempt.outcome != Outcome.TOO_LATE and escalation.rung_again(session, visit, now):
        return
    tried = Tried(
        outcomes=_outcomes(session, visit),
        numbers_left=len(numbers(session, visit)),
        high=visit.rank == HIGH,
        retry=campaign.retry,
    )
    what, when = campaign_rules.follows(tried, campaign.attempts, window_for(session, visit, now), now)
    if when is not None:
        visit.status, visit.due_at = VisitStatus.WAITING, when
    elif what == "agent":
        to_agent(session, visit, attempt.outcome or "", now)
    else:
        not_reached(session, visit, attempt.outcome or "", now)


def proved_or(session: Session, attempt: Attempt, outcome: Outcome) -> Outcome:
    """Return what the attempt came to: one that proved that she is there has reached her, however it ended."""
    return Outcome.PROVED if was_proved(session, attempt.call_id) else outcome


def to_agent(session: Session, visit: CareVisit, why: str, now: datetime) -> Task:
    """A person rings her and decides."""
    visit.status = VisitStatus.AGENT
    attempt = newest_attempt(session, visit.id)
    numbers_left = numbers(session, visit)
    new = tasks.NewTask(
        TaskKind.CARE,
        task_key(visit),
        call_id=attempt.call_id if attempt else None,
        elder_id=visit.elder_id,
        number_id=numbers_left[0] if numbers_left else None,
        data={"why": why, "visit_id": visit.id, "high": visit.rank == HIGH},
    )
    task = tasks.open_task(session, new, now)
    if visit.rank == HIGH:
        task.priority = 0
    return task


def not_reached(session: Session, visit: CareVisit, why: str, now: datetime) -> None:
    """The attempts are used up: whoever may look in is asked, where the campaign wants it."""
    if visit.campaign.escalate:
        escalation.begin(session, visit, why, now)
    else:
        visit.status, visit.closed_at = VisitStatus.UNREACHED, now


def decide(session: Session, elder_id: int, decision: str, now: datetime, by_user_id: int | None) -> int:
    """A person ends her open duties and visits without a proof. Returns how many duties."""
    ended = duties.decide(session, elder_id, decision, now, by_user_id)
    for visit in _open_visits(session, elder_id):
        visit.status, visit.decision, visit.closed_at = VisitStatus.DECIDED, decision, now
        tasks.settle(session, TaskKind.CARE, task_key(visit), now)
        escalation.end(session, visit, escalation.DECIDED, now, by_user_id)
        _withdraw(session, visit, None, now)
    return ended


def task_closed(session: Session, task: Task, now: datetime) -> None:
    """An agent has settled a task of a care visit: she was reached, somebody was there, or others look in.

    Called by whoever closes tasks, in the same transaction; other kinds of tasks are passed over.
    """
    if task.kind not in (TaskKind.CARE, TaskKind.GO_THERE) or task.elder_id is None:
        return
    by = task.closed_by_id
    match task.kind, task.result:
        case TaskKind.CARE, "done" | "told":
            reached(session, task.elder_id, Evidence(ProofKind.AGENT, now, by_user_id=by), now)
        case TaskKind.GO_THERE, "done" | "told":
            reached(session, task.elder_id, Evidence(ProofKind.VISIT, now, by_user_id=by), now)
        case TaskKind.CARE, "not_reached" | "wrong_number":
            visit = session.get(CareVisit, task.data.get("visit_id", 0))
            if visit is not None and visit.status == VisitStatus.AGENT:
                escalation.begin(session, visit, "agent", now)
        case TaskKind.GO_THERE, "not_reached" | "wrong_number":
            # Nobody was at home, and nobody has decided: somebody goes there again.
            visit = session.get(CareVisit, task.data.get("visit_id", 0))
            if visit is not None and visit.status == VisitStatus.ESCALATED:
                escalation.go_there_again(session, visit, now)
        case _:
            decide(session, task.elder_id, "other", now, by)


def newest_attempt(session: Session, visit_id: int) -> Attempt | None:
    """Return the attempt that was made last for this visit."""
    return session.scalar(select(Attempt).where(Attempt.care_visit_id == visit_id).order_by(Attempt.id.desc()).limit(1))


def _outcomes(session: Session, visit: CareVisit) -> tuple[str, ...]:
    closed = Attempt.care_visit_id == visit.id, Attempt.status == AttemptStatus.CLOSED
    query = select(Attempt.outcome).where(*closed).order_by(Attempt.closed_at, Attempt.id)
    return tuple(outcome or "" for outcome in session.scalars(query))


def numbers(session: Session, visit: CareVisit) -> list[int]:
    """Return the ids of her numbers that may still be tried for this visit, the one to ring first at the head."""
    hers = numbers_of_elder(session, visit.elder_id)
    bad = {number_id for (number_id,) in _USELESS.all(session, {"visit": visit.id})}
    return [one.number_id for one in hers if one.number_id not in bad]


def window_for(session: Session, visit: CareVisit, now: datetime) -> Window:
    """Return when this elder may be rung by this campaign: its window, narrowed to her own hours."""
    window = campaign_rules.window_of(visit.campaign.window)
    return window.only(hours_of(session, visit.elder_id, now))


def whole(session: Session, visit_id: int) -> CareVisit:
    """Return the visit with all that a call needs of it, in one question."""
    return session.scalars(_WHOLE, {"visit_id": visit_id}).one()


def may_be_rung(session: Session, visit: CareVisit, now: datetime) -> bool:
    """Return whether this visit's call may be dialled now: asked again at the last moment."""
    if visit.status != VisitStatus.CALLING or visit.campaign.status != CampaignStatus.RUNNING:
        return False
    window = window_for(session, visit, now)
    return not window.own.never and window.is_open(now)


def missed_visit(session: Session, elder_id: int, now: datetime) -> CareVisit | None:
    """Return the visit for which we rang her in vain lately: she rings back, and it goes on."""
    rang = exists().where(
        Attempt.care_visit_id == CareVisit.id, Attempt.dialed_at > now - NEWS, Attempt.status == AttemptStatus.CLOSED
    )
    by_staff = exists().where(
        VisitCall.visit_id == CareVisit.id, VisitCall.call_id == Call.id, Call.started_at > now - NEWS
    )
    waiting = (VisitStatus.WAITING, VisitStatus.AGENT, VisitStatus.ESCALATED)
    mine = CareVisit.elder_id == elder_id, CareVisit.status.in_(waiting)
    query = select(CareVisit).where(*mine, or_(rang, by_staff))
    return session.scalar(query.order_by(CareVisit.rank, CareVisit.id).limit(1))


def adopt(session: Session, now: datetime, before: datetime) -> list[int]:
    """Bring back visits that are "calling" although no attempt of theirs is under way. Returns their ids."""
    under_way = exists().where(Attempt.care_visit_id == CareVisit.id, Attempt.status != AttemptStatus.CLOSED)
    lost = select(CareVisit).where(CareVisit.status == VisitStatus.CALLING, CareVisit.due_at < before, ~under_way)
    found = list(session.scalars(lost.with_for_update(of=CareVisit)))
    for visit in found:
        visit.status, visit.due_at = VisitStatus.WAITING, now
    return [visit.id for visit in found]


def call_of_attempt(session: Session, attempt: Attempt) -> Call:
    """Return the call of an attempt that was dialled."""
    return session.get_one(Call, attempt.call_id)
