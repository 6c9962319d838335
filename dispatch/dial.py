"""Dial one attempt: write that it is being dialled, commit, then ask the gateway. Never the other way round."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session, joinedload

from dispatch import care, limits, reminders
from dispatch.attempts import attempt_of_channel, close_attempt, purpose_of
from dispatch.events import end_unanswered
from dispatch.gateways import GatewayRefused, GatewayUnavailable, OutboundCall, OutcomeUnknown, gateway
from dispatch.outbox import post, settle, transaction
from models import clock
from models.calls import Call, CallState, Direction
from models.campaigns import CareVisit, EscalationStep
from models.dialing import Attempt, AttemptStatus, Callback, Occasion, Offer, Outcome
from models.followups import Reminder, ReturnVisit
from models.prepared import Prepared
from models.rows import tell
from models.settings import settings

log = logging.getLogger(__name__)

# What is not settled yet is called so on every occasion of an order.
_OPEN = "open"
# With all that is asked of it, in one question.
_ATTEMPT = (
    select(Attempt)
    .where(Attempt.id == bindparam("attempt_id"))
    .options(
        joinedload(Attempt.number),
        joinedload(Attempt.offer).joinedload(Offer.provider),
        joinedload(Attempt.callback).joinedload(Callback.order),
    )
    .with_for_update(of=Attempt)
)
_INSERT_CALL = Prepared(
    insert(cast(Table, Call.__table__)), "channel_id", "direction", "purpose", "state", "number_id", "elder_id",
    "provider_id", "language", "started_at",
)  # fmt: skip

_attempts = cast(Table, Attempt.__table__)
_DIALING = Prepared(
    update(_attempts)
    .where(_attempts.c.id == bindparam("attempt_id"))
    .values(status=AttemptStatus.DIALING.value, dialed_at=bindparam("at"), call_id=bindparam("by_call"))
)


def dial(attempt_id: int) -> None:
    """Dial the attempt if it is still due. Its outcome comes later: by the call itself, an event, or the sweep.

    Raises:
        GatewayUnavailable: nothing was dialled; the attempt stays due.
    """
    gateway().ready()
    began, now = time.monotonic(), clock.now()
    with transaction() as session:
        attempt = session.scalar(_ATTEMPT, {"attempt_id": attempt_id})
        if attempt is None or attempt.status != AttemptStatus.DUE:
            return
        # All that is asked of the visit further down, fetched at once, and held: a session forgets what nobody holds.
        visit = care.whole(session, attempt.care_visit_id) if attempt.care_visit_id is not None else None
        occasion = visit or attempt.occasion
        if occasion is None or not _still_wanted(session, occasion, now):
            close_attempt(session, attempt, Outcome.TOO_LATE, now)
            return
        forbidden = not limits.may_be_dialled(attempt.number) or limits.only_by_people(session, occasion, now)
        if forbidden or limits.is_dead(session, attempt.number, now):
            close_attempt(session, attempt, Outcome.REFUSED, now)
            return
        allowed = limits.may_ring_at(occasion, now)
        if allowed > now:
            _later(session, attempt, allowed)
            return
        if limits.engaged(session, attempt):
            _later(session, attempt, now + timedelta(seconds=limits.ENGAGED_PAUSE_S))
            return
        if limits.trunk_is_full(session, now):
            _later(session, attempt, now + timedelta(seconds=limits.TRUNK_PAUSE_S))
            return
        call = _begin(session, attempt, occasion, now)
        # Whatever becomes of the call now, no second errand may dial it.
        settle(session)
    if time.monotonic() - began > settings().lost_call_s / 2:
        # This process stood still: the sweep is about to give the attempt up, and another may be on its way.
        log.warning("attempt %s was written too long ago to be dialled", attempt.public_id)
        return
    try:
        gateway().ring(call)
    except (GatewayRefused, GatewayUnavailable) as error:
        log.warning("attempt %s was not dialled: %s", attempt.public_id, error)
        with transaction() as session:
            refused = attempt_of_channel(session, call.channel_id)
            # The call ends with its attempt: left open it would keep the number engaged.
            if refused is not None and refused.status == AttemptStatus.DIALING:
                end_unanswered(session, refused, Outcome.CONGESTION, None)
    except OutcomeUnknown as error:
        # It may be ringing. The sweep asks Asterisk which channels live, and only then decides.
        log.warning("attempt %s may have been dialled: %s", attempt.public_id, error)


def _still_wanted(session: Session, occasion: Occasion, now: datetime) -> bool:
    match occasion:
        case CareVisit():
            return care.may_be_rung(session, occasion, now)
        case EscalationStep():
            return occasion.ended_at is None
        case Reminder() if not reminders.still_true(occasion):
            reminders.withdraw(session, occasion, now)
    return occasion.status == _OPEN


def _later(session: Session, attempt: Attempt, due_at: datetime) -> None:
    """Not now: no attempt is used up, for no telephone has rung."""
    attempt.due_at = due_at
    post(session, "dial", attempt.id, due_at)


def _language(occasion: Occasion) -> str:
    match occasion:
        case Offer():
            return occasion.provider.language
        case ReturnVisit() | CareVisit():
            return occasion.elder.person.language
        case EscalationStep():
            return occasion.person.language if occasion.person is not None else settings().languages[0]
    return occasion.order.language


def _begin(session: Session, attempt: Attempt, occasion: Occasion, now: datetime) -> OutboundCall:
    offer, purpose, language = attempt.offer, purpose_of(occasion), _language(occasion)
    call = {
        "channel_id": attempt.channel_id,
        "direction": Direction.OUT.value,
        "purpose": purpose,
        "state": CallState.DIALING.value,
        "number_id": attempt.number_id,
        "elder_id": attempt.elder_id,
        "provider_id": offer.provider_id if offer else None,
        "language": language,
        "started_at": now,
    }
    call_id = _INSERT_CALL.insert(session, call)
    _DIALING.run(session, {"attempt_id": attempt.id, "by_call": call_id, "at": now})
    tell(attempt, status=AttemptStatus.DIALING, dialed_at=now, call_id=call_id)
    ring_s = settings().offer_ring_s if offer else settings().callback_ring_s
    return OutboundCall(attempt.channel_id, attempt.number.value, purpose, ring_s, language)
