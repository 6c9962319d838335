"""How well callers are served and how agents spend their time: for the wallboard, for month's end, for the bureau.

The convenience-hotline standard (GB/T 33358-2016) asks for an answer within 15 s and for 95 % of calls to be
connected. Both count callers who were put through to people: the machine itself answers at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from agents import quality
from agents.parties import Party, party
from agents.quality import Mean
from models import clock
from models.calls import Call, CallEnd, CallEvent, Direction
from models.journal import Entry
from models.presence import WATCHING, Presence, PresenceSpell
from models.tasks import Task
from models.users import User

ANSWER_WITHIN_S = 15
CONNECTED_GOAL = 0.95
LONGEST = timedelta(days=92)

# What a figure counts, and so which calls it opens.
ASKED, ANSWERED, IN_TIME, MISSED, MARKED = "asked", "answered", "in_time", "missed", "marked"
ABANDONED, TOOK_MESSAGE = "abandoned", "took_message"
SHOWN = 200
KINDS = (ASKED, ANSWERED, IN_TIME, ABANDONED, TOOK_MESSAGE, MISSED, MARKED)


@dataclass(frozen=True)
class Period:
    """From `begin` to before `end`, both aware."""

    begin: datetime
    end: datetime


@dataclass(frozen=True)
class Asked:
    """A caller who was put through to people, and what became of it. `wait_s`: until somebody answered, in seconds."""

    call_id: int
    since: datetime
    language: str
    end: str | None
    wait_s: float | None

    @property
    def in_time(self) -> bool:
        """Whether somebody answered within the standard's 15 s."""
        return self.wait_s is not None and self.wait_s <= ANSWER_WITHIN_S

    @property
    def abandoned(self) -> bool:
        """Whether the caller gave up waiting."""
        return self.wait_s is None and self.end == CallEnd.ABANDONED

    @property
    def took_message(self) -> bool:
        """Whether the caller left a message instead, or chose to be rung back."""
        return self.wait_s is None and self.end in (CallEnd.MESSAGE, CallEnd.RING_BACK)


@dataclass(frozen=True)
class Service:
    """How callers were served who wanted a person."""

    asked: int = 0
    answered: int = 0
    in_time: int = 0
    abandoned: int = 0  # gave up waiting
    took_message: int = 0  # left a message, or chose to be rung back
    mean_wait_s: float = 0
    longest_wait_s: float = 0

    @property
    def connected(self) -> float | None:
        """The share that reached a person; None where nobody asked."""
        return self.answered / self.asked if self.asked else None

    @property
    def level(self) -> float | None:
        """The share that was answered in time; None where nobody asked."""
        return self.in_time / self.asked if self.asked else None


@dataclass(frozen=True)
class Hour:
    """The callers of one hour of the day, over the whole period."""

    hour: int
    asked: int
    answered: int
    in_time: int


@dataclass(frozen=True)
class AgentFigures:
    """One agent's period. Times are seconds; what is counted is calls, each once."""

    public_id: str
    name: str
    rung: int = 0
    answered: int = 0
    missed: int = 0
    dialled: int = 0
    reached: int = 0  # of the dialled ones: somebody answered
    talk_s: float = 0
    wrap_s: float = 0
    ready_s: float = 0
    pause_s: float = 0
    watch_s: float = 0  # a supervisor in other agents' calls
    pauses: tuple[tuple[str, float], ...] = ()
    tasks: int = 0
    quality: Mean | None = None

    @property
    def calls(self) -> int:
        """Calls talked in, either way."""
        return self.answered + self.reached

    @property
    def handle_s(self) -> float:
        """Talk and wrap-up of a call that somebody answered, on average; 0 without calls."""
        return (self.talk_s + self.wrap_s) / self.calls if self.calls else 0

    @property
    def logged_s(self) -> float:
        """How long she was there."""
        return self.talk_s + self.wrap_s + self.ready_s + self.pause_s + self.watch_s


@dataclass(frozen=True)
class CallRow:
    """A call behind a figure."""

    public_id: str
    at: datetime
    party: Party
    agent: str
    end: str | None
    wait_s: float | None


