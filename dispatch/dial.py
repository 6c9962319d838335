"""Dial one attempt: write that it is being dialled, commit, then ask the gateway. Never the other way round."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.attempts import attempt_of_channel, close_attempt
from dispatch.events import end_unanswered
from dispatch.gateways import GatewayRefused, GatewayUnavailable, OutboundCall, OutcomeUnknown, gateway
from dispatch.outbox import post, transaction
from models import clock
from models.calls import Call, CallState, Direction
from models.dialing import Attempt, AttemptStatus, CallbackStatus, OfferStatus, Outcome
from models.people import PhoneNumber
from models.phone import NumberKind
from models.settings import settings

log = logging.getLogger(__name__)

# Neither short codes (emergency, service, premium) nor foreign numbers are ever dialled by a rule.
MAY_BE_DIALLED = frozenset({NumberKind.LANDLINE, NumberKind.MOBILE, NumberKind.DEVICE})
# The other end is on the telephone with us: look again so much later (s).
ENGAGED_PAUSE_S = 5
# A call row older than this does not keep a number engaged, should its end have been missed (minutes).
LONGEST_CALL_MIN = 120


def dial(attempt_id: int) -> None:
    """Dial the attempt if it is still due. Its outcome comes later: by the call itself, an event, or the sweep.

    Raises:
        GatewayUnavailable: nothing was dialled; the attempt stays due.
    """
    gateway().ready()
    now = clock.now()
    with transaction() as session:
        attempt = session.scalars(
            select(Attempt).where(Attempt.id == attempt_id).with_for_update(of=Attempt)
        ).one_or_none()
        if attempt is None or attempt.status != AttemptStatus.DUE:
            return
        if not _still_wanted(attempt):
            close_attempt(session, attempt, Outcome.TOO_LATE, now)
            return
        if attempt.number.kind not in MAY_BE_DIALLED:
            close_attempt(session, attempt, Outcome.REFUSED, now)
            return
        if _engaged(session, attempt, now):
            attempt.due_at = now + timedelta(seconds=ENGAGED_PAUSE_S)
            post(session, "dial", attempt.id, attempt.due_at)
            return
        call = _begin(session, attempt, now)
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


def _still_wanted(attempt: Attempt) -> bool:
    if attempt.offer is not None:
        return attempt.offer.status == OfferStatus.OPEN
    return attempt.callback is not None and attempt.callback.status == CallbackStatus.OPEN


def _engaged(session: Session, attempt: Attempt, now: datetime) -> bool:
    """Return whether this number is in a call with us: one call at a time to the same person."""
    # Two workers with two errands for the same telephone wait for each other here.
    session.execute(select(PhoneNumber.id).where(PhoneNumber.id == attempt.number_id).with_for_update())
    query = (
        select(Call.id)
        .where(
            Call.number_id == attempt.number_id,
            Call.ended_at.is_(None),
            Call.started_at > now - timedelta(minutes=LONGEST_CALL_MIN),
        )
        .limit(1)
    )
    return session.scalar(query) is not None


def _begin(session: Session, attempt: Attempt, now: datetime) -> OutboundCall:
    offer, callback = attempt.offer, attempt.callback
    language = offer.provider.language if offer else callback.order.language if callback else "zh-CN"
    call = Call(
        channel_id=attempt.channel_id,
        direction=Direction.OUT,
        purpose="offer" if offer else "callback",
        state=CallState.DIALING,
        number_id=attempt.number_id,
        elder_id=callback.elder_id if callback else None,
        provider_id=offer.provider_id if offer else None,
        language=language,
        started_at=now,
    )
    session.add(call)
    session.flush()
    attempt.call_id = call.id
    attempt.status, attempt.dialed_at = AttemptStatus.DIALING, now
    ring_s = settings().offer_ring_s if offer else settings().callback_ring_s
    return OutboundCall(attempt.channel_id, attempt.number.value, call.purpose, ring_s, language)
