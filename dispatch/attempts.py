"""Attempts to dial: made, answered, closed, and what each outcome leads to.

`close_attempt` is the only writer of an outcome. It does nothing on an attempt
that is closed already, so it does not matter who comes first: the call itself,
Asterisk's event, or the sweep.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from dispatch import limits, retry, tasks
from dispatch.outbox import post
from dispatch.retry import RetryRule
from models.base import new_public_id
from models.calls import Call
from models.campaigns import CareVisit, EscalationStep
from models.dialing import (
    Attempt,
    AttemptStatus,
    Callback,
    CallbackStatus,
    Occasion,
    Offer,
    OfferStatus,
    Outcome,
)
from models.lookup import numbers_of_elder
from models.settings import settings
from models.tasks import TaskKind


def new_attempt(session: Session, purpose: Occasion, number_id: int, due_at: datetime) -> Attempt:
    """Write an attempt for `purpose` and the errand to dial it at `due_at`."""
    public_id = new_public_id()
    attempt = Attempt(
        public_id=public_id,
        offer_id=purpose.id if isinstance(purpose, Offer) else None,
        callback_id=purpose.id if isinstance(purpose, Callback) else None,
        care_visit_id=purpose.id if isinstance(purpose, CareVisit) else None,
        escalation_step_id=purpose.id if isinstance(purpose, EscalationStep) else None,
        number_id=number_id,
        channel_id=f"hotline-{public_id}",
        due_at=due_at,
    )
    session.add(attempt)
    session.flush()
    post(session, "dial", attempt.id, due_at)
    return attempt


def attempt_of_channel(session: Session, channel_id: str) -> Attempt | None:
    """Return the attempt that fixed `channel_id`, locked against a second writer."""
    query = select(Attempt).where(Attempt.channel_id == channel_id).with_for_update(of=Attempt)
    return session.scalar(query)


def mark_answered(attempt: Attempt, now: datetime) -> bool:
    """Somebody has answered. Returns whether the attempt is still open."""
    if attempt.status == AttemptStatus.CLOSED:
        return False
    attempt.status, attempt.answered_at = AttemptStatus.ANSWERED, attempt.answered_at or now
    attempt.number.dead_since = None
    return True


def close_attempt(
    session: Session, attempt: Attempt, outcome: Outcome, now: datetime, cause: int | None = None
) -> None:
    """Write the outcome, once, and whatever follows from it."""
    if attempt.status == AttemptStatus.CLOSED:
        return
    attempt.status, attempt.outcome, attempt.closed_at = AttemptStatus.CLOSED, outcome, now
    attempt.cause = cause
    session.flush()
    if outcome == Outcome.INVALID:
        limits.note_invalid(session, attempt, now)
    if attempt.offer_id is not None:
        _after_offer_attempt(session, session.get_one(Offer, attempt.offer_id), attempt, now)
    elif attempt.callback_id is not None:
        _after_callback_attempt(session, session.get_one(Callback, attempt.callback_id), attempt, now)
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
        return
    follows = retry.rule("callback", attempt.outcome or "")
    ours = Attempt.callback_id == callback.id
    counted = _count(session, ours, Attempt.outcome.not_in(retry.NOT_COUNTED))
    useless = set(session.scalars(select(Attempt.number_id).where(ours, Attempt.outcome.in_(retry.USELESS))))
    numbers = [n.number_id for n in numbers_of_elder(session, callback.elder_id) if n.number_id not in useless]
    left = counted < settings().callback_attempts or not follows.counts
    if not numbers or not left or follows.number == "none" or not _may_repeat(session, follows, ours, attempt):
        _give_up(session, callback, attempt, now)
        return
    same = follows.number == "same" and attempt.number_id in numbers
    number_id = attempt.number_id if same else numbers[counted % len(numbers)]
    new_attempt(session, callback, number_id, now + timedelta(seconds=follows.pause_s))


def _after_care_attempt(session: Session, attempt: Attempt, now: datetime) -> None:
    from dispatch import care, escalation  # They make attempts themselves.

    if attempt.care_visit_id is not None:
        care.after_attempt(session, attempt.care_visit_id, attempt, now)
    elif attempt.escalation_step_id is not None:
        escalation.after_attempt(session, attempt.escalation_step_id, attempt, now)


def _may_repeat(session: Session, follows: RetryRule, ours: object, attempt: Attempt) -> bool:
    """Return whether this outcome may be followed by another attempt. Faults of all kinds are counted together."""
    if follows.times is None:
        return True
    alike = retry.NOT_COUNTED if attempt.outcome in retry.NOT_COUNTED else {attempt.outcome}
    return _count(session, ours, Attempt.outcome.in_(alike)) <= follows.times


def _give_up(session: Session, callback: Callback, attempt: Attempt, now: datetime) -> None:
    """She cannot be reached by the machine: an agent has to."""
    callback.status, callback.closed_at = CallbackStatus.FAILED, now
    task = tasks.NewTask(
        TaskKind.CALLBACK,
        f"callback:{callback.id}",
        order_id=callback.order_id,
        elder_id=callback.elder_id,
        number_id=attempt.number_id,
    )
    tasks.open_task(session, task, now)


def _count(session: Session, *where: object) -> int:
    query = select(func.count()).select_from(Attempt)
    return session.scalar(query.where(*where)) or 0  # type: ignore[arg-type]


def call_of(session: Session, attempt: Attempt) -> Call | None:
    """Return the call of a dialled attempt."""
    return session.get(Call, attempt.call_id) if attempt.call_id else None