def asked(session: Session, period: Period) -> list[Asked]:
    """Return the callers of a period who were put through to people."""
    first = (
        select(CallEvent.call_id, func.min(CallEvent.at).label("at"))
        .join(Call, Call.id == CallEvent.call_id)
        .where(CallEvent.kind == Entry.AGENT_ANSWERED, *_asked_in(period))
        .group_by(CallEvent.call_id)
        .subquery()
    )
    rows = session.execute(
        select(Call.id, Call.waiting_since, Call.language, Call.end, first.c.at)
        .outerjoin(first, first.c.call_id == Call.id)
        .where(*_asked_in(period))
        .order_by(Call.waiting_since)
    )
    return [
        Asked(call_id, since, language, end, None if at is None else max(0.0, (at - since).total_seconds()))
        for call_id, since, language, end, at in rows
    ]


def service(calls: Iterable[Asked]) -> Service:
    """Return how they were served."""
    calls = list(calls)
    waits = [one.wait_s for one in calls if one.wait_s is not None]
    return Service(
        asked=len(calls),
        answered=len(waits),
        in_time=sum(one.in_time for one in calls),
        abandoned=sum(one.abandoned for one in calls),
        took_message=sum(one.took_message for one in calls),
        mean_wait_s=sum(waits) / len(waits) if waits else 0,
        longest_wait_s=max(waits, default=0),
    )


def by_hour(calls: Iterable[Asked]) -> list[Hour]:
    """Return the hours of the day, midnight first, as the clock on the wall has them."""
    sorted_in: dict[int, list[Asked]] = defaultdict(list)
    for one in calls:
        sorted_in[clock.local(one.since).hour].append(one)
    return [
        Hour(hour, len(them), sum(one.wait_s is not None for one in them), sum(one.in_time for one in them))
        for hour in range(24)
        for them in (sorted_in[hour],)
    ]


def agents(session: Session, period: Period, now: datetime) -> list[AgentFigures]:
    """Return every agent who did anything in the period, by name. A spell counts as far as it lies within."""
    users = {user.id: user for user in session.scalars(select(User))}
    times, pauses = _times(session, period, now)
    events = _events(session, period)
    closed = _counted(
        session,
        select(Task.closed_by_id, func.count())
        .where(Task.closed_at >= period.begin, Task.closed_at < period.end, Task.closed_by_id.is_not(None))
        .group_by(Task.closed_by_id),
    )
    dialled, reached = _dialled(session, period), _dialled(session, period, Call.answered_at.is_not(None))
    marked = quality.means(session, period.begin, period.end)
    seen = {user_id for user_id, _ in (*times, *events)} | set(closed) | set(dialled) | set(marked)
    found = []
    for user in sorted((users[user_id] for user_id in seen if user_id in users), key=lambda one: one.name):
        found.append(
            AgentFigures(
                user.public_id,
                user.name,
                rung=events[user.id, Entry.AGENT_RUNG],
                answered=events[user.id, Entry.AGENT_ANSWERED],
                missed=events[user.id, Entry.AGENT_MISSED],
                dialled=dialled.get(user.id, 0),
                reached=reached.get(user.id, 0),
                talk_s=times[user.id, Presence.TALKING],
                wrap_s=times[user.id, Presence.WRAP_UP],
                ready_s=times[user.id, Presence.READY] + times[user.id, Presence.RINGING],
                pause_s=times[user.id, Presence.PAUSE],
                watch_s=times[user.id, WATCHING],
                pauses=tuple(sorted((reason, s) for (user_id, reason), s in pauses.items() if user_id == user.id)),
                tasks=closed.get(user.id, 0),
                quality=marked.get(user.id),
            )
        )
    return found


