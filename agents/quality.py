"""Quality marks: what a supervisor thinks of how a call was led, item by item, and what it comes to over a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, selectinload

from agents.accounts import may, record
from models.calls import Call, CallEvent
from models.journal import Entry
from models.supervision import HIGHEST, LOWEST, QualityItem, QualityMark, QualityMarkVersion
from models.users import Role, User

COMMENT_MAX = 1000
SHOWN = 100


class MarkRefused(ValueError):
    """It cannot be marked so. `code`: points, comment, agent, own."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Item:
    """One thing that is marked. `share`: of the whole, in per cent."""

    code: str
    name: str
    weight: int
    share: int


@dataclass(frozen=True)
class Earlier:
    """How a mark stood before it was changed."""

    at: datetime
    total: float
    comment: str


@dataclass(frozen=True)
class Mark:
    """One supervisor's mark of one call. `total`: the weighted mean of the points, LOWEST to HIGHEST."""

    call: str
    called_at: datetime
    agent: str
    agent_name: str
    by: str
    at: datetime
    total: float
    points: tuple[tuple[str, int], ...]  # item's name, points
    comment: str
    earlier: tuple[Earlier, ...]


@dataclass(frozen=True)
class Form:
    """What a supervisor fills in: the items, whom it may be about, and what she has written before."""

    items: tuple[Item, ...]
    agents: tuple[tuple[str, str], ...]  # public id, name; the one who had the call last comes first
    points: Mapping[str, int]
    agent: str
    comment: str


@dataclass(frozen=True)
class Wish:
    """What was filled in: the agent's public id, code to points, a comment."""

    agent: str
    points: Mapping[str, int | None]
    comment: str


@dataclass(frozen=True)
class Mean:
    """What an agent's marks come to. `marks`: how many calls were marked, each once, by however many."""

    total: float
    marks: int


def items(session: Session, language: str) -> tuple[Item, ...]:
    """Return what is marked now, in the form's order."""
    rows = _rows(session)
    whole = sum(row.weight for row in rows) or 1
    return tuple(Item(row.code, _name(row, language), row.weight, round(100 * row.weight / whole)) for row in rows)


def _rows(session: Session) -> list[QualityItem]:
    shown = select(QualityItem).where(QualityItem.hidden_at.is_(None))
    return list(session.scalars(shown.order_by(QualityItem.position, QualityItem.id)))


def _name(row: QualityItem, language: str) -> str:
    return str(row.names.get(language) or next(iter(row.names.values()), row.code))


def form(session: Session, call: Call, user: User, language: str) -> Form | None:
    """Return the form for this supervisor; None where nobody else talked in the call, or she may not mark."""
    agents = [one for one in _agents(session, call) if one.id != user.id]
    if not agents or not may(user, Role.SUPERVISOR):
        return None
    mine = _mine(session, call.id, user.id)
    return Form(
        items(session, language),
        tuple((one.public_id, one.name) for one in agents),
        {code: int(points) for code, points in mine.points.items()} if mine else {},
        mine.agent.public_id if mine else agents[0].public_id,
        mine.comment if mine else "",
    )


def _agents(session: Session, call: Call) -> list[User]:
    """Return who talked in the call, whoever had it last first."""
    events = select(CallEvent.data).where(CallEvent.call_id == call.id, CallEvent.kind == Entry.AGENT_ANSWERED)
    ids = [int(data["user_id"]) for data in session.scalars(events.order_by(CallEvent.id)) if "user_id" in data]
    if call.answered_at is not None and call.agent_id is not None:
        ids.append(call.agent_id)
    order = list(dict.fromkeys(reversed(ids)))
    return sorted(session.scalars(select(User).where(User.id.in_(order))), key=lambda one: order.index(one.id))


def _mine(session: Session, call_id: int, user_id: int) -> QualityMark | None:
    return session.scalar(select(QualityMark).where(QualityMark.call_id == call_id, QualityMark.user_id == user_id))


