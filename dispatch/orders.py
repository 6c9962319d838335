"""How a request becomes an order: one function, whatever the entrance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, cast

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
    select(Order.id, Order.status, Order.note, Order.wanted_at, Order.provider_id)
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
_SET_NOTE = Prepared(
    update(_ORDERS).where(_ORDERS.c.id == bindparam("order_id"), _ORDERS.c.note == "").values(note=bindparam("words"))
)
_KNOWN_BY = ("key", "elder_id", "service", "wanted_on", "wanted_part")
_INSERT = Prepared(
    insert(_ORDERS), "idempotency_key", "channel", "elder_id", "call_id", "service", "wanted_on", "wanted_part",
    "wanted_at", "note", "area_id", "language", "status", "created_at", "changed_at", *deadlines.COLUMNS,
)  # fmt: skip
_INSERT_EVENT = Prepared(
    insert(cast(Table, OrderEvent.__table__)), "order_id", "at", "to_status", "actor", "actor_id", "call_id"
)
_INSERT_ANEW = Prepared(
    insert(cast(Table, OrderEvent.__table__)), "order_id", "at", "from_status", "to_status", "actor", "actor_id",
    "call_id",
)  # fmt: skip
# Where the history has words for it that she wants another time, and no provider is being asked meanwhile.
_ANOTHER_TIME = (OrderStatus.CONFIRMED, OrderStatus.NEEDS_AGENT)


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
    """The order that now stands; `created` is False if it stood before.

    `stands`: what it holds otherwise than was asked for, and keeps: hour (a provider has accepted it), note.
    """

    order_id: int
    created: bool
    stands: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """The short number that is spoken."""
        return spoken_number(self.order_id)


def place_order(session: Session | Rows, request: OrderRequest, now: datetime, before: Entries = ()) -> Placed:
    """Write the order, its history and its errand into the open transaction.

    `before` are entries that stand in the call's journal in front of the order's, if a call asks for it.

    The same request by the same elder for the same time, still expected, is the
    same order: whoever rings again because the line broke does not get two baths.
    A note is added to it where it has none, and another hour set where nobody has accepted it.

    Raises:
        KeyError: service or part of day are not in the vocabulary.
    """
    vocabulary.SERVICE[request.service], vocabulary.PART[request.wanted_part]
    # Without the ORM: a dozen rows of this transaction are written while she waits on the telephone.
    area_id = _AREA_OF_ELDER.scalar(session, {"elder_id": request.elder_id})
    known = _KNOWN.first(session, {name: getattr(request, name) for name in _KNOWN_BY})
    if known is not None:
        stands = _add(session, request, known, now)
        _journal(session, request, now, [*before, (Entry.ORDER_KNOWN, {"order_id": known[0]})])
        return Placed(known[0], created=False, stands=stands)
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
    _INSERT_EVENT.run(session, _event(request, order_id, OrderStatus.CONFIRMED.value, now))
    _journal(session, request, now, [*before, (Entry.ORDER_PLACED, {"order_id": order_id})])
    post(session, "offer_order", order_id, now, request.call_id)
    return Placed(order_id, created=True)


def _event(request: OrderRequest, order_id: int, to_status: str, now: datetime) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "at": now,
        "to_status": to_status,
        "actor": "elder" if request.channel == "phone" else request.channel,
        "actor_id": request.elder_id,
        "call_id": request.call_id,
    }


def _add(session: Session | Rows, request: OrderRequest, known: tuple[Any, ...], now: datetime) -> tuple[str, ...]:
    """Bring what is new in the request into the order that stands; return what it keeps otherwise."""
    order_id, status, words, at, provider_id = known
    stands = []
    if request.wanted_at is not None and request.wanted_at != at:
        # The same service in the same part of the day: what she says now is the hour she wants.
        if provider_id is not None or not _SET_HOUR.run(session, {"order_id": order_id, "at": request.wanted_at}):
            stands.append("hour")
        elif status in _ANOTHER_TIME:
            _INSERT_ANEW.run(session, _event(request, order_id, status, now) | {"from_status": status})
    if (
        request.note
        and request.note != words
        and (words or not _SET_NOTE.run(session, {"order_id": order_id, "words": request.note}))
    ):
        stands.append("note")
    return tuple(stands)


def _journal(session: Session | Rows, request: OrderRequest, now: datetime, entries: Entries) -> None:
    if request.call_id is not None:
        note_all(session, request.call_id, now, entries)
