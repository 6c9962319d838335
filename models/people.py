"""Who is served and how they are reached: areas, persons, elders, telephone numbers."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from models.base import Base, Code, Pk, PublicId


class AreaKind(StrEnum):
    """Levels of the tree of areas."""

    DISTRICT = "district"
    COMMUNITY = "community"
    GRID = "grid"


class NumberRole(StrEnum):
    """How a person stands to a telephone number."""

    OWN = "own"
    SHARED = "shared"  # a household line: several elders behind one number
    RELATIVE = "relative"  # somebody else's telephone from which she can be reached


class Area(Base):
    """A district, a community or a grid; the parent is the next larger one."""

    __tablename__ = "areas"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("areas.id"), index=True)
    kind: Mapped[Code]
    name: Mapped[str] = mapped_column(String(80))

    parent: Mapped[Area | None] = relationship(remote_side="Area.id")

    @property
    def district(self) -> Area:
        """The district it lies in; the topmost area where the tree has none."""
        area = self
        while area.kind != AreaKind.DISTRICT and area.parent is not None:
            area = area.parent
        return area


class Person(Base):
    """A natural person: elder, relative, worker. What identifies her stands only here, so it can be erased."""

    __tablename__ = "people"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    name: Mapped[str] = mapped_column(String(80))
    family_name: Mapped[str] = mapped_column(String(40))
    sex: Mapped[str | None] = mapped_column(String(1))  # f or m
    born_on: Mapped[date | None]
    language: Mapped[str] = mapped_column(String(8), default="zh-CN")
    created_at: Mapped[datetime]

    numbers: Mapped[list[PersonNumber]] = relationship(
        back_populates="person", order_by="PersonNumber.position", cascade="all, delete-orphan"
    )


class Elder(Base):
    """The person served. Shares its id with the person."""

    __tablename__ = "elders"

    id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("areas.id"), index=True)
    address: Mapped[str] = mapped_column(String(200), default="")
    card_number: Mapped[str | None] = mapped_column(String(32), unique=True)
    # What of it can be keyed on a telephone; follows card_number. Two cards may agree in it.
    card_digits: Mapped[str | None] = mapped_column(String(32), index=True)
    needs: Mapped[str] = mapped_column(String(400), default="")  # special needs, told after acceptance only
    # She was registered twice: everything of hers is with that elder now (agents/merging.py).
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("elders.id"), index=True)
    indexed_at: Mapped[datetime | None] = mapped_column(
        index=True
    )  # None: search does not know her yet (models/search.py)

    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    area: Mapped[Area | None] = relationship()

    @validates("card_number")
    def _card_changes(self, _name: str, number: str | None) -> str | None:
        self.card_digits = card_digits(number)
        return number


def card_digits(card_number: str | None) -> str | None:
    """Return the digits of a service card's number as they are keyed (D-0001 → 0001); None if it has none."""
    return re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", card_number or "")) or None


class PhoneNumber(Base):
    """A telephone number: E.164, or a short code (12349, 120)."""

    __tablename__ = "phone_numbers"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    value: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[Code]
    dead_since: Mapped[datetime | None]  # the network has said again and again that it does not exist
    no_sms: Mapped[str | None] = mapped_column(String(32))  # why no text message may go there: opted_out, unreachable


class PersonNumber(Base):
    """A person can be reached at a number; many to many, because households share telephones."""

    __tablename__ = "person_numbers"
    __table_args__ = (
        UniqueConstraint("person_id", "number_id"),
        Index("ix_person_numbers_number_id", "number_id"),
    )

    id: Mapped[Pk]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    number_id: Mapped[int] = mapped_column(ForeignKey("phone_numbers.id"))
    role: Mapped[Code] = mapped_column(default=NumberRole.OWN)
    position: Mapped[int] = mapped_column(default=0)  # 0 is rung first

    person: Mapped[Person] = relationship(back_populates="numbers")
    number: Mapped[PhoneNumber] = relationship(lazy="joined", innerjoin=True)
