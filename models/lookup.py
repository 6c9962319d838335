"""Who stands behind a telephone number, and by which numbers somebody is reached."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.people import Elder, Person, PersonNumber, PhoneNumber
from models.phone import Number
from models.prepared import Prepared
from models.rows import Rows


@dataclass(frozen=True)
class Dialable:
    """A number of a person or a provider, in the order in which they want to be rung."""

    number_id: int
    value: str
    kind: str


@dataclass(frozen=True)
class KnownElder:
    """An elder as a conversation needs her: what may be spoken of her, and her language."""

    id: int
    family_name: str
    sex: str | None
    language: str


# It is asked at the beginning of every call. Who was registered twice has the number once, with what has stayed.
_CALLERS = Prepared(
    select(PhoneNumber.id, Person.id, Person.family_name, Person.sex, Person.language)
    .select_from(PhoneNumber)
    .outerjoin(PersonNumber, PersonNumber.number_id == PhoneNumber.id)
    .outerjoin(Elder, and_(Elder.id == PersonNumber.person_id, Elder.merged_into_id.is_(None)))
    .outerjoin(Person, Person.id == Elder.id)
    .where(PhoneNumber.value == bindparam("value"))
    .order_by(Person.id)
)


_HER_NUMBERS = Prepared(
    select(PhoneNumber.id, PhoneNumber.value, PhoneNumber.kind)
    .join(PersonNumber, PersonNumber.number_id == PhoneNumber.id)
    .where(PersonNumber.person_id == bindparam("of_person"))
    .order_by(PersonNumber.position, PersonNumber.id)
)


def callers_at(session: Session | Rows, number: Number) -> tuple[int | None, tuple[KnownElder, ...]]:
    """Return the id of the number's row, None if it has none yet, and the elders who may be calling from it."""
    rows = _CALLERS.all(session, {"value": number.value})
    return (rows[0][0] if rows else None), tuple(KnownElder(*row[1:]) for row in rows if row[1] is not None)


def number_row(session: Session, number: Number) -> PhoneNumber:
    """Return the row of `number`, made if it is new."""
    known = select(PhoneNumber).where(PhoneNumber.value == number.value)
    row = session.scalar(known)
    if row is not None:
        return row
    row = PhoneNumber(value=number.value, kind=number.kind)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        # Another call from the same new number was a moment faster; neither caller is to lose hers for it.
        return session.scalars(known).one()
    return row


def elders_at(session: Session, number: Number) -> list[Elder]:
    """Return the elders who may be calling from `number`: none, one, or a household."""
    query = (
        select(Elder)
        .join(PersonNumber, PersonNumber.person_id == Elder.id)
        .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
        .where(PhoneNumber.value == number.value, Elder.merged_into_id.is_(None))
        .order_by(Elder.id)
    )
    return list(session.scalars(query).unique())


def numbers_of_elder(session: Session, elder_id: int) -> list[Dialable]:
    """Return her numbers, the one to ring first at the head."""
    session.flush()
    return [Dialable(*row) for row in _HER_NUMBERS.all(session, {"of_person": elder_id})]
