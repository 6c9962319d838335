"""USUAL: a returning elder orders what she always orders: seconds from the answer to the end of "order noted" ÷ 25.

The real conversation over a real line, spoken by the stand-in voice; she hears
each question out and thinks for a second. The time ends with the sentence that
the order is noted; what follows it in the same prompt (we will ring you,
anything else?) is printed. More than two questions: not met.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ivr.prompts import voice, words
from ivr.prompts.words import line
from models import clock
from models.calls import CallEvent
from models.journal import Entry
from models.orders import FIRST_ORDER_NUMBER, Order, OrderStatus
from models.people import Elder
from models.session import read, write
from tests.bench import journey
from tests.bench.report import Figure, compare
from tests.bench.room import Room
from tests.bench.telephone import Telephone

LIMIT_S, MOST_TURNS = 25.0, 2
CALLS = 3
DAYS_AGO = (6, 13)


@dataclass(frozen=True)
class Ordered:
    """One call: how many questions she answered, and how long it took to "order noted" and to all that follows (s)."""

    turns: int
    seconds: float
    whole: float = 0.0


def run() -> Figure:
    """Ring a few times, print turns and seconds, return the seconds against the limit."""
    with Room(lambda: journey.dialplan(journey.walk()), SPEECH="false", VOICE="espeak") as room:
        calls = [order(room, room.new_elders(1)[0]) for _ in range(CALLS)]
    for one in calls:
        print(f"USUAL: {one.turns} turns, {one.seconds:.1f} s to 'order noted', {one.whole:.1f} s to its prompt's end")  # noqa: T201
    return judge(calls)


def judge(calls: list[Ordered]) -> Figure:
    """Return the figure: seconds ÷ the limit, and never below 1 where it took more turns than allowed."""
    seconds = [one.seconds if one.turns <= MOST_TURNS else max(one.seconds, LIMIT_S + one.turns) for one in calls]
    return compare(seconds, [LIMIT_S] * len(seconds), 1.0, "s")


def order(room: Room, number: str) -> Ordered:
    """Let the newest elder ring from `number`, who has had the same twice; return what it took to order it again."""
    with write() as session:
        _had_it_before(session)
    before = room.orders()
    with Telephone(room.exchanges[0].sip_port, number) as telephone:
        answered = telephone.ring(journey.NUMBER)
        asked = telephone.hear()
        telephone.wait_until(asked.last_ms + journey.THINKS_MS)
        telephone.press("1")
        noted = telephone.hear()
        telephone.hang_up()
    room.wait_for_the_last()
    if room.orders() - before != 1:
        raise AssertionError(f"her usual left {room.orders() - before} orders")
    with read() as session:
        of_call = select(func.max(CallEvent.call_id)).scalar_subquery()
        turns = select(func.count()).where(CallEvent.call_id == of_call, CallEvent.kind == Entry.TURN)
        spoken = FIRST_ORDER_NUMBER + session.scalars(select(func.max(Order.id))).one()
        said = line("order_done", number=words.digits(spoken, journey.LANGUAGE))
        noted_ms = noted.first_ms + journey.length_ms(voice.utterance((said,), journey.LANGUAGE))
        in_all = session.scalar(turns) or 0
    return Ordered(in_all, (noted_ms - answered) / 1000, (noted.last_ms - answered) / 1000)


def _had_it_before(session: Session) -> None:
    now = clock.now()
    elder_id = session.scalars(select(func.max(Elder.id))).one()
    for days in DAYS_AGO:
        session.add(
            Order(
                idempotency_key=f"bench:{elder_id}:{days}", channel="phone", elder_id=elder_id, service="bathing",
                wanted_on=clock.local_date(now) - timedelta(days=days), wanted_part="morning",
                language=journey.LANGUAGE, status=OrderStatus.COMPLETED,
                created_at=now - timedelta(days=days + 1), changed_at=now,
            )
        )  # fmt: skip
