"""The last net: work that nobody would do any more, by a fault that nobody knows yet. It is taken up, and logged.

Nothing here should ever find anything; that it does not is what the tests of
the life cycle hold. It is here for restored backups, for hands in the
database, and for the fault of tomorrow.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from dispatch import returns
from dispatch.attempts import new_attempt
from dispatch.offers import lock_order
from dispatch.outbox import post, transaction
from models.dialing import Attempt, AttemptStatus, Callback, CallbackStatus, Offer, OfferStatus
from models.followups import Reminder, ReturnVisit
from models.lookup import numbers_of_elder
from models.orders import DISPATCHING, Order
from models.outbox import OutboxEntry
from models.session import read

log = logging.getLogger(__name__)

# Younger rows may still be in somebody's hands (s).
_YOUNG_S = 30


def adopt(now: datetime) -> int:
    """Give every orphan an errand again; return how many there were."""
    before = now - timedelta(seconds=_YOUNG_S)
    with read() as session:
        orders = list(session.scalars(_orders(before)))
        attempts = list(session.scalars(_attempts(before)))
        offers = list(session.scalars(_offers(before)))
        hers = [one for kind in _FOR_HER for one in session.scalars(_unrung(kind, before))]
        unasked = list(session.scalars(returns.unasked(before)))
    found = len(orders) + len(attempts) + len(offers) + len(hers) + len(unasked)
    if not found:
        return 0
    log.error(
        "orphans: %d orders, %d attempts, %d offers, %d calls to elders, %d without a return visit", len(orders),
        len(attempts), len(offers), len(hers), len(unasked),
    )  # fmt: skip
    with transaction() as session:
        # Asked again behind the write lock: a worker may have come meanwhile.
        for order_id in session.scalars(_orders(before)):
            post(session, "offer_order", order_id, now)
        for attempt_id in session.scalars(_attempts(before)):
            post(session, "dial", attempt_id, now)
        for offer_id in list(session.scalars(_offers(before))):
            _end_offer(session, session.get_one(Offer, offer_id, with_for_update=True), now)
        for order_id in list(session.scalars(returns.unasked(before))):
            returns.begin(session, lock_order(session, order_id), now)
        for kind in _FOR_HER:
            for one_id in list(session.scalars(_unrung(kind, before))):
                _ring_her(session, session.get_one(kind, one_id, with_for_update=True), now)
    return found


def _no_errand(verb: str, subject: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    waiting = OutboxEntry.done_at.is_(None), OutboxEntry.verb == verb, OutboxEntry.subject_id == subject
    return ~exists().where(*waiting)


def _orders(before: datetime) -> Select[int]:
    open_offer = exists().where(Offer.order_id == Order.id, Offer.status == OfferStatus.OPEN)
    statuses = Order.status.in_(sorted(DISPATCHING))
    return select(Order.id).where(statuses, Order.changed_at < before, ~open_offer, _no_errand("offer_order", Order.id))


def _attempts(before: datetime) -> Select[int]:
    due = Attempt.status == AttemptStatus.DUE, Attempt.due_at < before
    return select(Attempt.id).where(*due, _no_errand("dial", Attempt.id))


def _offers(before: datetime) -> Select[int]:
    under_way = exists().where(Attempt.offer_id == Offer.id, Attempt.status != AttemptStatus.CLOSED)
    return select(Offer.id).where(Offer.status == OfferStatus.OPEN, Offer.created_at < before, ~under_way)


# What an elder is rung for, with the attempts that do it. All of them are "open" until it is settled.
_FOR_HER: dict[type[Any], Any] = {
    Callback: Attempt.callback_id, Reminder: Attempt.reminder_id, ReturnVisit: Attempt.return_visit_id,
}  # fmt: skip


def _unrung(kind: type[Any], before: datetime) -> Select[int]:
    under_way = exists().where(_FOR_HER[kind] == kind.id, Attempt.status != AttemptStatus.CLOSED)
    return select(kind.id).where(kind.status == CallbackStatus.OPEN, kind.created_at < before, ~under_way)


def _end_offer(session: Session, offer: Offer, now: datetime) -> None:
    """Nobody rings about it any more: the next provider is asked."""
    offer.status, offer.closed_at = OfferStatus.EXPIRED, now
    post(session, "offer_order", offer.order_id, now)


def _ring_her(session: Session, occasion: Callback | Reminder | ReturnVisit, now: datetime) -> None:
    if isinstance(occasion, ReturnVisit):
        returns.ring_her(session, occasion, now, now)
        return
    numbers = numbers_of_elder(session, occasion.elder_id)
    if numbers:
        new_attempt(session, occasion, numbers[0].number_id, now)
