"""Offers: which provider is asked next, and what an answer does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from dispatch import callbacks, candidates, choice, sms, tasks
from dispatch.attempts import close_attempt, new_attempt
from dispatch.gateways import gateway
from dispatch.outbox import post, transaction
from models import clock
from models.dialing import Attempt, AttemptStatus, DeclineReason, Offer, OfferStatus, Outcome
from models.journal import Entry, note
from models.orders import DISPATCHING, Order, OrderEvent, OrderStatus, move_order
from models.providers import Provider, ProviderItem
from models.session import read
from models.settings import settings
from models.tasks import TaskKind

# Where the dialplan tells a provider that somebody else has the order.
TAKEN_CONTEXT = "taken"


def lock_order(session: Session, order_id: int) -> Order:
    """Read the order so that nobody else moves it until this transaction ends."""
    locked = select(Order).where(Order.id == order_id).with_for_update(of=Order)
    # What this session read of the order before it had the lock may be stale by now.
    return session.scalars(locked.execution_options(populate_existing=True)).one()


def offer_order(order_id: int) -> None:
    """Put the order to the best provider that was not asked yet, an urgent one to several; without any, to an agent."""
    now = clock.now()
    with transaction() as session:
        order = lock_order(session, order_id)
        if order.status not in DISPATCHING:
            return
        asking = select(func.count()).where(Offer.order_id == order.id, Offer.status == OfferStatus.OPEN)
        asked = session.scalar(asking) or 0
        wanted = settings().offer_together if is_urgent(order, now) else 1
        if asked >= wanted:
            return
        if order.status == OrderStatus.CONFIRMED:
            sms.tell_elder(session, order, "confirmed", now)
        verdicts = candidates.judge(session, order, now)
        fit = [verdict.provider_id for verdict in verdicts if verdict.fit][: wanted - asked]
        for provider_id in fit:
            _put(session, order, provider_id, choice.explain(verdicts, provider_id))
        if not fit and not asked:
            move_order(session, order, OrderStatus.NEEDS_AGENT, now, OrderEvent(actor="system"))
            tasks.open_task(session, tasks.for_order(TaskKind.NO_PROVIDER, _times_key(session, order), order), now)


def _times_key(session: Session, order: Order) -> str:
    """Return what names the occasion: an order that is done again may find nobody a second time."""
    needed = OrderEvent.order_id == order.id, OrderEvent.to_status == OrderStatus.NEEDS_AGENT
    session.flush()
    times = session.scalar(select(func.count()).where(*needed)) or 0
    return f"order:{order.id}" + (f":{times}" if times > 1 else "")


def is_urgent(order: Order, now: datetime) -> bool:
    """Return whether the order must be answered so soon that one provider after the other would be too slow."""
    return order.due_at is not None and order.due_at - now <= timedelta(hours=settings().offer_together_h)


def _put(session: Session, order: Order, provider_id: int, reasons: dict[str, Any]) -> None:
    """Write the offer to one provider, and its first attempt."""
    now = clock.now()
    move_order(session, order, OrderStatus.OFFERED, now, OrderEvent(actor="system", actor_id=provider_id))
    before = select(func.count()).where(Offer.order_id == order.id, Offer.provider_id == provider_id)
    turn = (session.scalar(before) or 0) + 1
    # Never "before" the order: a clock that was set back would have the same providers asked over and over.
    at = max(now, order.due_since or order.created_at)
    offer = Offer(order_id=order.id, provider_id=provider_id, round=turn, reasons=reasons, created_at=at)
    session.add(offer)
    session.flush()
    new_attempt(session, offer, session.get_one(Provider, provider_id).numbers[0].number_id, now)


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
    _call_off(session, [offer.id], now)
    _tell_the_others(session, offer, call_id, now)
    tasks.settle_all(session, TaskKind.LATE, order.id, now)
    callbacks.begin(session, order, now)
    sms.accepted(session, order, now)
    return True


def _tell_the_others(session: Session, won: Offer, call_id: int | None, now: datetime) -> None:
    """Take the order's other offers back; whoever rings or listens just now is told by an errand of its own."""
    # One statement: an offer that its own call is closing at this moment stays as that call has it.
    others = (
        update(Offer)
        .where(Offer.order_id == won.order_id, Offer.id != won.id, Offer.status == OfferStatus.OPEN)
        .values(status=OfferStatus.WITHDRAWN, closed_at=now)
        .returning(Offer.id)
    )
    lost = list(session.scalars(others))
    if lost:
        _call_off(session, lost, now)
        post(session, "tell_others", won.order_id, now, call_id)


