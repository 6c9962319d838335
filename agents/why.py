"""Why this provider: the reasons that were kept with each offer of an order, with names instead of ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from models.dialing import Offer
from models.providers import Provider


@dataclass(frozen=True)
class Weighed:
    """What the choice found of one provider: points by reason, or what barred it."""

    name: str
    points: float
    why: tuple[tuple[str, float], ...]
    bars: tuple[str, ...]


@dataclass(frozen=True)
class Why:
    """One offer: who was chosen, at which place among how many fit ones, against whom; and what came of it."""

    at: datetime
    chosen: Weighed
    place: int
    fit: int
    others: tuple[Weighed, ...]
    status: str
    decline_reason: str | None


def whys(session: Session, order_id: int) -> tuple[Why, ...]:
    """Return the order's offers with their reasons, the oldest first; those without reasons are left out."""
    rows = session.scalars(
        select(Offer).where(Offer.order_id == order_id).options(selectinload(Offer.provider)).order_by(Offer.id)
    ).all()
    offers = [offer for offer in rows if offer.reasons]
    ids = {int(other["provider_id"]) for offer in offers for other in offer.reasons.get("others", ())}
    names = dict(session.execute(select(Provider.id, Provider.name).where(Provider.id.in_(ids))).all()) if ids else {}
    return tuple(
        Why(
            at=offer.created_at,
            chosen=_weighed(offer.provider.name, offer.reasons),
            place=int(offer.reasons.get("place", 1)),
            fit=int(offer.reasons.get("fit", 1)),
            others=tuple(
                _weighed(names.get(other["provider_id"], "?"), other) for other in offer.reasons.get("others", ())
            ),
            status=offer.status,
            decline_reason=offer.decline_reason,
        )
        for offer in offers
    )


def _weighed(name: str, kept: Mapping[str, Any]) -> Weighed:
    why = kept.get("why", {})
    return Weighed(name, float(kept.get("points", 0)), tuple(why.items()), tuple(kept.get("bars", ())))
