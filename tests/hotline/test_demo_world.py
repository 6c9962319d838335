"""The demonstration's invented world: written once, with a household, a daughter and a butler in it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, func, select

from hotline import demo_world
from models import clock
from models.callers import elder_by_card, who_rings
from models.orders import Order
from models.people import Elder, Person
from models.phone import normalise
from models.preferences import preferences
from models.providers import Worker
from models.session import write


def test_the_world_is_written_once_and_everybody_is_known_by_her_telephone(database: Engine) -> None:
    now = clock.now()
    with write() as session:
        for _ in range(2):
            demo_world.settle(session, now)
        elders = session.scalar(select(func.count()).select_from(Elder)) or 0
        assert session.scalar(select(func.count()).select_from(Person)) == elders + 2 + 3
        assert session.scalars(select(Worker.code).order_by(Worker.code)).all() == ["1001", "1002", "1003"]
        assert [one.name for one in who_rings(session, normalise("+8645110000012")).elders] == ["李大山", "孙玉兰"]
        (daughter,) = who_rings(session, normalise("+8611000000021")).helpers
        assert [(one.elder.name, one.may_order) for one in daughter.charges] == [("王秀英", True)]
        (butler,) = who_rings(session, normalise("+8645110000031")).helpers
        assert len(butler.charges) == elders
        zhao = elder_by_card(session, "0004")
        assert zhao and preferences(session, zhao.person_id).pace == "slow"


def test_nobody_of_a_household_is_chosen_to_ring(database: Engine) -> None:
    now = clock.now()
    chosen = set()
    with write() as session:
        demo_world.settle(session, now)
        try:
            while True:
                wish = demo_world.choose_wish(session, clock.local_date(now))
                chosen.add(wish.number)
                session.add(_as_order(wish))
                session.flush()
        except LookupError:
            assert len(chosen) == 3 and "+8645110000012" not in chosen


def _as_order(wish: demo_world.Wish) -> Order:
    """The order that the keys of `wish` make."""
    now = clock.now()
    ahead, part = {"2": 1, "3": 2}[wish.keys[-3]], {"1": "morning", "2": "afternoon"}[wish.keys[-2]]
    return Order(
        idempotency_key="/".join((wish.number, *wish.keys)), channel="phone", elder_id=wish.elder_id,
        service=wish.service, wanted_on=clock.local_date(now) + timedelta(days=ahead),
        wanted_part=part, language="zh-CN", status="confirmed", created_at=now, changed_at=now,
    )  # fmt: skip
