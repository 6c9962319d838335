"""The wallboard: who waits, how the day goes, what each agent does. One reading, equal readings look the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents import figures
from agents.board import open_work
from agents.figures import Hour, Period, Service
from agents.parties import Party, party
from agents.presence import reason_name
from models import clock
from models.calls import Call, CallState
from models.presence import AgentPresence, PauseReason, Presence
from models.supervision import Watch
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
    """An agent who is there, and since when in this state. `watchers`: the supervisors in her call."""

    public_id: str
    name: str
    state: str
    reason: str
    since: datetime
    call: str
    watchers: tuple[str, ...] = ()


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
    work = open_work(session, now)
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
        orders_late=work.orders_late,
        alarms=work.alarms,
        tasks=work.tasks,
    )  # fmt: skip


def _there(session: Session, language: str) -> tuple[AgentLine, ...]:
    reasons = {row.code: reason_name(row, language) for row in session.scalars(select(PauseReason))}
    rows = session.execute(
        select(AgentPresence, User.public_id, User.name, Call.public_id)
        .join(User, User.id == AgentPresence.user_id)
        .outerjoin(Call, Call.id == AgentPresence.call_id)
        .where(AgentPresence.state != Presence.OFFLINE)
    )
    watched: dict[int, list[str]] = {}
    watches = select(Watch.agent_id, User.name).join(User, User.id == Watch.user_id).where(Watch.ended_at.is_(None))
    for agent_id, supervisor in session.execute(watches):
        watched.setdefault(agent_id, []).append(supervisor)
    lines = [
        AgentLine(
            public_id, name, row.state, reasons.get(row.reason or "", row.reason or ""), row.since, call or "",
            tuple(watched.get(row.user_id, ())),
        )
        for row, public_id, name, call in rows
    ]  # fmt: skip
    return tuple(sorted(lines, key=lambda one: (_ORDER.index(Presence(one.state)), one.since)))
