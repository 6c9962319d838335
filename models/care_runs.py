"""The staff's run: care visits that people make, one elder at a time, and whose each of them is just now.

What came of a try stands in `call_outcomes`, with the visit it was made for. What
is not written down for good yet lies in the hold, so that a reload loses nothing.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Pk
from models.calls import Call
from models.campaigns import CareVisit
from models.users import User


class Effect(StrEnum):
    """What a result of the staff's run does to the visit; the results themselves are rows of `call_results`."""

    REACHED = "reached"  # she is well: a proof
    FOLLOW_UP = "follow_up"  # reached, and somebody has to ring her again
    URGENT = "urgent"  # reached, and an alarm at the head of all tasks
    NOT_REACHED = "not_reached"  # tried again later; others look in when the tries are used up
    BAD_NUMBER = "bad_number"  # her next number, or others look in
    REFUSED = "refused"  # she wants no visits: her duties end by a person's decision
    SKIPPED = "skipped"  # not tried at all


class CareHold(Base):
    """One agent works on one elder's visit until `until`; nobody else does, and no machine rings her meanwhile."""

    __tablename__ = "care_holds"

    id: Mapped[Pk]
    # The lock: of two who take the same elder at the same time exactly one can write this row.
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"), unique=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("care_visits.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    from_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # the colleague who handed it over
    since: Mapped[datetime]
    until: Mapped[datetime] = mapped_column(index=True)
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)  # question to answer, codes
    result: Mapped[str | None] = mapped_column(String(32))  # chosen, not yet written
    note: Mapped[str] = mapped_column(Text, default="")  # goes with the row

    visit: Mapped[CareVisit] = relationship()
    user: Mapped[User] = relationship(foreign_keys=[user_id])
    from_user: Mapped[User | None] = relationship(foreign_keys=[from_user_id])


class VisitCall(Base):
    """A call that an agent made for a care visit: it belongs to the visit and never opens a task."""

    __tablename__ = "visit_calls"

    id: Mapped[Pk]
    visit_id: Mapped[int] = mapped_column(ForeignKey("care_visits.id"), index=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

    visit: Mapped[CareVisit] = relationship()
    call: Mapped[Call] = relationship()
