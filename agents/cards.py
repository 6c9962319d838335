"""An elder's card: who she is, how she is reached, what she has ordered, what is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

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
from agents.parties import Party, area_path, party
from models.calls import Call
from models.orders import Order
from models.people import Elder, Person, PersonNumber
from models.phone import Number, NumberKind
from models.tasks import Task

# The newest of each; the full history comes with search.
SHOWN = 20


@dataclass(frozen=True)
class Line:
    """A telephone number as the card shows it: whole."""

    number: str
    kind: str
    role: str


@dataclass(frozen=True)
class ElderCard:
    """Everything an agent needs in front of her while she speaks with this elder."""

    public_id: str
    name: str
    family_name: str
    sex: str | None
    born_on: date | None
    age: int | None
    language: str
    area: tuple[str, ...]
    address: str
    card_number: str | None
    needs: str
    numbers: tuple[Line, ...]
    household: tuple[Party, ...]
    orders: tuple[OrderLine, ...]
    calls: tuple[CallLine, ...]
    open_tasks: tuple[TaskLine, ...]
    closed_tasks: tuple[TaskLine, ...]


def elder_card(session: Session, public_id: str, today: date) -> tuple[int, ElderCard] | None:
    """Return the elder's id (for the audit) and her card, or None."""
    elder = session.scalar(select(Elder).join(Elder.person).where(Person.public_id == public_id))
    if elder is None:
        return None
    person = elder.person
    orders = session.scalars(
        orders_query().where(Order.elder_id == elder.id).order_by(Order.id.desc()).limit(SHOWN)
    ).all()
    calls = session.scalars(calls_query().where(Call.elder_id == elder.id).order_by(Call.id.desc()).limit(SHOWN)).all()
    tasks = task_lines(
        session.scalars(
            tasks_query()
            .where(Task.elder_id == elder.id)
            .order_by(Task.closed_at.is_not(None), Task.priority, Task.id.desc())
            .limit(SHOWN)
        ).all()
    )
    card = ElderCard(
        public_id=person.public_id,
        name=person.name,
        family_name=person.family_name,
        sex=person.sex,
        born_on=person.born_on,
        age=age_on(person.born_on, today) if person.born_on else None,
        language=person.language,
        area=area_path(session, elder.area_id),
        address=elder.address,
        card_number=elder.card_number,
        needs=elder.needs,
        numbers=tuple(_line(link) for link in person.numbers),
        household=_household(session, person),
        orders=order_lines(session, orders),
        calls=call_lines(session, calls),
        open_tasks=tuple(task for task in tasks if task.closed_at is None),
        closed_tasks=tuple(task for task in tasks if task.closed_at is not None),
    )
    return elder.id, card


def age_on(born_on: date, today: date) -> int:
    """Return the age in full years; who was born on 29 February turns older on 1 March."""
    return today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))


def _line(link: PersonNumber) -> Line:
    number = Number(link.number.value, NumberKind(link.number.kind))
    return Line(number.national, number.kind, link.role)


def _household(session: Session, person: Person) -> tuple[Party, ...]:
    """Return the other elders who may be on the line when one of her numbers rings."""
    number_ids = [link.number_id for link in person.numbers]
    if not number_ids:
        return ()
    others = session.scalars(
        select(Elder)
        .where(
            Elder.id.in_(select(PersonNumber.person_id).where(PersonNumber.number_id.in_(number_ids))),
            Elder.id != person.id,
        )
        .order_by(Elder.id)
    )
    return tuple(party(elder, None, None) for elder in others)
