"""How an agent stands towards calls: the one writer of it, and what Asterisk's news mean for it.

Every function works in the transaction that it is given; `models.presence.PRESENCE_MOVES`
says what may follow what. What is written here is brought to app_queue by `dispatch.mirror`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.presence import (
    ENGAGED,
    LOST,
    MISSED,
    OWED,
    PRESENCE_MOVES,
    WATCHING,
    AgentLine,
    AgentPresence,
    Presence,
    PresenceSpell,
)
from models.queue_rules import queue_rules
from models.settings import settings
from models.supervision import Watch
from models.users import User

log = logging.getLogger(__name__)

# An agent who was lost comes back to what she was doing, within so long.
COMES_BACK = timedelta(minutes=10)


class IllegalPresence(ValueError):
    """There is no such move from where the agent stands."""


@dataclass(frozen=True)
class To:
    """Where an agent goes. `reason`: of a pause or of being offline; `call_id`, `leg_id`: of a call."""

    state: Presence
    reason: str | None = None
    call_id: int | None = None
    leg_id: str | None = None
    until: datetime | None = None


def presence_of(session: Session, user_id: int, now: datetime) -> AgentPresence:
    """Return the user's row, locked until the end of the transaction; it is made when she has none."""
    row = session.scalar(select(AgentPresence).where(AgentPresence.user_id == user_id).with_for_update())
    if row is None:
        # The user's row is the lock of two who make the first one.
        session.execute(select(User.id).where(User.id == user_id).with_for_update())
        row = session.scalar(select(AgentPresence).where(AgentPresence.user_id == user_id))
    if row is None:
        row = AgentPresence(user_id=user_id, state=Presence.OFFLINE, since=now)
        session.add(row)
        session.flush()
    return row


def move(session: Session, row: AgentPresence, to: To, now: datetime) -> None:
    """Bring an agent to another state: the only writer of it, and of its history.

    Raises:
        IllegalPresence: there is no such move.
    """
    if to.state not in PRESENCE_MOVES[Presence(row.state)]:
        raise IllegalPresence(f"{row.state} → {to.state}")
    row.state, row.reason, row.since, row.until = to.state, to.reason, now, to.until
    row.call_id, row.leg_id = to.call_id, to.leg_id
    if to.state not in (*ENGAGED, Presence.WRAP_UP):
        row.following = None
    if to.state != Presence.OFFLINE:
        row.resume = None
    open_spell = PresenceSpell.user_id == row.user_id, PresenceSpell.ended_at.is_(None)
    session.execute(update(PresenceSpell).where(*open_spell).values(ended_at=now))
    session.add(PresenceSpell(user_id=row.user_id, state=to.state, reason=to.reason, call_id=to.call_id, began_at=now))
    session.flush()


def rung(session: Session, user_id: int, call_id: int, leg_id: str, now: datetime) -> None:
    """The queue, or a colleague's transfer, rings her for a call."""
    row = presence_of(session, user_id, now)
    if row.leg_id == leg_id or row.state in ENGAGED:
        return
    _remember(row)
    move(session, row, To(Presence.RINGING, call_id=call_id, leg_id=leg_id), now)


def talks(session: Session, user_id: int, call_id: int, leg_id: str, now: datetime) -> None:
    """She has answered, or dials a call of her own. `leg_id` is the channel to her browser."""
    row = presence_of(session, user_id, now)
    if row.state == Presence.TALKING and row.reason != WATCHING:
        row.call_id, row.leg_id = call_id, leg_id
        return
    _remember(row)
    move(session, row, To(Presence.TALKING, call_id=call_id, leg_id=leg_id), now)


def watches(session: Session, user_id: int, leg_id: str, now: datetime) -> None:
    """Her telephone is put into another agent's call: she is not rung meanwhile, and no call counts as hers."""
    row = presence_of(session, user_id, now)
    _remember(row)
    move(session, row, To(Presence.TALKING, reason=WATCHING, leg_id=leg_id), now)


def _remember(row: AgentPresence) -> None:
    """Whoever was in a pause of her own goes back to it after the call."""
    if row.state == Presence.PAUSE and row.reason not in (MISSED, OWED):
        row.following = row.reason
    elif row.state == Presence.OFFLINE:
        row.following = "offline"


def hears(session: Session, user_id: int) -> bool:
    """Whether her browser is there, as far as Asterisk has told."""
    return session.scalar(select(AgentLine.gone_at).where(AgentLine.user_id == user_id)) is None


def is_on(session: Session, user_id: int, leg_id: str) -> bool:
    """Whether the rows say already that she talks on this channel."""
    talks_there = AgentPresence.state == Presence.TALKING, AgentPresence.leg_id == leg_id
    return session.scalar(select(AgentPresence.id).where(AgentPresence.user_id == user_id, *talks_there)) is not None


