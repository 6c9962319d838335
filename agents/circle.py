"""Who stands around an elder: her household, who may ring for her, and for whom she may ring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from agents.parties import Party, party
from models.contacts import Contact
from models.people import Elder, Person, PersonNumber
from models.phone import Number, NumberKind

# What a contact may do and hear, in the order in which the card tells it.
RIGHTS = ("may_order", "may_hear_orders", "may_hear_health", "may_hear_money", "may_look_in", "wants_sms")


@dataclass(frozen=True)
class Line:
    """A telephone number as the card shows it: whole."""

    number: str
    kind: str
    role: str


@dataclass(frozen=True)
class Tie:
    """One contact, seen from either side. `who` is a link where the other one is an elder too."""

    who: Party
    relation: str
    numbers: tuple[Line, ...]
    rights: tuple[str, ...]
    since: datetime
    key: str = ""  # names it in forms of the elder's card


def numbers_of(person: Person) -> tuple[Line, ...]:
    """Return the person's numbers, the one to ring first at the head."""
    return tuple(
        Line(Number(link.number.value, NumberKind(link.number.kind)).national, link.number.kind, link.role)
        for link in person.numbers
    )


def household(session: Session, person: Person) -> tuple[Party, ...]:
    """Return the other elders who may be on the line when one of her numbers rings."""
    number_ids = [link.number_id for link in person.numbers]
    if not number_ids:
        return ()
    others = session.scalars(
        select(Elder)
        .where(
            Elder.id.in_(select(PersonNumber.person_id).where(PersonNumber.number_id.in_(number_ids))),
            Elder.id != person.id,
            Elder.merged_into_id.is_(None),
        )
        .order_by(Elder.id)
    )
    return tuple(party(elder, None, None) for elder in others)


def contacts(session: Session, elder: Elder) -> tuple[Tie, ...]:
    """Return who may ring on her behalf, the one to ring first at the head."""
    rows = session.scalars(
        select(Contact)
        .where(Contact.elder_id == elder.id, Contact.ended_at.is_(None))
        .order_by(Contact.position, Contact.id)
        .options(selectinload(Contact.person).selectinload(Person.numbers))
    ).all()
    elders = set(session.scalars(select(Elder.id).where(Elder.id.in_([row.person_id for row in rows]))))
    return tuple(_tie(row, _party(row.person, row.person_id in elders), numbers_of(row.person)) for row in rows)


def charges(session: Session, elder: Elder) -> tuple[Tie, ...]:
    """Return for whom she rings herself."""
    rows = session.scalars(
        select(Contact)
        .join(Elder, Elder.id == Contact.elder_id)
        .where(Contact.person_id == elder.id, Contact.ended_at.is_(None), Elder.merged_into_id.is_(None))
        .order_by(Contact.elder_id)
        .options(selectinload(Contact.elder))
    )
    return tuple(_tie(row, party(row.elder, None, None), ()) for row in rows)


def _party(person: Person, is_elder: bool) -> Party:
    return Party("elder" if is_elder else "contact", person.name, person.public_id if is_elder else "")


def _tie(row: Contact, who: Party, numbers: tuple[Line, ...]) -> Tie:
    return Tie(
        who, row.relation, numbers, tuple(right for right in RIGHTS if getattr(row, right)), row.since, str(row.id)
    )
