"""One rating an order; rated again, the newest holds."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import NoResultFound

from models import register
from models.orders import Order
from models.phone import normalise
from models.ratings import OrderRating, rate
from models.register import NewElder
from models.session import write

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize("base", ["database", "postgres_database"])
def test_an_order_is_rated_once_and_may_be_rated_anew(base: str, request: pytest.FixtureRequest) -> None:
    _engine: Engine = request.getfixturevalue(base)
    with write() as session:
        elder = register.add_elder(session, NewElder("王秀英", [normalise("+8645110000001")]), NOW)
        order = Order(
            idempotency_key="k", channel="phone", elder_id=elder.id, service="bathing", wanted_on=date(2026, 11, 23),
            wanted_part="morning", language="zh-CN", status="completed", created_at=NOW, changed_at=NOW,
        )  # fmt: skip
        session.add(order)
        session.flush()
        rate(session, OrderRating(order_id=order.id, score=2, at=NOW))
        rate(session, OrderRating(order_id=order.id, score=5, at=NOW))
        assert session.scalars(select(OrderRating.score)).all() == [5]
        for score in (0, 6):
            with pytest.raises(ValueError, match="1 to 5"):
                rate(session, OrderRating(order_id=order.id, score=score, at=NOW))
        with pytest.raises(NoResultFound):
            rate(session, OrderRating(order_id=999, score=5, at=NOW))
        assert session.scalar(select(func.count()).select_from(OrderRating)) == 1
