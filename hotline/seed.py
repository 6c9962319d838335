"""Invented people and their past, in any number: for measuring, for training, for a look at a full console.

Nobody in it exists. The numbers begin with 110, with which no mobile number does. The same `seed` makes the same world.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from sqlalchemy import Connection, Table, insert, select

from models import deadlines, search
from models.base import new_public_id
from models.calls import Call, CallEnd, CallEvent, CallState, Direction, IdentifiedBy
from models.orders import Order, OrderEvent, OrderStatus
from models.people import Elder, NumberRole, Person, PersonNumber, PhoneNumber
from models.phone import NumberKind
from models.register import area_at, family_name_of
from models.session import write
from models.tasks import PRIORITY, Task, TaskKind, TaskState
from models.vocabulary import PART, SERVICE

BATCH = 5000
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
_GIVEN = "桂兰秀英淑珍玉芬凤霞翠花素琴振华德福长海国栋建军志强永生文斌宝山金荣庆云春梅"
_KOREAN = ("김", "이", "박", "최", "정"), ("순자", "영희", "말순", "철수", "영수", "복순")
_STREETS = [
    "河畔",
    "松江",
    "民族",
    "经纬",
    "友谊",
    "红旗",
    "新阳",
    "安国",
    "通江",
    "兆麟",
    "建设",
    "和平",
    "光明",
    "学府",
    "果戈里",
]
_KINDS = (CallEnd.GOODBYE, CallEnd.GOODBYE, CallEnd.PERSON, CallEnd.HUNG_UP, CallEnd.ABANDONED, CallEnd.MESSAGE)
# Of a hundred calls so many become an order, and of a hundred orders so many are open.
_ORDERED, _OPEN = 8, 2
_OPEN_STATES = (OrderStatus.CONFIRMED, OrderStatus.OFFERED, OrderStatus.NEEDS_AGENT, OrderStatus.ACCEPTED)

Told = Callable[[int], None]
Calls = list[tuple[int, dict[str, Any]]]  # id and row of each


@dataclass(frozen=True)
class Size:
    """How many, and the number that makes it the same each time."""

    elders: int
    calls: int
    seed: int = 12349


def table_of(kind: Any) -> Table:
    """Return a model's table."""
    return cast(Table, kind.__table__)


def is_empty() -> bool:
    """Whether nobody is registered yet."""
    with write() as session:
        return session.scalar(select(Person.id).limit(1)) is None


def people(size: Size, now: datetime, told: Told) -> list[tuple[int, int]]:
    """Write the elders with their numbers; returns each one's id and her number's."""
    dice = random.Random(size.seed)
    with write() as session:
        areas = [
            area_at(session, f"{name}区（示范）", f"{name}第{community}社区", f"第{grid}网格")
            for name in ("河东", "河西", "江北", "江南", "城中")
            for community in range(1, 7)
            for grid in range(1, 4)
        ]
        area_ids = [area.id for area in areas if area is not None]
    made: list[tuple[int, int]] = []
    for begin in range(0, size.elders, BATCH):
        numbers = range(begin, min(begin + BATCH, size.elders))
        with write() as session:
            connection = session.connection()
            persons = [_person(dice, now) for _ in numbers]
            ids = _ids(connection, table_of(Person), persons)
            lines = [
                {"public_id": new_public_id(), "value": f"+86110{number:08}", "kind": NumberKind.MOBILE.value}
                for number in numbers
            ]
            line_ids = _ids(connection, table_of(PhoneNumber), lines)
            connection.execute(insert(table_of(Elder)), [_elder(dice, each, area_ids) for each in ids])
            links = [
                {"person_id": each, "number_id": line, "role": NumberRole.OWN.value, "position": 0}
                for each, line in zip(ids, line_ids, strict=True)
            ]
            connection.execute(insert(table_of(PersonNumber)), links)
            search.index(connection, ids, now)
        made += zip(ids, line_ids, strict=True)
        told(len(ids))
    return made


def past(size: Size, who: list[tuple[int, int]], now: datetime, told: Told) -> None:
    """Write the calls of two years with what came of them."""
    dice = random.Random(size.seed + 1)
    for begin in range(0, size.calls, BATCH):
        count = min(BATCH, size.calls - begin)
        # From the oldest to the newest, as ids would have been given out.
        span = timedelta(days=730) / max(1, size.calls)
        rows = [_call(dice, who, now - (size.calls - begin - at) * span) for at in range(count)]
        with write() as session:
            connection = session.connection()
            ids = _ids(connection, table_of(Call), rows)
            ends = [
                {"call_id": each, "at": row["ended_at"], "kind": "ended", "data": {"end": row["end"]}}
                for each, row in zip(ids, rows, strict=True)
            ]
            connection.execute(insert(table_of(CallEvent)), ends)
            ordered = [(each, row) for each, row in zip(ids, rows, strict=True) if dice.randrange(100) < _ORDERED]
            _orders(connection, dice, ordered, now)
            _tasks(connection, dice, ordered, now)
        told(count)


