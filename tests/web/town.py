"""A morning at the hotline: enough of everything to judge the pages by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.calls import CallEnd, CallState, Direction, IdentifiedBy
from models.contacts import Relation
from models.dialing import CallbackStatus, OfferStatus, Outcome
from models.orders import OrderStatus
from models.people import Elder, Person
from models.phone import normalise
from models.preferences import Because, Origin, Setting, put, undo
from models.providers import Provider
from models.ratings import OrderRating, rate
from models.register import NewContact, add_contact
from models.tasks import TaskKind
from models.users import User
from tests.web.world import World, landline, mobile


@dataclass
class Town:
    """The rows that the pictures open."""

    elder: Elder
    order_id: str
    call_id: str
    alarm_id: str
    task_id: str


def build(world: World) -> Town:
    """Write the morning."""
    wang = world.elder(
        "王桂兰",
        landline(101),
        sex="f",
        born_on=date(1943, 3, 18),
        address="尚志大街 1 号院 2 单元 301",
        card_number="H-000-101",
        needs="右腿不便，开门需要几分钟；请先敲门并报姓名。",
    )
    world.elder("赵德福", landline(101), sex="m", born_on=date(1940, 9, 2))
    kim = world.elder(
        "김순자", mobile(102), sex="f", born_on=date(1946, 11, 30), language="ko", area=("道里区", "新安社区")
    )
    li = world.elder("李淑珍", mobile(103), sex="f", born_on=date(1939, 6, 5))
    sun = world.elder("孙长海", landline(104), sex="m", born_on=date(1950, 1, 20))
    zhou = world.elder("周玉芬", landline(105), sex="f", born_on=date(1944, 8, 8))
    kang = world.provider("康乐助浴服务站", mobile(201))
    anxin = world.provider("安心到家家政", mobile(202))
    lin = world.provider("邻里帮志愿者队", mobile(203))
    order_id, call_id = _whole_course(world, wang, (kang, anxin))
    _others(world, (kim, li, sun, zhou), (kang, anxin, lin))
    alarm = world.task(TaskKind.ALARM, world.ago(70), elder_id=zhou.id, number_id=_number(zhou))
    partial = world.task(
        TaskKind.PARTIAL,
        world.ago(25 * 60),
        elder_id=li.id,
        number_id=_number(li),
        data={"service": "cleaning", "day": "tomorrow"},
    )
    world.task(TaskKind.MESSAGE, world.ago(41 * 60), number_id=_number(sun))
    world.task(TaskKind.MISSED, world.ago(13 * 60), elder_id=kim.id, number_id=_number(kim))
    return Town(wang, order_id, call_id, alarm.public_id, partial.public_id)


def her_way(world: World, wang: Elder) -> None:
    """What her card tells beyond orders: contacts, what was learnt and what an agent set, a rating."""
    slow = [world.call(wang, world.ago(days * 86400)) for days in (9, 2)]
    for call in slow:
        world.journal(call, *((seconds, "turn", {"step": "day", "heard": "silence"}) for seconds in (9, 17)))
        world.end(call, CallEnd.GOODBYE, 71)
    rated = world.order(wang, "cleaning", world.ago(5 * 86400), status=OrderStatus.COMPLETED)
    words = world.said(slow[1], 40, "擦得很干净")
    with world.rows() as db:
        elder = db.get_one(Elder, wang.id)
        user = _first_user(db)
        daughter = NewContact(
            "王小梅",
            [normalise(mobile(301))],
            Relation.CHILD,
            may_order=True,
            may_hear_orders=True,
            may_hear_health=True,
        )
        add_contact(db, elder, daughter, world.ago(86400 * 40))
        butler = NewContact("孙管家", [normalise(landline(302))], Relation.BUTLER, may_order=True)
        add_contact(db, elder, butler, world.ago(86400 * 30))
        add_contact(
            db,
            elder,
            NewContact("赵德福", [normalise(landline(101))], Relation.SPOUSE, may_order=True),
            world.ago(86400),
        )
        husband = db.scalars(select(Elder).join(Elder.person).where(Person.name == "赵德福")).one()
        add_contact(
            db,
            husband,
            NewContact("王桂兰", [normalise(landline(101))], Relation.SPOUSE, may_order=True),
            world.ago(86400),
        )
        learnt = Because(Origin.LEARNT, why="timeouts", call_ids=tuple(call.id for call in slow))
        put(db, wang.id, (Setting.PACE, "slow"), learnt, world.ago(2 * 86400 - 90))
        put(db, wang.id, (Setting.VOLUME, "loud"), Because(Origin.AGENT, by_user_id=user), world.ago(3 * 86400))
        put(db, wang.id, (Setting.DIALECT, "shandong"), Because(Origin.AGENT, by_user_id=user), world.ago(3 * 86400))
        again = Because(Origin.LEARNT, why="persons", call_ids=(slow[0].id,))
        put(db, wang.id, (Setting.PERSON_FIRST, "yes"), again, world.ago(8 * 86400))
        undo(db, wang.id, Setting.PERSON_FIRST, user, world.ago(7 * 86400))
        rate(
            db, OrderRating(order_id=rated.id, score=5, call_id=slow[1].id, utterance_id=words, at=world.ago(2 * 86400))
        )


def _first_user(db: Session) -> int | None:
    """Return the first user's id, if somebody has one."""
    return db.scalars(select(User.id).order_by(User.id)).first()


