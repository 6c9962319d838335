"""Who could take an order: every provider of its service with the ranking's points or bars, for a choice by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from dispatch import candidates
from dispatch.by_hand import ASSIGNABLE
from models.orders import Order
from models.phone import Number, NumberKind
from models.providers import Provider


@dataclass(frozen=True)
class Choice:
    """One provider as the ranking judges it now. `number`: the one to ring first; empty: it has none."""

    public_id: str
    name: str
    number: str
    points: float
    why: tuple[tuple[str, float], ...]
    bars: tuple[str, ...]
    has_it: bool


def choices(session: Session, order_id: str, now: datetime) -> tuple[Choice, ...]:
    """Return the providers for the order of this public id, the best first; none where it is too late to choose."""
    order = session.scalar(select(Order).where(Order.public_id == order_id))
    if order is None or order.status not in ASSIGNABLE:
        return ()
    verdicts = candidates.judge(session, order, now)
    query = select(Provider).where(Provider.id.in_([verdict.provider_id for verdict in verdicts]))
    rows = {row.id: row for row in session.scalars(query.options(selectinload(Provider.numbers)))}
    return tuple(
        Choice(
            public_id=rows[verdict.provider_id].public_id,
            name=rows[verdict.provider_id].name,
            number=_first_number(rows[verdict.provider_id]),
            points=verdict.points,
            why=verdict.why,
            bars=verdict.bars,
            has_it=order.provider_id == verdict.provider_id,
        )
        for verdict in verdicts
    )


def _first_number(row: Provider) -> str:
    if not row.numbers:
        return ""
    number = row.numbers[0].number
    return Number(number.value, NumberKind(number.kind)).national
