"""The staff's run: an agent takes one elder after the other from a campaign, rings her, and writes what came of it.

An elder is one agent's at a time (`models.care_runs.CareHold`), and free again when
that agent has given no sign for `care_hold_s`. What is typed lies in the hold, so
that a reload finds everything again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from agents.accounts import record
from agents.presence import PresenceRefused
from agents.tasks import NOTE_MAX, clean_note
from dispatch import care_staff
from dispatch.care_staff import Finding
from models.calls import Call
from models.campaigns import Campaign, CampaignMode, CampaignStatus, CareVisit, VisitStatus
from models.care_runs import CareHold, Effect
from models.care_scripts import QUESTIONS
from models.results import CallResult, Scope
from models.settings import settings
from models.users import User

# A colleague who is handed an elder may still be in a call, or at lunch.
HANDED = timedelta(hours=4)
# So many are looked at for one that is free.
_LOOKS_AT = 20


class VisitError(ValueError):
    """It cannot be written like this.

    `code`: gone (not hers any more), result, note_missing, note_long, in_call, not_answered, no_call, nobody.
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"the visit cannot be worked on like this: {code}")
        self.code = code


@dataclass(frozen=True)
class Draft:
    """What the agent has entered so far: answers by question, the result, the note."""

    answers: Mapping[str, str] = field(default_factory=dict)
    result: str = ""
    note: str = ""

    @classmethod
    def of(cls, form: Mapping[str, str]) -> Draft:
        """Return what a form holds; answers that no question knows are left out."""
        answers = {
            code: form[f"q_{code}"]
            for code, question in QUESTIONS.items()
            if form.get(f"q_{code}") in question.answers.values()
        }
        return cls(answers, form.get("result", "")[:32], clean_note(form.get("note", "")))


def work_for(mode: str) -> tuple[str, ...]:
    """Return in which states the visits of a campaign are people's to make."""
    if mode == CampaignMode.STAFF:
        return VisitStatus.WAITING, VisitStatus.AGENT
    return (VisitStatus.AGENT,)


def is_worked_on(campaign: Campaign) -> bool:
    """Return whether people may take somebody from it now: a pause is for the machine, or for the staff's own list."""
    if campaign.mode == CampaignMode.STAFF:
        return campaign.status == CampaignStatus.RUNNING
    return campaign.status in (CampaignStatus.RUNNING, CampaignStatus.PAUSED)


def take(session: Session, campaign: Campaign, user: User, now: datetime) -> CareVisit | None:
    """Return the visit this user works on in the campaign: the one she has, else the next free one; None: none left."""
    own = session.scalars(
        select(CareHold)
        .join(CareVisit, CareVisit.id == CareHold.visit_id)
        .where(CareHold.user_id == user.id, CareVisit.campaign_id == campaign.id)
        .order_by(CareHold.since, CareHold.id)
    )
    for hold in own:
        if care_staff.workable(hold.visit):
            _renew(session, hold, now)
            return hold.visit
        # Somebody else has settled it meanwhile, or she has rung us back.
        session.delete(hold)
    if not is_worked_on(campaign):
        return None
    return next((visit for visit in _free(session, campaign, now) if _hold(session, visit, user.id, now)), None)


def _free(session: Session, campaign: Campaign, now: datetime) -> list[CareVisit]:
    """Return visits that nobody works on, the next one first: high risk, then who has waited longest."""
    rung = exists().where(Call.elder_id == CareVisit.elder_id, Call.ended_at.is_(None))
    other = select(CareVisit.elder_id).where(CareVisit.status == VisitStatus.CALLING)
    query = (
        select(CareVisit)
        .where(
            CareVisit.campaign_id == campaign.id,
            CareVisit.status.in_(work_for(campaign.mode)),
            CareVisit.due_at <= now,
            CareVisit.elder_id.not_in(other),
            ~rung,
            ~care_staff.held(now),
        )
        .order_by(CareVisit.rank, CareVisit.due_at, CareVisit.id)
        .limit(_LOOKS_AT)
        .with_for_update(of=CareVisit, skip_locked=True)
    )
    return list(session.scalars(query))


