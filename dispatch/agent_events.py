"""Asterisk's events about agents, turned into rows: who is rung for which call, who answered, whose browser is gone."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from dispatch import ask_work, presence, spool, waiting
from dispatch.calls import close_call
from dispatch.outbox import transaction
from dispatch.roster import user_of
from models import clock
from models.calls import Call, CallEnd, CallState, Direction
from models.journal import Entry, note
from models.presence import ENGAGED, THIRD, THIRD_GONE, AgentPresence, CallAsk, Presence
from models.session import read

log = logging.getLogger(__name__)

# What PJSIP says of a browser's contact. One that is only created has not been tried: `NonQualified`.
THERE = ("Reachable",)
GONE = ("Unreachable", "Removed")
# What Dial says of a telephone that was rung: nobody answered, or it was rejected. Anything else says that it is away.
REFUSED = ("NOANSWER", "BUSY")


def handle(headers: Mapping[str, str]) -> None:
    """Write what an event about an agent means."""
    caller, leg = headers.get("Uniqueid", ""), headers.get("DestUniqueid", "")
    # None: an ordinary telephone, which has rows of calls only.
    user_id = user_of(headers.get("Interface", ""))
    match headers.get("Event"):
        case "AgentCalled" if user_id is not None:
            _rung(user_id, caller, leg)
        case "AgentConnect":
            _answered(user_id, caller, leg)
        case "AgentRingNoAnswer" if user_id is not None:
            _missed(user_id, caller, leg)
        case "ContactStatus":
            _contact(user_of(headers.get("EndpointName") or headers.get("AOR", "")), headers.get("ContactStatus", ""))
        case "UserEvent" if headers.get("UserEvent") == "HotlineAgent":
            _told(headers)


def _call_of(session: Session, channel_id: str) -> Call | None:
    """Return the call of a caller's channel; where the conversation failed there is no row yet, and it is made."""
    call = session.scalar(select(Call).where(Call.channel_id == channel_id).with_for_update())
    if call is None:
        shown = spool.shown_number(channel_id)
        call = waiting.call_on_line(session, channel_id, shown, "fault", clock.now())
    return call if call.ended_at is None else None


def _rung(user_id: int, channel_id: str, leg: str) -> None:
    now = clock.now()
    with transaction() as session:
        call = _call_of(session, channel_id)
        if call is None:
            return
        if call.state != CallState.AGENT:
            call.agent_id = user_id
        note(session, call.id, Entry.AGENT_RUNG, now, user_id=user_id)
        presence.rung(session, user_id, call.id, leg, now)


def _answered(user_id: int | None, channel_id: str, leg: str) -> None:
    now = clock.now()
    with transaction() as session:
        call = _call_of(session, channel_id)
        if call is None:
            return
        if user_id is not None:
            _has(session, call, user_id, leg, now)
            return
        call.state, call.agent_id = CallState.AGENT, None
        note(session, call.id, Entry.AGENT_ANSWERED, now)


def _has(session: Session, call: Call, user_id: int, leg: str, now: datetime) -> None:
    """She and the caller hear each other. What the mirror has found already is not written again."""
    if presence.is_on(session, user_id, leg):
        return
    call.state, call.agent_id = CallState.AGENT, user_id
    note(session, call.id, Entry.AGENT_ANSWERED, now, user_id=user_id)
    presence.talks(session, user_id, call.id, leg, now)


def answered_untold(leg: str) -> None:
    """A telephone that rings by our rows has somebody at its other end in Asterisk: the event of it was lost."""
    now = clock.now()
    with transaction() as session:
        rings = AgentPresence.leg_id == leg, AgentPresence.state == Presence.RINGING
        found = session.execute(select(AgentPresence.user_id, AgentPresence.call_id).where(*rings)).first()
        if found is None:
            return
        user_id, call_id = found
        call = session.scalar(select(Call).where(Call.id == call_id, Call.ended_at.is_(None)).with_for_update())
        if call is None or presence.is_on(session, user_id, leg):
            return
        log.warning("nobody had told that a ringing telephone was answered; found on the line")
        if leg.startswith(THIRD):
            presence.talks(session, user_id, call.id, leg, now)
        else:
            _has(session, call, user_id, leg, now)


def _missed(user_id: int, channel_id: str, leg: str) -> None:
    now = clock.now()
    with transaction() as session:
        heard = presence.hears(session, user_id)
        if not heard:
            # It is not her who did not answer: her browser was gone.
            presence.leg_ended(session, leg, now)
        missed = heard and presence.missed(session, user_id, leg, now)
        call = session.scalar(select(Call).where(Call.channel_id == channel_id).with_for_update())
        if call is not None:
            if missed:
                note(session, call.id, Entry.AGENT_MISSED, now, user_id=user_id)
            rings_again = presence.presence_of(session, user_id, now).call_id == call.id and not missed
            if call.agent_id == user_id and call.state != CallState.AGENT and not rings_again:
                call.agent_id = None


def _did_not_take(user_id: int, channel_id: str, status: str) -> None:
    """A colleague was given a call and did not answer, or rejected it: the queue is not to ring her for it at once."""
    now = clock.now()
    with transaction() as session:
        row = presence.presence_of(session, user_id, now)
        # One who talks, or is rung, is busy; and it is no fault of hers when her browser is gone.
        if row.state in (*ENGAGED, Presence.OFFLINE) or status not in REFUSED or not presence.hears(session, user_id):
            return
        call = session.scalar(select(Call).where(Call.channel_id == channel_id, Call.ended_at.is_(None)))
        if call is not None:
            note(session, call.id, Entry.AGENT_MISSED, now, user_id=user_id)
        if row.state == Presence.READY:
            presence.missed(session, user_id, "", now)


