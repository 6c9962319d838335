"""A supervisor's telephone in an agent's call: the rows of it. What is asked of Asterisk stands in `dispatch.asks`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import presence
from models.calls import Call
from models.journal import Entry, note
from models.presence import CallAsk, Verb
from models.supervision import Watch

WATCHES = frozenset({Verb.LISTEN, Verb.WHISPER, Verb.JOIN, Verb.TAKE_OVER})


def open_of(session: Session, user_id: int) -> Watch | None:
    """Return the watch that this supervisor is in."""
    return session.scalar(select(Watch).where(Watch.user_id == user_id, Watch.ended_at.is_(None)))


def done(session: Session, ask: CallAsk, channel_id: str, now: datetime) -> None:
    """Write what an ask of WATCHES has led to; `channel_id` is the channel to the supervisor's browser."""
    watch = open_of(session, ask.user_id)
    if watch is None:
        watch = Watch(user_id=ask.user_id, agent_id=ask.agent_id, call_id=ask.call_id, channel_id=channel_id)
        watch.mode, watch.began_at = ask.verb, now
        session.add(watch)
        presence.watches(session, ask.user_id, channel_id, now)
    watch.mode = ask.verb
    if ask.verb == Verb.TAKE_OVER:
        session.get_one(Call, ask.call_id).agent_id = ask.user_id
        note(session, ask.call_id, Entry.TRANSFERRED, now, user_id=ask.user_id, to="supervisor")
        # Not at the same moment: in a room with the two of them the caller would be left alone in between.
        let_go = CallAsk(user_id=ask.user_id, call_id=ask.call_id, agent_id=ask.agent_id, verb=Verb.LET_GO)
        let_go.created_at = now
        session.add(let_go)


def close_gone(session: Session, living: Collection[str], before: datetime, now: datetime) -> None:
    """End the watches begun `before` whose channel no longer lives: the event that tells of it may be lost."""
    for watch in session.scalars(select(Watch).where(Watch.ended_at.is_(None), Watch.began_at < before)):
        if watch.channel_id not in living:
            watch.ended_at = now