def _hold(session: Session, visit: CareVisit, user_id: int, now: datetime) -> bool:
    """Take the elder. False: a colleague was quicker, or has her task open."""
    if care_staff.task_locked(session, visit, user_id, now):
        return False
    stale = session.scalar(select(CareHold).where(CareHold.elder_id == visit.elder_id).with_for_update(of=CareHold))
    if stale is not None and stale.until > now and (stale.user_id, stale.visit_id) != (user_id, visit.id):
        return False
    until = now + timedelta(seconds=settings().care_hold_s)
    hold = CareHold(elder_id=visit.elder_id, visit_id=visit.id, user_id=user_id, since=now, until=until)
    try:
        with session.begin_nested():
            if stale is not None:
                session.delete(stale)
                session.flush()
            session.add(hold)
            session.flush()
    except IntegrityError:
        return False
    care_staff.lock_task(session, visit, user_id, until)
    return True


def _renew(session: Session, hold: CareHold, now: datetime) -> None:
    # What was handed over keeps its longer time.
    hold.until = max(hold.until, now + timedelta(seconds=settings().care_hold_s))
    care_staff.lock_task(session, hold.visit, hold.user_id, hold.until)


def open_one(session: Session, public_id: str, user: User, now: datetime) -> CareVisit:
    """Return a visit that this user works on, or takes now because nobody else does.

    Raises:
        KeyError: no such visit.
        VisitError: gone: a colleague works on it, or it has come to its end.
    """
    visit = _locked(session, public_id)
    hold = session.scalar(select(CareHold).where(CareHold.visit_id == visit.id))
    if hold is not None and hold.user_id == user.id and care_staff.workable(visit):
        _renew(session, hold, now)
        return visit
    if not care_staff.workable(visit) or not _hold(session, visit, user.id, now):
        raise VisitError("gone")
    return visit


def keep(session: Session, public_id: str, user_id: int, now: datetime) -> bool:
    """She still works on it. False: somebody else does now."""
    hold = _own(session, public_id, user_id)
    if hold is None:
        return False
    _renew(session, hold, now)
    return True


def to_dial(session: Session, public_id: str, user_id: int, now: datetime) -> CareVisit:
    """Return the visit for which she may ring.

    Raises:
        PresenceRefused: it is not hers.
    """
    hold = _own(session, public_id, user_id)
    if hold is None:
        raise PresenceRefused("not_yours")
    _renew(session, hold, now)
    return hold.visit


def draft(session: Session, public_id: str, entered: Draft, user: User, now: datetime) -> None:
    """Keep what was entered so far.

    Raises:
        VisitError: gone.
    """
    hold = _mine(session, public_id, user.id)
    hold.answers, hold.result, hold.note = dict(entered.answers), entered.result or None, entered.note[:NOTE_MAX]
    _renew(session, hold, now)


def finish(session: Session, public_id: str, entered: Draft, user: User, now: datetime) -> None:
    """Write what came of it, once, and let the elder go.

    Raises:
        KeyError: no such visit.
        VisitError: see there.
    """
    visit = _locked(session, public_id)
    hold = _mine(session, public_id, user.id)
    result = _result(session, entered, Scope.VISIT)
    call = care_staff.call_of(session, visit.id, user.id)
    if call is not None and call.ended_at is None:
        raise VisitError("in_call")
    if result.effect in care_staff.TALKED:
        if call is not None and call.answered_at is None:
            raise VisitError("not_answered")
        if call is None and not entered.note:
            # Nothing shows that she was talked to: at least it is said how.
            raise VisitError("no_call")
    session.delete(hold)
    care_staff.unlock_task(session, visit)
    session.flush()
    care_staff.conclude(session, visit, Finding(result, user.id, call, entered.note, entered.answers), now)
    record(session, user, "visit_written", ("care_visit", visit.id), now)


def skip(session: Session, public_id: str, entered: Draft, user: User, now: datetime) -> None:
    """Pass her over, with the reason: she comes again later. Raises as `finish`; a call wants its result first."""
    visit = _locked(session, public_id)
    hold = _mine(session, public_id, user.id)
    if care_staff.call_of(session, visit.id, user.id) is not None:
        raise VisitError("result")
    reason = _result(session, entered, Scope.SKIP)
    session.delete(hold)
    care_staff.unlock_task(session, visit)
    session.flush()
    care_staff.conclude(session, visit, Finding(reason, user.id, note=entered.note), now)
    record(session, user, "visit_skipped", ("care_visit", visit.id), now)


