"""Who is on the line, as far as the number tells: an elder, a household, somebody who stands by one, a provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.matters import matters
from ivr.turns import Her, Matters, OpenOffer
from models.callers import Candidates, Charge, Helper, who_rings
from models.calls import IdentifiedBy
from models.dialing import Offer, OfferStatus
from models.lookup import callers_at, number_row
from models.orders import Order, OrderStatus
from models.phone import Number
from models.preferences import preferences
from models.rows import Rows, orm
from models.settings import settings


@dataclass(frozen=True)
class Seen:
    """What the number tells. `how`: one, household, contact, provider, unknown, withheld."""

    how: str
    language: str
    number_id: int | None = None
    people: tuple[Her, ...] = ()  # who may be meant
    matters: Matters = field(default_factory=Matters)  # of the only one
    offers: tuple[OpenOffer, ...] = ()
    provider_id: int | None = None
    contact_id: int | None = None  # the person on the line, where it is not the elder

    @property
    def identified_by(self) -> IdentifiedBy:
        """How sure it is, for the call's row: a household or a contact has still to say who is meant."""
        return IdentifiedBy.CALLER_ID if self.how in ("one", "provider") else IdentifiedBy.NONE

    @property
    def told(self) -> str:
        """`how`, for the journal: "contacts" where several share the number, and it is not known who of them rings."""
        return "contacts" if self.how == "contact" and self.contact_id is None else self.how


def look(rows: Rows, number: Number | None, now: datetime) -> Seen:
    """Return who may be ringing from `number`; None is a withheld one."""
    language = settings().languages[0]
    if number is None:
        return Seen("withheld", language)
    number_id, elders = callers_at(rows, number)
    if len(elders) == 1:
        one = elders[0]
        way = preferences(rows, one.id)
        her = Her(one.id, one.family_name, one.sex, one.language, way.pace, way.volume, way.person_first, way.dialect)
        return Seen("one", her.language, number_id, (her,), matters(rows, her.elder_id, now))
    if elders:
        people = tuple(Her(one.id, one.family_name, one.sex, one.language) for one in elders)
        return Seen("household", people[0].language, number_id, people)
    with orm(rows) as session:
        if number_id is None:
            return Seen("unknown", language, number_row(session, number).id)
        return _others(session, who_rings(session, number), number_id, language)


def _others(session: Session, here: Candidates, number_id: int, language: str) -> Seen:
    """No elder's telephone: somebody who stands by one, a provider, or nobody we know."""
    if here.helpers:
        people = _wards(here.helpers)
        who = here.helpers[0].who
        # Whoever may order for nobody talks with a person.
        how = "contact" if people else "unknown"
        # Of two at one telephone it is not known who holds the receiver.
        known = who.person_id if len(here.helpers) == 1 else None
        return Seen(how, who.language, number_id, people, contact_id=known)
    if here.providers:
        provider = here.providers[0]
        offers = open_offers(session, provider.provider_id)
        return Seen("provider", provider.language, number_id, offers=offers, provider_id=provider.provider_id)
    return Seen("unknown", language, number_id)


def _wards(helpers: Sequence[Helper]) -> tuple[Her, ...]:
    """Return for whom they may order: each elder once. Of two who stand by the same one the lesser consent counts."""
    charges: dict[int, list[Charge]] = {}
    for charge in (charge for helper in helpers for charge in helper.charges):
        charges.setdefault(charge.elder.person_id, []).append(charge)
    return tuple(
        Her(one.person_id, one.family_name, one.sex, one.language, may_hear=all(c.may_hear_orders for c in here))
        for here in charges.values()
        if all(charge.may_order for charge in here)
        for one in (here[0].elder,)
    )


def open_offers(session: Session, provider_id: int) -> tuple[OpenOffer, ...]:
    """Return the orders that wait for this provider's answer, the oldest first."""
    query = (
        select(Offer)
        .join(Order, Order.id == Offer.order_id)
        .where(Offer.provider_id == provider_id, Offer.status == OfferStatus.OPEN, Order.status == OrderStatus.OFFERED)
        .order_by(Offer.id)
    )
    return tuple(_open_offer(offer) for offer in session.scalars(query))


def _open_offer(offer: Offer) -> OpenOffer:
    order = offer.order
    district = order.area.district.name if order.area else settings().district_unknown
    when = (order.wanted_on, order.wanted_part)
    return OpenOffer(offer.id, district, order.service, *when, order.number, order.wanted_at)
