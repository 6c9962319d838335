"""What lies on an agent's desk: results she owes, her tasks, the pool, what is due later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from agents.accounts import record
from agents.lines import CallLine, TaskLine, call_lines, calls_query, task_lines, tasks_query
from agents.tasks import NOTE_MAX, TaskError, clean_note
from models.calls import Call, CallState, Direction
from models.presence import TaskCall
from models.results import CallOutcome, CallResult, Scope
from models.tasks import Task, TaskState
from models.users import User

SHOWN = 60
# A call that ended longer ago is not asked about any more: nobody remembers it.
OWED_FOR = timedelta(hours=12)


@dataclass(frozen=True)
class Owed:
    """A call of hers that has ended and has no result yet; `task`: the one it was made for."""

    call: CallLine
    task: str | None


@dataclass(frozen=True)
class Desk:
    """What an agent sees first. `pool_open`: all that nobody has, those for later too."""

    waiting: tuple[CallLine, ...]
    owed: tuple[Owed, ...]
    mine: tuple[TaskLine, ...]
    pool: tuple[TaskLine, ...]
    later: tuple[TaskLine, ...]
    pool_open: int


def desk(session: Session, user_id: int, now: datetime) -> Desk:
    """Read one agent's desk."""
    due = or_(Task.due_at.is_(None), Task.due_at <= now)
    first = (Task.priority, Task.created_at)
    pool = and_(Task.closed_at.is_(None), Task.state == TaskState.POOL)
    mine = and_(Task.closed_at.is_(None), Task.state == TaskState.OWNED, Task.owner_id == user_id)
    waiting = calls_query().where(Call.ended_at.is_(None), Call.state == CallState.WAITING)
    return Desk(
        waiting=call_lines(session, session.scalars(waiting.order_by(Call.waiting_since, Call.id).limit(SHOWN)).all()),
        owed=owed(session, user_id, now),
        mine=_tasks(session, tasks_query().where(mine, due).order_by(*first)),
        pool=_tasks(session, tasks_query().where(pool, due).order_by(*first)),
        later=_tasks(session, tasks_query().where(or_(pool, mine), Task.due_at > now).order_by(Task.due_at)),
        pool_open=session.scalar(select(func.count()).select_from(Task).where(pool)) or 0,
    )


def _tasks(session: Session, query: object) -> tuple[TaskLine, ...]:
    return task_lines(session.scalars(query.limit(SHOWN)).all())  # type: ignore[attr-defined]


def owed(session: Session, user_id: int, now: datetime) -> tuple[Owed, ...]:
    """Return the ended calls of this user that have no result, the newest first."""
    hers = or_(
        and_(Call.direction == Direction.IN, Call.agent_id == user_id),
        and_(TaskCall.user_id == user_id, Task.closed_at.is_(None)),
    )
    rows = session.execute(
        select(Call.id, Task.public_id)
        .outerjoin(TaskCall, TaskCall.call_id == Call.id)
        .outerjoin(Task, Task.id == TaskCall.task_id)
        .outerjoin(CallOutcome, CallOutcome.call_id == Call.id)
        .where(
            hers, Call.agent_id == user_id, Call.ended_at.is_not(None), Call.ended_at > now - OWED_FOR,
            Call.answered_at.is_not(None), CallOutcome.id.is_(None),
        )
        .order_by(Call.id.desc())
        .limit(SHOWN)
    ).all()  # fmt: skip
    tasks: dict[int, str | None] = dict(rows)
    calls = session.scalars(calls_query().where(Call.id.in_(tasks)).order_by(Call.id.desc())).all()
    return tuple(Owed(line, tasks[call.id]) for call, line in zip(calls, call_lines(session, calls), strict=True))


@dataclass(frozen=True)
class Written:
    """The result that stands with a call, and by whom."""

    code: str
    note: str
    by: str
    at: datetime


def outcome_of(session: Session, call_id: int) -> Written | None:
    """Return what was written of a call, None if nothing was."""
    row = session.scalar(select(CallOutcome).where(CallOutcome.call_id == call_id))
    return Written(row.code, row.note, row.user.name if row.user else "", row.at) if row else None


def write_result(session: Session, public_id: str, result: tuple[str, str], user: User, now: datetime) -> None:
    """Write `result` = (code, note) of an incoming call, once; nothing that happens to the call later changes it.

    Raises:
        KeyError: no such call.
        TaskError: it has one already (closed), no such result, the note is missing or too long.
    """
    code, note = result[0], clean_note(result[1])
    call = session.scalar(select(Call).where(Call.public_id == public_id).with_for_update(of=Call))
    if call is None:
        raise KeyError(public_id)
    if session.scalar(select(CallOutcome.id).where(CallOutcome.call_id == call.id)) is not None:
        raise TaskError("closed")
    fits = CallResult.scope.in_((Scope.CALL, Scope.BOTH))
    chosen = session.scalar(select(CallResult).where(CallResult.code == code, fits, CallResult.hidden_at.is_(None)))
    if chosen is None:
        raise TaskError("result")
    if chosen.needs_note and not note:
        raise TaskError("note_missing")
    if len(note) > NOTE_MAX:
        raise TaskError("note_long")
    session.add(CallOutcome(call_id=call.id, user_id=user.id, code=code, note=note, at=now))
    record(session, user, "call_result", ("call", call.id), now)
