"""What a line of the audit is about: named and led to, and everything that is about one elder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, or_, select
from sqlalchemy.orm import Session

from models.calls import Call
from models.campaigns import CareVisit
from models.orders import Order
from models.people import Elder, Person
from models.tasks import Task
from models.users import AuditEvent, User


@dataclass(frozen=True)
class Subject:
    """`name`: of a person, the number of an order, else empty; `public_id`: of its page."""

    public_id: str
    name: str = ""


# The subjects that have a name or a page: where both are read.
_NAMED: dict[str, tuple[Any, str]] = {
    "elder": (Person, "name"),
    "user": (User, "name"),
    "order": (Order, "number"),
    "call": (Call, ""),
    "task": (Task, ""),
}


def subjects(session: Session, wanted: Iterable[tuple[str, int | None]]) -> dict[tuple[str, int], Subject]:
    """Return what stands behind these subjects, as far as it has a name or a page and is still there."""
    ids: dict[str, set[int]] = {}
    for kind, subject_id in wanted:
        if kind in _NAMED and subject_id is not None:
            ids.setdefault(kind, set()).add(subject_id)
    found = {}
    for kind, of_kind in ids.items():
        table, name = _NAMED[kind]
        for row in session.scalars(select(table).where(table.id.in_(of_kind))):
            found[kind, row.id] = Subject(row.public_id, str(getattr(row, name)) if name else "")
    return found


def elder_named(session: Session, public_id: str) -> tuple[int, str] | None:
    """Return the id and the name of the elder of this public id."""
    query = select(Elder.id, Person.name).join(Person, Person.id == Elder.id).where(Person.public_id == public_id)
    row = session.execute(query).one_or_none()
    return (row.id, row.name) if row is not None else None


def about_elder(elder_id: int) -> ColumnElement[bool]:
    """Everything about one elder: her card, her orders, calls, tasks and visits, and the searches that showed her."""
    hers = [
        (AuditEvent.subject == kind) & AuditEvent.subject_id.in_(select(table.id).where(table.elder_id == elder_id))
        for kind, table in (("order", Order), ("call", Call), ("task", Task), ("care_visit", CareVisit))
    ]
    # A list of ids is written as [1, 2]: made ,1,2, it holds hers between two commas, in either database.
    ids: Any = cast(AuditEvent.data["ids"], String)
    for old, new in ((" ", ""), ("[", ","), ("]", ",")):
        ids = func.replace(ids, old, new)
    shown = (AuditEvent.action == "searched") & ids.contains(f",{elder_id},", autoescape=True)
    return or_((AuditEvent.subject == "elder") & (AuditEvent.subject_id == elder_id), shown, *hers)
