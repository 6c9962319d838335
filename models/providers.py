"""Service providers: businesses and volunteer groups, what they offer and where."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.people import Person, PhoneNumber

# What a reason for a pause may be long.
PAUSE_REASON_MAX = 80


class ProviderKind(StrEnum):
    """Kinds of providers."""

    BUSINESS = "business"
    VOLUNTEERS = "volunteers"


class Provider(Base):
    """Who sends the worker. `position` orders providers that are otherwise equal; 0 is asked first."""

    __tablename__ = "providers"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[Code] = mapped_column(default=ProviderKind.BUSINESS)
    language: Mapped[str] = mapped_column(String(8), default="zh-CN")
    position: Mapped[int] = mapped_column(default=0)
    capacity: Mapped[int | None]  # orders that it can serve in one part of one day; None: any number
    wants_sms: Mapped[bool] = mapped_column(default=False)  # what it accepted is to be sent in writing too
    paused_until: Mapped[datetime | None]  # not asked before
    pause_reason: Mapped[str] = mapped_column(String(PAUSE_REASON_MAX), default="")
    created_at: Mapped[datetime]

    numbers: Mapped[list[ProviderNumber]] = relationship(order_by="ProviderNumber.position")
    items: Mapped[list[ProviderItem]] = relationship(order_by="ProviderItem.id")
    areas: Mapped[list[ProviderArea]] = relationship(order_by="ProviderArea.id")
    hours: Mapped[list[ProviderHours]] = relationship(order_by="ProviderHours.weekday, ProviderHours.opens")
    workers: Mapped[list[Worker]] = relationship(order_by="Worker.id", back_populates="provider")


class ProviderNumber(Base):
    """A number at which a provider takes offers; tried in order of `position`."""

    __tablename__ = "provider_numbers"
    __table_args__ = (UniqueConstraint("provider_id", "number_id"),)

    id: Mapped[Pk]
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"))
    number_id: Mapped[int] = mapped_column(ForeignKey("phone_numbers.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)

    number: Mapped[PhoneNumber] = relationship(lazy="joined", innerjoin=True)


class ProviderItem(Base):
    """A provider offers a service of the vocabulary."""

    __tablename__ = "provider_items"
    __table_args__ = (UniqueConstraint("service", "provider_id"),)

    id: Mapped[Pk]
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"), index=True)
    service: Mapped[Code]
    doubted_at: Mapped[datetime | None]  # it said "not ours" of an offer; asked last until an agent has checked it


class ProviderArea(Base):
    """A provider covers an area and everything below it. None at all: it covers everywhere."""

    __tablename__ = "provider_areas"
    __table_args__ = (UniqueConstraint("provider_id", "area_id"),)

    id: Mapped[Pk]
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"))
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)


class ProviderHours(Base):
    """One span of one weekday (0 is Monday) in which the provider works. No row at all: at any time."""

    __tablename__ = "provider_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("opens >= 0 AND opens < closes AND closes <= 1440", name="span"),
    )

    id: Mapped[Pk]
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"), index=True)
    weekday: Mapped[int]
    opens: Mapped[int]  # minutes after midnight, local time
    closes: Mapped[int]


class Worker(Base):
    """A person whom a provider sends. `code` is what she keys on the elder's telephone to say that she has come."""

    __tablename__ = "workers"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    code: Mapped[str] = mapped_column(String(8), unique=True)  # 3 to 8 digits; never given out again
    since: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    provider: Mapped[Provider] = relationship(back_populates="workers")
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
