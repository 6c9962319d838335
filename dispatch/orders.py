"""How a request becomes an order: one function, whatever the entrance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import cast

from sqlalchemy import Table, and_, bindparam, insert, or_, select, update
from sqlalchemy.orm import Session

from dispatch.outbox import post
from models import deadlines, vocabulary
from models.journal import Entries, Entry, note_all
from models.orders import EXPECTED, Order, OrderEvent, OrderStatus, spoken_number
from models.people import Elder
from models.prepared import Prepared
from models.rows import Rows

# The row lock makes two calls of one household wait for each other (on SQLite the transaction does).
_ORDERS = cast(Table, Order.__table__)
_AREA_OF_ELDER = Prepared(select(Elder.area_id).where(Elder.id == bindparam("elder_id")).with_for_update())
_KNOWN = Prepared(
    select(Order.id)
    .where(
        or_(
            Order.idempotency_key == bindparam("key"),
            and_(
                Order.elder_id == bindparam("elder_id"),
                Order.service == bindparam("service"),
                Order.wanted_on == bindparam("wanted_on"),
                Order.wanted_part == bindparam("wanted_part"),
                Order.status.in_(EXPECTED),
            ),
        )
    )
    .order_by(Order.idempotency_key != bindparam("key"), Order.id)
    .limit(1)
)
_SET_HOUR = Prepared(
    update(_ORDERS)
    .where(_ORDERS.c.id == bindparam("order_id"), _ORDERS.c.provider_id.is_(None))
    .values(wanted_at=bindparam("at"))
)
_KNOWN_BY = ("key", "elder_id", "service", "wanted_on", "wanted_part")
_INSERT = Prepared(
    insert(_ORDERS), "idempotency_key", "channel", "elder_id", "call_id", "service", "wanted_on", "wanted_part",
    "wanted_at", "note", "area_id", "language", "status", "created_at", "changed_at", *deadlines.COLUMNS,
)  # fmt: skip
_INSERT_EVENT = Prepared(
    insert(cast(Table, OrderEvent.__table__)), "order_id", "at", "to_status", "actor", "actor_id", "call_id"
)


@dataclass(frozen=True)
class OrderRequest:
    """What was confirmed. `key` is the idempotency key: the same key never makes two orders."""

    key: str
    channel: str
    elder_id: int
    service: str
    wanted_on: date
    wanted_part: str
    language: str
    call_id: int | None = None
    wanted_at: time | None = None  # her clock, within the part of the day
    note: str = ""  # her own words to it, 200 characters at most; erasable


@dataclass(frozen=True)
class Placed:
    """The order that now stands; `created` is False if it stood before."""

    order_id: int
    created: bool

    @property
    def number(self) -> int:
        """The short number that is spoken."""
        return spoken_number(self.order_id)


def place_order(session: Session | Rows, request: OrderRequest, now: datetime, before: Entries = ()) -> Placed:
    """Write the order, its history and its errand into the open transaction.

    `before` are entries that stand in the call's journal in front of the order's, if a call asks for it.

    The same request by the same elder for the same time, still expected, is the
    same order: whoever rings again because the line broke does not get two baths.

    Raises:
        KeyError: service or part of day are not in the vocabulary.
    """
    vocabulary.SERVICE[request.service], vocabulary.PART[request.wanted_part]
    # Without the ORM: a dozen rows of this transaction are written while she waits on the telephone.
    area_id = _AREA_OF_ELDER.scalar(session, {"elder_id": request.elder_id})
    known_id = _KNOWN.scalar(session, {name: getattr(request, name) for name in _KNOWN_BY})
    if known_id is not None:
        if request.wanted_at is not None:
            # The same service in the same part of the day: what she says now is the hour she wants.
            _SET_HOUR.run(session, {"order_id": known_id, "at": request.wanted_at})
        _journal(session, request, now, [*before, (Entry.ORDER_KNOWN, {"order_id": known_id})])
        return Placed(known_id, created=False)
    row = {
        "idempotency_key": request.key,
        "channel": request.channel,
        "elder_id": request.elder_id,
        "call_id": request.call_id,
        "service": request.service,
        "wanted_on": request.wanted_on,
        "wanted_part": request.wanted_part,
        "wanted_at": request.wanted_at,
        "note": request.note,
        "area_id": area_id,
        "language": request.language,
        "status": OrderStatus.CONFIRMED.value,
        "created_at": now,
        "changed_at": now,
        **deadlines.columns(request.service, request.wanted_on, request.wanted_part, now),
    }
    order_id = _INSERT.insert(session, row)
    event = {
        "order_id": order_id,
        "at": now,
        "to_status": OrderStatus.CONFIRMED.value,
        "actor": "elder" if request.channel == "phone" else request.channel,
        "actor_id": request.elder_id,
        "call_id": request.call_id,
    }
    _INSERT_EVENT.run(session, event)
    _journal(session, request, now, [*before, (Entry.ORDER_PLACED, {"order_id": order_id})])
    post(session, "offer_order", order_id, now, request.call_id)
    return Placed(order_id, created=True)


def _journal(session: Session | Rows, request: OrderRequest, now: datetime, entries: Entries) -> None:
    if request.call_id is not None:
        note_all(session, request.call_id, now, entries)
