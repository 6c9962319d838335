"""Service providers: businesses and volunteer groups, what they offer and where."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.people import PhoneNumber


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
    paused_until: Mapped[datetime | None]
    created_at: Mapped[datetime]

    numbers: Mapped[list[ProviderNumber]] = relationship(order_by="ProviderNumber.position")


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


class ProviderArea(Base):
    """A provider covers an area and everything below it. None at all: it covers everywhere."""

    __tablename__ = "provider_areas"
    __table_args__ = (UniqueConstraint("provider_id", "area_id"),)

    id: Mapped[Pk]
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"))
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
