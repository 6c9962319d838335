"""What an operator has set for the services of the vocabulary: whether each is offered, and what it costs."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, Code, Pk
from models.prepared import Prepared
from models.rows import Rows


class ServiceItem(Base):
    """What an operator has set for a service of the vocabulary; no row: it is offered, and has no price."""

    __tablename__ = "service_items"

    id: Mapped[Pk]
    service: Mapped[Code] = mapped_column(unique=True)
    is_offered: Mapped[bool] = mapped_column(default=True)  # False: whoever asks for it comes to a person
    price_fen: Mapped[int | None]
    unit: Mapped[Code] = mapped_column(default="visit")  # what the price is for


_items = cast(Table, ServiceItem.__table__).c
_OFF = Prepared(select(_items.service).where(_items.is_offered.is_(False)))


def not_offered(unit: Session | Rows) -> frozenset[str]:
    """Return the services that are not offered at present. Asked in every call that comes in."""
    return frozenset(service for (service,) in _OFF.all(unit, {}))
