"""What an agent does with an order by hand: a chosen provider is asked, or has agreed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import callbacks, candidates, choice, sms, tasks
from dispatch.attempts import new_attempt
from dispatch.changes import have_told, withdraw
from dispatch.offers import lock_order
from models.dialing import Offer, OfferStatus
from models.orders import DISPATCHING, Order, OrderEvent, OrderStatus, move_order
from models.providers import Provider
from models.tasks import TaskKind

# A provider may be chosen by hand while nobody is under way.
ASSIGNABLE = DISPATCHING | {OrderStatus.NEEDS_AGENT, OrderStatus.ACCEPTED}


class ByHandError(ValueError):
    """It cannot be done. `code`: too_late, no_number, same."""

    def __init__(self, code: str) -> None:
        super().__init__(f"not by hand: {code}")
        self.code = code


@dataclass(frozen=True)
class Pick:
    """The chosen provider, and how the order stood on the page on which it was chosen."""

    provider_id: int
    status: str = ""  # empty: not known
    had_id: int | None = None  # the provider that had the order there


def ask(session: Session, order_id: int, pick: Pick, by: OrderEvent, now: datetime) -> None:
    """Have the chosen provider rung next, whatever the ranking says; other offers are taken back.

    Raises:
        ByHandError: the order is accepted or over, somebody is being asked since it was looked at, or the provider
            has no number.
    """
    order, provider_id = _assignable(session, order_id), pick.provider_id
    if order.status == OrderStatus.ACCEPTED:
        raise ByHandError("too_late")
    if order.status == OrderStatus.OFFERED and pick.status not in ("", OrderStatus.OFFERED):
        # A colleague has just had another one asked: that is not to be taken back unseen.
        raise ByHandError("too_late")
    provider = session.get_one(Provider, provider_id)
    if not provider.numbers:
        raise ByHandError("no_number")
    withdraw(session, order, now)
    verdicts = candidates.judge(session, order, now)
    known = any(verdict.provider_id == provider_id for verdict in verdicts)
    reasons = choice.explain(verdicts, provider_id) if known else {}
    move_order(session, order, OrderStatus.OFFERED, now, by)
    turn = 1 + len(_offers_to(session, order, provider_id))
    offer = Offer(
        order_id=order.id, provider_id=provider_id, round=turn, reasons={**reasons, "by_hand": True}, created_at=now
    )
    session.add(offer)
    session.flush()
    new_attempt(session, offer, provider.numbers[0].number_id, now)
    tasks.settle_all(session, TaskKind.NO_PROVIDER, order.id, now)


def assign(session: Session, order_id: int, pick: Pick, by: OrderEvent, now: datetime) -> None:
    """The chosen provider has agreed to an agent: the order is its own, and she is told who comes.

    Whoever has it gives way only where the agent has seen that: the second one to agree does not displace the first.

    Raises:
        ByHandError: the order is over, that provider has it already, or somebody has taken it since it was looked at.
    """
    order, provider_id = _assignable(session, order_id), pick.provider_id
    if order.status == OrderStatus.ACCEPTED:
        if order.provider_id == provider_id:
            raise ByHandError("same")
        if order.provider_id != pick.had_id:
            raise ByHandError("too_late")
        # Whoever had it is told by a person, and she hears of the new one.
        have_told(session, order, now)
        move_order(session, order, OrderStatus.NEEDS_AGENT, now, _copy(by))
    withdraw(session, order, now)
    if order.status in (OrderStatus.CONFIRMED, OrderStatus.REOPENED):
        move_order(session, order, OrderStatus.OFFERED, now, _copy(by))
    turn = 1 + len(_offers_to(session, order, provider_id))
    session.add(
        Offer(
            order_id=order.id, provider_id=provider_id, round=turn, reasons={"by_hand": True}, created_at=now,
            status=OfferStatus.ACCEPTED, closed_at=now,
        )
    )  # fmt: skip
    order.provider_id = provider_id
    move_order(session, order, OrderStatus.ACCEPTED, now, by)
    for kind in (TaskKind.NO_PROVIDER, TaskKind.LATE):
        tasks.settle_all(session, kind, order.id, now)
    callbacks.begin(session, order, now)
    sms.accepted(session, order, now, turn)


def _assignable(session: Session, order_id: int) -> Order:
    order = lock_order(session, order_id)
    if order.status not in ASSIGNABLE:
        raise ByHandError("too_late")
    return order


def _copy(by: OrderEvent) -> OrderEvent:
    return OrderEvent(actor=by.actor, actor_id=by.actor_id, call_id=by.call_id)


def _offers_to(session: Session, order: Order, provider_id: int) -> list[int]:
    of = select(Offer.id).where(Offer.order_id == order.id, Offer.provider_id == provider_id)
    return list(session.scalars(of))
