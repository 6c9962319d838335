"""The hour that she named is told wherever the order is: offer, callback, reminder, and to whoever rings back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import Engine, select

from dispatch import callbacks
from dispatch.outbox import transaction
from ivr import outbound_matters
from ivr.outbound_turns import Notice
from ivr.turns import Ask, OpenOffer, State, begin
from models import clock
from models.dialing import Attempt, Offer
from models.orders import Order
from models.people import Elder
from tests.support import world


@pytest.mark.parametrize(("at", "said"), [(time(15), "下午三点"), (None, "下午")])
def test_the_hour_is_told_in_all_our_calls(database: Engine, at: time | None, said: str) -> None:
    now = clock.now()
    with transaction() as session:
        world.settle(session)
        elder = session.scalars(select(Elder).order_by(Elder.id)).first()
        assert elder is not None
        order = Order(
            idempotency_key="hour", channel="phone", elder_id=elder.id, service="bathing", language="zh-CN",
            wanted_on=clock.local_date(now) + timedelta(days=5), wanted_part="afternoon", wanted_at=at,
            status="accepted", provider_id=1, created_at=now, changed_at=now,
        )  # fmt: skip
        session.add(order)
        session.flush()
        offer = Offer(order_id=order.id, provider_id=1, created_at=now)
        session.add(offer)
        session.flush()
        callbacks.begin(session, order, now)
        told, reminded = session.scalars(select(Attempt).order_by(Attempt.id))
        offered = Attempt(offer=offer, number=told.number, channel_id="x", due_at=now)
        session.add(offered)
        session.flush()
        for make, attempt in (
            (outbound_matters.offer_notice, offered),
            (outbound_matters.callback_notice, told),
            (outbound_matters.reminder_notice, reminded),
        ):
            notice = make(attempt)
            assert isinstance(notice, Notice)
            text = "".join(line.text("zh-CN") for line in notice.ask.lines)
            assert f"{said}，助浴" in text, text


def test_a_provider_who_rings_back_hears_the_hour() -> None:
    morning = datetime(2026, 11, 23, 9, tzinfo=clock.zone())
    offer = OpenOffer(5, "道里区", "bathing", date(2026, 11, 24), "afternoon", 1011, time(15))
    for one, said in ((offer, "下午三点"), (replace(offer, at=None), "下午，")):
        _, move = begin(State(morning, "zh-CN", how="provider", offers=(one,)))
        assert isinstance(move, Ask) and said in "".join(line.text("zh-CN") for line in move.lines)
