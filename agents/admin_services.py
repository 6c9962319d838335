"""What is set for each service: offered or not, and its price; which there are is the vocabulary's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.changing import Kind, Refused, Values
from models import vocabulary
from models.service_items import ServiceItem

PRICE_MAX_FEN = 10_000_00


class Unit(StrEnum):
    """What a price is for."""

    VISIT = "visit"
    HOUR = "hour"
    MEAL = "meal"
    DAY = "day"


def service_values(form: Mapping[str, str]) -> Values:
    """Return what a form says of a service: the price is written in yuan and kept in fen.

    Raises:
        Refused: with the fields that are wrong.
    """
    problems: dict[str, str] = {}
    price_fen = None
    text = form.get("price", "").strip()
    if text:
        try:
            yuan = Decimal(text)
            price_fen = int(yuan * 100)
            if not yuan.is_finite() or yuan * 100 != price_fen or not 0 <= price_fen <= PRICE_MAX_FEN:
                problems["price"] = "range"
        except (InvalidOperation, ValueError, OverflowError):
            problems["price"] = "bad"
    if form.get("unit") not in {unit.value for unit in Unit}:
        problems["unit"] = "bad"
    if problems:
        raise Refused(problems)
    return {"is_offered": form.get("on") != "no", "price_fen": price_fen, "unit": form.get("unit")}


def services(session: Session) -> list[tuple[str, Values]]:
    """Return every service of the vocabulary with what is set for it."""
    rows = {row.service: row for row in session.scalars(select(ServiceItem))}
    return [(code, _of_service(rows.get(code))) for code in vocabulary.SERVICE]


def _of_service(row: ServiceItem | None) -> Values:
    if row is None:
        return {"is_offered": True, "price_fen": None, "unit": Unit.VISIT.value}
    return {"is_offered": row.is_offered, "price_fen": row.price_fen, "unit": str(row.unit)}


def _read_service(session: Session, key: str) -> Values | None:
    if key not in vocabulary.SERVICE:
        return None
    return _of_service(session.scalar(select(ServiceItem).where(ServiceItem.service == key)))


def _write_service(session: Session, key: str | None, values: Values | None, now: datetime) -> str:
    if key is None or values is None:
        raise Refused({"": "kept"})
    row = session.scalar(select(ServiceItem).where(ServiceItem.service == key)) or ServiceItem(service=key)
    session.add(row)
    row.is_offered, row.price_fen, row.unit = values["is_offered"], values["price_fen"], values["unit"]
    return key


SERVICE = Kind("service", _read_service, _write_service)
