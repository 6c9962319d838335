"""P7: durable callbacks a second, from the outbox to a written outcome ÷ jobs a second that do nothing.

Ours, for each callback: its errand is enqueued as after a commit; RQ's worker
runs it; "dialling" is committed before the gateway twin is asked; the twin
answers, and the outcome is committed by itself, with the call's end and its
journal; the errand is marked done. The other side: the same worker class, the
same Redis, a function that returns. Rounds alternate.
"""

from __future__ import annotations

import logging
import time
from datetime import date
from typing import Any

from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import func, select, update

from dispatch import callbacks, dial, outbox, processes
from dispatch.attempts import attempt_of_channel, mark_answered
from dispatch.calls import close_call
from dispatch.gateways import ConsoleGateway, OutboundCall, gateway
from dispatch.orders import OrderRequest, place_order
from dispatch.outbox import transaction
from models import clock, register
from models.calls import Call, CallEnd
from models.dialing import Callback, CallbackStatus
from models.orders import Order, OrderStatus
from models.outbox import OutboxEntry
from models.phone import normalise
from models.register import NewProvider
from models.session import read, write
from tests.bench import store
from tests.bench.report import Figure, compare

GOAL = 0.5
# Short rounds, many of them: the machine is seldom quiet, and both sides are to see the same of it.
ROUNDS, CALLS = 15, 60
NOTHING = "tests.bench.p7.nothing"


class AnsweringGateway(ConsoleGateway):
    """The twin of a carrier at whose other end everybody answers at once and presses 1."""

    def ring(self, call: OutboundCall) -> None:
        """Answer; what the conversation writes is written as it does."""
        super().ring(call)
        now = clock.now()
        with transaction() as session:
            attempt = attempt_of_channel(session, call.channel_id)
            assert attempt is not None and mark_answered(attempt, now)
            callbacks.confirm(session, attempt, now)
            close_call(session, session.get_one(Call, attempt.call_id), CallEnd.GOODBYE, now)


def nothing(entry_id: int) -> None:
    """The other side's job."""


def run() -> Figure:
    """Run P7; return the figure."""
    ours, bare = [], []
    with store.stores(TRUNK_CALLS_PER_S=1_000_000, TRUNK_CHANNELS=1_000_000):
        # Its worker logs each job otherwise.
        logging.getLogger("rq.worker").setLevel(logging.WARNING)
        _town(CALLS * (ROUNDS + 1))
        _callbacks(20, "warm")
        _bare(20)
        for number in range(ROUNDS):
            if number % 2:
                bare.append(_bare(CALLS))
            ours.append(_callbacks(CALLS, f"r{number}"))
            if number % 2 == 0:
                bare.append(_bare(CALLS))
            print(f"  round {number + 1}: {ours[-1]:.0f} callbacks/s, {bare[-1]:.0f} bare jobs/s", flush=True)  # noqa: T201
    return compare(ours, bare, GOAL, "a second", better="higher")


def _town(count: int) -> None:
    global _elders
    _elders = store.elders(count)
    with write() as session:
        register.add_provider(session, NewProvider("康乐", [normalise("+8645110000101")], ["bathing"]), clock.now())


_elders: list[int] = []


def _callbacks(count: int, key: str) -> float:
    """Owe so many callbacks; return how many a second are brought to their written end."""
    mine, now = [_elders.pop() for _ in range(count)], clock.now()
    before = _confirmed()
    gateway.cache_clear()
    twin = AnsweringGateway()
    setattr(dial, "gateway", lambda: twin)  # noqa: B010
    with write() as session:
        for n, elder_id in enumerate(mine):
            wanted = OrderRequest(f"{key}-{n}", "phone", elder_id, "bathing", date(2026, 11, 23), "morning", "zh-CN")
            order = session.get_one(Order, place_order(session, wanted, now).order_id)
            order.status, order.provider_id = OrderStatus.ACCEPTED, 1
            callbacks.begin(session, order, now)
        session.execute(update(OutboxEntry).where(OutboxEntry.verb != "dial").values(done_at=now))
    with read() as session:
        # What is due: the reminders of these orders are not.
        due = OutboxEntry.done_at.is_(None), OutboxEntry.due_at <= clock.now()
        entries = list(session.scalars(select(OutboxEntry.id).where(*due)))
    assert len(entries) == count
    worker = processes.new_worker()
    began = time.perf_counter()
    outbox.wake(entries)
    took = time.perf_counter() - began + _work(worker)
    if _confirmed() - before != count or len(twin.rung) != count:
        raise AssertionError(f"{count} callbacks were owed, {_confirmed() - before} are confirmed")
    return count / took


def _confirmed() -> int:
    with read() as session:
        done = select(func.count(Callback.id)).where(Callback.status == CallbackStatus.CONFIRMED)
        return session.scalar(done) or 0


def _bare(count: int) -> float:
    queue = Queue("bare", connection=outbox.redis(), serializer=JSONSerializer)
    worker = SimpleWorker([queue], connection=outbox.redis(), serializer=JSONSerializer)
    began = time.perf_counter()
    with queue.connection.pipeline(transaction=False) as pipeline:
        for number in range(count):
            queue.enqueue_call(NOTHING, args=(number,), result_ttl=0, description=NOTHING, pipeline=pipeline)
        pipeline.execute()
    return count / (time.perf_counter() - began + _work(worker))


def _work(worker: SimpleWorker) -> float:
    """Let the worker do whatever there is; return how long, from the first job's beginning to the last one's end.

    To greet Redis and to take leave of it, which costs RQ up to a second, is no job.
    """
    moments: list[float] = []
    real = worker.execute_job

    def execute(*job: Any) -> None:
        moments.append(time.perf_counter())
        real(*job)
        moments.append(time.perf_counter())

    setattr(worker, "execute_job", execute)  # noqa: B010
    worker.work(burst=True, logging_level="WARNING")
    return moments[-1] - moments[0]
