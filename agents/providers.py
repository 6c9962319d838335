"""Providers as the console and the command line show them; paused, resumed, and their doubted items checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from agents.accounts import record
from agents.parties import area_path
from models.dialing import Offer, OfferStatus
from models.provider_export import hours_text
from models.providers import PAUSE_REASON_MAX, Provider, ProviderItem
from models.ratings import OrderRating
from models.settings import settings
from models.users import User


class ProviderError(ValueError):
    """It cannot be changed like this. `code`: past, reason_long."""

    def __init__(self, code: str) -> None:
        super().__init__({"past": "a pause ends in the future", "reason_long": "the reason is too long"}[code])
        self.code = code


@dataclass(frozen=True)
class WorkerLine:
    """A worker: name and the code that she keys."""

    name: str
    code: str


@dataclass(frozen=True)
class ProviderLine:
    """One provider. `services`: code, and whether it said that this is not its own; `score`: mean of `ratings`."""

    public_id: str
    name: str
    kind: str
    language: str
    wants_sms: bool
    services: tuple[tuple[str, bool], ...]
    areas: tuple[tuple[str, ...], ...]
    hours: tuple[str, ...]
    capacity: int | None
    numbers: int
    workers: tuple[WorkerLine, ...]
    paused_until: datetime | None  # None too where the pause is over
    pause_reason: str
    score: float | None
    ratings: int
    lately: int


def provider_lines(session: Session, now: datetime) -> tuple[ProviderLine, ...]:
    """Return every provider, in the operator's order."""
    together = (
        selectinload(Provider.numbers), selectinload(Provider.items), selectinload(Provider.areas),
        selectinload(Provider.hours), selectinload(Provider.workers),
    )  # fmt: skip
    rows = session.scalars(select(Provider).order_by(Provider.position, Provider.id).options(*together)).all()
    scores = _scores(session, now)
    lately = Counter(
        session.scalars(
            select(Offer.provider_id).where(
                Offer.status == OfferStatus.ACCEPTED, Offer.closed_at >= now - timedelta(days=settings().fair_days)
            )
        )
    )
    return tuple(_line(session, row, scores.get(row.id, (0, 0)), (lately[row.id], now)) for row in rows)


def pause(session: Session, public_id: str, how: tuple[datetime | None, str], by: tuple[User | None, datetime]) -> None:
    """Do not ask the provider before `how[0]`, because of `how[1]`; None: ask it again. Audited.

    Raises:
        KeyError: there is no such provider.
        ProviderError: the time is not in the future, or the reason is too long.
    """
    (until, reason), (user, now) = how, by
    provider = session.scalar(select(Provider).where(Provider.public_id == public_id))
    if provider is None:
        raise KeyError(public_id)
    if until is not None and until <= now:
        raise ProviderError("past")
    if len(reason) > PAUSE_REASON_MAX:
        raise ProviderError("reason_long")
    provider.paused_until, provider.pause_reason = until, reason if until else ""
    record(session, user, "provider_paused" if until else "provider_resumed", ("provider", provider.id), now)


def checked(session: Session, public_id: str, item: tuple[str, bool], by: tuple[User, datetime]) -> None:
    """An agent has asked the provider: `item` = (service, whether it offers it after all). Audited.

    Raises:
        KeyError: there is no such provider, or it is not listed with this service.
    """
    (service, offers), (user, now) = item, by
    query = select(ProviderItem).join(Provider, Provider.id == ProviderItem.provider_id)
    row = session.scalar(query.where(Provider.public_id == public_id, ProviderItem.service == service))
    if row is None:
        raise KeyError(public_id)
    record(session, user, "item_kept" if offers else "item_removed", ("provider", row.provider_id), now)
    if offers:
        row.doubted_at = None
    else:
        session.delete(row)


def _scores(session: Session, now: datetime) -> dict[int, tuple[int, int]]:
    since = now - timedelta(days=settings().score_days)
    query = select(OrderRating.provider_id, func.count(), func.sum(OrderRating.score)).where(OrderRating.at >= since)
    return {
        provider_id: (count, int(total))
        for provider_id, count, total in session.execute(query.group_by(OrderRating.provider_id))
        if provider_id is not None
    }


def _line(session: Session, row: Provider, score: tuple[int, int], load: tuple[int, datetime]) -> ProviderLine:
    (ratings, total), (lately, now) = score, load
    paused = row.paused_until is not None and row.paused_until > now
    return ProviderLine(
        public_id=row.public_id,
        name=row.name,
        kind=row.kind,
        language=row.language,
        wants_sms=row.wants_sms,
        services=tuple((item.service, item.doubted_at is not None) for item in row.items),
        areas=tuple(area_path(session, covered.area_id) for covered in row.areas),
        hours=tuple(hours_text((span.weekday, (span.opens, span.closes)) for span in row.hours)),
        capacity=row.capacity,
        numbers=len(row.numbers),
        workers=tuple(WorkerLine(one.person.name, one.code) for one in row.workers if one.ended_at is None),
        paused_until=row.paused_until if paused else None,
        pause_reason=row.pause_reason if paused else "",
        score=round(total / ratings, 2) if ratings else None,
        ratings=ratings,
        lately=lately,
    )
