"""A supervisor enters an agent's running call: who may, into which, and how she changes it there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from agents import accounts
from agents.presence import PresenceRefused
from dispatch import presence as rule
from dispatch import watching
from models.calls import Call
from models.presence import ENGAGED, AgentLine, AgentPresence, CallAsk, Presence
from models.supervision import Watching
from models.users import User

# What the audit calls it.
AUDITED = {
    Watching.LISTEN: "call_listened",
    Watching.WHISPER: "call_whispered",
    Watching.JOIN: "call_joined",
    Watching.TAKE_OVER: "call_taken_over",
}


@dataclass(frozen=True)
class Whose:
    """Whose call: an agent's (public id), or a call's (public id). Both empty: the one in which she is already."""

    agent: str = ""
    call: str = ""


def watch(session: Session, user: User, whose: Whose, how: str, now: datetime) -> CallAsk:
    """Ask dispatch to bring the supervisor's telephone into a call, or to change how it is there. Audited.

    Raises:
        PresenceRefused: there is no such way (illegal); she has no telephone (no_line) or is in a call (in_call);
            the agent is in none (not_talking) or is herself (yourself); the agent dialled it herself, so it
            can only be listened to and whispered into (agents_own).
    """
    if how not in list(Watching):
        raise PresenceRefused("illegal")
    now_in = watching.open_of(session, user.id)
    if now_in is not None:
        agent_id, call = now_in.agent_id, now_in.call
        if now_in.mode == Watching.TAKE_OVER:
            raise PresenceRefused("in_call")
    else:
        agent_id, call = _found(session, whose)
        _has_line(session, user, now)
        if how == Watching.TAKE_OVER:
            # She knows what she takes over: she has heard it.
            raise PresenceRefused("illegal")
    if agent_id == user.id:
        raise PresenceRefused("yourself")
    if call.ended_at is not None:
        raise PresenceRefused("gone")
    if how in (Watching.JOIN, Watching.TAKE_OVER) and call.is_dialled_by_agent:
        raise PresenceRefused("agents_own")
    accounts.record(session, user, AUDITED[Watching(how)], ("call", call.id), now)
    ask = CallAsk(user_id=user.id, call_id=call.id, agent_id=agent_id, verb=how, created_at=now)
    session.add(ask)
    session.flush()
    return ask


def _found(session: Session, whose: Whose) -> tuple[int, Call]:
    """Return the agent and the call that she is in."""
    query = (
        select(AgentPresence)
        .join(User, User.id == AgentPresence.user_id)
        .join(Call, Call.id == AgentPresence.call_id)
        .where(AgentPresence.state == Presence.TALKING, AgentPresence.leg_id.is_not(None))
        .where(or_(User.public_id == whose.agent, Call.public_id == whose.call))
    )
    rows = list(session.scalars(query))
    # In a call with two agents it is the one who answers for it.
    rows.sort(key=lambda row: row.call is not None and row.call.agent_id != row.user_id)
    if not rows or rows[0].call is None:
        raise PresenceRefused("not_talking")
    return rows[0].user_id, rows[0].call


def _has_line(session: Session, user: User, now: datetime) -> None:
    line = session.scalar(select(AgentLine).where(AgentLine.user_id == user.id))
    if line is None or line.registered_at is None or line.gone_at is not None:
        raise PresenceRefused("no_line")
    if rule.presence_of(session, user.id, now).state in ENGAGED:
        raise PresenceRefused("in_call")
