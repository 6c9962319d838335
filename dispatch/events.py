"""Asterisk's events about calls of ours, turned into outcomes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from dispatch import agent_events, spool
from dispatch.attempts import OUR_CHANNEL, attempt_of_channel, close_attempt
from dispatch.calls import close_call
from dispatch.outbox import transaction
from dispatch.retry import End, outcome_of
from models import clock
from models.calls import Call, CallEnd, CallState
from models.dialing import Attempt, AttemptStatus, Outcome
from models.journal import Entry, note
from models.prepared import Prepared
from models.session import read_rows
from models.settings import settings

log = logging.getLogger(__name__)

# Calls of ours in which the network has spoken before anybody answered. Only a hint, held by this process: without
# it the plain code is asked.
_spoken_to: set[str] = set()
# What talks while nobody else is on the line: also in the moment before the conversation begins.
_BEFORE_PEOPLE = (CallState.DIALING, CallState.TALKING)
_attempts, _calls = (cast(Table, kind.__table__) for kind in (Attempt, Call))
_ALL_OVER = Prepared(
    select(_attempts.c.id)
    .join_from(_attempts, _calls, _calls.c.id == _attempts.c.call_id)
    .where(
        _attempts.c.channel_id == bindparam("channel"),
        _attempts.c.status == AttemptStatus.CLOSED,
        _calls.c.ended_at.is_not(None),
    )
)


def handle(headers: Mapping[str, str]) -> None:
    """Write what an AMI event means. Events of calls that are not ours are passed over."""
    match headers.get("Event"):
        case "AgentCalled" | "AgentConnect" | "AgentRingNoAnswer" | "ContactStatus" | "UserEvent":
            agent_events.handle(headers)
        case "Hangup":
            agent_events.third_gone(headers.get("Uniqueid", ""))
            agent_events.leg_ended(headers.get("Uniqueid", ""))
            _hangup(headers)
        case "DialState" if headers.get("DialStatus") == "PROGRESS":
            _spoke(headers.get("DestUniqueid", ""))
        case "ChannelTalkingStart":
            _talks(headers.get("Uniqueid", ""), None)
        case "ChannelTalkingStop":
            _talks(headers.get("Uniqueid", ""), _number(headers, "Duration"))
        case "OriginateResponse" if headers.get("Response") == "Failure":
            agent_events.third_gone(headers.get("ActionID", ""))
            agent_events.leg_ended(headers.get("ActionID", ""))
            _never_rang(headers.get("ActionID", ""), headers.get("Uniqueid", ""))


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isascii() and value.isdigit() else None


def _is_ours(channel_id: str) -> bool:
    return channel_id.startswith(OUR_CHANNEL)


def _spoke(channel_id: str) -> None:
    # A hang-up of ours takes it out again; of others nobody would.
    if _is_ours(channel_id):
        _spoken_to.add(channel_id)


def _hangup(headers: Mapping[str, str]) -> None:
    channel_id, now = headers.get("Uniqueid", ""), clock.now()
    if not _is_ours(channel_id):
        return
    early = channel_id in _spoken_to
    _spoken_to.discard(channel_id)
    with read_rows() as rows:
        # Most calls have written their end themselves: nobody waits for the lock for nothing.
        if _ALL_OVER.scalar(rows, {"channel": channel_id}) is not None:
            return
    with transaction() as session:
        attempt = attempt_of_channel(session, channel_id)
        if attempt is None:
            return
        # An answered call writes its own end; should it fail to, the sweep does.
        if attempt.status == AttemptStatus.DIALING:
            # Our own ring time ran out: whatever the network says to our CANCEL, it was still ringing.
            early = early and not _rang_out(attempt, now)
            cause = _number(headers, "Cause") or 0
            end_unanswered(session, attempt, outcome_of(End(cause, _number(headers, "TechCause"), early)), cause)
        elif attempt.status == AttemptStatus.CLOSED and attempt.call_id is not None and not spool.has(channel_id):
            close_call(session, session.get_one(Call, attempt.call_id), CallEnd.HUNG_UP, now)


def _rang_out(attempt: Attempt, now: datetime) -> bool:
    ring_s = settings().offer_ring_s if attempt.offer_id else settings().callback_ring_s
    return attempt.dialed_at is None or now - attempt.dialed_at >= timedelta(seconds=ring_s)


def _talks(channel_id: str, ms: int | None) -> None:
    """Something begins to talk on the line of a care visit (None), or has talked so long: a machine is known by it."""
    if not _is_ours(channel_id):
        return
    with transaction() as session:
        call = session.scalar(select(Call).where(Call.channel_id == channel_id))
        if call is not None and call.ended_at is None and call.state in _BEFORE_PEOPLE and call.purpose == "care":
            note(session, call.id, Entry.TALKED, clock.now(), ms=ms)


def _never_rang(action_id: str, uniqueid: str) -> None:
    """Asterisk could not even make the channel, so no hang-up follows."""
    if not _is_ours(action_id) or uniqueid == action_id:
        return
    with transaction() as session:
        attempt = attempt_of_channel(session, action_id)
        if attempt is not None and attempt.status == AttemptStatus.DIALING:
            end_unanswered(session, attempt, Outcome.CONGESTION, None)


def end_unanswered(session: Session, attempt: Attempt, outcome: Outcome, cause: int | None) -> None:
    """Close an attempt that nobody answered, and its call."""
    now = clock.now()
    if attempt.call_id is not None:
        close_call(session, session.get_one(Call, attempt.call_id), CallEnd.NOT_ANSWERED, now)
    close_attempt(session, attempt, outcome, now, cause)
