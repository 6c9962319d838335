"""What the board shows: live calls, orders, tasks. One snapshot serves every screen of the process.

`version` is the cheap question "may anything have changed?", asked several
times a second; `snapshot` is the whole answer, asked only when it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from agents.lines import (
    CallLine,
    OrderLine,
    TaskLine,
    call_lines,
    calls_query,
    order_lines,
    orders_query,
    task_lines,
    tasks_query,
)
from models import clock
from models.calls import Call, CallEvent, CallState
from models.dialing import Attempt, AttemptStatus, Callback, Offer
from models.orders import DISPATCHING, Order, OrderEvent, OrderStatus
from models.tasks import PRIORITY, Task, TaskKind

# A screen shows this many of each; the counts beside them are of all.
CALLS_SHOWN, ORDERS_SHOWN, TASKS_SHOWN, RECENT_SHOWN = 60, 30, 40, 8
# Finished orders are looked for among this many of the newest moves.
_RECENT_MOVES = 2000

# Of the open orders the latest come first, then those whose deadline is nearest.
_SOONEST = (Order.due_at.is_(None), Order.due_at, Order.id)
WITH_PROVIDER = (OrderStatus.ACCEPTED, OrderStatus.ARRIVED)
# In the order in which the board shows them: what waits for a person comes first.
GROUPS: dict[str, tuple[OrderStatus, ...]] = {
    "agent": (OrderStatus.NEEDS_AGENT,),
    "dispatch": tuple(sorted(DISPATCHING)),
    "provider": WITH_PROVIDER,
}
OPEN_ORDERS = tuple(status for statuses in GROUPS.values() for status in statuses)
FINISHED_ORDERS = tuple(status for status in OrderStatus if status not in OPEN_ORDERS)


_LATE = select(func.count()).select_from(Order).where(Order.status.in_(OPEN_ORDERS), Order.due_at <= bindparam("now"))


@dataclass(frozen=True)
class OpenWork:
    """How much waits to be done: open tasks, the emergencies among them, orders past their deadline."""

    tasks: int
    alarms: int
    orders_late: int


def open_work(session: Session, now: datetime) -> OpenWork:
    """Count what waits to be done."""
    priorities = _counts(
        session, select(Task.priority, func.count()).where(Task.closed_at.is_(None)).group_by(Task.priority)
    )
    alarms = priorities.get(PRIORITY[TaskKind.ALARM], 0)
    return OpenWork(sum(priorities.values()), alarms, session.scalar(_LATE, {"now": now}) or 0)


@dataclass(frozen=True)
class OrderGroup:
    """The open orders that wait for the same: an agent, dispatch, a provider. `total` counts the unshown too."""

    code: str
    total: int
    orders: tuple[OrderLine, ...]


@dataclass(frozen=True)
class Board:
    """Everything on the board at one moment; equal boards look the same."""

    calls: tuple[CallLine, ...]
    recent_calls: tuple[CallLine, ...]
    groups: tuple[OrderGroup, ...]
    recent_orders: tuple[OrderLine, ...]
    tasks: tuple[TaskLine, ...]
    calls_open: int
    calls_waiting: int
    tasks_open: int
    orders_late: int
    alarms: int

    @property
    def orders_open(self) -> int:
        """How many orders are open in all."""
        return sum(group.total for group in self.groups)

    def orders_in(self, code: str) -> int:
        """How many open orders wait for `code`."""
        return next(group.total for group in self.groups if group.code == code)


def version(session: Session) -> tuple[Any, ...]:
    """Return something that differs whenever the board may have changed. Cheap: indexes only.

    Ids are given out before they are committed, so that the newest id alone can
    miss a slow transaction; whoever watches asks for a whole snapshot now and
    then as well.
    """
    newest = session.execute(
        select(
            *(
                select(func.max(table.id)).scalar_subquery()
                for table in (CallEvent, OrderEvent, Order, Offer, Callback, Task)
            ),
            # Taken, tried, closed: each move of a task sets it.
            select(func.max(Task.changed_at)).scalar_subquery(),
            select(func.count()).select_from(Task).where(Task.closed_at.is_(None)).scalar_subquery(),
        )
    ).one()
    calls = session.execute(select(Call.id, Call.state, Call.elder_id).where(Call.ended_at.is_(None)).order_by(Call.id))
    dialing = session.execute(
        select(Attempt.id, Attempt.status).where(Attempt.status.in_(_UNDER_WAY)).order_by(Attempt.id)
    )
    return (*newest, tuple(calls.all()), tuple(dialing.all()))


_UNDER_WAY = tuple(status for status in AttemptStatus if status is not AttemptStatus.CLOSED)


def snapshot(session: Session) -> Board:
    """Read the whole board."""
    states = _counts(session, select(Call.state, func.count()).where(Call.ended_at.is_(None)).group_by(Call.state))
    work = open_work(session, clock.now())
    open_calls = calls_query().where(Call.ended_at.is_(None)).order_by(Call.started_at.desc()).limit(CALLS_SHOWN)
    ended_calls = calls_query().where(Call.ended_at.is_not(None)).order_by(Call.id.desc()).limit(RECENT_SHOWN)
    open_tasks = (
        tasks_query().where(Task.closed_at.is_(None)).order_by(Task.priority, Task.created_at).limit(TASKS_SHOWN)
    )
    return Board(
        calls=tuple(sorted(call_lines(session, session.scalars(open_calls).all()), key=_urgency)),
        recent_calls=call_lines(session, session.scalars(ended_calls).all()),
        groups=_groups(session),
        recent_orders=_recent_orders(session),
        tasks=task_lines(session.scalars(open_tasks).all()),
        calls_open=sum(states.values()),
        calls_waiting=states.get(CallState.WAITING, 0),
        tasks_open=work.tasks,
        orders_late=work.orders_late,
        alarms=work.alarms,
    )


def _urgency(line: CallLine) -> tuple[bool, float]:
    """Who waits for a person comes first, the longest wait at the head; then the newest calls."""
    waiting = line.state == CallState.WAITING
    began = line.started_at.timestamp()
    return (not waiting, began if waiting else -began)


def _groups(session: Session) -> tuple[OrderGroup, ...]:
    counts = _counts(
        session,
        select(Order.status, func.count()).where(Order.status.in_(OPEN_ORDERS)).group_by(Order.status),
    )
    groups = []
    for code, statuses in GROUPS.items():
        query = orders_query().where(Order.status.in_(statuses)).order_by(*_SOONEST).limit(ORDERS_SHOWN)
        lines = order_lines(session, session.scalars(query).all())
        groups.append(OrderGroup(code, sum(counts.get(status, 0) for status in statuses), lines))
    return tuple(groups)


def _recent_orders(session: Session) -> tuple[OrderLine, ...]:
    """Return the orders that ended last: found by their newest moves, since orders have no index by time."""
    oldest = select(func.coalesce(func.max(OrderEvent.id), 0) - _RECENT_MOVES).scalar_subquery()
    moved = session.scalars(
        select(OrderEvent.order_id)
        .where(OrderEvent.id > oldest, OrderEvent.to_status.in_(FINISHED_ORDERS))
        .order_by(OrderEvent.id.desc())
        .limit(RECENT_SHOWN * 3)
    ).all()
    query = orders_query().where(Order.id.in_(moved), Order.status.in_(FINISHED_ORDERS))
    newest = sorted(session.scalars(query), key=lambda order: order.changed_at, reverse=True)
    return order_lines(session, newest[:RECENT_SHOWN])


def _counts(session: Session, query: Any) -> dict[Any, int]:
    return dict(session.execute(query).all())
