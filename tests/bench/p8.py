"""P8: orders a second, each confirmed durably with its history, its errand and its call's journal ÷ the same rows
written by the bare driver, one transaction an order.

Ours is `ivr.inbound_rows.place_order` as a call asks for it, less the job in
Redis, which is no row and comes after the commit (it is measured beside, without a
goal). The other side repeats, value for value, the rows that ours has written:
the same inserts by the driver itself, in one transaction an order, committed
with the same durability. Both have looked nothing up; ours also has to find
out that the order does not stand already.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch import outbox
from dispatch.orders import OrderRequest
from ivr import inbound_rows
from ivr.inbound_rows import Turn
from models import clock
from models.calls import Call, CallState, Direction
from models.prepared import _Form
from models.rows import Rows
from models.session import engine, write
from tests.bench import store
from tests.bench.report import Figure, compare

ROUNDS, ORDERS = 5, 300
TABLES = ("outbox", "call_events", "order_events", "orders")
SAID = Turn(step="confirm", heard="key", key="1")


@dataclass(frozen=True)
class Insertion:
    """One statement as it went to the driver."""

    sql: str
    values: Any
    many: bool


def sqlite() -> Figure:
    """P8 on SQLite, full sync."""
    with store.stores():
        return _measure(0.25)


def postgres() -> Figure:
    """P8 on PostgreSQL, synchronous commit."""
    with store.stores(on_postgres=True):
        return _measure(0.5)


def _measure(goal: float) -> Figure:
    ours: list[float] = []
    bare: list[float] = []
    woken: list[float] = []
    elders = iter(store.elders((2 * ROUNDS + 1) * ORDERS))

    def some() -> list[int]:
        return [next(elders) for _ in range(ORDERS)]

    with _nobody_woken():
        _ours(some())
    for number in range(ROUNDS):
        with _nobody_woken(), _recorded() as sent:
            ours.append(_ours(some()))
        _take_back(ORDERS)
        bare.append(_bare(sent))
        woken.append(_ours(some()))
        print(  # noqa: T201
            f"  round {number + 1}: {ours[-1]:.0f} orders/s, {bare[-1]:.0f} by the bare driver; "
            f"{woken[-1]:.0f} with the job in Redis",
            flush=True,
        )
    return compare(ours, bare, goal, "orders a second", better="higher")


@contextmanager
def _nobody_woken() -> Iterator[None]:
    real = outbox.wake
    outbox.wake = lambda entry_ids: len(entry_ids)
    try:
        yield
    finally:
        outbox.wake = real


def _ours(elders: list[int]) -> float:
    """Every elder confirms a bath in a call of her own; return how many a second."""
    now = clock.now()
    common = {"direction": Direction.IN, "purpose": "inbound", "state": CallState.TALKING, "started_at": now}
    with write() as session:
        calls = [Call(channel_id=f"bench-{elder}", elder_id=elder, **common) for elder in elders]
        session.add_all(calls)
    day = date(2026, 11, 23)
    requests = [
        OrderRequest(f"call:{call.id}", "phone", call.elder_id or 0, "bathing", day, "morning", "zh-CN", call.id)
        for call in calls
    ]
    began = time.perf_counter()
    new = sum(inbound_rows.place_order(request, SAID)[1] for request in requests)
    took = time.perf_counter() - began
    assert new == len(elders)
    return new / took


@contextmanager
def _recorded() -> Iterator[list[list[Insertion]]]:
    """What goes to the driver meanwhile, by order: insertions only."""
    orders: list[list[Insertion]] = []
    real = _Form._send

    def send(form: _Form, unit: Session | Rows, parameters: Any, how: str) -> Any:
        if " orders " in form.sql and form.sql.startswith("INSERT"):
            orders.append([])
        if form.sql.startswith("INSERT"):
            orders[-1].append(Insertion(form.sql, parameters, how == "executemany"))
        return real(form, unit, parameters, how)

    setattr(_Form, "_send", send)  # noqa: B010
    try:
        yield orders
    finally:
        setattr(_Form, "_send", real)  # noqa: B010


def _take_back(count: int) -> None:
    """Take the newest orders back, with all that belongs to them: their numbers are given out again."""
    with engine().begin() as connection:
        oldest = connection.execute(text("SELECT max(id) FROM orders")).scalar_one() - count
        connection.execute(text("DELETE FROM outbox WHERE subject_id > :o"), {"o": oldest})
        connection.execute(text("DELETE FROM order_events WHERE order_id > :o"), {"o": oldest})
        calls = "SELECT call_id FROM orders WHERE id > :o"
        connection.execute(text(f"DELETE FROM call_events WHERE call_id IN ({calls})"), {"o": oldest})  # noqa: S608
        connection.execute(text("DELETE FROM orders WHERE id > :o"), {"o": oldest})
        if engine().dialect.name == "postgresql":
            for table in TABLES:
                again = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"  # noqa: S608
                connection.execute(text(again))


def _bare(sent: list[list[Insertion]]) -> float:
    """Send the same to the driver itself, one transaction an order; return how many a second."""
    assert len(sent) == ORDERS and len({len(one) for one in sent}) == 1
    on_sqlite = engine().dialect.name == "sqlite"
    pooled = engine().raw_connection()
    driver: Any = pooled.driver_connection
    cursor = driver.cursor()
    began = time.perf_counter()
    for one in sent:
        if on_sqlite:
            cursor.execute("BEGIN IMMEDIATE")
        for row in one:
            (cursor.executemany if row.many else cursor.execute)(row.sql, row.values)
            if not row.many and cursor.description:
                cursor.fetchone()
        if on_sqlite:
            cursor.execute("COMMIT")
        else:
            driver.commit()
    took = time.perf_counter() - began
    cursor.close()
    pooled.close()
    with engine().connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM outbox")).scalar_one() >= ORDERS
    return ORDERS / took
