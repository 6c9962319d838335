"""Whose a number is that an agent rings by its button: the task's, her own, or somebody's of her circle."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.contacts import Contact
from models.people import Elder, PersonNumber, PhoneNumber
from models.phone import Number, NumberKind
from models.providers import ProviderNumber
from models.tasks import RINGS_PROVIDER, Task


@dataclass(frozen=True)
class Reached:
    """Who is rung. `elder_id`: whose call it is; `person_id`: who holds the telephone for her, None: she herself."""

    number: PhoneNumber
    elder_id: int | None = None
    person_id: int | None = None


@dataclass(frozen=True)
class Firm:
    """The provider that a task is for, with its numbers as they are dialled, the one to ring first at the head."""

    name: str
    numbers: tuple[str, ...]


def firm_of(task: Task) -> Firm | None:
    """Return the provider that is to be rung for the task; None where it is about the elder herself."""
    if task.kind not in RINGS_PROVIDER or task.provider is None:
        return None
    numbers = (link.number for link in task.provider.numbers)
    return Firm(task.provider.name, tuple(Number(one.value, NumberKind(one.kind)).national for one in numbers))


def first_of_task(task: Task) -> Reached | None:
    """Return the number that the task's own button rings, or None."""
    if task.kind in RINGS_PROVIDER and task.provider is not None:
        return Reached(task.provider.numbers[0].number) if task.provider.numbers else None
    own = task.elder.person.numbers if task.elder else []
    found = task.number or (own[0].number if own else None)
    return Reached(found, task.elder_id) if found is not None else None


def of_elder(session: Session, elder: Elder, number: PhoneNumber) -> Reached | None:
    """Return the number as hers or one of her contacts', or None."""
    holders = set(session.scalars(select(PersonNumber.person_id).where(PersonNumber.number_id == number.id)))
    if elder.id in holders:
        return Reached(number, elder.id)
    contact = session.scalar(
        select(Contact.person_id)
        .where(Contact.elder_id == elder.id, Contact.ended_at.is_(None), Contact.person_id.in_(holders))
        .order_by(Contact.position, Contact.id)
    )
    return Reached(number, elder.id, contact) if contact is not None else None


def of_task(session: Session, task: Task, number: PhoneNumber) -> Reached | None:
    """Return the number as the task's own, its elder's, one of her contacts' or its provider's, or None."""
    if number.id == task.number_id:
        return Reached(number, task.elder_id)
    found = of_elder(session, task.elder, number) if task.elder is not None else None
    if found is not None:
        return found
    providers = {task.provider_id, task.order.provider_id if task.order is not None else None} - {None}
    theirs = select(ProviderNumber.id).where(
        ProviderNumber.number_id == number.id, ProviderNumber.provider_id.in_(providers)
    )
    # A provider speaks about her order, not for her: the call is the task's alone.
    return Reached(number) if session.scalar(theirs.limit(1)) is not None else None
