"""Offers: to whom, with which reasons; several at once when it is urgent; late orders come before a person."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from dispatch import lateness, offers
from dispatch.changes import Wanted, change_order
from models import clock, register
from models.dialing import Attempt, DeclineReason, Offer
from models.orders import Order, OrderEvent, OrderStatus, move_order
from models.people import Elder
from models.providers import Provider, ProviderArea, ProviderHours, ProviderItem
from models.ratings import OrderRating, rate
from models.session import write
from models.settings import settings
from models.tasks import Task
from tests.dispatch.town import Town
from tests.support import world


def asked(town: Town) -> list[int]:
    """The providers that were asked, in order: BATH is 1, CARE 2, HELP 3."""
    return [offer.provider_id for offer in town.all(Offer)]


def _done_before(town: Town, provider_id: int, score: int) -> None:
    """王秀英 had a bath by this provider a month ago, and said how it was."""
    with write() as session:
        elder_id = session.scalars(select(Elder.id).order_by(Elder.id)).first() or 0
        then = town.now - timedelta(days=30)
        order = Order(
            idempotency_key=f"then{provider_id}", channel="phone", elder_id=elder_id, service="bathing",
            wanted_on=then.date(), wanted_part="morning", language="zh-CN", status=OrderStatus.SETTLED,
            provider_id=provider_id, created_at=then, changed_at=then,
        )  # fmt: skip
        session.add(order)
        session.flush()
        rate(session, OrderRating(order_id=order.id, score=score, at=then))


def test_whom_she_liked_comes_first_whom_she_did_not_never(town: Town) -> None:
    _done_before(town, 3, 5)
    _done_before(town, 1, 1)
    town.orders(key="now")
    town.works()
    assert asked(town) == [3]
    reasons = town.all(Offer)[0].reasons
    assert reasons["why"]["favourite"] == settings().points_favourite
    assert {other["provider_id"]: other["bars"] for other in reasons["others"]} == {1: ["refused"], 2: []}
    town.declines()
    town.works()
    town.ended()
    town.declines()
    town.works()
    assert asked(town) == [3, 2] and "no_provider" in town.tasks(), "rather nobody than the one she refused"


def test_pause_hours_area_and_capacity_are_kept(town: Town) -> None:
    with write() as session:
        first, second, third = session.scalars(select(Provider).order_by(Provider.id))
        first.paused_until = town.now + timedelta(days=1)
        # 2026-11-23 is a Monday; the second works in the afternoon only.
        session.add(ProviderHours(provider_id=second.id, weekday=0, opens=13 * 60, closes=18 * 60))
        third.capacity = 1
        elsewhere = register.area_at(session, "南岗区")
        assert elsewhere is not None
        session.add(ProviderArea(provider_id=third.id, area_id=elsewhere.id))
    town.orders()
    town.works()
    assert asked(town) == [] and town.tasks() == ["no_provider"]
    with write() as session:
        session.scalars(select(ProviderArea)).one().area_id = 1  # 道里区, which contains her community
    town.orders("meals", key="k2")
    town.works()
    assert asked(town) == [3]
    town.orders("cleaning", key="k3")
    town.works()
    assert asked(town) == [3], "its one place of that morning is being asked for already"
    town.orders("cleaning", key="k4", wanted_part="afternoon")
    town.works()
    assert asked(town) == [3, 2], "in the afternoon the second works, and comes first by its position"


def test_not_ours_makes_it_the_last_and_a_task_to_check(town: Town) -> None:
    town.orders()
    town.works()
    town.declines()
    with write() as session:
        offers.decline_because(session, town.all(Offer)[0].id, DeclineReason.NOT_OURS, town.now)
        offers.decline_because(session, town.all(Offer)[0].id, DeclineReason.NOT_OURS, town.now)
    (task,) = (task for task in town.all(Task) if task.kind == "check_item")
    assert (task.provider_id, task.data) == (1, {"service": "bathing"})
    assert [item.service for item in town.all(ProviderItem) if item.doubted_at] == ["bathing"]
    town.ended()
    town.orders(key="k2", wanted_part="afternoon")
    town.works()
    first = next(offer for offer in town.all(Offer) if offer.order_id == 2)
    assert first.provider_id == 2 and town.all(Offer)[0].decline_reason == "not_ours"


def _urgent(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "urgent_categories", ("repairs",))
    town.orders("repairs")
    town.works()


def test_an_urgent_order_is_put_to_several_and_the_others_are_told(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "offer_together", 2)
    _urgent(town, monkeypatch)
    assert asked(town) == [1, 2] and town.rung() == [world.BATH, world.CARE]
    one, two = town.all(Attempt)
    town.hangs_up(17, two)
    town.works()
    assert asked(town) == [1, 2, 3], "whoever is busy makes room for the next"
    assert town.accepts(town.all(Attempt)[2])
    town.works()
    assert [offer.status for offer in town.all(Offer)] == ["withdrawn", "expired", "accepted"]
    assert town.gateway.broken_off == [one.channel_id]
    town.hangs_up(26, one)
    assert town.all(Attempt)[0].outcome == "too_late" and town.order().provider_id == 3
    town.works()
    assert asked(town) == [1, 2, 3]


def test_what_was_not_dialled_yet_is_not_dialled_any_more(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    engaged = town.inbound(world.CARE)
    _urgent(town, monkeypatch)
    assert town.rung() == [world.BATH, world.HELP] and engaged.ended_at is None
    assert town.accepts(town.all(Attempt)[0])
    town.passes(60)
    town.works()
    assert world.CARE not in town.rung()
    assert town.all(Attempt)[1].outcome == "too_late"


def _all_press_at_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    _urgent(town, monkeypatch)
    attempts = town.all(Attempt)
    together, won = threading.Barrier(len(attempts)), []

    def press(attempt: Attempt) -> None:
        together.wait(5)
        won.append(town.accepts(attempt))

    threads = [threading.Thread(target=press, args=(attempt,)) for attempt in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(won) == [False, False, True]
    statuses = sorted(offer.status for offer in town.all(Offer))
    assert statuses == ["accepted", "withdrawn", "withdrawn"]
    assert sorted(attempt.outcome or "" for attempt in town.all(Attempt)[:3]) == ["accepted", "too_late", "too_late"]


def test_three_press_one_at_once_and_one_wins(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    _all_press_at_once(town, monkeypatch)


def test_three_press_one_at_once_and_one_wins_on_postgresql(
    postgres_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    _all_press_at_once(postgres_town, monkeypatch)


def test_a_late_order_comes_before_a_person_once_for_each_deadline(town: Town) -> None:
    town.orders("bathing")  # for tomorrow morning: 23 hours until it begins
    order = town.order()
    assert clock.local(order.due_at or town.now).hour == 8
    assert lateness.escalate((order.due_at or town.now) - timedelta(seconds=1)) == 0
    town.now = order.due_at or town.now
    assert lateness.escalate(town.now) == 1 and lateness.escalate(town.now) == 0
    with write() as session:
        wanted = Wanted(order.wanted_on + timedelta(days=1), "morning")
        assert change_order(session, order.id, wanted, OrderEvent(actor="elder"), town.now)
    town.passes(60)
    assert lateness.escalate(town.now) == 0, "another time has another deadline"
    town.now += timedelta(days=1)
    assert lateness.escalate(town.now) == 1 and town.tasks().count("late") == 2


def test_what_is_accepted_at_last_needs_no_person_any_more(town: Town) -> None:
    town.orders()
    town.works()
    town.now = town.order().due_at or town.now
    lateness.escalate(town.now)
    town.accepts()
    (task,) = (task for task in town.all(Task) if task.kind == "late")
    assert task.closed_at is not None
    # From now on the worker is waited for: until two hours after the morning.
    assert clock.local(town.order().due_at or town.now).hour == 13


def test_a_complaint_begins_anew_and_asks_again(town: Town) -> None:
    town.orders()
    town.works()
    town.accepts()
    town.passes(86400)
    town.ended()
    with write() as session:
        order = session.get_one(Order, town.order().id)
        for status in (OrderStatus.ARRIVED, OrderStatus.COMPLETED, OrderStatus.REOPENED):
            move_order(session, order, status, town.now, OrderEvent(actor="elder"))
        rate(session, OrderRating(order_id=order.id, score=1, at=town.now))
    offers.offer_order(order.id)
    assert asked(town)[1] == 2, "asked anew, but not the one she was not content with"
    assert town.order().due_since == town.now