def tell_others(order_id: int) -> None:
    """Somebody has the order: a telephone that still rings for it stops, and who is being asked hears so at once.

    Raises:
        GatewayUnavailable: nobody was told; the errand stays due.
    """
    on_the_line = (
        select(Attempt.channel_id)
        .join(Offer, Offer.id == Attempt.offer_id)
        .where(
            Offer.order_id == order_id,
            Offer.status == OfferStatus.WITHDRAWN,
            Attempt.status.in_((AttemptStatus.DIALING, AttemptStatus.ANSWERED)),
        )
    )
    with read() as session:
        channels = set(session.scalars(on_the_line))
    if channels:
        gateway().break_off(channels, TAKEN_CONTEXT)


def decline_offer(session: Session, attempt: Attempt, now: datetime) -> None:
    """The provider pressed 2: the next one is asked."""
    _note(session, attempt.call_id, Entry.OFFER_DECLINED, attempt.offer_id, now)
    close_attempt(session, attempt, Outcome.DECLINED, now)


def decline_because(session: Session, offer_id: int, reason: DeclineReason, now: datetime) -> None:
    """The provider said why. "Not ours" makes it the last to be asked for this service, until an agent has checked."""
    offer = session.get_one(Offer, offer_id)
    offer.decline_reason = reason
    if reason != DeclineReason.NOT_OURS:
        return
    service = offer.order.service
    item = select(ProviderItem).where(ProviderItem.provider_id == offer.provider_id, ProviderItem.service == service)
    found = session.scalar(item)
    if found is None or found.doubted_at is not None:
        return
    found.doubted_at = now
    occasion = f"item:{found.id}:{now:%Y%m%d%H%M%S}"
    data = {"service": service}
    new = tasks.NewTask(
        TaskKind.CHECK_ITEM, occasion, order_id=offer.order_id, provider_id=offer.provider_id, data=data
    )
    tasks.open_task(session, new, now)


def decline(session: Session, offer: Offer, call_id: int | None, now: datetime) -> None:
    """The provider rang us and does not want it: the next one is asked. Safe to repeat."""
    order = lock_order(session, offer.order_id)
    session.refresh(offer)
    if offer.status != OfferStatus.OPEN:
        return
    offer.status, offer.closed_at = OfferStatus.DECLINED, now
    _note(session, call_id, Entry.OFFER_DECLINED, offer.id, now)
    _call_off(session, [offer.id], now)
    post(session, "offer_order", order.id, now, call_id)


def _call_off(session: Session, offer_ids: list[int], now: datetime) -> None:
    """It is settled: whatever was still to be dialled for these offers is not."""
    due = select(Attempt).where(Attempt.offer_id.in_(offer_ids), Attempt.status == AttemptStatus.DUE)
    # What a worker is beginning to dial at this moment is not waited for: it is told as one that rings.
    for attempt in session.scalars(due.with_for_update(of=Attempt, skip_locked=True)):
        close_attempt(session, attempt, Outcome.TOO_LATE, now)


def _note(session: Session, call_id: int | None, kind: Entry, offer_id: int | None, now: datetime) -> None:
    if call_id is not None:
        note(session, call_id, kind, now, offer_id=offer_id)
