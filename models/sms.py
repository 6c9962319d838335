"""Text messages that the hotline sends, and the one table of their legal moves.

A row holds codes and ids; the words are made from the rows when it is sent, and
are kept nowhere.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.orders import Order
from models.people import Person, PhoneNumber
from models.providers import Provider


class SmsStatus(StrEnum):
    """Where a text message stands."""

    QUEUED = "queued"  # to be sent at `due_at`
    SENDING = "sending"  # handed to the carrier, or about to be
    UNKNOWN = "unknown"  # asked of the carrier, and the answer was lost: it is asked what became of it
    SENT = "sent"  # the carrier has it
    DELIVERED = "delivered"  # her telephone has it
    UNDELIVERED = "undelivered"  # her network did not take it
    FAILED = "failed"  # the carrier refused it, or it may not be sent to this number
    WITHDRAWN = "withdrawn"  # what it tells did not hold any more


S = SmsStatus

# Nothing more happens to these.
FINAL: frozenset[SmsStatus] = frozenset({S.DELIVERED, S.UNDELIVERED, S.FAILED, S.WITHDRAWN})

# The legal moves, each with its sentence. `move_sms` is the only writer of `status`.
SMS_MOVES: dict[tuple[SmsStatus, SmsStatus], str] = {
    (S.QUEUED, S.SENDING): "It is being handed to the carrier.",
    (S.QUEUED, S.WITHDRAWN): "What it tells does not hold any more.",
    (S.SENDING, S.QUEUED): "The carrier took nothing for now; it is tried again.",
    (S.SENDING, S.UNKNOWN): "The carrier's answer was lost.",
    (S.UNKNOWN, S.QUEUED): "The carrier does not have it; it is sent again.",
    # From "queued" too: the carrier had taken what it said it had not.
    **{
        (before, after): sentence
        for before in (S.SENDING, S.UNKNOWN, S.QUEUED)
        for after, sentence in {
            S.SENT: "The carrier has it.",
            S.DELIVERED: "It has arrived.",
            S.UNDELIVERED: "It could not be delivered.",
            S.FAILED: "The carrier refused it, or it may not be sent to this number.",
        }.items()
    },
    (S.SENT, S.DELIVERED): "It has arrived.",
    (S.SENT, S.UNDELIVERED): "It could not be delivered.",
    (S.SENT, S.FAILED): "The carrier gave it up.",
}


class IllegalSmsMove(RuntimeError):
    """The message's status does not allow this move."""

    def __init__(self, message: SmsMessage, to: SmsStatus) -> None:
        super().__init__(f"text message {message.public_id}: {message.status} → {to} is not a legal move")


class SmsMessage(Base):
    """One text message to one number. `dedupe_key` names the occasion: the same never makes two messages."""

    __tablename__ = "sms_messages"
    __table_args__ = (Index("ix_sms_messages_status", "status", "id"),)

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    dedupe_key: Mapped[str] = mapped_column(String(80), unique=True)
    template: Mapped[Code]  # models.vocabulary.sms.TEMPLATES
    language: Mapped[str] = mapped_column(String(8))
    number_id: Mapped[int] = mapped_column(ForeignKey("phone_numbers.id"), index=True)
    # For whom: a person, or a provider.
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("providers.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    urgent: Mapped[bool] = mapped_column(default=False)  # sent in the quiet hours too
    status: Mapped[Code] = mapped_column(default=SmsStatus.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)  # how often it was handed to the carrier
    segments: Mapped[int] = mapped_column(default=0)  # of the text as it was sent
    text_digest: Mapped[str | None] = mapped_column(String(64))  # SHA-256 of it: finds it in the carrier's list
    carrier_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    error: Mapped[str | None] = mapped_column(String(32))  # the carrier's code, or ours
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sending_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    # When the carrier is asked what became of it, should nothing be heard before.
    look_at: Mapped[datetime | None] = mapped_column(index=True)

    number: Mapped[PhoneNumber] = relationship(lazy="joined", innerjoin=True)
    person: Mapped[Person | None] = relationship()
    provider: Mapped[Provider | None] = relationship()
    order: Mapped[Order] = relationship()


def move_sms(message: SmsMessage, to: SmsStatus, now: datetime, error: str | None = None) -> None:
    """Move `message`, locked by its caller, to `to`.

    Raises:
        IllegalSmsMove: the table of moves does not have it.
    """
    if (SmsStatus(message.status), to) not in SMS_MOVES:
        raise IllegalSmsMove(message, to)
    message.status, message.error = to, error
    match to:
        case SmsStatus.SENDING:
            message.sending_at, message.attempts = now, message.attempts + 1
        case SmsStatus.SENT:
            message.sent_at = now
    if to in FINAL:
        message.closed_at, message.look_at = now, None
