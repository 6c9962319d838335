"""Rows for the console's tests and pictures, each by one verb. All people and numbers are invented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from agents import accounts
from models import phone, session
from models.calls import Call, CallEnd, CallEvent, CallState, Direction, Utterance
from models.dialing import Attempt, AttemptStatus, Callback, Offer
from models.orders import Order, OrderEvent, OrderStatus, move_order
from models.people import Elder
from models.providers import Provider
from models.register import NewElder, NewProvider, add_elder, add_provider, area_at
from models.tasks import PRIORITY, Task, TaskKind
from models.users import User

PASSWORD = "correct horse battery"
_serial = count(1)


def landline(number: int) -> str:
    """A landline of Harbin that is never given out."""
    return f"+8645110000{number:03}"


def mobile(number: int) -> str:
    """A mobile number that is never given out."""
    return f"+8611000000{number:03}"


@dataclass
class World:
    """Writes into the database, one transaction after the other, as the hotline's processes would."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @contextmanager
    def rows(self) -> Iterator[Session]:
        """One transaction."""
        with session.write() as db:
            yield db

    def ago(self, seconds: float) -> datetime:
        """A time before now."""
        return self.now - timedelta(seconds=seconds)

    def user(self, name: str, role: str = "agent", language: str = "zh-CN") -> User:
        """A console user with the password of all tests."""
        with self.rows() as db:
            user = accounts.create_user(db, name, PASSWORD, role, self.now)
            user.language = language
            return user

    def elder(self, name: str, number: str = "", **more: Any) -> Elder:
        """An elder, in the community of the tests unless an area is given."""
        with self.rows() as db:
            path = more.pop("area", ("道里区", "尚志社区", "第三网格"))
            numbers = [phone.normalise(number)] if number else []
            new = NewElder(name, numbers, area=area_at(db, *path), **more)
            elder = add_elder(db, new, self.now)
            # Loaded while the session is open: the numbers are read after it.
            db.refresh(elder.person, ["numbers"])
            return elder

    def provider(self, name: str, number: str) -> Provider:
        """A provider of everything, everywhere."""
        with self.rows() as db:
            new = NewProvider(name, [phone.normalise(number)], ["meals", "bathing", "cleaning", "repairs"])
            provider = add_provider(db, new, self.now)
            db.refresh(provider, ["numbers"])
            return provider

    def call(self, elder: Elder | None = None, at: datetime | None = None, **more: Any) -> Call:
        """A call; a live incoming one unless said otherwise."""
        with self.rows() as db:
            number_id = more.pop("number_id", None)
            if elder is not None and number_id is None:
                elder = db.get_one(Elder, elder.id)
                number_id = elder.person.numbers[0].number_id if elder.person.numbers else None
            values: dict[str, Any] = {
                "channel_id": f"test-{next(_serial)}",
                "direction": Direction.IN,
                "purpose": "inbound",
                "state": CallState.TALKING,
                "started_at": at or self.now,
                "answered_at": at or self.now,
                "elder_id": elder.id if elder else None,
                "number_id": number_id,
            }
            call = Call(**{**values, **more})
            db.add(call)
            return call

    def journal(self, call: Call, *entries: tuple[float, str, dict[str, Any]]) -> None:
        """Entries of the journal, each with its seconds from the call's beginning."""
        with self.rows() as db:
            for seconds, kind, data in entries:
                at = call.started_at + timedelta(seconds=seconds)
                db.add(CallEvent(call_id=call.id, at=at, kind=kind, data=data))

    def said(self, call: Call, seconds: float, text: str, score: int = 88) -> int:
        """What was heard; returns the utterance's id for the journal."""
        with self.rows() as db:
            at = call.started_at + timedelta(seconds=seconds)
            row = Utterance(call_id=call.id, at=at, language=call.language, text=text, score=score)
            db.add(row)
            db.flush()
            return row.id

    def end(self, call: Call, how: str = CallEnd.GOODBYE, seconds: float = 60) -> None:
        """The call ends."""
        with self.rows() as db:
            row = db.get_one(Call, call.id)
            row.state, row.end = CallState.ENDED, how
            row.ended_at = row.started_at + timedelta(seconds=seconds)

    def order(self, elder: Elder, service: str = "bathing", at: datetime | None = None, **more: Any) -> Order:
        """A confirmed order for tomorrow morning."""
        at = at or self.now
        with self.rows() as db:
            area_id = db.get_one(Elder, elder.id).area_id
            values: dict[str, Any] = {
                "idempotency_key": f"test-{next(_serial)}",
                "channel": "phone",
                "elder_id": elder.id,
                "service": service,
                "wanted_on": (self.now + timedelta(hours=8)).date() + timedelta(days=1),
                "wanted_part": "morning",
                "area_id": area_id,
                "language": "zh-CN",
                "status": OrderStatus.CONFIRMED,
                "created_at": at,
                "changed_at": at,
            }
            order = Order(**{**values, **more})
            db.add(order)
            db.flush()
            first = OrderEvent(order_id=order.id, at=at, to_status=order.status, actor="elder", actor_id=elder.id)
            first.call_id = order.call_id
            db.add(first)
            return order

    def move(self, order: Order, to: OrderStatus, at: datetime | None = None, **by: Any) -> None:
        """A legal move of an order."""
        with self.rows() as db:
            row = db.get_one(Order, order.id)
            event = OrderEvent(**{"actor": "system", **by})
            if to == OrderStatus.ACCEPTED and by.get("actor") == "provider":
                row.provider_id = by["actor_id"]
            move_order(db, row, to, at or self.now, event)

    def offer(self, order: Order, provider: Provider, at: datetime, **more: Any) -> Offer:
        """An offer to a provider."""
        with self.rows() as db:
            offer = Offer(order_id=order.id, provider_id=provider.id, created_at=at, **more)
            db.add(offer)
            return offer

    def callback(self, order: Order, provider: Provider, at: datetime, **more: Any) -> Callback:
        """A callback to the elder."""
        with self.rows() as db:
            row = Callback(order_id=order.id, elder_id=order.elder_id, provider_id=provider.id, created_at=at, **more)
            db.add(row)
            return row

    def attempt(self, errand: Offer | Callback, number_id: int, at: datetime, **more: Any) -> Attempt:
        """An attempt to dial, ended with an outcome unless said otherwise."""
        with self.rows() as db:
            values: dict[str, Any] = {
                "offer_id": errand.id if isinstance(errand, Offer) else None,
                "callback_id": errand.id if isinstance(errand, Callback) else None,
                "number_id": number_id,
                "channel_id": f"test-{next(_serial)}",
                "status": AttemptStatus.CLOSED,
                "due_at": at,
                "dialed_at": at,
            }
            row = Attempt(**{**values, **more})
            db.add(row)
            return row

    def task(self, kind: TaskKind, at: datetime | None = None, **more: Any) -> Task:
        """An open task."""
        with self.rows() as db:
            task = Task(
                kind=kind,
                dedupe_key=f"test-{next(_serial)}",
                priority=PRIORITY[kind],
                created_at=at or self.now,
                changed_at=at or self.now,
                **more,
            )
            db.add(task)
            return task

    def day(self, days: int) -> date:
        """A day from today, in Harbin."""
        return (self.now + timedelta(hours=8)).date() + timedelta(days=days)