def calls_behind(session: Session, period: Period, kind: str, agent: str = "") -> tuple[int, list[CallRow]]:
    """Return how many calls a figure counts, and the newest of them: of all, or of one agent (public id).

    `kind` is one of KINDS; at most SHOWN calls are read.
    """
    user_id = session.scalar(select(User.id).where(User.public_id == agent)) if agent else None
    waits: dict[int, float | None] = {}
    if kind == MARKED:
        ids = quality.marked_calls(session, period.begin, period.end, user_id)
    elif agent:
        wanted = {ANSWERED: Entry.AGENT_ANSWERED, MISSED: Entry.AGENT_MISSED}.get(kind, Entry.AGENT_RUNG)
        ids = {call_id for call_id, whose in _named(session, period, wanted) if whose == user_id}
    else:
        waits = {one.call_id: one.wait_s for one in asked(session, period) if _counts(kind, one)}
        ids = set(waits)
    names = {user.id: user.name for user in session.scalars(select(User))}
    rows = session.scalars(select(Call).where(Call.id.in_(sorted(ids, reverse=True)[:SHOWN])).order_by(Call.id.desc()))
    return len(ids), [
        CallRow(
            call.public_id, call.waiting_since or call.started_at, party(call.elder, call.provider, call.number),
            names.get(call.agent_id or 0, ""), call.end, waits.get(call.id),
        )
        for call in rows
    ]  # fmt: skip


def _counts(kind: str, one: Asked) -> bool:
    reached = one.wait_s is not None
    of_kind = {ANSWERED: reached, IN_TIME: one.in_time, ABANDONED: one.abandoned, TOOK_MESSAGE: one.took_message}
    return of_kind.get(kind, True)


_Seconds = defaultdict[tuple[int, str], float]


def _asked_in(period: Period) -> tuple[ColumnElement[bool], ...]:
    return (Call.direction == Direction.IN, Call.waiting_since >= period.begin, Call.waiting_since < period.end)


def _times(session: Session, period: Period, now: datetime) -> tuple[_Seconds, _Seconds]:
    """Seconds by user and state, and of pauses by user and reason."""
    until = min(period.end, now)
    rows = session.execute(
        select(PresenceSpell.user_id, PresenceSpell.state, PresenceSpell.reason, PresenceSpell.began_at,
               PresenceSpell.ended_at)
        .where(
            PresenceSpell.state != Presence.OFFLINE,
            PresenceSpell.began_at < until,
            or_(PresenceSpell.ended_at.is_(None), PresenceSpell.ended_at > period.begin),
        )
    )  # fmt: skip
    times: _Seconds = defaultdict(float)
    pauses: _Seconds = defaultdict(float)
    for user_id, state, reason, began, ended in rows:
        spent = (min(ended or until, until) - max(began, period.begin)).total_seconds()
        times[user_id, WATCHING if reason == WATCHING else state] += spent
        if state == Presence.PAUSE:
            pauses[user_id, reason or ""] += spent
    return times, pauses


def _events(session: Session, period: Period) -> Counter[tuple[int, str]]:
    """In how many calls each agent was rung, answered and missed: twice in one call is once, as in the list of them."""
    counted: Counter[tuple[int, str]] = Counter()
    for kind in (Entry.AGENT_RUNG, Entry.AGENT_ANSWERED, Entry.AGENT_MISSED):
        counted.update((whose, kind) for _, whose in set(_named(session, period, kind)))
    return counted


def _named(session: Session, period: Period, kind: Entry) -> list[tuple[int, int]]:
    """The calls of a period in which an entry names an agent: call and user."""
    rows = session.execute(
        select(CallEvent.call_id, CallEvent.data)
        .join(Call, Call.id == CallEvent.call_id)
        .where(CallEvent.kind == kind, *_asked_in(period))
    )
    return [(call_id, data["user_id"]) for call_id, data in rows if "user_id" in data]


def _dialled(session: Session, period: Period, *more: ColumnElement[bool]) -> dict[int, int]:
    """How many calls of the period each agent has made herself."""
    made = (Call.direction == Direction.OUT, Call.purpose == "agent", Call.agent_id.is_not(None))
    within = (Call.started_at >= period.begin, Call.started_at < period.end)
    return _counted(session, select(Call.agent_id, func.count()).where(*made, *within, *more).group_by(Call.agent_id))


def _counted(session: Session, query: Select[int | None, int]) -> dict[int, int]:
    return {key: many for key, many in session.execute(query) if key is not None}