def _number(who: Elder) -> int:
    return who.person.numbers[0].number_id


def _whole_course(world: World, elder: Elder, providers: tuple[Provider, Provider]) -> tuple[str, str]:
    """A call becomes an order; the first provider declines, the second accepts, she is told."""
    first, second = providers
    start = world.ago(1800)
    call = world.call(elder, start, identified_by=IdentifiedBy.CALLER_ID)
    heard = world.said(call, 9, "洗澡")
    order = world.order(
        elder, "bathing", start + timedelta(seconds=41), call_id=call.id, wanted_at=time(9, 30), note="请带防滑垫"
    )
    world.journal(
        call,
        (0, "answered", {}),
        (0.2, "identified", {"how": "one"}),
        (9, "turn", {"step": "service", "heard": "said", "utterance_id": heard, "score": 88}),
        (9, "slot", {"slots": {"service": "bathing"}}),
        (17, "turn", {"step": "day", "heard": "silence"}),
        (24, "turn", {"step": "day", "heard": "key", "key": "2"}),
        (24, "slot", {"slots": {"service": "bathing", "day": "tomorrow"}}),
        (31, "turn", {"step": "part", "heard": "key", "key": "1"}),
        (31, "slot", {"slots": {"service": "bathing", "day": "tomorrow", "part": "morning"}}),
        (41, "turn", {"step": "confirm", "heard": "key", "key": "1"}),
        (41, "order_placed", {"order_id": order.id}),
        (49, "ended", {"end": "goodbye"}),
    )
    world.end(call, CallEnd.GOODBYE, 49)

    def at(seconds: float) -> timedelta:
        return timedelta(seconds=seconds)

    world.move(order, OrderStatus.OFFERED, start + at(42))
    reasons = {
        "points": 52.5, "why": {"favourite": 30, "score": 22.5}, "bars": [], "place": 1, "fit": 2,
        "others": [{"provider_id": second.id, "points": 19.5, "why": {"score": 22.5, "lately": -3}, "bars": []}],
    }  # fmt: skip
    declined = {"status": OfferStatus.DECLINED, "closed_at": start + at(71), "decline_reason": "too_far"}
    offer = world.offer(order, first, start + at(42), reasons=reasons, **declined)
    answered = start + at(51)
    out = {"direction": Direction.OUT, "purpose": "offer", "state": CallState.DIALING}
    leg = world.call(None, start + at(43), provider_id=first.id, number_id=first.numbers[0].number_id, **out)
    world.journal(leg, (8, "answered", {}), (27, "turn", {"step": "notice", "heard": "key", "key": "2"}))
    world.end(leg, CallEnd.GOODBYE, 28)
    world.attempt(
        offer,
        first.numbers[0].number_id,
        start + at(43),
        outcome=Outcome.DECLINED,
        answered_at=answered,
        closed_at=start + at(71),
        call_id=leg.id,
    )
    world.move(order, OrderStatus.OFFERED, start + at(72))
    offer = world.offer(order, second, start + at(72), status=OfferStatus.ACCEPTED, closed_at=start + at(128))
    number = second.numbers[0].number_id
    world.attempt(offer, number, start + at(73), outcome=Outcome.NO_ANSWER, closed_at=start + at(98), cause=19)
    leg = world.call(None, start + at(104), provider_id=second.id, number_id=number, **out)
    world.end(leg, CallEnd.GOODBYE, 26)
    world.attempt(
        offer,
        number,
        start + at(104),
        outcome=Outcome.ACCEPTED,
        answered_at=start + at(110),
        closed_at=start + at(128),
        call_id=leg.id,
    )
    world.move(order, OrderStatus.ACCEPTED, start + at(128), actor="provider", actor_id=second.id, call_id=leg.id)
    callback = world.callback(
        order, second, start + at(128), status=CallbackStatus.CONFIRMED, closed_at=start + at(171)
    )
    world.attempt(
        callback,
        _number(elder),
        start + at(130),
        outcome=Outcome.CONFIRMED,
        answered_at=start + at(142),
        closed_at=start + at(171),
    )
    return order.public_id, call.public_id


