"""P9: one step of dispatch with 10,000 open orders: choosing a provider, and a round of the sweep.

Goal: the slower of the two takes 50 ms or less. A table tells how both grow from 10² to 10⁵ orders.
The town: 40 providers with hours, areas, a limit and ratings; a third of all orders stands open.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import insert, select

from dispatch import candidates, lateness, outbox
from models import register, session
from models.base import new_public_id
from models.dialing import Attempt, AttemptStatus, Offer, OfferStatus
from models.orders import Order, OrderStatus
from models.outbox import OutboxEntry
from models.phone import normalise
from models.providers import ProviderHours
from models.ratings import OrderRating
from models.register import NewElder, NewProvider
from tests.bench.report import Figure, table
from tests.bench.store import stores

LIMIT_MS = 50.0
OPEN_AT_GOAL = 10_000
SIZES = (100, 1_000, 10_000, 100_000)
PROVIDERS, ELDERS, STEPS = 40, 200, 30
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
SERVICES = ("bathing", "meals", "cleaning", "repairs")
PARTS = ("morning", "noon", "afternoon", "evening")


def run() -> Figure:
    """Measure every size on SQLite; return the figure of 10,000 open orders."""
    found = {size: _measure(size) for size in SIZES}
    head = ("open orders", "choosing (ms)", "slowest", "sweep (ms)", "slowest")
    lines = [
        (f"{size:,}", *(f"{value:.2f}" for times in found[size] for value in (median(times), max(times))))
        for size in SIZES
    ]
    print(f"P9: a step of dispatch, median and slowest of {STEPS}; as many orders again twice over are done")  # noqa: T201
    print(table(head, lines))  # noqa: T201
    choosing, sweeping = found[OPEN_AT_GOAL]
    ours = max(median(choosing), median(sweeping))
    return Figure(
        ratio=round(ours / LIMIT_MS, 3),
        better="lower",
        goal=1.0,
        ours=round(ours, 3),
        other=LIMIT_MS,
        unit="ms a step",
        spread=f"slowest choosing {max(choosing):.1f} ms, sweep {max(sweeping):.1f} ms",
    )


def _measure(size: int) -> tuple[list[float], list[float]]:
    """Return the times of choosing and of sweeping (ms) with `size` open orders."""
    with stores(redis=False):
        _people()
        _orders(size)
        return _choosing(), _sweeping()


def _people() -> None:
    with session.write() as db:
        areas = [area for n in range(10) if (area := register.area_at(db, f"区{n}", f"社区{n}"))]
        for n in range(ELDERS):
            number = normalise(f"+86451100{n:05d}")
            register.add_elder(db, NewElder(f"老人{n}", [number], area=areas[n % len(areas)]), NOW)
        for n in range(PROVIDERS):
            new = NewProvider(f"服务商{n}", [normalise(f"+86451101{n:05d}")], SERVICES, areas[n % 5 : n % 5 + 5])
            provider = register.add_provider(db, new, NOW)
            provider.capacity = 1_000_000
            for weekday in range(7):
                db.add(ProviderHours(provider_id=provider.id, weekday=weekday, opens=0, closes=1440))


def _orders(size: int) -> None:
    """Write `size` open orders, being asked for, and twice as many done and rated in the last half year."""
    with session.write() as db:
        for start in range(0, 3 * size, 20_000):
            rows = [_order(n, n < size) for n in range(start, min(start + 20_000, 3 * size))]
            db.execute(insert(Order), rows)
        for start in range(0, 3 * size, 20_000):
            part = range(start, min(start + 20_000, 3 * size))
            db.execute(insert(Offer), [_offer(n, n < size) for n in part])
            if any(n >= size for n in part):
                db.execute(insert(OrderRating), [_rating(n) for n in part if n >= size])
            if any(n < size for n in part):
                db.execute(insert(Attempt), [_attempt(n) for n in part if n < size])
                db.execute(insert(OutboxEntry), [_errand(n) for n in part if n < size])


def _order(n: int, is_open: bool) -> dict[str, Any]:
    at = NOW - timedelta(minutes=n % 200) if is_open else NOW - timedelta(hours=1 + n % 4000)
    due = NOW + timedelta(hours=1 + n % 100)
    return {
        "id": n + 1, "public_id": new_public_id(), "idempotency_key": f"k{n}", "channel": "phone",
        "elder_id": n % ELDERS + 1, "service": SERVICES[n % 4], "wanted_on": _day(n if is_open else -n),
        "wanted_part": PARTS[n // 7 % 4], "area_id": 2, "language": "zh-CN", "note": "",
        "status": OrderStatus.OFFERED if is_open else OrderStatus.SETTLED,
        "provider_id": None if is_open else n % PROVIDERS + 1, "created_at": at, "changed_at": at,
        "due_since": at, "warn_at": due if is_open else None, "due_at": due if is_open else None,
        "escalate_at": due if is_open else None,
    }  # fmt: skip


def _day(n: int) -> date:
    return NOW.date() + timedelta(days=n % 7 if n >= 0 else -(-n % 170))


def _offer(n: int, is_open: bool) -> dict[str, Any]:
    at = NOW - timedelta(hours=n % 4000)
    return {
        "id": n + 1, "public_id": new_public_id(), "order_id": n + 1, "provider_id": n % PROVIDERS + 1,
        "round": 1, "status": OfferStatus.OPEN if is_open else OfferStatus.ACCEPTED, "created_at": at,
        "closed_at": None if is_open else at, "reasons": {},
    }  # fmt: skip


def _rating(n: int) -> dict[str, Any]:
    at = NOW - timedelta(hours=n % 4000)
    return {"order_id": n + 1, "provider_id": n % PROVIDERS + 1, "score": n % 5 + 1, "at": at}


def _attempt(n: int) -> dict[str, Any]:
    return {
        "public_id": new_public_id(), "offer_id": n + 1, "number_id": ELDERS + n % PROVIDERS + 1,
        "channel_id": f"hotline-{n}", "status": AttemptStatus.DUE, "due_at": NOW + timedelta(hours=1),
    }  # fmt: skip


def _errand(n: int) -> dict[str, Any]:
    soon = NOW + timedelta(hours=1)
    return {"verb": "dial", "subject_id": n + 1, "created_at": NOW, "due_at": soon, "failures": 0}


def _choosing() -> list[float]:
    with session.read() as db:
        some = list(db.scalars(select(Order).where(Order.status == OrderStatus.OFFERED).limit(STEPS)))

    def choose(order: Order) -> None:
        with session.read() as db:
            verdicts = candidates.judge(db, order, NOW)
        if len(verdicts) != PROVIDERS or not verdicts[0].fit:
            raise RuntimeError("P9 measures a choice that chooses nobody")

    return [_timed(choose, some[n % len(some)]) for n in range(STEPS)]


def _sweeping() -> list[float]:
    """Rounds in which nothing is due, as most are, and one in five finds an order that has just become late."""

    def sweep(n: int) -> None:
        if n % 5 == 0:
            with session.write() as db:
                db.get_one(Order, n + 1).escalate_at = NOW - timedelta(seconds=1)
        began = time.perf_counter()
        outbox.relay(NOW)
        if lateness.escalate(NOW) != (n % 5 == 0):
            raise RuntimeError("P9 measures a sweep that finds nothing")
        times.append((time.perf_counter() - began) * 1000)

    times: list[float] = []
    for n in range(STEPS):
        sweep(n)
    return times


def _timed(what: Callable[[Any], None], value: object) -> float:
    began = time.perf_counter()
    what(value)
    return (time.perf_counter() - began) * 1000
