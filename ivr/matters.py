"""What awaits an elder who rings: her usual service, a call of ours that she missed, her open orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import cast

from sqlalchemy import Table, and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from dispatch.visits import UNDER_WAY
from ivr.turns import KnownOrder, Matters, Missed, Slots
from models import clock
from models.dialing import Attempt, AttemptStatus, Callback, CallbackStatus
from models.orders import EXPECTED, FIRST_ORDER_NUMBER, Order, OrderStatus
from models.prepared import Prepared
from models.providers import Provider
from models.ratings import OrderRating
from models.rows import Rows

# An order that is older is no habit any more, and a call of ours so old is no news (days, hours).
HABIT_DAYS = 60
NEWS_HOURS = 48
# What has happened so often is a habit; as often as a person would notice it.
HABIT_TIMES = 2
_WEEK = timedelta(days=7)

_orders, _callbacks, _attempts, _providers, _ratings = (
    cast(Table, kind.__table__) for kind in (Order, Callback, Attempt, Provider, OrderRating)
)
_ORDER = (
    _orders.c.id, _orders.c.service, _orders.c.wanted_on, _orders.c.wanted_part, _orders.c.status, _orders.c.wanted_at,
)  # fmt: skip
_GONE_WRONG = (OrderStatus.CANCELLED, OrderStatus.REOPENED)
# Asked while she waits for the greeting.
_LATELY = Prepared(
    select(*_ORDER)
    .where(
        _orders.c.elder_id == bindparam("elder_id"),
        _orders.c.wanted_on > bindparam("since"),
        _orders.c.status.not_in(_GONE_WRONG),
    )
    .order_by(_orders.c.wanted_on.desc(), _orders.c.id.desc())
    .limit(12)
)
_TRIED = (_attempts.c.callback_id == _callbacks.c.id, _attempts.c.status == AttemptStatus.CLOSED)
_UNHEARD = Prepared(
    select(_callbacks.c.id, _providers.c.name, *_ORDER)
    .select_from(
        _callbacks.join(_orders, _orders.c.id == _callbacks.c.order_id).join(
            _providers, _providers.c.id == _callbacks.c.provider_id
        )
    )
    .where(
        _callbacks.c.elder_id == bindparam("elder_id"),
        _callbacks.c.created_at > bindparam("since"),
        or_(
            _callbacks.c.status == CallbackStatus.FAILED,
            # It was tried, and not heard.
            and_(_callbacks.c.status == CallbackStatus.OPEN, exists().where(*_TRIED)),
        ),
        _orders.c.status == OrderStatus.ACCEPTED,
    )
    .order_by(_callbacks.c.id.desc())
    .limit(1)
)
_OPEN = Prepared(
    select(*_ORDER)
    .where(_orders.c.elder_id == bindparam("elder_id"), _orders.c.status.in_(EXPECTED))
    .order_by(_orders.c.wanted_on, _orders.c.id)
)
_UNRATED = Prepared(
    select(*_ORDER)
    .select_from(_orders.outerjoin(_ratings, _ratings.c.order_id == _orders.c.id))
    .where(
        _orders.c.elder_id == bindparam("elder_id"),
        _orders.c.wanted_on > bindparam("since"),
        _orders.c.status.in_((OrderStatus.COMPLETED, OrderStatus.RETURN_VISITED)),
        _ratings.c.id.is_(None),
    )
    .order_by(_orders.c.wanted_on.desc(), _orders.c.id.desc())
    .limit(1)
)


def matters(session: Session | Rows, elder_id: int, now: datetime) -> Matters:
    """Return what awaits her."""
    today = clock.local_date(now)
    since = {"elder_id": elder_id, "since": today - timedelta(days=HABIT_DAYS)}
    lately = [_known(row) for row in _LATELY.all(session, since)]
    if not lately:
        return Matters()
    missed = None
    if any(order.status == OrderStatus.ACCEPTED for order in lately):
        news = {"elder_id": elder_id, "since": now - timedelta(hours=NEWS_HOURS)}
        row = _UNHEARD.first(session, news)
        missed = Missed(row[0], _known(row[2:]), row[1]) if row else None
    return Matters(usual(lately, today), missed, any(o.day == today and o.status in UNDER_WAY for o in lately))


def usual(lately: Sequence[KnownOrder], today: date) -> Slots | None:
    """Return what she orders again and again, with the next day for it; None where there is no such habit.

    `lately`: her orders, the newest wanted day first. A habit is the newest order's service, ordered before at the
    same time of day; its next day is a week after the last one, or the next such weekday. What is still to come is
    not offered a second time.
    """
    if not lately or lately[0].day >= today:
        return None
    last = lately[0]
    alike = [order for order in lately if (order.service, order.part) == (last.service, last.part)]
    if len(alike) < HABIT_TIMES:
        return None
    day = last.day + _WEEK
    while day <= today:
        day += _WEEK
    return Slots(last.service, day, last.part)


def open_orders(session: Session, elder_id: int) -> tuple[KnownOrder, ...]:
    """Return her orders for which somebody is still expected, the nearest first."""
    return tuple(_known(row) for row in _OPEN.all(session, {"elder_id": elder_id}))


def to_rate(session: Session, elder_id: int, today: date) -> KnownOrder | None:
    """Return the order done last that she has not rated."""
    since = {"elder_id": elder_id, "since": today - timedelta(days=HABIT_DAYS)}
    row = _UNRATED.first(session, since)
    return _known(row) if row else None


def _known(row: Sequence[object]) -> KnownOrder:
    order_id, service, day, part, status, at = row
    number = FIRST_ORDER_NUMBER + order_id  # type: ignore[operator]
    return KnownOrder(order_id, number, service, day, part, status, at)  # type: ignore[arg-type]
