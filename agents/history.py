"""An elder's whole history, a page at a time, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

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
from agents.notes import NoteLine
from agents.people import Change, changes
from models.calls import Call
from models.orders import Order
from models.results import Note
from models.tasks import Task

KINDS = ("orders", "calls", "tasks", "notes", "changes")
SHOWN = 50


@dataclass(frozen=True)
class Page:
    """One page; `next_before` leads to the one with the older rows, None where there are none."""

    orders: tuple[OrderLine, ...] = ()
    calls: tuple[CallLine, ...] = ()
    tasks: tuple[TaskLine, ...] = ()
    notes: tuple[NoteLine, ...] = ()
    changes: tuple[Change, ...] = ()
    next_before: int | None = None


def page(session: Session, elder_id: int, kind: str, before: int | None) -> Page:
    """Return the page of rows older than `before` (an id of this kind; None: the newest).

    Raises:
        KeyError: no such kind.
    """
    if kind == "changes":
        return Page(changes=changes(session, elder_id, SHOWN))
    kinds: dict[str, tuple[Any, Any]] = {
        "orders": (orders_query(), Order),
        "calls": (calls_query(), Call),
        "tasks": (tasks_query(), Task),
        "notes": (select(Note).where(Note.text != "").options(selectinload(Note.user)), Note),
    }
    query, table = kinds[kind]
    mine = query.where(table.elder_id == elder_id)
    if before is not None:
        mine = mine.where(table.id < before)
    rows: list[Any] = list(session.scalars(mine.order_by(table.id.desc()).limit(SHOWN + 1)))
    more = rows[SHOWN - 1].id if len(rows) > SHOWN else None
    rows = rows[:SHOWN]
    match kind:
        case "orders":
            return Page(orders=order_lines(session, rows), next_before=more)
        case "calls":
            return Page(calls=call_lines(session, rows), next_before=more)
        case "tasks":
            return Page(tasks=task_lines(rows), next_before=more)
    lines = tuple(NoteLine(row.public_id, row.text, row.user.name, row.at, row.struck_at is not None) for row in rows)
    return Page(notes=lines, next_before=more)
