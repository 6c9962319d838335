"""What awaits an elder who rings: her usual service, calls of ours that she missed, her open orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from dispatch import care
from dispatch.visits import UNDER_WAY
from ivr.care_visit import of_visit
from ivr.turns import Care, KnownOrder, Matters, Missed, ReturnDue, Slots
from models import clock
from models.campaigns import CareVisit, VisitStatus
from models.dialing import Attempt, AttemptStatus, Callback, CallbackStatus
from models.followups import Reminder, ReturnVisit, ReturnVisitQuestion
from models.orders import EXPECTED, FIRST_ORDER_NUMBER, Order, OrderStatus
from models.prepared import Prepared
from models.providers import Provider
from models.ratings import OrderRating
from models.rows import Rows, orm

# An order that is older is no habit any more, and a call of ours so old is no news (days, hours).
HABIT_DAYS = 60
NEWS_HOURS = 48
# How long she may still say how it was, should she ring (days).
RETURN_DAYS = 7
# What has happened so often is a habit; as often as a person would notice it.
HABIT_TIMES = 2
_WEEK = timedelta(days=7)

_orders, _callbacks, _reminders, _attempts, _providers, _ratings, _visits, _questions = (
    cast(Table, kind.__table__)
    for kind in (Order, Callback, Reminder, Attempt, Provider, OrderRating, ReturnVisit, ReturnVisitQuestion)
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


def _missed(table: Table, link: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether she was rung for it in vain: it failed for good, or was tried and is tried again."""
    tried = exists().where(link == table.c.id, _attempts.c.status == AttemptStatus.CLOSED)
    return or_(table.c.status == CallbackStatus.FAILED, and_(table.c.status == CallbackStatus.OPEN, tried))


def _unheard(table: Table, link: ColumnElement[Any], *still: ColumnElement[bool]) -> Select[Any]:
    """Select what she has not heard of an order that is still accepted: a callback, or a reminder."""
    return (
        select(table.c.id, _providers.c.name, literal(table is _reminders).label("reminder"), *_ORDER)
        .select_from(
            table.join(_orders, _orders.c.id == table.c.order_id).join(
                _providers, _providers.c.id == table.c.provider_id
            )
        )
        .where(
            table.c.elder_id == bindparam("elder_id"),
            _missed(table, link),
            _orders.c.status == OrderStatus.ACCEPTED,
            _orders.c.provider_id == table.c.provider_id,
            *still,
        )
    )


_UNHEARD = Prepared(
    union_all(
        _unheard(_callbacks, _attempts.c.callback_id, _callbacks.c.created_at > bindparam("since")),
        _unheard(
            _reminders,
            _attempts.c.reminder_id,
            _reminders.c.wanted_on == _orders.c.wanted_on,
            _reminders.c.wanted_on >= bindparam("today"),
        ),
    )
)
_UNASKED = Prepared(
    select(_visits.c.id, *_ORDER)
    .select_from(
        _visits.join(_questions, _questions.c.return_visit_id == _visits.c.id).join(
            _orders, _orders.c.id == _questions.c.order_id
        )
    )
    .where(
        _visits.c.elder_id == bindparam("elder_id"),
        _visits.c.asked_on > bindparam("since"),
        _questions.c.closed_at.is_(None),
        _missed(_visits, _attempts.c.return_visit_id),
        _orders.c.status == OrderStatus.COMPLETED,
    )
    .order_by(_visits.c.id.desc(), _questions.c.id)
)
_care_visits = cast(Table, CareVisit.__table__)
_VISITED = Prepared(
    select(_care_visits.c.id)
    .where(
        _care_visits.c.elder_id == bindparam("elder_id"),
        _care_visits.c.status.in_((VisitStatus.WAITING, VisitStatus.AGENT, VisitStatus.ESCALATED)),
    )
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
    visit = _care(session, elder_id, now)
    if not lately:
        return Matters(care=visit)
    missed, asked = None, None
    if any(order.status == OrderStatus.ACCEPTED for order in lately):
        news = {"elder_id": elder_id, "since": now - timedelta(hours=NEWS_HOURS), "today": today}
        rows = sorted(_UNHEARD.all(session, news), key=lambda row: (row[2], -row[0]))
        missed = Missed(rows[0][0], _known(rows[0][3:]), rows[0][1], reminder=bool(rows[0][2])) if rows else None
    if any(order.status == OrderStatus.COMPLETED for order in lately):
        asked = _still_to_ask(session, elder_id, today)
    due = any(order.day == today and order.status in UNDER_WAY for order in lately)
    return Matters(usual(lately, today), missed, asked, visit_due=due, care=visit)


def _still_to_ask(session: Session | Rows, elder_id: int, today: date) -> ReturnDue | None:
    """Return the newest return visit for which we rang her in vain."""
    since = {"elder_id": elder_id, "since": today - timedelta(days=RETURN_DAYS)}
    rows = _UNASKED.all(session, since)
    orders = tuple(_known(row[1:]) for row in rows if row[0] == rows[0][0])
    return ReturnDue(rows[0][0], orders) if rows else None


def _care(unit: Session | Rows, elder_id: int, now: datetime) -> Care | None:
    """Return the care visit for which we rang her in vain: it goes on."""
    # Hardly anybody has one: the question by Core costs next to nothing.
    if _VISITED.first(unit, {"elder_id": elder_id}) is None:
        return None
    with orm(unit) as session:
        visit = care.missed_visit(session, elder_id, now)
        return of_visit(session, visit, back=True) if visit is not None else None


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


def known(order: Order) -> KnownOrder:
    """Return the order as the conversation needs it."""
    return KnownOrder(
        order.id, order.number, order.service, order.wanted_on, order.wanted_part, order.status, order.wanted_at
    )


def _known(row: Sequence[object]) -> KnownOrder:
    order_id, service, day, part, status, at = row
    number = FIRST_ORDER_NUMBER + order_id  # type: ignore[operator]
    return KnownOrder(order_id, number, service, day, part, status, at)  # type: ignore[arg-type]
