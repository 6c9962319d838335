"""A worker reports from the elder's telephone: she has come, it is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from dispatch import returns, tasks
from models.calls import Call, IdentifiedBy
from models.journal import Entry, note
from models.orders import ORDER_MOVES, Order, OrderEvent, OrderStatus, move_order, order_id_of
from models.people import PersonNumber, PhoneNumber
from models.phone import NumberKind
from models.providers import Worker
from models.tasks import TaskKind
from models.visits import OrderVisit, Proof

# An order so long overdue is still reported at its elder's telephone; an older one by its number (days).
OVERDUE_DAYS = 7
# Where a worker can be expected, or is.
UNDER_WAY = (OrderStatus.ACCEPTED, OrderStatus.ARRIVED)
ARRIVED, DONE = "arrived", "done"
_STATUS = {ARRIVED: OrderStatus.ARRIVED, DONE: OrderStatus.COMPLETED}
# What a report was made of already, and so changes nothing.
_SAID_BEFORE = {
    ARRIVED: frozenset({OrderStatus.ARRIVED, *returns.DONE, OrderStatus.SETTLED}),
    DONE: frozenset({*returns.DONE, OrderStatus.SETTLED}),
}


@dataclass(frozen=True)
class Report:
    """What a worker says in which call of which order. `what`: arrived, done."""

    order_id: int
    worker_id: int
    what: str
    call_id: int


def identify(session: Session, call_id: int, code: str, now: datetime) -> Worker | None:
    """Return the worker whose code was keyed, and write that it is she who rings; None if it is nobody's now."""
    worker = session.scalar(select(Worker).where(Worker.code == code, Worker.ended_at.is_(None)))
    if worker is None:
        return None
    call = session.get_one(Call, call_id)
    # Nothing is learnt of the elder from this call, and no request of hers is left half-way in it.
    call.caller_person_id, call.provider_id, call.identified_by = (
        worker.person_id,
        worker.provider_id,
        IdentifiedBy.WORKER,
    )
    note(session, call_id, Entry.IDENTIFIED_AS, now, how=IdentifiedBy.WORKER)
    return worker


def expected(session: Session, worker: Worker, number_id: int | None, today: date) -> list[Order]:
    """Return the orders for which somebody of the worker's provider is due at this telephone, today's first."""
    if number_id is None:
        return []
    query = (
        _of(worker)
        .join(PersonNumber, PersonNumber.person_id == Order.elder_id)
        .where(
            PersonNumber.number_id == number_id,
            Order.wanted_on <= today,
            Order.wanted_on >= today - timedelta(days=OVERDUE_DAYS),
        )
        .order_by(Order.wanted_on.desc(), Order.id)
    )
    return list(session.scalars(query).unique())


def by_number(session: Session, worker: Worker, number: str) -> Order | None:
    """Return the order of the worker's provider with this spoken number, None if there is none under way."""
    if not number.isdecimal():
        return None
    return session.scalar(_of(worker).where(Order.id == order_id_of(int(number))))


def _of(worker: Worker) -> Select[Order]:
    return select(Order).where(Order.provider_id == worker.provider_id, Order.status.in_(UNDER_WAY))


def report(session: Session, said: Report, now: datetime) -> str:
    """Write what the worker reports; the same twice is once. Returns arrived, done, known, or gone.

    `known`: it was reported before. `gone`: the order has been cancelled or given to somebody else.
    """
    order = session.scalars(select(Order).where(Order.id == said.order_id).with_for_update(of=Order)).one()
    worker = session.get_one(Worker, said.worker_id)
    if order.provider_id != worker.provider_id:
        return "gone"
    if order.status in _SAID_BEFORE[said.what]:
        return "known"
    to = _STATUS[said.what]
    if (OrderStatus(order.status), to) not in ORDER_MOVES:
        return "gone"
    move_order(session, order, to, now, OrderEvent(actor="worker", actor_id=worker.id, call_id=said.call_id))
    proof = proof_of(session, session.get_one(Call, said.call_id), order)
    visit = _visit(session, order, worker)
    if said.what == ARRIVED:
        visit.arrived_at, visit.arrived_call_id, visit.arrived_proof = now, said.call_id, proof
    else:
        visit.done_at, visit.done_call_id, visit.done_proof = now, said.call_id, proof
        returns.begin(session, order, now)
    note(session, said.call_id, Entry.VISIT, now, order_id=order.id, what=said.what, proof=proof)
    if proof == Proof.UNPROVED:
        new = tasks.NewTask(
            TaskKind.CHECK_VISIT, f"visit:{visit.id}", said.call_id, order.id, order.elder_id,
            provider_id=worker.provider_id, data={"what": said.what},
        )  # fmt: skip
        tasks.open_task(session, new, now)
    return said.what


def _visit(session: Session, order: Order, worker: Worker) -> OrderVisit:
    """Return the visit that is under way, a new one where none is. A colleague may report the end."""
    query = select(OrderVisit).where(OrderVisit.order_id == order.id, OrderVisit.done_at.is_(None))
    visit = session.scalar(query.order_by(OrderVisit.id.desc()).limit(1))
    if visit is None:
        visit = OrderVisit(order_id=order.id, worker_id=worker.id)
        session.add(visit)
        session.flush()
    return visit


def proof_of(session: Session, call: Call, order: Order) -> Proof:
    """Return what the telephone of this call proves: whose it is, and whether it can be carried about."""
    kind = session.scalar(
        select(PhoneNumber.kind)
        .join(PersonNumber, PersonNumber.number_id == PhoneNumber.id)
        .where(PhoneNumber.id == call.number_id, PersonNumber.person_id == order.elder_id)
    )
    if kind is None:
        return Proof.UNPROVED
    return Proof.PLACE if kind in (NumberKind.LANDLINE, NumberKind.DEVICE) else Proof.HER_PHONE
