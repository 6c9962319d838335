"""Reads what the choice of a provider needs: a handful of statements, made once, whatever the number of orders."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, exists, func, select
from sqlalchemy.orm import Session

from dispatch.choice import Candidate, Verdict, Wanted, points_of_settings, rank
from models import vocabulary
from models.dialing import Offer, OfferStatus
from models.hours import Span
from models.orders import Order, OrderStatus
from models.people import Area
from models.providers import Provider, ProviderArea, ProviderHours, ProviderItem, ProviderKind, ProviderNumber
from models.ratings import OrderRating
from models.settings import settings

_P, _I, _A, _H, _N, _O, _F, _R, _AREAS = (
    cast(Table, kind.__table__)
    for kind in (
        Provider, ProviderItem, ProviderArea, ProviderHours, ProviderNumber, Order, Offer, OrderRating, Area,
    )
)  # fmt: skip
# An order that occupies a place in the provider's part of the day.
_HELD = (
    OrderStatus.ACCEPTED, OrderStatus.ARRIVED, OrderStatus.COMPLETED, OrderStatus.RETURN_VISITED, OrderStatus.SETTLED,
)  # fmt: skip

_offering = select(_I.c.provider_id).where(_I.c.service == bindparam("service")).scalar_subquery()
_PROVIDERS = (
    select(
        _P.c.id, _P.c.position, _P.c.kind, _P.c.paused_until, _P.c.capacity, _I.c.doubted_at,
        exists(select(_N.c.id).where(_N.c.provider_id == _P.c.id)).label("reachable"),
    )
    .join(_I, _I.c.provider_id == _P.c.id)
    .where(_I.c.service == bindparam("service"))
    .order_by(_P.c.id)
)  # fmt: skip
_COVERED = select(_A.c.provider_id, _A.c.area_id).where(_A.c.provider_id.in_(_offering))
_HOURS = select(_H.c.provider_id, _H.c.weekday, _H.c.opens, _H.c.closes).where(_H.c.provider_id.in_(_offering))
_of_slot = (_O.c.wanted_on == bindparam("day"), _O.c.wanted_part == bindparam("part"), _O.c.id != bindparam("order_id"))
_TAKEN = (
    select(_O.c.provider_id, func.count())
    .where(*_of_slot, _O.c.status.in_(_HELD), _O.c.provider_id.in_(_offering))
    .group_by(_O.c.provider_id)
)
_BEING_ASKED = (
    select(_F.c.provider_id, func.count())
    .join(_O, _O.c.id == _F.c.order_id)
    # Concatenated, so that the few orders of the slot are looked up first, and not all open offers by their index.
    .where(*_of_slot, _O.c.status == OrderStatus.OFFERED, _F.c.status.concat("") == OfferStatus.OPEN)
    .group_by(_F.c.provider_id)
)
_LATELY = (
    select(_F.c.provider_id, func.count())
    .where(_F.c.status == OfferStatus.ACCEPTED, _F.c.closed_at >= bindparam("fair_since"))
    .group_by(_F.c.provider_id)
)
_SCORES = (
    select(_R.c.provider_id, func.count(), func.sum(_R.c.score))
    .where(_R.c.provider_id.in_(_offering), _R.c.at >= bindparam("score_since"))
    .group_by(_R.c.provider_id)
)
_HERS = (
    select(_R.c.provider_id, _R.c.score)
    .join(_O, _O.c.id == _R.c.order_id)
    .where(_O.c.elder_id == bindparam("elder_id"), _R.c.provider_id.is_not(None))
    .order_by(_R.c.at, _R.c.id)
)
# What was withdrawn was for another time, what was asked before a complaint for the first visit: both may be asked.
_OFFERED = select(_F.c.provider_id, _F.c.status, _F.c.created_at).where(
    _F.c.order_id == bindparam("order_id"), _F.c.status != OfferStatus.WITHDRAWN
)
_above = select(_AREAS.c.id, _AREAS.c.parent_id).where(_AREAS.c.id == bindparam("area_id")).cte("above", recursive=True)
_ABOVE = select(
    _above.union(select(_AREAS.c.id, _AREAS.c.parent_id).join(_above, _AREAS.c.id == _above.c.parent_id)).c.id
)


def judge(session: Session, order: Order, now: datetime) -> tuple[Verdict, ...]:
    """Return the verdict on every provider that offers the order's service; the one to ask first at the head."""
    if vocabulary.SERVICE[order.service].person_only:
        return ()
    return rank(*read(session.connection(), order, now), points_of_settings())


def read(connection: Connection, order: Order, now: datetime) -> tuple[Wanted, list[Candidate]]:
    """Return what the order needs, and every provider that offers its service."""
    since = {
        "fair_since": now - timedelta(days=settings().fair_days),
        "score_since": now - timedelta(days=settings().score_days),
        "asked_since": order.due_since or order.created_at,
    }
    keys = {
        "service": order.service, "day": order.wanted_on, "part": order.wanted_part, "order_id": order.id,
        "elder_id": order.elder_id, "area_id": order.area_id, **since,
    }  # fmt: skip

    def rows(statement: Any) -> list[Any]:
        return list(connection.execute(statement, keys))

    areas, hours = defaultdict(set), defaultdict(set)
    for provider_id, area_id in rows(_COVERED):
        areas[provider_id].add(area_id)
    for provider_id, weekday, opens, closes in rows(_HOURS):
        hours[provider_id].add((weekday, (opens, closes)))
    providers = rows(_PROVIDERS)
    taken: dict[int, int] = defaultdict(int)
    # Where nobody has a limit, nobody need be counted.
    for statement in (_TAKEN, _BEING_ASKED) if any(row.capacity is not None for row in providers) else ():
        for provider_id, count in rows(statement):
            taken[provider_id] += count
    lately = dict(rows(_LATELY))
    scores = {provider_id: (count, int(total)) for provider_id, count, total in rows(_SCORES)}
    hers = dict(rows(_HERS))  # the last one of each provider stays
    offered = rows(_OFFERED)
    asked = {row.provider_id for row in offered if row.created_at >= since["asked_since"]}
    before = {row.provider_id for row in offered if row.status == OfferStatus.ACCEPTED}
    candidates = []
    for row in providers:
        ratings, rating_sum = scores.get(row.id, (0, 0))
        candidates.append(
            Candidate(
                provider_id=row.id,
                services=frozenset({order.service}),
                areas=frozenset(areas[row.id]),
                hours=frozenset(hours[row.id]) or None,
                position=row.position,
                volunteers=row.kind == ProviderKind.VOLUNTEERS,
                reachable=row.reachable,
                paused=row.paused_until is not None and row.paused_until > now,
                asked=row.id in asked,
                before=row.id in before,
                capacity=row.capacity,
                taken=taken[row.id],
                doubted=row.doubted_at is not None,
                ratings=ratings,
                rating_sum=rating_sum,
                lately=lately.get(row.id, 0),
                her_rating=hers.get(row.id),
            )
        )
    above = frozenset(row.id for row in rows(_ABOVE)) if order.area_id is not None else frozenset()
    return Wanted(order.service, above, order.wanted_on.weekday(), _span(order)), candidates


def _span(order: Order) -> Span:
    """Return the minutes of the day in which the worker is wanted: the exact time, or the part of the day."""
    if order.wanted_at is not None:
        begins = order.wanted_at.hour * 60 + order.wanted_at.minute
        return begins, begins + 1
    begins, ends = settings().part_hours.get(order.wanted_part, (0, 24))
    return begins * 60, ends * 60
