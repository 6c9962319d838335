"""The invented world of the journeys, and a readable view of the rows that they leave.

All telephone numbers lie in ranges that are never given out: no local number
begins with 1, and 110 is nobody's mobile prefix.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock, register, session
from models.calls import Call
from models.dialing import Attempt, Callback, Offer
from models.orders import Order
from models.people import Person
from models.phone import normalise
from models.register import NewElder, NewProvider
from models.session import make_engine
from models.tasks import Task
from tests.support import once
from tests.support.patience import PATIENCE

WANG = "+8645110000001"  # a landline: Wang Xiuying, 84, Mandarin
KIM = "+8645110000002"  # a landline: Kim Younghee, 82, Korean
HOUSEHOLD = "+8645110000003"  # a landline that Li and his wife share
STRANGER = "+8645110000099"  # nobody knows this number
BATH = "+8645110000101"  # a bathing business
CARE = "+8645110000102"  # a second one
HELP = "+8645110000103"  # volunteers; the third
AGENT = "+8645110000900"  # the agents' telephone

T = TypeVar("T")


def settle(session: Session) -> None:
    """Write the world: elders, and three providers for everything, asked in the order BATH, CARE, HELP."""
    now = clock.now()
    daoli = register.area_at(session, "道里区", "河畔社区")
    elders = (
        NewElder("王秀英", [normalise(WANG)], sex="f", area=daoli, address="河畔街1号", card_number="D0001"),
        NewElder("김영희", [normalise(KIM)], sex="f", language="ko", area=daoli, card_number="D0002"),
        NewElder("李大山", [normalise(HOUSEHOLD)], sex="m", area=daoli),
        NewElder("赵桂兰", [normalise(HOUSEHOLD)], sex="f", area=daoli),
    )
    for elder in elders:
        register.add_elder(session, elder, now)
    services = ("meals", "bathing", "cleaning", "accompaniment", "repairs", "companionship")
    for position, (name, number) in enumerate((("康乐助浴", BATH), ("安心到家", CARE), ("邻里帮", HELP))):
        provider = NewProvider(name, [normalise(number)], services, position=position)
        register.add_provider(session, provider, now)


def settle_new_town(now: datetime | None = None) -> None:
    """Settle the new database of a test; `now`, where the clock stands, so that it is copied only for that moment."""

    def write() -> None:
        with session.write() as rows:
            settle(rows)

    once.written(("settled", now), write)


class Rows:
    """The hotline's database, as a test reads it."""

    def __init__(self, url: str) -> None:
        self._engine = make_engine(url)

    @property
    def dialect(self) -> str:
        """Which database it is."""
        return self._engine.dialect.name

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A short session for reading; rows stay usable after it."""
        with Session(self._engine.execution_options(read_only=True), expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A short session for writing."""
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    def all(self, kind: type[T]) -> list[T]:
        """Every row of a table, the oldest first."""
        with self.session() as session:
            return list(session.scalars(select(kind).order_by(kind.id)).unique())  # type: ignore[attr-defined]

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    # The same, as stories say it.

    def orders(self) -> list[Order]:
        """All orders."""
        return self.all(Order)

    def the_order(self, status: str | None = None, within: float = 10) -> Order:
        """The one order, once it has `status`."""

        def found() -> Order | None:
            orders = self.orders()
            assert len(orders) <= 1, f"more than one order: {[(o.number, o.status) for o in orders]}"
            return orders[0] if orders and status in (None, orders[0].status) else None

        return self.wait_for(found, within, f"an order with status {status}")

    def the_task(self, kind: str, within: float = 10) -> Task:
        """The one task of this kind."""

        def found() -> Task | None:
            tasks = [task for task in self.all(Task) if task.kind == kind]
            assert len(tasks) <= 1, f"more than one task of kind {kind}"
            return tasks[0] if tasks else None

        return self.wait_for(found, within, f"a task of kind {kind}")

    def ended_calls(self) -> list[Call]:
        """The calls that are over."""
        return [call for call in self.all(Call) if call.ended_at is not None]

    def elder(self, name: str) -> Person:
        """The person of this name."""
        return next(person for person in self.all(Person) if person.name == name)

    def an_agent_talks(self, within: float = 10) -> None:
        """A caller and an agent are connected, and the console shows it."""
        self.wait_for(lambda: any(call.state == "agent" for call in self.all(Call)), within, "call with an agent")

    def the_callback(self, status: str, within: float = 10) -> Callback:
        """The one callback, once it has `status`."""

        def found() -> Callback | None:
            return next((c for c in self.all(Callback) if c.status == status), None)

        return self.wait_for(found, within, f"a callback with status {status}")

    def wait_for(
        self, look: Callable[[], T | None], within: float, what: str, instead: Callable[[], str] = lambda: ""
    ) -> T:
        """Look until something is there, with the machine's patience; `instead` tells what is there in its place."""
        deadline = time.monotonic() + within * PATIENCE
        while True:
            began = time.monotonic()
            found = look()
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"after {within * PATIENCE:g} s there is still no {what}; {instead()} {self.summary()}"
                )
            # Who looks at every table is not to take the core from those who are waited for.
            time.sleep(max(0.05, 4 * (time.monotonic() - began)))

    def summary(self) -> str:
        """All that matters, in a few lines: for failure messages."""
        lines = [f"call {c.purpose} {c.state} {c.end}" for c in self.all(Call)]
        lines += [f"order {o.number} {o.status} {o.service}" for o in self.orders()]
        lines += [f"offer {o.provider_id} {o.status}" for o in self.all(Offer)]
        lines += [f"attempt {a.status} {a.outcome} cause {a.cause}" for a in self.all(Attempt)]
        lines += [f"callback {c.status}" for c in self.all(Callback)]
        lines += [f"task {t.kind} {t.data}" for t in self.all(Task)]
        return "rows: " + "; ".join(lines)

    def outcomes(self) -> list[str | None]:
        """How the attempts ended, in order."""
        return [attempt.outcome for attempt in self.all(Attempt)]

    def slots(self, task: Task) -> Mapping[str, str]:
        """What was understood before the caller was gone."""
        slots: Mapping[str, str] = task.data["slots"]
        return slots
