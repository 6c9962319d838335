"""What an elder's card tells of her care visits: why and by when she is reached, how she was over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import care_hints, duties
from dispatch.care_hints import Hint
from dispatch.duty_month import Places
from models.calling_hours import hours_of
from models.calls import Call
from models.contacts import Contact
from models.duties import CareProof, ElderGroup
from models.people import Elder, Person
from models.users import User

SHOWN = 6
# The questions of the picture, from the top down.
PICTURE = ("feel", "eaten", "medicine", "warm", "cool")


@dataclass(frozen=True)
class Reached:
    """Once she was reached. `call`: public id; `by`: who talked with her or was there, by name."""

    at: datetime
    kind: str
    call: str | None
    by: str


@dataclass(frozen=True)
class Mark:
    """One answer in the picture: `tone` is good, warn or bad."""

    question: str
    answer: str
    tone: str


@dataclass(frozen=True)
class Column:
    """One visit in the picture."""

    at: datetime
    call: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class CareCard:
    """Her care visits. `who_was_there`: value and name of those who may have been with her in person."""

    groups: tuple[tuple[str, datetime], ...]
    due_by: datetime | None
    due_why: str
    overdue: bool
    never: bool  # no machine rings her
    reached: tuple[Reached, ...]
    picture: tuple[Column, ...]
    hints: tuple[Hint, ...]
    who_was_there: tuple[tuple[str, str], ...]

    @property
    def rows(self) -> tuple[str, ...]:
        """The questions that the picture has a row for."""
        told = {mark.question for column in self.picture for mark in column.marks}
        return tuple(question for question in PICTURE if question in told)

    def is_empty(self) -> bool:
        """Whether there is nothing to tell of her."""
        return not (self.groups or self.due_by or self.reached or self.picture)


def care_card(session: Session, elder: Elder, user_id: int, now: datetime) -> CareCard:
    """Return what is known of an elder's care visits; `user_id` may say that she was there herself."""
    groups = session.execute(
        select(ElderGroup.group, ElderGroup.since)
        .where(ElderGroup.elder_id == elder.id, ElderGroup.ended_at.is_(None))
        .order_by(ElderGroup.since, ElderGroup.id)
    )
    due = duties.next_due(session, [elder.id], now).get(elder.id)
    hours = hours_of(session, elder.id, now)
    visits = care_hints.history(session, elder.id)
    return CareCard(
        groups=tuple((group, since) for group, since in groups),
        due_by=due.deadline if due else None,
        due_why=due.group if due else "",
        overdue=due is not None and due.overdue,
        never=hours.never,
        reached=_reached(session, elder.id),
        picture=_picture(session, visits),
        hints=tuple(care_hints.hints(visits)),
        who_was_there=_who(session, elder, user_id, now),
    )


def _reached(session: Session, elder_id: int) -> tuple[Reached, ...]:
    rows = session.execute(
        select(CareProof.at, CareProof.kind, Call.public_id, User.name, Person.name)
        .outerjoin(Call, Call.id == CareProof.call_id)
        .outerjoin(User, User.id == CareProof.by_user_id)
        .outerjoin(Person, Person.id == CareProof.by_person_id)
        .where(CareProof.elder_id == elder_id)
        .order_by(CareProof.at.desc(), CareProof.id.desc())
        .limit(SHOWN)
    )
    return tuple(Reached(at, kind, call, person or user or "") for at, kind, call, user, person in rows)


def _picture(session: Session, visits: list[care_hints.Visit]) -> tuple[Column, ...]:
    ids = [visit.call_id for visit in visits]
    named = dict(session.execute(select(Call.id, Call.public_id).where(Call.id.in_(ids))).all()) if ids else {}
    return tuple(
        Column(
            visit.at,
            named[visit.call_id],
            tuple(
                Mark(question, visit.answers[question], tone_of(question, visit.answers[question]))
                for question in PICTURE
                if question in visit.answers
            ),
        )
        for visit in visits
    )


def tone_of(question: str, answer: str) -> str:
    """Return how an answer looks: good, warn or bad."""
    if question == "feel":
        return {"well": "good", "need": "warn"}.get(answer, "bad")
    return {"yes": "good", "none": "calm"}.get(answer, "bad" if question in ("eaten", "medicine") else "warn")


def _who(session: Session, elder: Elder, user_id: int, now: datetime) -> tuple[tuple[str, str], ...]:
    """Return whom a visit in person can be written of: the agent, her butler, her contacts, the colleagues."""
    me = session.get_one(User, user_id)
    found = {f"user:{me.public_id}": me.name}
    butler_id, _ = Places(session, now).butler(elder.id, elder.area_id)
    people = select(Person).join(Contact, Contact.person_id == Person.id)
    contacts = session.scalars(people.where(Contact.elder_id == elder.id, Contact.ended_at.is_(None)))
    near = [session.get_one(Person, butler_id)] if butler_id is not None else []
    found |= {f"person:{one.public_id}": one.name for one in (*near, *contacts)}
    colleagues = session.scalars(select(User).where(User.disabled_at.is_(None)).order_by(User.name))
    found |= {f"user:{one.public_id}": one.name for one in colleagues if f"user:{one.public_id}" not in found}
    return tuple(found.items())
