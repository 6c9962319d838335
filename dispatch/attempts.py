"""Attempts to dial: made, answered, closed, and what each outcome leads to.

`close_attempt` is the only writer of an outcome. It does nothing on an attempt
that is closed already, so it does not matter who comes first: the call itself,
Asterisk's event, or the sweep.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, bindparam, func, insert, select, update
from sqlalchemy.orm import Session, joinedload, object_session

from dispatch import limits, retry, tasks
from dispatch.outbox import post
from dispatch.retry import Purpose, RetryRule
from models.base import new_public_id
from models.campaigns import CareVisit, EscalationStep
from models.clock import local_date
from models.dialing import Attempt, AttemptStatus, Callback, CallbackStatus, Occasion, Offer, OfferStatus, Outcome
from models.followups import Reminder, ReminderStatus, ReturnVisit, ReturnVisitStatus
from models.lookup import numbers_of_elder
from models.prepared import Prepared
from models.rows import tell
from models.settings import settings
from models.tasks import TaskKind

ForHer = Callback | Reminder | ReturnVisit
_LINK: dict[type[Any], Any] = {
    Offer: Attempt.offer_id, Callback: Attempt.callback_id, Reminder: Attempt.reminder_id,
    ReturnVisit: Attempt.return_visit_id, CareVisit: Attempt.care_visit_id, EscalationStep: Attempt.escalation_step_id,
}  # fmt: skip
# The name under which the call's row, the dialplan and the retry rules speak of an occasion.
_PURPOSE: dict[type[Any], str] = {
    Offer: "offer", Callback: "callback", Reminder: "reminder", ReturnVisit: "return_visit", CareVisit: "care",
    EscalationStep: "look_in",
}  # fmt: skip
# With this the id of every channel begins that we ask for.
OUR_CHANNEL = "hotline-"
# Written in every call of ours.
_attempts = cast(Table, Attempt.__table__)
_ANSWER = Prepared(
    update(_attempts)
    .where(_attempts.c.id == bindparam("attempt_id"))
    .values(status=AttemptStatus.ANSWERED.value, answered_at=bindparam("at"))
)
_FOR_VISIT = Prepared(insert(_attempts), "public_id", "care_visit_id", "number_id", "channel_id", "due_at")
_CLOSE = Prepared(
    update(_attempts)
    .where(_attempts.c.id == bindparam("attempt_id"))
    .values(
        status=AttemptStatus.CLOSED.value, outcome=bindparam("how"), closed_at=bindparam("at"), cause=bindparam("q850")
    )
)
# With what its outcome changes, in one question.
_OF_CHANNEL = (
    select(Attempt)
    .where(Attempt.channel_id == bindparam("channel_id"))
    .options(joinedload(Attempt.number), joinedload(Attempt.callback), joinedload(Attempt.call))
    .with_for_update(of=Attempt)
)


def purpose_of(occasion: Occasion) -> str:
    """Return what the call is for: the dialplan's context has the same name."""
    return _PURPOSE[type(occasion)]


def of_occasion(occasion: Occasion) -> ColumnElement[bool]:
    """Return the condition that an attempt belongs to the occasion."""
    link: ColumnElement[bool] = _LINK[type(occasion)] == occasion.id
    if isinstance(occasion, Callback) and occasion.since_attempt_id:
        return link & (Attempt.id > occasion.since_attempt_id)
    return link


def new_attempt(session: Session, occasion: Occasion, number_id: int, due_at: datetime) -> Attempt:
    """Write an attempt for `occasion` and the errand to dial it at `due_at`, or when people may be rung after that."""
    due_at = limits.may_ring_at(occasion, due_at)
    attempt = Attempt(**_names(), number_id=number_id, due_at=due_at, **{_LINK[type(occasion)].key: occasion.id})
    session.add(attempt)
    session.flush()
    post(session, "dial", attempt.id, due_at)
    return attempt


def new_care_attempt(session: Session, visit_id: int, number_id: int, now: datetime) -> None:
    """Write the same for a care visit, to be dialled now, without an object: a campaign begins many."""
    row = {**_names(), "care_visit_id": visit_id, "number_id": number_id, "due_at": now}
    post(session, "dial", _FOR_VISIT.insert(session, row), now)


def _names() -> dict[str, str]:
    public_id = new_public_id()
    return {"public_id": public_id, "channel_id": f"{OUR_CHANNEL}{public_id}"}