def mark(session: Session, user: User, call: Call, wish: Wish, now: datetime) -> None:
    """Write a supervisor's mark of a call, or change it: what stood before is kept. Audited.

    Raises:
        MarkRefused: an item without points, or with others than LOWEST to HIGHEST (points); a comment that is too
            long (comment); an agent who did not talk in the call (agent), or she herself (own).
    """
    rows = _rows(session)
    given = {row.code: wish.points.get(row.code) for row in rows}
    points = {code: value for code, value in given.items() if value is not None and LOWEST <= value <= HIGHEST}
    if not rows or len(points) < len(rows):
        raise MarkRefused("points")
    comment = wish.comment.strip()
    if len(comment) > COMMENT_MAX:
        raise MarkRefused("comment")
    agent = next((one for one in _agents(session, call) if one.public_id == wish.agent), None)
    if agent is None or agent.id == user.id:
        raise MarkRefused("agent" if agent is None else "own")
    # Two tabs of one supervisor make one mark.
    session.execute(select(Call.id).where(Call.id == call.id).with_for_update())
    weight = sum(row.weight for row in rows) or 1
    total = round(100 * sum(row.weight * points[row.code] for row in rows) / weight)
    values: dict[str, Any] = {"agent_id": agent.id, "points": points, "total": total, "comment": comment}
    row = _mine(session, call.id, user.id)
    if row is None:
        session.add(QualityMark(call_id=call.id, user_id=user.id, marked_at=now, **values))
    elif any(getattr(row, name) != value for name, value in values.items()):
        before = {name: getattr(row, name) for name in (*values, "marked_at")}
        session.add(QualityMarkVersion(mark_id=row.id, **before))
        for name, value in values.items():
            setattr(row, name, value)
        row.marked_at = now
    else:
        return
    record(session, user, "call_marked", ("call", call.id), now)


def of_call(session: Session, call: Call, user: User, language: str) -> tuple[Mark, ...]:
    """Return the marks of a call that this user may see: a supervisor all of them, an agent those about her."""
    query = _marks().where(QualityMark.call_id == call.id)
    if not may(user, Role.SUPERVISOR):
        query = query.where(QualityMark.agent_id == user.id)
    return _shown(session, query.order_by(QualityMark.id), language)


def of_agent(session: Session, user_id: int | None, language: str) -> tuple[Mark, ...]:
    """Return the newest marks of one agent, or of all (None); at most SHOWN."""
    query = _marks() if user_id is None else _marks().where(QualityMark.agent_id == user_id)
    return _shown(session, query.order_by(QualityMark.marked_at.desc(), QualityMark.id.desc()).limit(SHOWN), language)


def _marks() -> Select[QualityMark]:
    together = (QualityMark.user, QualityMark.agent, QualityMark.call)
    return select(QualityMark).options(*(selectinload(each) for each in together))


def _shown(session: Session, query: Select[QualityMark], language: str) -> tuple[Mark, ...]:
    rows = list(session.scalars(query))
    names = {
        row.code: _name(row, language)
        for row in session.scalars(select(QualityItem).order_by(QualityItem.position, QualityItem.id))
    }
    earlier: dict[int, list[Earlier]] = {}
    ids = [row.id for row in rows]
    versions = select(QualityMarkVersion).where(QualityMarkVersion.mark_id.in_(ids)).order_by(QualityMarkVersion.id)
    for one in session.scalars(versions):
        earlier.setdefault(one.mark_id, []).append(Earlier(one.marked_at, one.total / 100, one.comment))
    return tuple(
        Mark(
            row.call.public_id, row.call.started_at, row.agent.public_id, row.agent.name, row.user.name, row.marked_at,
            row.total / 100,
            tuple((names[code], int(row.points[code])) for code in names if code in row.points),
            row.comment, tuple(earlier.get(row.id, ())),
        )
        for row in rows
    )  # fmt: skip


def means(session: Session, begin: datetime, end: datetime) -> dict[int, Mean]:
    """Return what each agent's marks of a period's calls come to, by user id: each mark counts once."""
    rows = session.execute(
        select(QualityMark.agent_id, func.avg(QualityMark.total), func.count(QualityMark.call_id.distinct()))
        .join(Call, Call.id == QualityMark.call_id)
        .where(Call.started_at >= begin, Call.started_at < end)
        .group_by(QualityMark.agent_id)
    )
    return {agent_id: Mean(float(total) / 100, marks) for agent_id, total, marks in rows}


def marked_calls(session: Session, begin: datetime, end: datetime, agent_id: int | None) -> set[int]:
    """Return the ids of a period's calls that were marked: of one agent, or of all (None)."""
    query = (
        select(QualityMark.call_id)
        .join(Call, Call.id == QualityMark.call_id)
        .where(Call.started_at >= begin, Call.started_at < end)
    )
    return set(session.scalars(query if agent_id is None else query.where(QualityMark.agent_id == agent_id)))
