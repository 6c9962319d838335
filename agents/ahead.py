"""Whose telephone may ring next for a caller who waits: their pages fetch the pop ahead, and draw it at the ring.

Asterisk alone decides whom it rings. This is a guess from the rows, made while the caller still hears that she is
put through: whoever is guessed and not rung has seen nothing, whoever is rung and was not guessed fetches the pop then.
Where only one telephone can ring it is no guess any more: her page shows the pop before it rings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from dispatch import roster
from models import preferences
from models.calls import Call, CallState
from models.preferences import ElderSetting, Setting
from models.presence import Presence
from models.settings import settings
from models.tasks import Task, TaskKind

# So many of those who wait the longest, for so many of those who would take each of them.
CALLS, AGENTS = 3, 3


@dataclass(frozen=True)
class Waiting:
    """A caller whom nobody's telephone rings for yet."""

    call: str  # public id
    language: str
    urgent: bool
    dialect: str = ""  # hers, if she rings herself


class Chance(Enum):
    """How likely it is that a call rings at an agent next."""

    NONE = "none"
    SOME = "some"
    SURE = "sure"  # nobody else is ready for her who would be asked before


def coming(session: Session, now: datetime) -> dict[int, tuple[str, ...]]:
    """Return the calls that may ring next at each agent: user id to public ids, who waits the longest first."""
    callers = waiting(session)
    if not callers:
        return {}
    agents = roster.agents(session)
    return guess(callers, agents, roster.picture(agents, roster.skills(session), now))


def chance(session: Session, user_id: int, public_id: str, now: datetime) -> Chance:
    """Return how likely it is that this call rings at this agent next."""
    callers = waiting(session)
    agents = roster.agents(session)
    picture = roster.picture(agents, roster.skills(session), now)
    calls = guess(callers, agents, picture).get(user_id, ())
    if public_id not in calls:
        return Chance.NONE
    caller = next(one for one in callers if one.call == public_id)
    only = calls[0] == public_id and the_only_one(caller, agents, picture) == user_id
    return Chance.SURE if only and not settings().agent_phones else Chance.SOME


def waiting(session: Session) -> list[Waiting]:
    """Return who waits and is not being rung for, in the order of the queues: emergencies, then the longest wait."""
    alarm = select(Task.id).where(Task.call_id == Call.id, Task.kind == TaskKind.ALARM).exists()
    herself = or_(Call.caller_person_id.is_(None), Call.caller_person_id == Call.elder_id)
    dialect = preferences.present_value(Setting.DIALECT).where(ElderSetting.elder_id == Call.elder_id, herself)
    rows = session.execute(
        select(Call.public_id, Call.language, alarm.label("urgent"), dialect.scalar_subquery())
        .where(Call.ended_at.is_(None), Call.state == CallState.WAITING, Call.agent_id.is_(None))
        .order_by(alarm.desc(), Call.waiting_since, Call.id)
        .limit(CALLS)
    )
    return [Waiting(public_id, language, bool(urgent), dialect or "") for public_id, language, urgent, dialect in rows]


def guess(
    callers: Sequence[Waiting], agents: Sequence[roster.Agent], picture: roster.Picture
) -> dict[int, tuple[str, ...]]:
    """Return who may be rung for whom: the ready before those in wrap-up, the better speaker, the longer rested.

    Whoever speaks a caller's dialect comes before all others of her language.
    """
    found: dict[int, tuple[str, ...]] = {}
    for caller in callers:
        for one in _able(caller, agents, picture)[:AGENTS]:
            found[one.user_id] = (*found.get(one.user_id, ()), caller.call)
    return found


def the_only_one(caller: Waiting, agents: Sequence[roster.Agent], picture: roster.Picture) -> int | None:
    """Return who is asked for this caller before everybody else; None where several are equal, or nobody is ready."""
    match _able(caller, agents, picture):
        case [first, *others] if not first.rank[0] and all(one.rank > first.rank for one in others):
            return first.user_id
    return None


@dataclass(frozen=True, order=True)
class _Able:
    """An agent who may be rung for a caller; the lower, the sooner."""

    rank: tuple[bool, bool, int]  # not ready yet, speaks another dialect, penalty
    since: datetime
    user_id: int


def _able(caller: Waiting, agents: Sequence[roster.Agent], picture: roster.Picture) -> list[_Able]:
    penalties = _penalties(caller, picture)
    native = {} if caller.urgent else _members(roster.queue_of(caller.language, caller.dialect), picture)
    found = []
    for agent in agents:
        stands = agent.presence
        if stands is None or stands.state not in (Presence.READY, Presence.WRAP_UP) or agent.user_id not in penalties:
            continue
        of_dialect = native.get(agent.user_id)
        penalty = penalties[agent.user_id] if of_dialect is None else of_dialect
        found.append(_Able((stands.state != Presence.READY, of_dialect is None, penalty), stands.since, agent.user_id))
    return sorted(found)


def _penalties(caller: Waiting, picture: roster.Picture) -> Mapping[int, int]:
    """Return the members of the queue that she comes to; where her language has none the first that has some."""
    if caller.urgent:
        return _members(roster.urgent_queue_of(caller.language), picture)
    languages = dict.fromkeys((caller.language, *settings().languages))
    return next(filter(None, (_members(roster.queue_of(one), picture) for one in languages)), {})


def _members(queue: str, picture: roster.Picture) -> dict[int, int]:
    found = {}
    for (name, interface), member in picture.members.items():
        user_id = roster.user_of(interface)
        if name == queue and user_id is not None:
            found[user_id] = member.penalty
    return found
