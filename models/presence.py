"""Agents at work: whether one may be rung, on which telephone in the browser, in which languages.

One row a user says how it is now; `presence_spells` keeps how it was. Which move
is legal stands here; the only writer is `dispatch.presence.move`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.calls import Call
from models.users import User


class Presence(StrEnum):
    """How an agent stands towards calls."""

    OFFLINE = "offline"  # no telephone: not logged in, logged out, or the browser is gone
    READY = "ready"  # may be rung
    RINGING = "ringing"  # a caller is being offered
    TALKING = "talking"  # in a call, or dialling one of her own
    WRAP_UP = "wrap_up"  # after a call, until `until`
    PAUSE = "pause"  # `reason` says why


# Reality may overtake a click: whoever pauses in the moment in which the queue rings is rung all the same.
PRESENCE_MOVES: dict[Presence, frozenset[Presence]] = {
    Presence.OFFLINE: frozenset({Presence.READY, Presence.PAUSE, Presence.RINGING, Presence.TALKING}),
    Presence.READY: frozenset({Presence.RINGING, Presence.TALKING, Presence.PAUSE, Presence.OFFLINE}),
    Presence.RINGING: frozenset({Presence.TALKING, Presence.READY, Presence.PAUSE, Presence.OFFLINE}),
    # To itself: a supervisor who listened has taken the call over.
    Presence.TALKING: frozenset({Presence.TALKING, Presence.WRAP_UP, Presence.READY, Presence.PAUSE, Presence.OFFLINE}),
    Presence.WRAP_UP: frozenset({Presence.READY, Presence.PAUSE, Presence.RINGING, Presence.TALKING, Presence.OFFLINE}),
    Presence.PAUSE: frozenset({Presence.READY, Presence.PAUSE, Presence.RINGING, Presence.TALKING, Presence.OFFLINE}),
}
# In a call, or about to be.
ENGAGED = frozenset({Presence.RINGING, Presence.TALKING})

# Reasons that are no choice of hers, beside those of `pause_reasons`.
MISSED = "missed"  # rung and did not answer, or rejected
OWED = "owed"  # the wrap-up was prolonged by itself for long enough, and the call's result is still owed
LOST = "lost"  # offline: the browser is gone without a word
WATCHING = "watching"  # talking: the telephone is in another agent's call (models/supervision.py)
THIRD_GONE = "third_gone"  # talking: whom she asked in did not answer, or has left again
# What the name of the channel to somebody who was asked into a call begins with.
THIRD = "third-"
UNREACHABLE = frozenset({MISSED, LOST})


class AgentPresence(Base):
    """How one user stands now."""

    __tablename__ = "presences"

    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    state: Mapped[Code] = mapped_column(default=Presence.OFFLINE)
    reason: Mapped[str | None] = mapped_column(String(32))
    since: Mapped[datetime]
    until: Mapped[datetime | None]  # the end of wrap-up
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))  # the call of this ringing, talk or wrap-up
    leg_id: Mapped[str | None] = mapped_column(String(64), index=True)  # Uniqueid of the channel to her browser
    # What follows the call: `ready`, `offline`, or the code of a pause. None: as the rule has it.
    following: Mapped[str | None] = mapped_column(String(32))
    resume: Mapped[str | None] = mapped_column(String(32))  # after LOST: what she comes back to, in the same form

    user: Mapped[User] = relationship()
    call: Mapped[Call | None] = relationship()


class PresenceSpell(Base):
    """How a user stood from `began_at` to `ended_at` (None: still)."""

    __tablename__ = "presence_spells"
    __table_args__ = (Index("ix_presence_spells_of", "user_id", "began_at"),)

    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    state: Mapped[Code]
    reason: Mapped[str | None] = mapped_column(String(32))
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(index=True)


class AgentLine(Base):
    """The telephone in one user's browser: a SIP account that lives as long as her session, and no longer.

    The password itself is nowhere: only what Asterisk checks it with.
    """

    __tablename__ = "agent_lines"

    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    digest: Mapped[str] = mapped_column(String(64))  # MD5 of user, realm and password, as SIP has it (HA1)
    serial: Mapped[int] = mapped_column(default=1)  # raised with each new password
    live_serial: Mapped[int] = mapped_column(default=0)  # the one that Asterisk has
    session_version: Mapped[int]  # of the user, when it was issued: another one, and the line is dead
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    registered_at: Mapped[datetime | None]  # None: no browser is registered
    gone_at: Mapped[datetime | None]  # when the browser was seen to be gone

    user: Mapped[User] = relationship()


class AgentSkill(Base):
    """A language in which an agent takes calls. `penalty`: 0 first choice; whoever has more comes after."""

    __tablename__ = "agent_skills"
    __table_args__ = (UniqueConstraint("user_id", "language"),)

    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    language: Mapped[str] = mapped_column(String(8))
    penalty: Mapped[int] = mapped_column(default=0)


class PauseReason(Base):
    """A reason for a pause. Never deleted, for old spells name it; `hidden_at` takes it off the list."""

    __tablename__ = "pause_reasons"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    code: Mapped[Code] = mapped_column(unique=True)
    names: Mapped[dict[str, Any]]  # language to name
    position: Mapped[int] = mapped_column(default=0)
    hidden_at: Mapped[datetime | None]


class TaskCall(Base):
    """A call that an agent made, or took, for a task: it belongs to the task and never opens another one."""

    __tablename__ = "task_calls"

    id: Mapped[Pk]
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"), index=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


class Verb(StrEnum):
    """What an agent may ask to be done with channels."""

    DIAL = "dial"  # ring her, then `number`
    TO_AGENT = "to_agent"  # the caller goes to a colleague
    TO_QUEUE = "to_queue"  # the caller goes to the queue of `language`, before all who came later
    TO_OUTSIDE = "to_outside"  # the caller goes to `number`
    ASK_AGENT = "ask_agent"  # the caller holds, a colleague is asked
    ASK_OUTSIDE = "ask_outside"  # the caller holds, `number` is asked
    MERGE = "merge"  # the caller joins the two
    COMPLETE = "complete"  # the caller and who was asked go on without her
    BACK = "back"  # who was asked goes, the caller comes back
    # A supervisor and `agent_id`'s call; the codes are those of models.supervision.Watching.
    LISTEN = "listen"  # she hears it
    WHISPER = "whisper"  # the agent hears her as well
    JOIN = "join"  # both hear her
    TAKE_OVER = "take_over"  # the caller comes to her
    LET_GO = "let_go"  # what follows it: the agent's telephone is freed


class CallAsk(Base):
    """One wish of an agent about her call, worked off by the dispatcher at once or not at all."""

    __tablename__ = "call_asks"
    __table_args__ = (Index("ix_call_asks_open", "done_at", "created_at"),)

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"), index=True)
    verb: Mapped[Code]
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    number_id: Mapped[int | None] = mapped_column(ForeignKey("phone_numbers.id"))
    language: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(32))  # done, or why not
