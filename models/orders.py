"""Orders and the one table of their legal moves."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum

from sqlalchemy import Date, ForeignKey, Index, String, Time
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import deadlines
from models.base import Base, Code, Pk, PublicId
from models.deadlines import Stage
from models.people import Area, Elder
from models.providers import Provider

# Spoken order numbers begin here, so that the first ones already have four digits.
FIRST_ORDER_NUMBER = 1000


class OrderStatus(StrEnum):
    """Where an order stands."""

    CONFIRMED = "confirmed"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    COMPLETED = "completed"
    RETURN_VISITED = "return_visited"
    SETTLED = "settled"
    NEEDS_AGENT = "needs_agent"
    CANCELLED = "cancelled"
    REOPENED = "reopened"


S = OrderStatus

# The legal moves, each with its sentence. `move_order` is the only writer of `status`.
ORDER_MOVES: dict[tuple[OrderStatus, OrderStatus], str] = {
    (S.CONFIRMED, S.CONFIRMED): "She wants another time.",
    (S.CONFIRMED, S.OFFERED): "A provider is being asked.",
    (S.CONFIRMED, S.NEEDS_AGENT): "No provider can be asked; an agent takes it.",
    (S.CONFIRMED, S.CANCELLED): "Cancelled before anybody was asked.",
    (S.OFFERED, S.OFFERED): "The last provider did not take it; the next is asked.",
    (S.OFFERED, S.CONFIRMED): "She wants another time; providers are asked anew.",
    (S.OFFERED, S.ACCEPTED): "A provider has accepted.",
    (S.OFFERED, S.NEEDS_AGENT): "Nobody accepted; an agent takes it.",
    (S.OFFERED, S.CANCELLED): "Cancelled while providers were being asked.",
    (S.NEEDS_AGENT, S.NEEDS_AGENT): "She wants another time; the agent sees it.",
    (S.NEEDS_AGENT, S.OFFERED): "An agent has it offered again.",
    (S.NEEDS_AGENT, S.ACCEPTED): "An agent found a provider.",
    (S.NEEDS_AGENT, S.CANCELLED): "Cancelled with an agent.",
    (S.ACCEPTED, S.ARRIVED): "The worker has arrived.",
    (S.ACCEPTED, S.COMPLETED): "The work is done; that the worker had arrived was not reported.",
    (S.ACCEPTED, S.NEEDS_AGENT): "The provider withdrew, or something is wrong; an agent takes it.",
    (S.ACCEPTED, S.CANCELLED): "Cancelled after acceptance; the provider is told.",
    (S.ARRIVED, S.COMPLETED): "The work is done.",
    (S.ARRIVED, S.NEEDS_AGENT): "The work was broken off; an agent takes it.",
    (S.COMPLETED, S.RETURN_VISITED): "The elder was asked how it was.",
    (S.COMPLETED, S.REOPENED): "The elder was not satisfied before the return visit.",
    (S.COMPLETED, S.SETTLED): "She could not be asked how it was; an agent has closed it.",
    (S.RETURN_VISITED, S.SETTLED): "Accounts are closed.",
    (S.RETURN_VISITED, S.REOPENED): "The elder was not satisfied; it is done again.",
    (S.REOPENED, S.OFFERED): "A provider is asked to do it again.",
    (S.REOPENED, S.NEEDS_AGENT): "An agent takes the complaint.",
    (S.REOPENED, S.CANCELLED): "She does not want it done again.",
}

# Nothing more happens by itself.
ENDED: frozenset[OrderStatus] = frozenset({S.SETTLED, S.CANCELLED})
# Until somebody is under way she changes the time without asking anybody.
CHANGEABLE: frozenset[OrderStatus] = frozenset({S.CONFIRMED, S.OFFERED, S.NEEDS_AGENT})
# Not yet with a provider and not yet with an agent: dispatch is at work.
DISPATCHING: frozenset[OrderStatus] = frozenset({S.CONFIRMED, S.OFFERED, S.REOPENED})
# The elder still expects somebody to come.
EXPECTED: frozenset[OrderStatus] = DISPATCHING | {S.ACCEPTED, S.NEEDS_AGENT}

# Which deadline runs in which status; in the others none does.
STAGES: dict[OrderStatus, Stage] = {
    S.CONFIRMED: Stage.FEEDBACK,
    S.OFFERED: Stage.FEEDBACK,
    S.NEEDS_AGENT: Stage.FEEDBACK,
    S.REOPENED: Stage.FEEDBACK,
    S.ACCEPTED: Stage.ARRIVAL,
    S.ARRIVED: Stage.COMPLETION,
    S.COMPLETED: Stage.RETURN_VISIT,
}


def spoken_number(order_id: int) -> int:
    """Return the short number by which an order is spoken of: four digits at first, growing."""
    return FIRST_ORDER_NUMBER + order_id


def order_id_of(number: int) -> int:
    """Return the id of the order with this spoken number; no order may have it."""
    return number - FIRST_ORDER_NUMBER


class IllegalMove(RuntimeError):
    """The order's status does not allow this move."""

    def __init__(self, order: Order, to: OrderStatus) -> None:
        super().__init__(f"order {order.number}: {order.status} → {to} is not a legal move")