def missed(session: Session, user_id: int, leg_id: str, now: datetime) -> bool:
    """She was rung and did not answer, or rejected: she is not rung again until she says so. False: it was not so."""
    row = presence_of(session, user_id, now)
    if row.state == Presence.TALKING or row.leg_id not in (leg_id, None):
        return False
    if row.state == Presence.OFFLINE or (row.state == Presence.PAUSE and row.reason == MISSED):
        return False
    reason = row.following if row.following not in (None, "ready", "offline") else MISSED
    move(session, row, To(Presence.PAUSE, reason=reason), now)
    return True


def leg_ended(session: Session, leg_id: str, now: datetime) -> AgentPresence | None:
    """The channel to her browser is gone: wrap-up after a talk, otherwise back to what she did. None: nobody's leg."""
    session.execute(update(Watch).where(Watch.channel_id == leg_id, Watch.ended_at.is_(None)).values(ended_at=now))
    user_id = session.scalar(select(AgentPresence.user_id).where(AgentPresence.leg_id == leg_id))
    if user_id is None:
        return None
    row = presence_of(session, user_id, now)
    if row.leg_id != leg_id:
        return None
    wrap_up_s = queue_rules(session).wrap_up_s
    if row.state == Presence.TALKING and row.reason != WATCHING and wrap_up_s > 0:
        until = now + timedelta(seconds=wrap_up_s)
        move(session, row, To(Presence.WRAP_UP, call_id=row.call_id, until=until), now)
    elif row.state in ENGAGED:
        follow(session, row, now)
    return row


def follow(session: Session, row: AgentPresence, now: datetime) -> None:
    """After a call, or its wrap-up: to what she has asked for meanwhile, else ready."""
    move(session, row, _wanted(row.following), now)


def owes(session: Session, row: AgentPresence, now: datetime) -> None:
    """Nobody has ended a wrap-up in which a result is owed: a pause, unless she chose something else for after it."""
    move(session, row, _wanted(OWED if row.following in (None, "ready") else row.following), now)


def _wanted(code: str | None) -> To:
    if code in (None, "ready"):
        return To(Presence.READY)
    if code == "offline":
        return To(Presence.OFFLINE)
    return To(Presence.PAUSE, reason=code)


def line_seen(session: Session, user_id: int, there: bool, now: datetime) -> None:
    """Asterisk says that her browser has registered, or is gone."""
    line = session.scalar(select(AgentLine).where(AgentLine.user_id == user_id).with_for_update())
    if line is None:
        return
    if there:
        line.registered_at, line.gone_at = line.registered_at or now, None
        row = presence_of(session, user_id, now)
        if row.state == Presence.OFFLINE and row.reason == LOST and now - row.since < COMES_BACK:
            move(session, row, _wanted(row.resume), now)
    elif line.registered_at is not None and line.gone_at is None:
        line.gone_at = now


def look_after(session: Session, user_ids: Iterable[int], now: datetime) -> None:
    """Do what time brings (`dispatch.roster.due`): wrap-ups end, who stays away is offline, and whose session ended."""
    for user_id in user_ids:
        line = session.scalar(select(AgentLine).where(AgentLine.user_id == user_id))
        version = session.scalar(select(User.session_version).where(User.id == user_id, User.disabled_at.is_(None)))
        row = presence_of(session, user_id, now)
        to = time_brings(row, line, version, now)
        if to is None:
            continue
        resume = _as_code(row) if to.reason == LOST else None
        move(session, row, to, now)
        row.resume = resume


def line_is_valid(line: AgentLine | None, version: int | None, now: datetime) -> bool:
    """Whether the line's session still stands: `version` is the user's, None if she is locked out."""
    return line is not None and line.session_version == version and now < line.expires_at


def time_brings(row: AgentPresence, line: AgentLine | None, version: int | None, now: datetime) -> To | None:
    """Return where time brings an agent, None if nowhere. A browser that is reloaded is back within the grace."""
    if row.state == Presence.OFFLINE:
        return None
    if line is None or not line_is_valid(line, version, now):
        return To(Presence.OFFLINE)
    if row.state in ENGAGED:
        return None
    grace = timedelta(seconds=settings().browser_grace_s)
    if line.registered_at is None or (line.gone_at is not None and now - line.gone_at >= grace):
        return To(Presence.OFFLINE, reason=LOST)
    if row.state == Presence.WRAP_UP and row.until is not None and now >= row.until:
        return _wanted(row.following)
    return None


def _as_code(row: AgentPresence) -> str | None:
    if row.state == Presence.PAUSE:
        return row.reason
    return row.following if row.state == Presence.WRAP_UP else "ready"
