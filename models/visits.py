"""What a worker reported from the place of an order: that she has come, that it is done, and how sure that is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Pk, PublicId
from models.orders import Order
from models.providers import Worker


class Proof(StrEnum):
    """What the telephone of the report proves of the place."""

    PLACE = "place"  # the elder's landline, or the device in her flat: the worker is there
    HER_PHONE = "her_phone"  # the elder's mobile: the worker is with her, wherever that is
    UNPROVED = "unproved"  # any other telephone, or a withheld number: an agent checks it


class OrderVisit(Base):
    """One visit of one worker for one order; an order that is done again has one more.

    Service, recipient and date stand in the order; here are worker, begin, end
    and for both the call and what it proves.
    """

    __tablename__ = "order_visits"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    worker_id: Mapped[int] = mapped_column(ForeignKey("workers.id"), index=True)
    arrived_at: Mapped[datetime | None]  # empty where only the end was reported
    arrived_call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))
    arrived_proof: Mapped[str | None] = mapped_column(String(32))
    done_at: Mapped[datetime | None]
    done_call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))
    done_proof: Mapped[str | None] = mapped_column(String(32))  # Proof

    order: Mapped[Order] = relationship()
    worker: Mapped[Worker] = relationship()
