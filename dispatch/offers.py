"""Offers: which provider is asked next, and what an answer does."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from dispatch import callbacks, tasks
from dispatch.attempts import close_attempt, new_attempt
from dispatch.outbox import post, transaction
from models import clock, vocabulary
from models.dialing import Attempt, AttemptStatus, Offer, OfferStatus, Outcome
from models.journal import Entry, note
from models.orders import DISPATCHING, Order, OrderEvent, OrderStatus, move_order
from models.people import Area
from models.providers import Provider, ProviderArea, ProviderItem
from models.tasks import TaskKind


def lock_order(session: Session, order_id: int) -> Order:
    """Read the order so that nobody else moves it until this transaction ends."""
    locked = select(Order).where(Order.id == order_id).with_for_update(of=Order)
    # What this session read of the order before it had the lock may be stale by now.
    return session.scalars(locked.execution_options(populate_existing=True)).one()


def areas_above(session: Session, area_id: int | None) -> list[int]:
    """Return `area_id` and every area that contains it."""
    chain: list[int] = []
    while area_id is not None and area_id not in chain:
        chain.append(area_id)
        area_id = session.scalar(select(Area.parent_id).where(Area.id == area_id))
    return chain


def next_provider(session: Session, order: Order, now: datetime) -> Provider | None:
    """Return whom to ask next: offers the service, covers the area, is not paused, was not asked before."""
    if vocabulary.SERVICE[order.service].person_only:
        return None
    # What was withdrawn was for another time: the provider may be asked again.
    asked = select(Offer.provider_id).where(Offer.order_id == order.id, Offer.status != OfferStatus.WITHDRAWN)
    covers = select(ProviderArea.provider_id).where(ProviderArea.area_id.in_(areas_above(session, order.area_id)))
    limited = select(ProviderArea.provider_id)
    query = (
        select(Provider)
        .join(ProviderItem, ProviderItem.provider_id == Provider.id)
        .where(
            ProviderItem.service == order.service,
            or_(Provider.id.in_(covers), Provider.id.not_in(limited)),
            or_(Provider.paused_until.is_(None), Provider.paused_until <= now),
            Provider.id.not_in(asked),
        )
        .order_by(Provider.position, Provider.id)
    )
    # A provider without a telephone is no provider: an empty roster must not ring for ever.
    return next((provider for provider in session.scalars(query) if provider.numbers), None)


def offer_order(order_id: int) -> None:
    """Put the order to the next provider; with nobody left it goes to an agent."""
    now = clock.now()
    with transaction() as session:
        order = lock_order(session, order_id)
        if order.status not in DISPATCHING:
            return
        open_offer = select(Offer.id).where(Offer.order_id == order.id, Offer.status == OfferStatus.OPEN)
        if session.scalar(open_offer) is not None:
            return
        provider = next_provider(session, order, now)
        if provider is None:
            move_order(session, order, OrderStatus.NEEDS_AGENT, now, OrderEvent(actor="system"))
            task = tasks.NewTask(TaskKind.NO_PROVIDER, f"order:{order.id}", order_id=order.id, elder_id=order.elder_id)
            tasks.open_task(session, task, now)
            return
        move_order(session, order, OrderStatus.OFFERED, now, OrderEvent(actor="system", actor_id=provider.id))
        before = select(func.count()).where(Offer.order_id == order.id, Offer.provider_id == provider.id)
        turn = (session.scalar(before) or 0) + 1
        offer = Offer(order_id=order.id, provider_id=provider.id, round=turn, created_at=now)
        session.add(offer)
        session.flush()
        new_attempt(session, offer, provider.numbers[0].number_id, now)


def accept_offer(session: Session, attempt: Attempt, now: datetime) -> bool:
    """The provider pressed 1. Exactly one acceptance wins; returns whether this one did."""
    offer = session.get_one(Offer, attempt.offer_id)
    won = accept(session, offer, attempt.call_id, now)
    # Whoever had it already by another call is told the same, and nothing more follows.
    close_attempt(session, attempt, Outcome.ACCEPTED if won else Outcome.TOO_LATE, now)
    return won


def accept(session: Session, offer: Offer, call_id: int | None, now: datetime) -> bool:
    """The provider takes the order, in whatever call. Safe to repeat; returns whether it is this provider's."""
    order = lock_order(session, offer.order_id)
    session.refresh(offer)
    if offer.status == OfferStatus.ACCEPTED:
        return True
    if offer.status != OfferStatus.OPEN or order.status != OrderStatus.OFFERED:
        _note(session, call_id, Entry.OFFER_TOO_LATE, offer.id, now)
        return False
    order.provider_id = offer.provider_id
    event = OrderEvent(actor="provider", actor_id=offer.provider_id, call_id=call_id)
    move_order(session, order, OrderStatus.ACCEPTED, now, event)
    offer.status, offer.closed_at = OfferStatus.ACCEPTED, now
    _note(session, call_id, Entry.OFFER_ACCEPTED, offer.id, now)
    _call_off(session, offer, now)
    callbacks.begin(session, order, now)
    return True


def decline_offer(session: Session, attempt: Attempt, now: datetime) -> None:
    """The provider pressed 2: the next one is asked."""
    _note(session, attempt.call_id, Entry.OFFER_DECLINED, attempt.offer_id, now)
    close_attempt(session, attempt, Outcome.DECLINED, now)


def decline(session: Session, offer: Offer, call_id: int | None, now: datetime) -> None:
    """The provider rang us and does not want it: the next one is asked. Safe to repeat."""
    order = lock_order(session, offer.order_id)
    session.refresh(offer)
    if offer.status != OfferStatus.OPEN:
        return
    offer.status, offer.closed_at = OfferStatus.DECLINED, now
    _note(session, call_id, Entry.OFFER_DECLINED, offer.id, now)
    _call_off(session, offer, now)
    post(session, "offer_order", order.id, now, call_id)


def _call_off(session: Session, offer: Offer, now: datetime) -> None:
    """It is answered: whatever was still to be dialled for it is not."""
    due = select(Attempt).where(Attempt.offer_id == offer.id, Attempt.status == AttemptStatus.DUE)
    for attempt in session.scalars(due):
        close_attempt(session, attempt, Outcome.TOO_LATE, now)


def _note(session: Session, call_id: int | None, kind: Entry, offer_id: int | None, now: datetime) -> None:
    if call_id is not None:
        note(session, call_id, kind, now, offer_id=offer_id)
