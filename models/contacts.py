"""Contacts: who may ring on an elder's behalf, for what, and what may be told to whom."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk
from models.people import Elder, Person


class Relation(StrEnum):
    """What a contact is to the elder."""

    SPOUSE = "spouse"
    CHILD = "child"
    RELATIVE = "relative"
    NEIGHBOUR = "neighbour"
    GUARDIAN = "guardian"
    BUTLER = "butler"  # community staff: one butler is a contact of many elders


class Contact(Base):
    """A person stands by an elder, since when, and with which of the elder's consents.

    Every consent is no until somebody has said yes. A contact that has ended is
    kept with its date, so that an old order still tells by what right it was placed.
    """

    __tablename__ = "contacts"
    __table_args__ = (UniqueConstraint("person_id", "elder_id"),)

    id: Mapped[Pk]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"), index=True)
    relation: Mapped[Code]
    position: Mapped[int] = mapped_column(default=0)  # 0 is rung first when the elder cannot be reached
    may_order: Mapped[bool] = mapped_column(default=False)
    may_hear_orders: Mapped[bool] = mapped_column(default=False)  # what is ordered and who comes
    may_hear_money: Mapped[bool] = mapped_column(default=False)
    may_hear_health: Mapped[bool] = mapped_column(default=False)  # services marked sensitive, special needs
    # May be rung and told that she was not reached, and asked to look in.
    may_look_in: Mapped[bool] = mapped_column(default=False)
    wants_sms: Mapped[bool] = mapped_column(default=False)  # of what the contact may hear, who comes is sent in writing
    since: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    elder: Mapped[Elder] = relationship()
