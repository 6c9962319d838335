"""Adding people and providers: one function each, for imports, the demonstration and tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import search
from models.contacts import Contact, Relation
from models.lookup import number_row
from models.people import Area, AreaKind, Elder, NumberRole, Person, PersonNumber, PhoneNumber
from models.phone import Number
from models.providers import Provider, ProviderArea, ProviderItem, ProviderKind, ProviderNumber

# Family names of two characters; any other Chinese or Korean name begins with a single one.
_DOUBLE = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "夏侯",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "司徒",
    "令狐",
    "南宫",
    "남궁",
    "황보",
    "선우",
)


@dataclass(frozen=True)
class NewElder:
    """What is known of an elder when she is registered. `numbers`: the one to ring first at the head."""

    name: str
    numbers: Sequence[Number]
    family_name: str = ""
    sex: str | None = None
    born_on: date | None = None
    language: str = "zh-CN"
    area: Area | None = None
    address: str = ""
    card_number: str | None = None
    needs: str = ""


def family_name_of(name: str) -> str:
    """Return the family name by which she is addressed: the first character(s), or the last word of a Western name."""
    name = name.strip()
    # Below the first CJK block lie the alphabets: Latin with its accents, Cyrillic.
    if name[:1] < "\u2e80":
        return name.split()[-1][:40] if name else ""
    return name[:2] if name.startswith(_DOUBLE) else name[:1]


def add_elder(session: Session, new: NewElder, now: datetime) -> Elder:
    """Register an elder with her numbers; a number that others have too makes a household line."""
    person = Person(
        name=new.name,
        family_name=new.family_name or family_name_of(new.name),
        sex=new.sex,
        born_on=new.born_on,
        language=new.language,
        created_at=now,
    )
    elder = Elder(person=person, area=new.area, address=new.address, card_number=new.card_number, needs=new.needs)
    session.add(elder)
    session.flush()
    for position, number in enumerate(new.numbers):
        row = number_row(session, number)
        # A daughter's or a butler's line makes no household: only elders do.
        others = (
            select(PersonNumber)
            .join(Elder, Elder.id == PersonNumber.person_id)
            .where(PersonNumber.number_id == row.id, Elder.merged_into_id.is_(None))
        )
        shared = list(session.scalars(others))
        for other in shared:
            other.role = NumberRole.SHARED
        role = NumberRole.SHARED if shared else NumberRole.OWN
        session.add(PersonNumber(person_id=person.id, number_id=row.id, role=role, position=position))
        session.flush()
    search.index(session.connection(), [elder.id], now)
    return elder


@dataclass(frozen=True)
class NewContact:
    """Who may ring on an elder's behalf. Every consent is no until it is given."""

    name: str
    numbers: Sequence[Number]
    relation: Relation
    sex: str | None = None
    language: str = "zh-CN"
    may_order: bool = False
    may_hear_orders: bool = False
    may_hear_money: bool = False
    may_hear_health: bool = False
    may_look_in: bool = False
    wants_sms: bool = False


def add_contact(session: Session, elder: Elder, new: NewContact, now: datetime) -> Contact:
    """Register a contact of `elder`, behind those she has. The same name at the same number is the same person."""
    person = person_at(session, new.name, new.numbers[0]) if new.numbers else None
    if person is None:
        person = Person(
            name=new.name,
            family_name=family_name_of(new.name),
            sex=new.sex,
            language=new.language,
            created_at=now,
        )
        session.add(person)
        session.flush()
    reached_at = {link.number.value for link in person.numbers}
    for number in new.numbers:
        if number.value not in reached_at:
            row = number_row(session, number)
            person.numbers.append(PersonNumber(number=row, role=NumberRole.OWN, position=len(person.numbers)))
    contact = Contact(
        person=person,
        elder=elder,
        relation=new.relation,
        position=session.scalar(select(func.count()).select_from(Contact).where(Contact.elder_id == elder.id)) or 0,
        may_order=new.may_order,
        may_hear_orders=new.may_hear_orders,
        may_hear_money=new.may_hear_money,
        may_hear_health=new.may_hear_health,
        may_look_in=new.may_look_in,
        wants_sms=new.wants_sms,
        since=now,
    )
    session.add(contact)
    session.flush()
    return contact


def person_at(session: Session, name: str, number: Number) -> Person | None:
    """Return the person of this name at this number, None if there is none yet."""
    query = (
        select(Person)
        .join(PersonNumber, PersonNumber.person_id == Person.id)
        .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
        .where(Person.name == name, PhoneNumber.value == number.value)
        .order_by(Person.id)
        .limit(1)
    )
    return session.scalar(query)


def area_at(session: Session, *path: str) -> Area | None:
    """Return the area at district / community / grid, made where it is new. Empty names end the path."""
    area: Area | None = None
    for kind, name in zip(AreaKind, path, strict=False):
        if not name:
            break
        parent_id = area.id if area else None
        found = session.scalar(
            select(Area).where(Area.parent_id.is_(None) if parent_id is None else Area.parent_id == parent_id)
            .where(Area.name == name)
        )  # fmt: skip
        area = found or Area(parent_id=parent_id, kind=kind, name=name)
        session.add(area)
        session.flush()
    return area


@dataclass(frozen=True)
class NewProvider:
    """What is known of a provider when it is registered. Empty `areas` cover everywhere."""

    name: str
    numbers: Sequence[Number]
    services: Sequence[str]
    areas: Sequence[Area] = ()
    kind: str = ProviderKind.BUSINESS
    language: str = "zh-CN"
    position: int = 0


def add_provider(session: Session, new: NewProvider, now: datetime) -> Provider:
    """Register a provider with its numbers, services and areas."""
    provider = Provider(name=new.name, kind=new.kind, language=new.language, position=new.position, created_at=now)
    session.add(provider)
    session.flush()
    for position, number in enumerate(new.numbers):
        row = number_row(session, number)
        session.add(ProviderNumber(provider_id=provider.id, number_id=row.id, position=position))
    session.add_all(ProviderItem(provider_id=provider.id, service=service) for service in new.services)
    cover(session, provider, new.areas)
    return provider


def cover(session: Session, provider: Provider, areas: Sequence[Area]) -> None:
    """Let the provider cover these areas, too."""
    session.add_all(ProviderArea(provider_id=provider.id, area_id=area.id) for area in areas)
    session.flush()