class Order(Base):
    """One request for one service."""

    __tablename__ = "orders"
    __table_args__ = (
        Index("ix_orders_status", "status", "id"),
        Index("ix_orders_elder", "elder_id", "wanted_on"),
        Index("ix_orders_slot", "wanted_on", "wanted_part", "provider_id"),
    )

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    idempotency_key: Mapped[str] = mapped_column(String(80), unique=True)
    channel: Mapped[Code]  # phone, agent, app: by which entrance the request came
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"))
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"), index=True)
    service: Mapped[Code]
    wanted_on: Mapped[date] = mapped_column(Date)  # the elder's calendar
    wanted_part: Mapped[Code]  # morning, afternoon
    wanted_at: Mapped[time | None] = mapped_column(Time)  # the elder's clock; None: any time of that part
    area_id: Mapped[int | None] = mapped_column(ForeignKey("areas.id"))
    language: Mapped[str] = mapped_column(String(8))
    note: Mapped[str] = mapped_column(String(200), default="")  # her own words to it; erasable
    status: Mapped[Code]
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("providers.id"), index=True)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    # The deadline that runs now (models/deadlines.py); all empty where none does.
    due_since: Mapped[datetime | None]
    warn_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    escalate_at: Mapped[datetime | None] = mapped_column(index=True)  # `due_at`, until a person has been told

    elder: Mapped[Elder] = relationship()
    area: Mapped[Area | None] = relationship()
    provider: Mapped[Provider | None] = relationship()
    history: Mapped[list[OrderEvent]] = relationship(order_by="OrderEvent.id", viewonly=True)

    @property
    def number(self) -> int:
        """The short number that is spoken: four digits at first, growing."""
        return spoken_number(self.id)


class OrderEvent(Base):
    """One move of an order, append-only: who, when, by what call."""

    __tablename__ = "order_events"

    id: Mapped[Pk]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    at: Mapped[datetime]
    from_status: Mapped[str | None] = mapped_column(String(32))
    to_status: Mapped[Code]
    actor: Mapped[Code]  # elder, provider, worker, agent, system
    actor_id: Mapped[int | None]
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))


def move_order(session: Session, order: Order, to: OrderStatus, now: datetime, by: OrderEvent) -> None:
    """Move `order` to `to` and write its history; `by` carries actor, actor_id and call_id.

    Raises:
        IllegalMove: the table of moves does not have it.
    """
    if (OrderStatus(order.status), to) not in ORDER_MOVES:
        raise IllegalMove(order, to)
    by.order_id, by.at, by.from_status, by.to_status = order.id, now, order.status, to
    before, order.status, order.changed_at = OrderStatus(order.status), to, now
    _set_clock(order, STAGES.get(before), now)
    session.add(by)


def _set_clock(order: Order, before: Stage | None, now: datetime) -> None:
    """Let the deadline of the new status run. Within a stage it began when the stage did; a complaint begins anew."""
    stage = STAGES.get(OrderStatus(order.status))
    if stage is None:
        order.due_since = order.warn_at = order.due_at = order.escalate_at = None
        return
    goes_on = stage == before and order.status != OrderStatus.REOPENED
    since = (order.due_since or order.created_at) if goes_on else now
    running = deadlines.clock(stage, deadlines.Slot(order.service, order.wanted_on, order.wanted_part), since)
    if running.due_at != order.due_at:
        order.escalate_at = running.due_at
    order.due_since, order.warn_at, order.due_at = since, running.warn_at, running.due_at
