"""Two at once: exactly one winner, one order, one telephone rung; on PostgreSQL, where writers really meet."""

from __future__ import annotations

import threading

from sqlalchemy import select

from dispatch import jobs
from models.dialing import Attempt, AttemptStatus, Callback, Offer, OfferStatus
from models.orders import Order
from models.outbox import OutboxEntry
from models.providers import Provider
from models.session import read, write
from models.tasks import Task
from tests.dispatch.town import Town
from tests.support import world


def _two_offers(town: Town) -> list[Attempt]:
    """One order put to two providers, both of whom are on the telephone now."""
    town.orders()
    town.works()
    with write() as session:
        first = session.scalars(select(Offer)).one()
        second = Offer(order_id=first.order_id, provider_id=first.provider_id + 1, created_at=town.now)
        session.add(second)
        session.flush()
        number_id = (
            session.scalars(select(Provider).where(Provider.id == second.provider_id)).one().numbers[0].number_id
        )
        session.add(
            Attempt(
                offer_id=second.id, number_id=number_id, channel_id="hotline-second", due_at=town.now,
                status=AttemptStatus.DIALING, dialed_at=town.now,
            )
        )  # fmt: skip
    return town.all(Attempt)


def test_of_two_acceptances_the_second_is_told(town: Town) -> None:
    one, two = _two_offers(town)
    assert town.accepts(two) and not town.accepts(one)
    assert town.order().provider_id == 2
    assert [a.outcome for a in town.all(Attempt)][:2] == ["too_late", "accepted"]
    assert [c.provider_id for c in town.all(Callback)] == [2]


def test_of_two_acceptances_at_once_exactly_one_wins_on_postgresql(postgres_town: Town) -> None:
    town = postgres_town
    both, won = threading.Barrier(2), []

    def press(attempt: Attempt) -> None:
        both.wait(5)
        won.append(town.accepts(attempt))

    threads = [threading.Thread(target=press, args=(attempt,)) for attempt in _two_offers(town)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(won) == [False, True]
    assert len(town.all(Callback)) == 1
    with read() as session:
        accepted = session.scalars(select(Offer).where(Offer.status == OfferStatus.ACCEPTED)).all()
        assert [offer.provider_id for offer in accepted] == [town.order().provider_id]


def test_two_confirmations_at_once_make_one_order_on_postgresql(postgres_town: Town) -> None:
    both, created = threading.Barrier(2), []

    def confirm(key: str) -> None:
        both.wait(5)
        created.append(postgres_town.orders(key=key).created)

    threads = [threading.Thread(target=confirm, args=(key,)) for key in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(created) == [False, True] and len(postgres_town.all(Order)) == 1


def test_two_workers_dial_one_attempt_once_on_postgresql(postgres_town: Town) -> None:
    town = postgres_town
    town.orders()
    jobs.run(town.all(OutboxEntry)[0].id)
    entry = town.all(OutboxEntry)[-1].id
    threads = [threading.Thread(target=jobs.run, args=(entry,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert town.rung() == [world.BATH] and town.all(Task) == []