def _others(world: World, elders: tuple[Elder, ...], providers: tuple[Provider, ...]) -> None:
    kim, li, sun, zhou = elders
    kang, anxin, lin = providers
    world.call(kim, world.ago(37), language="ko")
    world.call(None, world.ago(95), state=CallState.WAITING, number_id=_number(sun))
    world.call(zhou, world.ago(190), state=CallState.AGENT)
    world.call(None, world.ago(12), state=CallState.TALKING)
    out = {"direction": Direction.OUT, "state": CallState.DIALING, "answered_at": None}
    world.call(None, world.ago(6), purpose="offer", provider_id=lin.id, **out)
    over = world.call(li, world.ago(1500))
    world.end(over, CallEnd.HUNG_UP, 33)
    over = world.call(None, world.ago(2500), number_id=_number(sun))
    world.end(over, CallEnd.MESSAGE, 72)
    over = world.call(kim, world.ago(800), language="ko")
    world.end(over, CallEnd.ABANDONED, 121)

    asking = world.order(sun, "repairs", world.ago(200), wanted_on=world.day(0), wanted_part="afternoon")
    world.move(asking, OrderStatus.OFFERED, world.ago(190))
    world.offer(asking, kang, world.ago(190), status=OfferStatus.EXPIRED, closed_at=world.ago(40))
    world.offer(asking, lin, world.ago(39))
    world.order(kim, "companionship", world.ago(8), language="ko", wanted_part="afternoon")
    stuck = world.order(li, "cleaning", world.ago(4000))
    world.move(stuck, OrderStatus.OFFERED, world.ago(3990))
    world.move(stuck, OrderStatus.NEEDS_AGENT, world.ago(3200))
    world.task(TaskKind.NO_PROVIDER, world.ago(3200), elder_id=li.id, order_id=stuck.id, number_id=_number(li))
    for hours, elder, service in ((3, zhou, "meals"), (5, sun, "cleaning")):
        order = world.order(elder, service, world.ago(hours * 3600))
        world.move(order, OrderStatus.OFFERED, world.ago(hours * 3600 - 5))
        accepted = world.ago(hours * 3600 - 90)
        world.move(order, OrderStatus.ACCEPTED, accepted, actor="provider", actor_id=anxin.id)
        world.callback(order, anxin, accepted, status=CallbackStatus.OPEN)
    done = world.order(kim, "accompaniment", world.ago(30000), wanted_on=world.day(0))
    world.move(done, OrderStatus.CANCELLED, world.ago(7000), actor="agent")
