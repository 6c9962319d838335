"""The wallboard: who waits, how the day goes, what each agent does. One reading, equal readings look the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents import figures
from agents.board import OPEN_ORDERS
from agents.figures import Hour, Period, Service
from agents.parties import Party, party
from models import clock
from models.calls import Call, CallState
from models.orders import Order
from models.presence import AgentPresence, PauseReason, Presence
from models.tasks import PRIORITY, Task, TaskKind
from models.users import User

# Whoever can take a call comes first, whoever is not there last.
_ORDER = [Presence.READY, Presence.RINGING, Presence.TALKING, Presence.WRAP_UP, Presence.PAUSE, Presence.OFFLINE]
WAITERS_SHOWN = 12


@dataclass(frozen=True)
class Waiter:
    """Somebody who waits for a person now."""

    call: str
    party: Party
    language: str
    since: datetime
    rings: str  # the agent whose telephone rings for her


@dataclass(frozen=True)
class AgentLine:
    """An agent who is there, and since when in this state."""

    name: str
    state: str
    reason: str
    since: datetime
    call: str


@dataclass(frozen=True)
class Wallboard:
    """Everything on the wall."""

    waiting: int
    waiters: tuple[Waiter, ...]
    agents: tuple[AgentLine, ...]
    states: tuple[tuple[str, int], ...]
    today: Service
    hours: tuple[Hour, ...]
    orders_late: int
    alarms: int
    tasks: int

    @property
    def free(self) -> int:
        """How many agents could take a call now."""
        return dict(self.states).get(Presence.READY, 0)


def today(now: datetime) -> Period:
    """Return the local day up to now."""
    begin = datetime.combine(clock.local_date(now), time(), clock.zone())
    return Period(begin, now)


def read(session: Session, language: str, now: datetime) -> Wallboard:
    """Read the wallboard; reasons for pauses are named in `language`."""
    names = {user.id: user.name for user in session.scalars(select(User))}
    waiters = session.scalars(
        select(Call)
        .where(Call.ended_at.is_(None), Call.state == CallState.WAITING)
        .order_by(Call.waiting_since, Call.id)
    ).all()
    there = _there(session, language)
    calls = figures.asked(session, today(now))
    late = select(func.count()).select_from(Order).where(Order.status.in_(OPEN_ORDERS), Order.due_at <= now)
    open_tasks = select(func.count()).select_from(Task).where(Task.closed_at.is_(None))
    return Wallboard(
        waiting=len(waiters),
        waiters=tuple(
            Waiter(
                call.public_id, party(call.elder, call.provider, call.number), call.language,
                call.waiting_since or call.started_at, names.get(call.agent_id or 0, ""),
            )
            for call in waiters[:WAITERS_SHOWN]
        ),
        agents=there,
        states=tuple((state.value, sum(one.state == state for one in there)) for state in _ORDER[:-1]),
        today=figures.service(calls),
        hours=tuple(figures.by_hour(calls)),
        orders_late=session.scalar(late) or 0,
        alarms=session.scalar(open_tasks.where(Task.priority == PRIORITY[TaskKind.ALARM])) or 0,
        tasks=session.scalar(open_tasks) or 0,
    )  # fmt: skip


def _there(session: Session, language: str) -> tuple[AgentLine, ...]:
    reasons = {row.code: str(row.names.get(language) or row.code) for row in session.scalars(select(PauseReason))}
    rows = session.execute(
        select(AgentPresence, User.name, Call.public_id)
        .join(User, User.id == AgentPresence.user_id)
        .outerjoin(Call, Call.id == AgentPresence.call_id)
        .where(AgentPresence.state != Presence.OFFLINE)
    )
    lines = [
        AgentLine(name, row.state, reasons.get(row.reason or "", row.reason or ""), row.since, call or "")
        for row, name, call in rows
    ]
    return tuple(sorted(lines, key=lambda one: (_ORDER.index(Presence(one.state)), one.since)))
