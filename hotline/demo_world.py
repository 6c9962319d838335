"""The demonstration's invented world. Nobody in it exists; its numbers lie in ranges that are never given out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents import accounts
from models import register
from models.contacts import Relation
from models.orders import EXPECTED, Order
from models.people import Elder, NumberRole, Person
from models.phone import normalise
from models.preferences import Because, Origin, Setting, put
from models.providers import Worker
from models.register import NewContact, NewElder, NewProvider
from models.users import Role, User

AGENT = "+8645110000900"
CONSOLE_USER = "demo"

_ELDERS = (
    ("王秀英", "f", "zh-CN", "+8645110000011", "D-0001", "河畔街1号", date(1941, 3, 8)),
    ("李大山", "m", "zh-CN", "+8645110000012", "D-0002", "松江路20号", date(1938, 10, 1)),
    ("김영희", "f", "ko", "+8645110000013", "D-0003", "民族路6号", date(1943, 5, 5)),
    ("赵桂兰", "f", "zh-CN", "+8611000000014", "D-0004", "河畔街7号", date(1936, 12, 22)),
    # A household: 李大山 and his wife share one telephone.
    ("孙玉兰", "f", "zh-CN", "+8645110000012", "D-0005", "松江路20号", date(1940, 6, 18)),
)
_DAUGHTER = ("王小梅（示范）", "+8611000000021")  # rings for 王秀英
_BUTLER = ("钱管家（示范）", "+8645110000031")  # rings for everybody
_PROVIDERS = (
    ("康乐助浴（示范）", "+8645110000101", ("bathing", "accompaniment")),
    ("安心到家（示范）", "+8645110000102", ("meals", "cleaning", "repairs", "bathing")),
    ("邻里帮志愿队（示范）", "+8645110000103", ("companionship", "meals", "accompaniment", "cleaning")),
)
# Who comes: with "*" and the code at an elder's greeting they report that they have come, and that it is done.
_WORKERS = (("孙师傅（示范）", "m", "1001"), ("刘姐（示范）", "f", "1002"), ("小周（示范）", "f", "1003"))
PROVIDER_NUMBERS = tuple(number for _, number, _ in _PROVIDERS)
# What an elder can order by key: service, key.
_SERVICES = (("bathing", "2"), ("cleaning", "3"), ("meals", "1"), ("repairs", "85"), ("companionship", "86"))
_DAYS = (("2", 1), ("3", 2))
_PARTS = (("morning", "1"), ("afternoon", "2"))


@dataclass(frozen=True)
class Wish:
    """What the elder of this demonstration orders: her number, and the keys she will press."""

    elder_id: int
    number: str
    family_name: str
    service: str
    keys: tuple[str, ...]


def settle(session: Session, now: datetime) -> None:
    """Write the world; what is there already is left as it is."""
    if session.scalar(select(Elder.id).where(Elder.card_number == _ELDERS[0][4])) is not None:
        return
    area = register.area_at(session, "道里区（示范）", "河畔社区", "第一网格")
    elders = []
    for name, sex, language, number, card, address, born_on in _ELDERS:
        new = NewElder(
            name,
            [normalise(number)],
            sex=sex,
            language=language,
            area=area,
            card_number=card,
            address=address,
            born_on=born_on,
        )
        elders.append(register.add_elder(session, new, now))
    _gather_around(session, elders, now)
    for position, (name, number, services) in enumerate(_PROVIDERS):
        new_provider = NewProvider(name, [normalise(number)], services, position=position)
        provider = register.add_provider(session, new_provider, now)
        worker, sex, code = _WORKERS[position]
        person = Person(name=worker, family_name=worker[0], sex=sex, created_at=now)
        session.add(Worker(provider=provider, person=person, code=code, since=now))


def _gather_around(session: Session, elders: list[Elder], now: datetime) -> None:
    """Give the elders who may ring for them, and one of them her way of using the hotline."""
    name, number = _DAUGHTER
    daughter = NewContact(
        name, [normalise(number)], Relation.CHILD, sex="f", may_order=True, may_hear_orders=True, may_hear_health=True
    )
    register.add_contact(session, elders[0], daughter, now)
    name, number = _BUTLER
    for elder in elders:
        butler = NewContact(name, [normalise(number)], Relation.BUTLER, may_order=True, may_hear_orders=True)
        register.add_contact(session, elder, butler, now)
    oldest = min(elders, key=lambda elder: elder.person.born_on or date.max)
    put(session, oldest.id, (Setting.PACE, "slow"), Because(Origin.IMPORT), now)
    put(session, oldest.id, (Setting.VOLUME, "loud"), Because(Origin.IMPORT), now)


def console_password(session: Session, now: datetime) -> str:
    """Give the demonstration's supervisor a new password for this start, and return it."""
    password = secrets.token_urlsafe(12)
    user = session.scalar(select(User).where(User.name == CONSOLE_USER))
    if user is None:
        accounts.create_user(session, CONSOLE_USER, password, Role.SUPERVISOR, now)
    else:
        accounts.change_password(session, user, password, now)
    return password


def choose_wish(session: Session, today: date) -> Wish:
    """Return something that is not ordered yet: the same order twice would be the same order.

    Raises:
        LookupError: everything the world can wish for these days is ordered.
    """
    standing = {
        (order.elder_id, order.service, order.wanted_on, order.wanted_part)
        for order in session.scalars(select(Order).where(Order.status.in_(EXPECTED)))
    }
    for elder in session.scalars(select(Elder).where(Elder.card_number.like("D-0%")).order_by(Elder.id)).unique():
        if elder.person.numbers[0].role == NumberRole.SHARED:
            continue  # She would be asked first which of the household she is.
        for service, service_keys in _SERVICES:
            for day_key, ahead in _DAYS:
                for part, part_key in _PARTS:
                    if (elder.id, service, today + timedelta(days=ahead), part) not in standing:
                        keys = (*service_keys, day_key, part_key, "1")
                        number = elder.person.numbers[0].number.value
                        return Wish(elder.id, number, elder.person.family_name, service, keys)
    raise LookupError("everybody has ordered everything; remove the folder of the demonstration to begin anew")
