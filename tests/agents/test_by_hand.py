"""A provider chosen by hand: asked, or already agreed; who had it before is told; too late is too late."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from agents.choices import choices
from dispatch import by_hand, changes, offers
from dispatch.by_hand import Pick
from models import session
from models.dialing import Attempt, Callback, Offer, OfferStatus
from models.orders import Order, OrderEvent, OrderStatus
from models.providers import Provider
from models.tasks import Task, TaskKind, TaskState
from tests.web.world import World, landline, mobile


@pytest.fixture
def providers(world: World) -> tuple[Provider, Provider]:
    return world.provider("康乐", mobile(201)), world.provider("安心", mobile(202))


def by(user_id: int = 1) -> OrderEvent:
    return OrderEvent(actor="agent", actor_id=user_id)


def stuck(world: World) -> Order:
    order = world.order(world.elder("王桂兰", landline(101)))
    world.move(order, OrderStatus.OFFERED)
    world.move(order, OrderStatus.NEEDS_AGENT)
    world.task(TaskKind.NO_PROVIDER, order_id=order.id, elder_id=order.elder_id)
    return order


def test_a_chosen_provider_is_rung_next(world: World, providers: tuple[Provider, Provider]) -> None:
    order, (_, second) = stuck(world), providers
    with session.read() as db:
        ranked = choices(db, order.public_id, world.now)
    assert {one.name for one in ranked} == {"康乐", "安心"}
    with world.rows() as db:
        by_hand.ask(db, order.id, Pick(second.id), by(), world.now)
    with session.read() as db:
        offer = db.scalars(select(Offer)).one()
        assert (offer.provider_id, offer.status, offer.reasons["by_hand"]) == (second.id, OfferStatus.OPEN, True)
        assert db.scalars(select(Attempt.offer_id)).all() == [offer.id]
        assert db.get_one(Order, order.id).status == OrderStatus.OFFERED
        assert db.scalars(select(Task.state).where(Task.kind == TaskKind.NO_PROVIDER)).one() == TaskState.CLOSED


def test_who_has_agreed_gets_it_and_who_had_it_is_told(world: World, providers: tuple[Provider, Provider]) -> None:
    order, (first, second) = stuck(world), providers
    with world.rows() as db:
        by_hand.ask(db, order.id, Pick(second.id), by(), world.now)
        by_hand.assign(db, order.id, Pick(first.id), by(), world.now)
    with session.read() as db:
        row = db.get_one(Order, order.id)
        assert (row.status, row.provider_id) == (OrderStatus.ACCEPTED, first.id)
        assert [offer.status for offer in db.scalars(select(Offer).order_by(Offer.id))] == ["withdrawn", "accepted"]
        # She hears who comes, as if the provider had pressed 1.
        assert db.scalars(select(Callback.provider_id)).all() == [first.id]
    with world.rows() as db, pytest.raises(by_hand.ByHandError, match="same"):
        by_hand.assign(db, order.id, Pick(first.id), by(), world.now)
    with world.rows() as db:
        by_hand.assign(db, order.id, Pick(second.id, had_id=first.id), by(), world.now)
    with session.read() as db:
        assert db.get_one(Order, order.id).provider_id == second.id
        told = db.scalars(select(Task).where(Task.kind == TaskKind.TELL_PROVIDER)).one()
        assert told.provider_id == first.id


def test_too_late_is_too_late(world: World, providers: tuple[Provider, Provider]) -> None:
    order = stuck(world)
    world.move(order, OrderStatus.CANCELLED)
    for deed in (by_hand.ask, by_hand.assign):
        with world.rows() as db, pytest.raises(by_hand.ByHandError, match="too_late"):
            deed(db, order.id, Pick(providers[0].id), by(), world.now)


def test_who_has_accepted_since_the_page_was_read_is_not_displaced(
    world: World, providers: tuple[Provider, Provider]
) -> None:
    """The provider has pressed 1 a second ago; a second agent's page is older than the first one's deed."""
    order, (first, second) = stuck(world), providers
    with world.rows() as db:
        by_hand.ask(db, order.id, Pick(first.id, OrderStatus.NEEDS_AGENT), by(), world.now)
    with world.rows() as db, pytest.raises(by_hand.ByHandError, match="too_late"):
        by_hand.ask(db, order.id, Pick(second.id, OrderStatus.NEEDS_AGENT), by(2), world.now)
    with world.rows() as db:
        assert offers.accept(db, db.scalars(select(Offer)).one(), None, world.now)
    for seen in (Pick(second.id, OrderStatus.OFFERED), Pick(second.id, OrderStatus.ACCEPTED, second.id)):
        with world.rows() as db, pytest.raises(by_hand.ByHandError, match="too_late"):
            by_hand.assign(db, order.id, seen, by(2), world.now)
    with session.read() as db:
        assert db.get_one(Order, order.id).provider_id == first.id
        assert not db.scalars(select(Task).where(Task.kind == TaskKind.TELL_PROVIDER)).all()


def test_who_loses_it_twice_is_told_twice(world: World, providers: tuple[Provider, Provider]) -> None:
    order, (first, second) = stuck(world), providers
    with world.rows() as db:
        by_hand.assign(db, order.id, Pick(first.id), by(), world.now)
        for gets, had in ((second, first), (first, second), (second, first)):
            by_hand.assign(db, order.id, Pick(gets.id, OrderStatus.ACCEPTED, had.id), by(), world.now)
        assert changes.cancel_order(db, order.id, by(), world.now)
    with session.read() as db:
        told = db.scalars(select(Task.provider_id).where(Task.kind == TaskKind.TELL_PROVIDER).order_by(Task.id)).all()
    assert told == [first.id, second.id, first.id, second.id]


def test_what_was_to_be_done_for_an_order_that_is_over_is_not_left_behind(
    world: World, providers: tuple[Provider, Provider]
) -> None:
    order, (first, second) = stuck(world), providers
    world.task(TaskKind.LATE, order_id=order.id, elder_id=order.elder_id)
    waits, beside = stuck(world), stuck(world)

    def left(of: Order) -> list[str]:
        with session.read() as db:
            mine = Task.order_id == of.id, Task.closed_at.is_(None)
            return sorted(db.scalars(select(Task.kind).where(*mine)))

    with world.rows() as db:
        assert changes.cancel_order(db, waits.id, by(), world.now)
        by_hand.assign(db, order.id, Pick(first.id), by(), world.now)
    world.task(TaskKind.CALLBACK, order_id=order.id, elder_id=order.elder_id)
    with world.rows() as db:
        by_hand.assign(db, order.id, Pick(second.id, OrderStatus.ACCEPTED, first.id), by(), world.now)
    assert (left(waits), left(order), left(beside)) == ([], ["tell_provider"], ["no_provider"])
    world.task(TaskKind.CALLBACK, order_id=order.id, elder_id=order.elder_id)
    world.task(TaskKind.LATE, order_id=order.id, elder_id=order.elder_id)
    with world.rows() as db:
        assert changes.cancel_order(db, order.id, by(), world.now)
    assert left(order) == ["tell_provider", "tell_provider"]
