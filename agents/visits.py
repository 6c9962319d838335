"""The staff's run: an agent takes one elder after the other from a campaign, rings her, and writes what came of it.

An elder is one agent's at a time (`models.care_runs.CareHold`), and free again when
that agent has given no sign for `care_hold_s`. What is typed lies in the hold, so
that a reload finds everything again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents import visit_holds
from agents.accounts import record
from agents.presence import PresenceRefused
from agents.tasks import NOTE_MAX, clean_note
from dispatch import care_staff
from dispatch.care_staff import Finding
from models.campaigns import CareVisit
from models.care_runs import CareHold, Effect
from models.care_scripts import QUESTIONS
from models.results import CallResult, Scope
from models.users import User

# A colleague who is handed an elder may still be in a call, or at lunch.
HANDED = timedelta(hours=4)


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


def open_one(session: Session, public_id: str, user: User, now: datetime) -> CareVisit:
    """Return a visit that this user works on, or takes now because nobody else does.

    Raises:
        KeyError: no such visit.
        VisitError: gone: a colleague works on it, or it has come to its end.
    """
    visit = _locked(session, public_id)
    hold = session.scalar(select(CareHold).where(CareHold.visit_id == visit.id))
    if hold is not None and hold.user_id == user.id and care_staff.workable(visit):
        visit_holds.renew(session, hold, now)
        return visit
    if not care_staff.workable(visit) or not visit_holds.hold(session, visit, user.id, now):
        raise VisitError("gone")
    return visit


def keep(session: Session, public_id: str, user_id: int, now: datetime) -> bool:
    """She still works on it. False: somebody else does now."""
    hold = _own(session, public_id, user_id)
    if hold is None:
        return False
    visit_holds.renew(session, hold, now)
    return True


def to_dial(session: Session, public_id: str, user_id: int, now: datetime) -> CareVisit:
    """Return the visit for which she may ring.

    Raises:
        PresenceRefused: it is not hers.
    """
    hold = _own(session, public_id, user_id)
    if hold is None:
        raise PresenceRefused("not_yours")
    visit_holds.renew(session, hold, now)
    return hold.visit


def draft(session: Session, public_id: str, entered: Draft, user: User, now: datetime) -> None:
    """Keep what was entered so far.

    Raises:
        VisitError: gone.
    """
    hold = _mine(session, public_id, user.id)
    hold.answers, hold.result, hold.note = dict(entered.answers), entered.result or None, entered.note[:NOTE_MAX]
    visit_holds.renew(session, hold, now)


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
