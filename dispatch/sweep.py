"""The sweep: finds what a lost job, a lost event or a lost call has left, and takes it up again."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import or_, select

from dispatch import heard_audio, lateness, outbox, spool
from dispatch.attempts import close_attempt
from dispatch.calls import close_call
from dispatch.events import end_unanswered
from dispatch.gateways import GatewayUnavailable, gateway
from models import clock
from models.calls import Call, CallEnd, CallState
from models.dialing import Attempt, AttemptStatus, Outcome
from models.session import read
from models.settings import settings

log = logging.getLogger(__name__)


def sweep() -> None:
    """Do one round: relay due errands, work off the spool, reconcile calls with what Asterisk knows."""
    outbox.relay(clock.now())
    heard_audio.erase_expired(clock.now())
    lateness.escalate(clock.now())
    try:
        living = set(gateway().living())
    except GatewayUnavailable as error:
        # Without Asterisk's word nothing is declared lost, but finished notes can be worked off.
        log.warning("calls are not reconciled: %s", error)
        spool.collect(None)
        return
    spool.collect(living)
    reconcile(living)


def reconcile(living: set[str]) -> None:
    """Close attempts and calls that Asterisk no longer has and whose end nobody wrote."""
    patience = clock.now() - timedelta(seconds=settings().lost_call_s)
    with read() as session:
        attempts = list(
            session.scalars(
                select(Attempt.id).where(
                    or_(Attempt.status == AttemptStatus.DIALING, Attempt.status == AttemptStatus.ANSWERED),
                    Attempt.dialed_at < patience,
                    Attempt.channel_id.not_in(living),
                )
            )
        )
        calls = list(
            session.scalars(
                select(Call.id).where(
                    Call.ended_at.is_(None), Call.started_at < patience, Call.channel_id.not_in(living)
                )
            )
        )
    for attempt_id in attempts:
        _end_attempt(attempt_id)
    for call_id in calls:
        _end_call(call_id)


def _end_attempt(attempt_id: int) -> None:
    with outbox.transaction() as session:
        query = select(Attempt).where(Attempt.id == attempt_id).with_for_update(of=Attempt)
        attempt = session.scalars(query).one()
        log.warning("attempt %s: Asterisk does not have it any more", attempt.public_id)
        if attempt.status == AttemptStatus.ANSWERED:
            close_attempt(session, attempt, Outcome.NO_KEY, clock.now())
        elif attempt.status == AttemptStatus.DIALING:
            end_unanswered(session, attempt, Outcome.LOST, None)


def _end_call(call_id: int) -> None:
    with outbox.transaction() as session:
        call = session.get_one(Call, call_id)
        if (settings().spool_dir / f"{call.channel_id}.note").exists():
            return  # The spool knows better how it ended.
        end = CallEnd.PERSON if call.state == CallState.AGENT else CallEnd.LOST
        close_call(session, call, end, clock.now())
