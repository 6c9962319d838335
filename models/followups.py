"""Calls that follow an order of themselves: the reminder on the evening before, the return visit on the day after."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.orders import Order
from models.people import Elder
from models.providers import Provider


class ReminderStatus(StrEnum):
    """Where a reminder stands. All but OPEN are final."""

    OPEN = "open"
    HEARD = "heard"  # she pressed the key, or has heard it in a call of hers
    FAILED = "failed"  # not reached that evening: she hears it if she rings
    WITHDRAWN = "withdrawn"  # no longer true: cancelled, another provider, the worker has come


class Reminder(Base):
    """The elder is reminded, on the evening before, who comes. One for each order, provider and day."""

    __tablename__ = "reminders"
    __table_args__ = (UniqueConstraint("order_id", "provider_id", "wanted_on"),)

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"), index=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"))
    wanted_on: Mapped[date]  # the day of which it reminds her
    status: Mapped[Code] = mapped_column(default=ReminderStatus.OPEN)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship()
    provider: Mapped[Provider] = relationship()


class ReturnVisitStatus(StrEnum):
    """Where a return visit stands. All but OPEN are final; what failed is still taken up if she rings."""

    OPEN = "open"
    DONE = "done"  # she has said how it was
    FAILED = "failed"  # she could not be asked: an agent has a task
    WITHDRAWN = "withdrawn"  # there is nothing left to ask


class ReturnVisit(Base):
    """The elder is asked how it was: one call for all that was done for her on one day."""

    __tablename__ = "return_visits"
    __table_args__ = (Index("ix_return_visits_elder", "elder_id", "status"),)

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"))
    asked_on: Mapped[date]  # from this day of her calendar on she is rung
    status: Mapped[Code] = mapped_column(default=ReturnVisitStatus.OPEN)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    audio_id: Mapped[int | None] = mapped_column(ForeignKey("audio.id"))  # a word of her own; erasable

    elder: Mapped[Elder] = relationship()
    questions: Mapped[list[ReturnVisitQuestion]] = relationship(
        back_populates="visit", order_by="ReturnVisitQuestion.id"
    )

    @property
    def open_questions(self) -> list[ReturnVisitQuestion]:
        """What she has not answered yet, in the order in which it was done."""
        return [one for one in self.questions if one.closed_at is None]


class ReturnVisitQuestion(Base):
    """One order of a return visit. Closed by her score, or because it need not be asked any more."""

    __tablename__ = "return_visit_questions"
    __table_args__ = (CheckConstraint("score BETWEEN 1 AND 5", name="score"),)

    id: Mapped[Pk]
    return_visit_id: Mapped[int] = mapped_column(ForeignKey("return_visits.id"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    score: Mapped[int | None]  # 1 (bad) to 5 (very good); the rating of the order has the newest
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))
    closed_at: Mapped[datetime | None]

    visit: Mapped[ReturnVisit] = relationship(back_populates="questions")
    order: Mapped[Order] = relationship()
