"""A provider chosen by hand: asked, or already agreed; who had it before is told; too late is too late."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from agents.choices import choices
from dispatch import by_hand
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
        by_hand.ask(db, order.id, second.id, by(), world.now)
    with session.read() as db:
        offer = db.scalars(select(Offer)).one()
        assert (offer.provider_id, offer.status, offer.reasons["by_hand"]) == (second.id, OfferStatus.OPEN, True)
        assert db.scalars(select(Attempt.offer_id)).all() == [offer.id]
        assert db.get_one(Order, order.id).status == OrderStatus.OFFERED
        assert db.scalars(select(Task.state).where(Task.kind == TaskKind.NO_PROVIDER)).one() == TaskState.CLOSED


def test_who_has_agreed_gets_it_and_who_had_it_is_told(world: World, providers: tuple[Provider, Provider]) -> None:
    order, (first, second) = stuck(world), providers
    with world.rows() as db:
        by_hand.ask(db, order.id, second.id, by(), world.now)
        by_hand.assign(db, order.id, first.id, by(), world.now)
    with session.read() as db:
        row = db.get_one(Order, order.id)
        assert (row.status, row.provider_id) == (OrderStatus.ACCEPTED, first.id)
        assert [offer.status for offer in db.scalars(select(Offer).order_by(Offer.id))] == ["withdrawn", "accepted"]
        # She hears who comes, as if the provider had pressed 1.
        assert db.scalars(select(Callback.provider_id)).all() == [first.id]
    with world.rows() as db, pytest.raises(by_hand.ByHandError, match="same"):
        by_hand.assign(db, order.id, first.id, by(), world.now)
    with world.rows() as db:
        by_hand.assign(db, order.id, second.id, by(), world.now)
    with session.read() as db:
        assert db.get_one(Order, order.id).provider_id == second.id
        told = db.scalars(select(Task).where(Task.kind == TaskKind.TELL_PROVIDER)).one()
        assert told.provider_id == first.id


def test_too_late_is_too_late(world: World, providers: tuple[Provider, Provider]) -> None:
    order = stuck(world)
    world.move(order, OrderStatus.CANCELLED)
    for deed in (by_hand.ask, by_hand.assign):
        with world.rows() as db, pytest.raises(by_hand.ByHandError, match="too_late"):
            deed(db, order.id, providers[0].id, by(), world.now)