def attempt_of_channel(session: Session, channel_id: str) -> Attempt | None:
    """Return the attempt that fixed `channel_id`, locked against a second writer."""
    return session.scalar(_OF_CHANNEL, {"channel_id": channel_id})


def mark_answered(attempt: Attempt, now: datetime) -> bool:
    """Somebody has answered. Returns whether the attempt is still open."""
    if attempt.status == AttemptStatus.CLOSED:
        return False
    session, at = object_session(attempt), attempt.answered_at or now
    assert session is not None  # noqa: S101 (whoever asks has it locked)
    _ANSWER.run(session, {"attempt_id": attempt.id, "at": at})
    tell(attempt, status=AttemptStatus.ANSWERED, answered_at=at)
    if attempt.number.dead_since is not None:
        attempt.number.dead_since = None
    return True


def call_off(session: Session, occasion: Occasion, now: datetime) -> None:
    """It is settled: close what was not dialled yet. A telephone that rings already hears so itself."""
    due = select(Attempt).where(of_occasion(occasion), Attempt.status == AttemptStatus.DUE)
    # What a worker is beginning to dial at this moment is not waited for.
    for attempt in session.scalars(due.with_for_update(of=Attempt, skip_locked=True)):
        close_attempt(session, attempt, Outcome.TOO_LATE, now)


def close_attempt(
    session: Session, attempt: Attempt, outcome: Outcome, now: datetime, cause: int | None = None
) -> None:
    """Write the outcome, once, and whatever follows from it."""
    if attempt.status == AttemptStatus.CLOSED:
        return
    session.flush()
    how = {"attempt_id": attempt.id, "how": Outcome(outcome).value, "at": now, "q850": cause}
    _CLOSE.run(session, how)
    tell(attempt, status=AttemptStatus.CLOSED, outcome=outcome, closed_at=now, cause=cause)
    if outcome == Outcome.INVALID:
        limits.note_invalid(session, attempt, now)
    if attempt.offer_id is not None:
        _after_offer_attempt(session, session.get_one(Offer, attempt.offer_id), attempt, now)
    elif attempt.callback_id is not None:
        _after_callback_attempt(session, session.get_one(Callback, attempt.callback_id), attempt, now)
    elif attempt.reminder_id is not None:
        _after_reminder_attempt(session, session.get_one(Reminder, attempt.reminder_id), attempt, now)
    elif attempt.return_visit_id is not None:
        visit = session.get_one(ReturnVisit, attempt.return_visit_id, with_for_update=True)
        _after_return_visit_attempt(session, visit, attempt, now)
    elif attempt.care_visit_id is not None or attempt.escalation_step_id is not None:
        _after_care_attempt(session, attempt, now)


def _after_offer_attempt(session: Session, offer: Offer, attempt: Attempt, now: datetime) -> None:
    if offer.status != OfferStatus.OPEN:
        return
    follows = retry.rule("offer", attempt.outcome or "")
    ours = Attempt.offer_id == offer.id
    if follows.number == "same" and _may_repeat(session, follows, ours, attempt):
        new_attempt(session, offer, attempt.number_id, now + timedelta(seconds=follows.pause_s))
        return
    # One bad number does not break the cascade: the provider's next number first, then the next provider.
    if follows.number != "none":
        tried = set(session.scalars(select(Attempt.number_id).where(ours)))
        for line in offer.provider.numbers:
            if line.number_id not in tried:
                pause = follows.pause_s if follows.number == "next" else 0
                new_attempt(session, offer, line.number_id, now + timedelta(seconds=pause))
                return
    status = OfferStatus.DECLINED if attempt.outcome == Outcome.DECLINED else OfferStatus.EXPIRED
    # In one statement: another provider may be taking the order at this moment, which withdraws this offer.
    still_open = update(Offer).where(Offer.id == offer.id, Offer.status == OfferStatus.OPEN)
    if session.scalar(still_open.values(status=status, closed_at=now).returning(Offer.id)) is not None:
        post(session, "offer_order", offer.order_id, now, attempt.call_id)