def third_gone(channel_id: str) -> None:
    """Whom an agent asked in did not answer, or has left: her page says it, or she would listen to silence."""
    if not channel_id.startswith(THIRD):
        return
    now = clock.now()
    with transaction() as session:
        ask = session.scalar(select(CallAsk).where(CallAsk.public_id == channel_id.removeprefix(THIRD)))
        if ask is None or ask_work.is_over(session, ask):
            return
        row = presence.presence_of(session, ask.user_id, now)
        if row.state == Presence.TALKING and row.call_id == ask.call_id and row.since <= ask.created_at:
            row.reason = THIRD_GONE


def leg_ended(channel_id: str) -> None:
    """A channel is gone: if it led to an agent's browser, she is no longer in that call."""
    with read() as session:
        if session.scalar(select(AgentPresence.id).where(AgentPresence.leg_id == channel_id)) is None:
            return
    now = clock.now()
    with transaction() as session:
        presence.leg_ended(session, channel_id, now)
        # A call of her own ends with her channel.
        call = session.scalar(select(Call).where(Call.channel_id == channel_id).with_for_update())
        if call is not None and call.direction == Direction.OUT:
            end = CallEnd.PERSON if call.answered_at is not None else CallEnd.NOT_ANSWERED
            close_call(session, call, end, now)


def _contact(user_id: int | None, status: str) -> None:
    if user_id is None or status not in (*THERE, *GONE):
        return
    there = status in THERE
    with transaction() as session:
        presence.line_seen(session, user_id, there, clock.now())


def _told(headers: Mapping[str, str]) -> None:
    """The dialplan tells by itself what no event of Asterisk's says."""
    agent = headers.get("Agent", "")
    user_id = int(agent) if agent.isascii() and agent.isdigit() else None
    match headers.get("Step"):
        case "lost":
            _cut_off(headers.get("Caller", ""))
        case "waits":
            _waits_again(headers.get("Caller", ""))
        case "took" if user_id is not None:
            _took(user_id, headers.get("Call", ""), headers.get("Leg", ""))
        case "missed" if user_id is not None:
            _did_not_take(user_id, headers.get("Caller", ""), headers.get("Status", ""))
        case "asked":
            _asked_in(headers.get("Call", ""), headers.get("Leg", ""))
        case "reached":
            _reached(headers.get("Own", ""), headers.get("Recorded") == "yes")
        case "dialled":
            _dialled(headers.get("Own", ""), headers.get("Status", ""))


def _cut_off(channel_id: str) -> None:
    """Her agent's telephone broke off: she waits again, and keeps her place."""
    now = clock.now()
    with transaction() as session:
        call = session.scalar(select(Call).where(Call.channel_id == channel_id).with_for_update())
        if call is None or call.ended_at is not None:
            return
        who = {} if call.agent_id is None else {"user_id": call.agent_id}
        note(session, call.id, Entry.AGENT_LOST, now, **who)
        call.state, call.agent_id = CallState.WAITING, None
        note(session, call.id, Entry.TO_PERSON, now, reason="agent_lost")


def _waits_again(channel_id: str) -> None:
    """She was transferred to a queue, or to somebody who did not take it."""
    with transaction() as session:
        call = session.scalar(select(Call).where(Call.channel_id == channel_id).with_for_update())
        if call is not None and call.ended_at is None:
            waiting.wait_from(call, clock.now())
            call.agent_id = None


def _took(user_id: int, public_id: str, leg: str) -> None:
    """A colleague has taken a transferred call."""
    now = clock.now()
    with transaction() as session:
        call = _named(session, public_id)
        if call is not None:
            _has(session, call, user_id, leg, now)


def _asked_in(public_id: str, leg: str) -> None:
    """A colleague has answered who was asked into a call."""
    now = clock.now()
    with transaction() as session:
        user_id = session.scalar(select(AgentPresence.user_id).where(AgentPresence.leg_id == leg))
        call = _named(session, public_id)
        if user_id is not None and call is not None:
            presence.talks(session, user_id, call.id, leg, now)


def _named(session: Session, name: str) -> Call | None:
    """Return the open call that the dialplan names: by its public id, or by its channel's where there was no row."""
    query = select(Call).where(or_(Call.public_id == name, Call.channel_id == name), Call.ended_at.is_(None))
    return session.scalar(query.with_for_update())


def _reached(channel_id: str, recorded: bool) -> None:
    now = clock.now()
    with transaction() as session:
        call = _named(session, channel_id)
        if call is not None and call.answered_at is None:
            call.state, call.answered_at = CallState.AGENT, now
            who = {} if call.agent_id is None else {"user_id": call.agent_id}
            note(session, call.id, Entry.ANSWERED, now, **who)
            if recorded:
                note(session, call.id, Entry.RECORDING, now, how="on")


def _dialled(channel_id: str, status: str) -> None:
    """How a call of hers went, for its task: busy, no answer, and so on."""
    with transaction() as session:
        call = _named(session, channel_id)
        if call is not None and call.answered_at is None:
            end = CallEnd.NOT_ANSWERED
            note(session, call.id, Entry.HUNG_UP, clock.now(), status=status.lower())
            close_call(session, call, end, clock.now())