def hand_over(session: Session, public_id: str, to: str, user: User, now: datetime) -> None:
    """Give her to a colleague (public id), with all that was entered. Raises as `finish`; nobody: no such colleague."""
    visit = _locked(session, public_id)
    hold = _mine(session, public_id, user.id)
    call = care_staff.call_of(session, visit.id, user.id)
    if call is not None and call.ended_at is None:
        raise VisitError("in_call")
    colleague = session.scalar(select(User).where(User.public_id == to, User.disabled_at.is_(None), User.id != user.id))
    if colleague is None:
        raise VisitError("nobody")
    hold.user_id, hold.from_user_id, hold.since, hold.until = colleague.id, user.id, now, now + HANDED
    care_staff.lock_task(session, visit, colleague.id, hold.until)
    record(session, user, "visit_handed_over", ("care_visit", visit.id), now)


def let_go(session: Session, public_id: str, user: User, now: datetime) -> None:
    """Leave the run: she is free for others at once. What was entered is gone. Raises as `skip`."""
    visit = _locked(session, public_id)
    hold = _mine(session, public_id, user.id)
    if care_staff.call_of(session, visit.id, user.id) is not None:
        raise VisitError("result")
    session.delete(hold)
    care_staff.unlock_task(session, visit)


def _result(session: Session, entered: Draft, scope: Scope) -> CallResult:
    result = session.scalar(
        select(CallResult).where(
            CallResult.code == entered.result, CallResult.scope == scope, CallResult.hidden_at.is_(None),
            CallResult.effect.in_(list(Effect)),
        )
    )  # fmt: skip
    if result is None:
        raise VisitError("result")
    if result.needs_note and not entered.note:
        raise VisitError("note_missing")
    if len(entered.note) > NOTE_MAX:
        raise VisitError("note_long")
    return result


def results(session: Session, scope: Scope) -> tuple[CallResult, ...]:
    """Return the results that may be chosen, in the operator's order."""
    query = select(CallResult).where(CallResult.scope == scope, CallResult.hidden_at.is_(None))
    return tuple(session.scalars(query.order_by(CallResult.position, CallResult.id)))


def found(session: Session, public_id: str) -> CareVisit:
    """Return a visit.

    Raises:
        KeyError: there is none of this id.
    """
    return _locked(session, public_id)


def _locked(session: Session, public_id: str) -> CareVisit:
    query = select(CareVisit).where(CareVisit.public_id == public_id).with_for_update(of=CareVisit)
    visit = session.scalar(query.execution_options(populate_existing=True))
    if visit is None:
        raise KeyError(public_id)
    return visit


def _own(session: Session, public_id: str, user_id: int) -> CareHold | None:
    """Return this user's hold, even past its time as long as nobody else has taken the elder."""
    query = select(CareHold).join(CareVisit, CareVisit.id == CareHold.visit_id)
    return session.scalar(query.where(CareVisit.public_id == public_id, CareHold.user_id == user_id))


def _mine(session: Session, public_id: str, user_id: int) -> CareHold:
    hold = _own(session, public_id, user_id)
    if hold is None:
        raise VisitError("gone")
    return hold


def holds_of(session: Session, user_id: int, now: datetime) -> list[CareHold]:
    """Return on whom this user works, those handed to her first."""
    workable = or_(
        CareVisit.status == VisitStatus.AGENT,
        and_(CareVisit.status == VisitStatus.WAITING, Campaign.mode == CampaignMode.STAFF),
    )
    query = (
        select(CareHold)
        .join(CareVisit, CareVisit.id == CareHold.visit_id)
        .join(Campaign, Campaign.id == CareVisit.campaign_id)
        .where(CareHold.user_id == user_id, CareHold.until > now, workable)
        .order_by(CareHold.from_user_id.is_(None), CareHold.since)
    )
    return list(session.scalars(query))
