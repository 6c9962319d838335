"""Outbound telephone calls: offers to providers, calls to elders, and each attempt to dial."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.calls import Call
from models.campaigns import CareVisit, EscalationStep
from models.followups import Reminder, ReturnVisit
from models.orders import Order
from models.people import PhoneNumber
from models.providers import Provider


class OfferStatus(StrEnum):
    """Where an offer stands. All but OPEN are final."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"  # the provider said no
    EXPIRED = "expired"  # not reached, or reached without an answer
    WITHDRAWN = "withdrawn"  # somebody else has it, or the order was cancelled


class DeclineReason(StrEnum):
    """Why a provider does not want an order."""

    BUSY = "busy"
    TOO_FAR = "too_far"
    NOT_OURS = "not_ours"  # it does not offer this service: an agent checks its entry


class CallbackStatus(StrEnum):
    """Where a callback stands. All but OPEN are final."""

    OPEN = "open"
    CONFIRMED = "confirmed"  # she pressed the key: she has heard it
    FAILED = "failed"  # the attempts are used up; an agent has a task
    WITHDRAWN = "withdrawn"  # no longer needed


class AttemptStatus(StrEnum):
    """Where one attempt to dial stands."""

    DUE = "due"  # to be dialled at `due_at`
    DIALING = "dialing"  # handed to the gateway, or about to be: its fate may be unknown
    ANSWERED = "answered"  # somebody or something has answered
    CLOSED = "closed"  # `outcome` says how


class Outcome(StrEnum):
    """How an attempt ended; each has its own retry rule in dispatch.retry."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    CONFIRMED = "confirmed"
    PROVED = "proved"  # a care visit: a living person was there
    NO_KEY = "no_key"  # answered, but nobody pressed a key: a voicemail, a child
    SILENT = "silent"  # a care visit: answered, and no sound came, asked twice
    MACHINE = "machine"  # a care visit: something talked on and answered nothing
    HUNG_UP = "hung_up"  # a care visit: the receiver was put down before anything was proved
    PERSON = "person"  # asked for a person during the call
    TOO_LATE = "too_late"  # answered when the matter was already settled
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    INVALID = "invalid"  # the number does not exist
    CONGESTION = "congestion"  # the trunk or the network failed (503)
    REFUSED = "refused"  # the gateway may not or cannot dial it at all
    LOST = "lost"  # cut by a fault of ours before anybody answered


class Offer(Base):
    """One order put to one provider."""

    __tablename__ = "offers"
    __table_args__ = (
        UniqueConstraint("order_id", "provider_id", "round"),
        Index("ix_offers_taken", "status", "closed_at", "provider_id"),
    )

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"), index=True)
    round: Mapped[int] = mapped_column(default=1)  # an agent may have all providers asked again
    status: Mapped[Code] = mapped_column(default=OfferStatus.OPEN)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    reasons: Mapped[dict[str, Any]] = mapped_column(default=dict)  # why this provider (dispatch/choice.py): codes
    decline_reason: Mapped[str | None] = mapped_column(String(16))  # DeclineReason, if one was keyed

    order: Mapped[Order] = relationship()
    provider: Mapped[Provider] = relationship()


class Callback(Base):
    """The elder is told by telephone how her order stands."""

    __tablename__ = "callbacks"
    __table_args__ = (UniqueConstraint("order_id", "provider_id"),)

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"), index=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"))
    status: Mapped[Code] = mapped_column(default=CallbackStatus.OPEN)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    # The same provider has accepted the order once more: she is told again, and only later attempts count.
    round: Mapped[int] = mapped_column(default=1)
    since_attempt_id: Mapped[int] = mapped_column(default=0)

    order: Mapped[Order] = relationship()
    provider: Mapped[Provider] = relationship()


Occasion = Offer | Callback | Reminder | ReturnVisit | CareVisit | EscalationStep
"""What somebody is rung for."""


class Attempt(Base):
    """One attempt to dial one number for one offer, callback, reminder, return visit or care visit.

    `channel_id` is fixed before the gateway is asked, so that whatever answers
    can be joined to this row however the connection to Asterisk fares.
    """

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_status", "status", "due_at"),)

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    offer_id: Mapped[int | None] = mapped_column(ForeignKey("offers.id"), index=True)
    callback_id: Mapped[int | None] = mapped_column(ForeignKey("callbacks.id"), index=True)
    reminder_id: Mapped[int | None] = mapped_column(ForeignKey("reminders.id"), index=True)
    return_visit_id: Mapped[int | None] = mapped_column(ForeignKey("return_visits.id"), index=True)
    care_visit_id: Mapped[int | None] = mapped_column(ForeignKey("care_visits.id"), index=True)
    # A contact or a butler is asked to look in.
    escalation_step_id: Mapped[int | None] = mapped_column(ForeignKey("escalation_steps.id"), index=True)
    number_id: Mapped[int] = mapped_column(ForeignKey("phone_numbers.id"), index=True)
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"), index=True)
    channel_id: Mapped[str] = mapped_column(String(64), unique=True)
    status: Mapped[Code] = mapped_column(default=AttemptStatus.DUE)
    outcome: Mapped[str | None] = mapped_column(String(32))
    cause: Mapped[int | None]  # Q.850 cause as Asterisk reports it
    due_at: Mapped[datetime]
    dialed_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    offer: Mapped[Offer | None] = relationship()
    callback: Mapped[Callback | None] = relationship()
    reminder: Mapped[Reminder | None] = relationship()
    return_visit: Mapped[ReturnVisit | None] = relationship()
    care_visit: Mapped[CareVisit | None] = relationship()
    escalation_step: Mapped[EscalationStep | None] = relationship()
    number: Mapped[PhoneNumber] = relationship()
    call: Mapped[Call | None] = relationship()

    @property
    def occasion(self) -> Occasion | None:
        """What it is rung for."""
        own = self.offer or self.callback or self.reminder or self.return_visit
        return own or self.care_visit or self.escalation_step

    @property
    def order(self) -> Order | None:
        """The order it is about; of a return visit the first about which she is still to be asked. None: about none."""
        match self.occasion:
            case Offer() | Callback() | Reminder() as occasion:
                return occasion.order
            case ReturnVisit() as visit:
                return next((question.order for question in visit.open_questions or visit.questions), None)
        return None

    @property
    def elder_id(self) -> int | None:
        """The elder who is rung; None where it is a provider."""
        for_her = self.callback or self.reminder or self.return_visit or self.care_visit
        return for_her.elder_id if for_her else None


class Trunk(Base):
    """A carrier's trunk: how many calls were begun in the newest second, so that all workers keep its limit."""

    __tablename__ = "trunks"

    id: Mapped[Pk]
    name: Mapped[Code] = mapped_column(unique=True)
    second: Mapped[datetime | None]
    begun: Mapped[int] = mapped_column(default=0)
