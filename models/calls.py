"""Calls and their journal.

`calls` is the list of callers; `call_events` is the append-only journal. The
journal holds codes and ids only: numbers stand in `phone_numbers`, words in
`utterances`, audio in the store, and each of these can be erased without
touching what happened when.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.people import Elder, Person, PhoneNumber
from models.providers import Provider


class Direction(StrEnum):
    """Which way a call goes, seen from the hotline."""

    IN = "in"
    OUT = "out"


class CallState(StrEnum):
    """Where a call stands; shown live on the console."""

    DIALING = "dialing"  # we have asked Asterisk to dial
    TALKING = "talking"  # in conversation with the machine
    WAITING = "waiting"  # on the way to a person
    AGENT = "agent"  # a person has answered
    ENDED = "ended"


class CallEnd(StrEnum):
    """How a call ended."""

    GOODBYE = "goodbye"  # the conversation came to its end
    HUNG_UP = "hung_up"  # the other side hung up before the end
    PERSON = "person"  # an agent answered it
    MESSAGE = "message"  # a message was left
    ABANDONED = "abandoned"  # hung up while waiting for a person
    RING_BACK = "ring_back"  # chose to be rung back instead of waiting
    NOT_ANSWERED = "not_answered"  # an outbound call that nobody took
    LOST = "lost"  # cut by a fault; found by the sweep


class IdentifiedBy(StrEnum):
    """By what we know who is on the line: how sure that is, and so what may be said."""

    CALLER_ID = "caller_id"  # the number alone: surname and form of address, nothing more
    HOUSEHOLD = "household"  # the number, and she said which of them she is
    CONTACT = "contact"  # a known contact's number, and for whom she rings
    CARD = "card"  # the digits of her service card
    WORKER = "worker"  # a worker rings from where she works, by her code
    AGENT = "agent"  # a person has asked her
    NONE = "none"


class Call(Base):
    """One call leg between the hotline and somebody. Ended exactly when `ended_at` is set."""

    __tablename__ = "calls"
    __table_args__ = (Index("ix_calls_open", "ended_at", "started_at"),)

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    channel_id: Mapped[str] = mapped_column(String(64), unique=True)  # Asterisk's Uniqueid
    direction: Mapped[Code]
    purpose: Mapped[Code]  # inbound, offer, callback, reminder, return_visit, care, look_in, agent (one has dialled it)
    state: Mapped[Code]
    end: Mapped[str | None] = mapped_column(String(32))
    number_id: Mapped[int | None] = mapped_column(ForeignKey("phone_numbers.id"), index=True)
    elder_id: Mapped[int | None] = mapped_column(ForeignKey("elders.id"), index=True)
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("providers.id"))
    # Who is on the line where it is not the elder herself: the contact who rings for her, the worker who has come.
    caller_person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    identified_by: Mapped[Code] = mapped_column(default=IdentifiedBy.NONE)
    language: Mapped[str] = mapped_column(String(8), default="zh-CN")
    # Whose telephone rings for it (state waiting), or who has it or had it (state agent, ended).
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    # When she was put through to people: her place among those who wait.
    waiting_since: Mapped[datetime | None] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]

    number: Mapped[PhoneNumber | None] = relationship()
    elder: Mapped[Elder | None] = relationship()
    provider: Mapped[Provider | None] = relationship()
    caller: Mapped[Person | None] = relationship()
    events: Mapped[list[CallEvent]] = relationship(order_by="CallEvent.id", viewonly=True)

    @property
    def is_dialled_by_agent(self) -> bool:
        """Whether an agent has rung her: the other side hangs on the agent's channel and cannot be led elsewhere."""
        return self.purpose == "agent"


class CallEvent(Base):
    """One entry of the journal; never changed, never deleted. `data` holds codes and ids only."""

    __tablename__ = "call_events"

    id: Mapped[Pk]
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"), index=True)
    at: Mapped[datetime]
    kind: Mapped[Code]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Utterance(Base):
    """What was heard by voice, erasable; the journal names it by id."""

    __tablename__ = "utterances"

    id: Mapped[Pk]
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"), index=True)
    at: Mapped[datetime]
    language: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)
    score: Mapped[int]  # 0..100, the least sure word; 0: not understood, `text` is only a hint
    # What she said, or the message that was written down.
    audio_id: Mapped[int | None] = mapped_column(ForeignKey("audio.id"), index=True)
