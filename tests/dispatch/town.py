"""A town for the rules of dispatch: the invented world, a clock that is set by hand, a gateway that obeys the test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import callbacks, dial, events, jobs, offers, reminders, returns, sweep, visits
from dispatch.attempts import mark_answered
from dispatch.calls import close_call
from dispatch.gateways import ConsoleGateway, GatewayError, OutboundCall
from dispatch.orders import OrderRequest, Placed, place_order
from dispatch.outbox import transaction
from models import clock
from models.base import new_public_id
from models.calls import Call, CallEnd, CallState, Direction
from models.dialing import Attempt, AttemptStatus
from models.lookup import number_row
from models.orders import Order
from models.outbox import OutboxEntry
from models.people import Elder, Person
from models.phone import normalise
from models.providers import Worker
from models.session import read, write
from models.tasks import Task
from tests.support import world

T = TypeVar("T")


@dataclass
class ObedientGateway(ConsoleGateway):
    """The console twin, with failures on demand; `gone` are channels that have ended."""

    not_ready: GatewayError | None = None
    ringing_fails: GatewayError | None = None
    gone: set[str] = field(default_factory=set)

    def ready(self) -> None:
        if self.not_ready:
            raise self.not_ready

    def ring(self, call: OutboundCall) -> None:
        if self.ringing_fails:
            raise self.ringing_fails
        super().ring(call)

    def living(self) -> Iterable[str]:
        self.ready()
        return [channel for channel in super().living() if channel not in self.gone]


class Town:
    """What happens in dispatch, in words of the trade."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
        self.gateway = ObedientGateway()
        patch.setattr(clock, "now", lambda: self.now)
        patch.setattr(dial, "gateway", lambda: self.gateway)
        patch.setattr(offers, "gateway", lambda: self.gateway)
        patch.setattr(sweep, "gateway", lambda: self.gateway)
        world.settle_new_town(self.now)

    def passes(self, seconds: float) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    def works(self) -> None:
        """The worker does every errand that is due, and those that follow from it at once."""
        for _ in range(50):
            with read() as session:
                due = select(OutboxEntry.id).where(OutboxEntry.done_at.is_(None), OutboxEntry.due_at <= self.now)
                ids = list(session.scalars(due.order_by(OutboxEntry.id)))
            if not ids:
                return
            for entry_id in ids:
                jobs.run(entry_id)
        raise AssertionError("there is always another errand")

    def orders(self, service: str = "bathing", key: str = "k1", **more: object) -> Placed:
        """王秀英 confirms a request for tomorrow morning."""
        with transaction() as session:
            elder_id = session.scalars(select(Elder.id).order_by(Elder.id)).first() or 0
            values: dict[str, object] = {
                "key": key, "channel": "phone", "elder_id": elder_id, "service": service,
                "wanted_on": date(2026, 11, 23), "wanted_part": "morning", "language": "zh-CN",
            }  # fmt: skip
            return place_order(session, OrderRequest(**{**values, **more}), self.now)  # type: ignore[arg-type]

    def is_agreed(self) -> None:
        """Her order goes its way: the provider accepts on the telephone, she is told who comes."""
        self.works()
        self.accepts()
        self.ended()
        self.works()
        self.confirms()
        self.ended()

    def all(self, kind: type[T]) -> list[T]:
        """Every row of a table, the oldest first."""
        with read() as session:
            return list(session.scalars(select(kind).order_by(kind.id)).unique())  # type: ignore[attr-defined]

    def order(self) -> Order:
        """The one order."""
        (order,) = self.all(Order)
        return order

    def tasks(self) -> list[str]:
        """Kinds of all tasks."""
        return [task.kind for task in self.all(Task)]

    def attempt(self) -> Attempt:
        """The newest attempt; a reminder or a return visit counts when its time has come."""
        return [attempt for attempt in self.all(Attempt) if not self._ahead(attempt)][-1]

    def _ahead(self, attempt: Attempt) -> bool:
        follows = attempt.reminder_id is not None or attempt.return_visit_id is not None
        return follows and attempt.status == AttemptStatus.DUE and attempt.due_at > self.now

    def rung(self) -> list[str]:
        """The numbers that were dialled."""
        return [call.number for call in self.gateway.rung]

    def hangs_up(self, cause: int, attempt: Attempt | None = None) -> None:
        """Asterisk reports the end of a call."""
        channel = (attempt or self.attempt()).channel_id
        self.gateway.gone.add(channel)
        events.handle({"Event": "Hangup", "Uniqueid": channel, "Cause": str(cause)})

    def answers(self, then: Callable[[Session, Attempt], T], attempt: Attempt | None = None) -> T:
        """Somebody answers, and presses a key."""
        with transaction() as session:
            row = session.get_one(Attempt, (attempt or self.attempt()).id)
            assert mark_answered(row, self.now)
            return then(session, row)

    def accepts(self, attempt: Attempt | None = None) -> bool:
        """The provider presses 1."""
        return self.answers(lambda session, row: offers.accept_offer(session, row, self.now), attempt)

    def accepts_again(self, attempt: Attempt) -> bool:
        """The same 1 arrives a second time."""
        with transaction() as session:
            return offers.accept_offer(session, session.get_one(Attempt, attempt.id), self.now)

    def declines(self, attempt: Attempt | None = None) -> None:
        """The provider presses 2."""
        self.answers(lambda session, row: offers.decline_offer(session, row, self.now), attempt)

    def confirms(self, attempt: Attempt | None = None) -> None:
        """The elder presses 1."""
        self.answers(lambda session, row: callbacks.confirm(session, row, self.now), attempt)

    def reminded(self, attempt: Attempt | None = None) -> None:
        """The elder presses 1 in the reminder."""
        self.answers(lambda session, row: reminders.confirm(session, row, self.now), attempt)

    def worker(self) -> int:
        """Somebody who works for the first provider, with a code; made when first asked for."""
        with write() as session:
            known = session.scalars(select(Worker)).first()
            if known is None:
                person = Person(name="孙晓梅", family_name="孙", sex="f", created_at=self.now)
                known = Worker(provider_id=1, person=person, code="4711", since=self.now)
                session.add(known)
                session.flush()
            return known.id

    def reports(self, order_id: int, what: str = "done") -> str:
        """A worker of the order's provider reports from the elder's telephone, and hangs up."""
        worker_id = self.worker()
        with transaction() as session:
            order = session.get_one(Order, order_id)
            if order.provider_id is not None:
                session.get_one(Worker, worker_id).provider_id = order.provider_id
            call = Call(
                channel_id=new_public_id(), direction=Direction.IN, purpose="inbound", state=CallState.TALKING,
                number_id=number_row(session, normalise(world.WANG)).id, started_at=self.now,
            )  # fmt: skip
            session.add(call)
            session.flush()
            said = visits.report(session, visits.Report(order_id, worker_id, what, call.id), self.now)
            close_call(session, call, CallEnd.GOODBYE, self.now)
            return said

    def says_how_it_was(self, score: int, attempt: Attempt | None = None) -> str:
        """The elder presses a score in the return visit: for the first order that is still to be asked about."""

        def press(session: Session, row: Attempt) -> str:
            assert row.return_visit is not None and row.call_id is not None
            left = row.return_visit.open_questions
            return returns.hear(session, returns.Said(left[0].order_id, score, row.call_id), self.now) if left else ""

        return self.answers(press, attempt)

    def ended(self) -> None:
        """Every call is over."""
        with write() as session:
            for call in session.scalars(select(Call).where(Call.ended_at.is_(None))).all():
                close_call(session, call, CallEnd.GOODBYE, self.now)
        self.gateway.gone |= {call.channel_id for call in self.gateway.rung}

    def over(self, channel_id: str) -> None:
        """One call is over."""
        with write() as session:
            call = session.scalars(select(Call).where(Call.channel_id == channel_id)).one()
            close_call(session, call, CallEnd.GOODBYE, self.now)
        self.gateway.gone.add(channel_id)

    def inbound(self, number: str = world.WANG, channel: str = "1763766000.1") -> Call:
        """Somebody is ringing us."""
        with write() as session:
            row = number_row(session, normalise(number))
            call = Call(
                channel_id=channel, direction=Direction.IN, purpose="inbound", state=CallState.TALKING,
                number_id=row.id, started_at=self.now,
            )  # fmt: skip
            session.add(call)
        return call

    def open_attempts(self) -> int:
        """Attempts whose end is not written; without reminders and return visits of another day."""
        open_ones = (attempt for attempt in self.all(Attempt) if attempt.status != AttemptStatus.CLOSED)
        return sum(not self._ahead(attempt) for attempt in open_ones)
