"""Orders move by the one table, and every move leaves its line of history."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from models import clock, register
from models.base import new_public_id
from models.orders import (
    DISPATCHING,
    ENDED,
    EXPECTED,
    ORDER_MOVES,
    IllegalMove,
    Order,
    OrderEvent,
    OrderStatus,
    move_order,
)
from models.phone import normalise
from models.register import NewElder
from models.session import read, write

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


def an_order(session: Session, status: OrderStatus) -> Order:
    elder = register.add_elder(session, NewElder("王秀英", [normalise("+8645110000001")]), NOW)
    order = Order(
        idempotency_key=new_public_id(), channel="phone", elder_id=elder.id, service="bathing",
        wanted_on=date(2026, 11, 23), wanted_part="morning", language="zh-CN", status=status,
        created_at=NOW, changed_at=NOW,
    )  # fmt: skip
    session.add(order)
    session.flush()
    return order


def test_only_the_moves_of_the_table_are_legal(database: Engine) -> None:
    later = NOW + timedelta(minutes=1)
    with write() as session:
        order = an_order(session, OrderStatus.CONFIRMED)
        for before, after in itertools.product(OrderStatus, OrderStatus):
            order.status, order.changed_at = before, NOW
            if (before, after) in ORDER_MOVES:
                move_order(session, order, after, later, OrderEvent(actor="system"))
                assert (order.status, order.changed_at) == (after, later)
            else:
                with pytest.raises(IllegalMove):
                    move_order(session, order, after, later, OrderEvent(actor="system"))
                assert (order.status, order.changed_at) == (before, NOW)
        session.flush()
        history = session.execute(select(OrderEvent.from_status, OrderEvent.to_status).order_by(OrderEvent.id))
        assert sorted(tuple(row) for row in history) == sorted(ORDER_MOVES)


def test_every_status_is_reached_and_only_the_ended_ones_lead_nowhere() -> None:
    reached = {OrderStatus.CONFIRMED}
    for _ in OrderStatus:
        reached |= {after for before, after in ORDER_MOVES if before in reached}
    assert reached == set(OrderStatus)
    assert {status for status in OrderStatus if not any(before == status for before, _ in ORDER_MOVES)} == ENDED
    assert all(sentence.endswith(".") for sentence in ORDER_MOVES.values())


def test_whatever_is_expected_reaches_a_person_or_a_provider() -> None:
    for status in DISPATCHING:
        assert (status, OrderStatus.NEEDS_AGENT) in ORDER_MOVES
    assert DISPATCHING < EXPECTED and not EXPECTED & ENDED


def test_naive_times_are_refused_and_aware_ones_come_back_as_utc(database: Engine) -> None:
    with write() as session:
        order = an_order(session, OrderStatus.CONFIRMED)
        harbin = timezone(timedelta(hours=8))
        order.created_at = NOW.astimezone(harbin)
    with read() as session:
        kept = session.scalars(select(Order)).one().created_at
        assert kept == NOW and kept.tzinfo == UTC
    with pytest.raises(StatementError, match="naive"), write() as session:
        statement = insert(OrderEvent).values(order_id=1, at=datetime(2026, 11, 22), to_status="x", actor="x")  # noqa: DTZ001
        session.execute(statement)


def test_the_clock_is_aware_and_moved_by_its_setting(hotline_dir: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_CLOCK_OFFSET_S", "86400")
    ahead = clock.now() - datetime.now(UTC)
    assert timedelta(hours=23) < ahead < timedelta(hours=25)
    # The elders' day has begun while it is still the evening before in UTC.
    assert clock.local_date(datetime(2026, 11, 22, 17, 0, tzinfo=UTC)) == date(2026, 11, 23)
