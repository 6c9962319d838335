"""Who stands by an elder, as her card changes it: relation, numbers, and what the elder has consented to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from agents.changing import Kind, Refused, Values
from agents.circle import RIGHTS
from agents.people import clean, numbers_in, write_numbers
from models.contacts import Contact, Relation
from models.people import Elder, Person
from models.phone import BadNumber, normalise
from models.register import NewContact, add_contact, family_name_of, person_at
from models.users import Role

NAME_MAX = 80
NUMBERS_MAX = 4


def contact_values(elder: Elder, form: Mapping[str, str]) -> Values:
    """Return what a form says of a contact of `elder`.

    Raises:
        Refused: with the fields that are wrong.
    """
    problems, numbers = {}, []
    name = clean(form.get("name", ""))
    if not name:
        problems["name"] = "missing"
    elif len(name) > NAME_MAX:
        problems["name"] = "long"
    try:
        numbers = [number.value for number in numbers_in(form.get("numbers", ""))]
        if not numbers:
            problems["numbers"] = "missing"
        elif len(numbers) > NUMBERS_MAX:
            problems["numbers"] = "long"
    except BadNumber:
        problems["numbers"] = "bad"
    if form.get("relation") not in {relation.value for relation in Relation}:
        problems["relation"] = "bad"
    if name == elder.person.name and set(numbers) & {link.number.value for link in elder.person.numbers}:
        problems["name"] = "herself"
    if problems:
        raise Refused(problems)
    rights = [right for right in RIGHTS if form.get(right) == "yes"]
    return {"elder": elder.id, "name": name, "numbers": numbers, "relation": form["relation"], "rights": rights}


def contact_at(session: Session, elder: Elder, key: str) -> Contact:
    """Return the contact of this key, if it is one of this elder's.

    Raises:
        KeyError: it is not.
    """
    row = session.get(Contact, int(key)) if key.isascii() and key.isdigit() else None
    if row is None or row.elder_id != elder.id or row.ended_at is not None:
        raise KeyError(key)
    return row


def is_elder(session: Session, person_id: int) -> bool:
    """Whether the contact is an elder too: her name and numbers are corrected on her own card."""
    return session.get(Elder, person_id) is not None


def stands_by(session: Session, person_id: int) -> int:
    """Return by how many elders this person stands: a correction of name and numbers counts for all of them."""
    query = select(Contact.id).where(Contact.person_id == person_id, Contact.ended_at.is_(None))
    return len(session.scalars(query).all())


def _read(session: Session, key: str) -> Values | None:
    together = selectinload(Contact.person).selectinload(Person.numbers)
    query = select(Contact).where(Contact.id == int(key), Contact.ended_at.is_(None)).options(together)
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        return None
    return {
        "elder": row.elder_id,
        "name": row.person.name,
        "numbers": [link.number.value for link in row.person.numbers],
        "relation": str(row.relation),
        "rights": [right for right in RIGHTS if getattr(row, right)],
    }


def _write(session: Session, key: str | None, values: Values | None, now: datetime) -> str:
    if values is None:
        session.get_one(Contact, int(str(key))).ended_at = now
        return str(key)
    row = session.get_one(Contact, int(key)) if key else _added(session, values, now)
    row.ended_at = None
    row.relation = values["relation"]
    for right in RIGHTS:
        setattr(row, right, right in values["rights"])
    _write_person(session, row.person, values)
    session.flush()
    return str(row.id)


def _added(session: Session, values: Values, now: datetime) -> Contact:
    elder, numbers = session.get_one(Elder, values["elder"]), [normalise(one) for one in values["numbers"]]
    person = person_at(session, values["name"], numbers[0])
    known = select(Contact).where(Contact.elder_id == elder.id, Contact.person_id == (person.id if person else 0))
    row = session.scalar(known)
    if row is None:
        return add_contact(
            session, elder, NewContact(values["name"], numbers, values["relation"], language=elder.person.language), now
        )
    if row.ended_at is None:
        raise Refused({"name": "twice"})
    # She stood by her before: the row that old orders name goes on.
    row.since = now
    return row


def _write_person(session: Session, person: Person, values: Values) -> None:
    stands = person.name, [link.number.value for link in person.numbers]
    if stands == (values["name"], values["numbers"]):
        return
    if is_elder(session, person.id):
        raise Refused({"name": "elder"})
    if person.name != values["name"]:
        person.name, person.family_name = values["name"], family_name_of(values["name"])
    write_numbers(session, person, values["numbers"])


CONTACT = Kind(
    "contact", _read, _write, role=Role.AGENT, removable=True, private=frozenset({"name", "numbers", "elder"})
)