def _after_callback_attempt(session: Session, callback: Callback, attempt: Attempt, now: datetime) -> None:
    if callback.status != CallbackStatus.OPEN:
        return
    # Asking for a person during the callback proves that she is there; the agent tells her the rest.
    if attempt.outcome in (Outcome.CONFIRMED, Outcome.PERSON):
        callback.status, callback.closed_at = CallbackStatus.CONFIRMED, now
    elif not _rung_again(session, callback, attempt, now):
        callback.status, callback.closed_at = CallbackStatus.FAILED, now
        new = tasks.for_order(
            TaskKind.CALLBACK, callback_key(callback), callback.order, number_id=attempt.number_id
        )  # fmt: skip
        tasks.open_task(session, new, now)


def callback_key(callback: Callback) -> str:
    """Return what names the occasion of a callback's task: that she is told again is another one."""
    return f"callback:{callback.id}" + (f":{callback.round}" if callback.round > 1 else "")


def _after_reminder_attempt(session: Session, reminder: Reminder, attempt: Attempt, now: datetime) -> None:
    if reminder.status != ReminderStatus.OPEN:
        return
    if attempt.outcome in (Outcome.CONFIRMED, Outcome.PERSON):
        reminder.status, reminder.closed_at = ReminderStatus.HEARD, now
    elif not _rung_again(session, reminder, attempt, now):
        # Nobody need ring her for it: she knows who comes, and hears it again if she rings.
        reminder.status, reminder.closed_at = ReminderStatus.FAILED, now


def _after_return_visit_attempt(session: Session, visit: ReturnVisit, attempt: Attempt, now: datetime) -> None:
    if visit.status != ReturnVisitStatus.OPEN:
        return
    # Whoever asked for a person is asked by that person: the task says about what.
    if attempt.outcome == Outcome.PERSON or not _rung_again(session, visit, attempt, now):
        fail_return_visit(session, visit, attempt, now)


def fail_return_visit(session: Session, visit: ReturnVisit, attempt: Attempt | None, now: datetime) -> None:
    """The machine could not ask her: an agent does, about each order."""
    visit.status, visit.closed_at = ReturnVisitStatus.FAILED, now
    for question in visit.open_questions:
        number_id = attempt.number_id if attempt else None
        new = tasks.for_order(TaskKind.UNREACHABLE, f"return:{question.id}", question.order, number_id=number_id)
        tasks.open_task(session, new, now)


def _after_care_attempt(session: Session, attempt: Attempt, now: datetime) -> None:
    from dispatch import care, escalation  # They make attempts themselves.

    if attempt.care_visit_id is not None:
        care.after_attempt(session, attempt.care_visit_id, attempt, now)
    elif attempt.escalation_step_id is not None:
        escalation.after_attempt(session, attempt.escalation_step_id, attempt, now)


def _rung_again(session: Session, occasion: ForHer, attempt: Attempt, now: datetime) -> bool:
    """Write the next attempt, if the rule of the outcome has one left; return whether it has."""
    purpose = cast(Purpose, purpose_of(occasion))
    follows = retry.rule(purpose, attempt.outcome or "")
    ours = of_occasion(occasion)
    counted = _count(session, ours, Attempt.outcome.not_in(retry.NOT_COUNTED))
    useless = set(session.scalars(select(Attempt.number_id).where(ours, Attempt.outcome.in_(retry.USELESS))))
    numbers = [n.number_id for n in numbers_of_elder(session, occasion.elder_id) if n.number_id not in useless]
    left = counted < getattr(settings(), f"{purpose}_attempts") or not follows.counts
    if not numbers or not left or follows.number == "none" or not _may_repeat(session, follows, ours, attempt):
        return False
    due_at = now + timedelta(seconds=follows.pause_s)
    if isinstance(occasion, Reminder) and local_date(limits.may_ring_at(occasion, due_at)) >= occasion.wanted_on:
        return False  # The evening is over.
    same = follows.number == "same" and attempt.number_id in numbers
    new_attempt(session, occasion, attempt.number_id if same else numbers[counted % len(numbers)], due_at)
    return True


def _may_repeat(session: Session, follows: RetryRule, ours: object, attempt: Attempt) -> bool:
    """Return whether this outcome may be followed by another attempt. Faults of all kinds are counted together."""
    if follows.times is None:
        return True
    alike = retry.NOT_COUNTED if attempt.outcome in retry.NOT_COUNTED else {attempt.outcome}
    return _count(session, ours, Attempt.outcome.in_(alike)) <= follows.times


def _count(session: Session, *where: object) -> int:
    query = select(func.count()).select_from(Attempt)
    return session.scalar(query.where(*where)) or 0  # type: ignore[arg-type]