def _person(dice: random.Random, now: datetime) -> dict[str, Any]:
    korean = dice.randrange(12) == 0
    surname = dice.choice(_KOREAN[0] if korean else _SURNAMES)
    name = surname + (dice.choice(_KOREAN[1]) if korean else "".join(dice.sample(_GIVEN, dice.choice((1, 2, 2)))))
    return {
        "public_id": new_public_id(), "name": name, "family_name": family_name_of(name), "sex": dice.choice("fffm"),
        "born_on": date(1930, 1, 1) + timedelta(days=dice.randrange(9500)), "language": "ko" if korean else "zh-CN",
        "created_at": now,
    }  # fmt: skip


def _elder(dice: random.Random, elder_id: int, area_ids: list[int]) -> dict[str, Any]:
    address = f"{dice.choice(_STREETS)}路{dice.randrange(1, 300)}号{dice.randrange(1, 9)}单元{dice.randrange(101, 799)}"
    card = f"S-{elder_id:07}"
    return {
        "id": elder_id, "area_id": dice.choice(area_ids), "address": address, "card_number": card,
        "card_digits": f"{elder_id:07}", "needs": "",
    }  # fmt: skip


def _call(dice: random.Random, who: list[tuple[int, int]], at: datetime) -> dict[str, Any]:
    elder_id, number_id = dice.choice(who)
    return {
        "public_id": new_public_id(), "channel_id": f"seed-{new_public_id()}", "direction": Direction.IN.value,
        "purpose": "inbound", "state": CallState.ENDED.value, "end": dice.choice(_KINDS).value,
        "number_id": number_id, "elder_id": elder_id, "identified_by": IdentifiedBy.CALLER_ID.value,
        "language": "zh-CN", "started_at": at, "answered_at": at,
        "ended_at": at + timedelta(seconds=dice.randrange(15, 240)),
    }  # fmt: skip


def _orders(
    connection: Connection, dice: random.Random, calls: list[tuple[int, dict[str, Any]]], now: datetime
) -> None:
    rows = []
    for call_id, call in calls:
        recent = now - call["started_at"] < timedelta(days=20)
        status = dice.choice(_OPEN_STATES) if recent and dice.randrange(100) < _OPEN * 20 else OrderStatus.SETTLED
        service, part = dice.choice(list(SERVICE)), dice.choice(list(PART))
        day = call["started_at"].date() + timedelta(days=dice.randrange(1, 8))
        clocks = deadlines.columns(service, day, part, call["started_at"])
        done = status is OrderStatus.SETTLED
        rows.append({
            "public_id": new_public_id(), "idempotency_key": f"seed-{new_public_id()}", "channel": "phone",
            "elder_id": call["elder_id"], "call_id": call_id, "service": service, "wanted_on": day, "wanted_part": part,
            "wanted_at": time(9, 30) if part == "morning" else None, "note": "", "language": "zh-CN",
            "status": status.value, "created_at": call["started_at"], "changed_at": call["ended_at"],
            **(dict.fromkeys(clocks) if done else clocks), "escalate_at": None,
        })  # fmt: skip
    if not rows:
        return
    ids = _ids(connection, table_of(Order), rows)
    events = [
        {"order_id": each, "at": row["created_at"], "to_status": row["status"], "actor": "elder",
         "actor_id": row["elder_id"], "call_id": row["call_id"]}
        for each, row in zip(ids, rows, strict=True)
    ]  # fmt: skip
    connection.execute(insert(table_of(OrderEvent)), events)


def _tasks(connection: Connection, dice: random.Random, calls: Calls, now: datetime) -> None:
    rows = []
    for call_id, call in calls[::4]:
        kind = dice.choice((TaskKind.PARTIAL, TaskKind.MESSAGE, TaskKind.RING_BACK, TaskKind.CALLBACK))
        is_open = now - call["started_at"] < timedelta(days=2)
        rows.append({
            "public_id": new_public_id(), "kind": kind.value, "dedupe_key": f"seed:{call_id}",
            "priority": PRIORITY[kind], "call_id": call_id, "elder_id": call["elder_id"],
            "number_id": call["number_id"], "data": {}, "note": "", "created_at": call["ended_at"],
            "changed_at": call["ended_at"], "tries": 0,
            "state": (TaskState.POOL if is_open else TaskState.CLOSED).value, "result": None if is_open else "done",
            "closed_at": None if is_open else call["ended_at"],
        })  # fmt: skip
    if rows:
        connection.execute(insert(table_of(Task)), rows)


def _ids(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> list[int]:
    """Insert and return the new ids, in the order of the rows."""
    statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(connection.scalars(statement, rows))
