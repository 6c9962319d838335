"""Lists that are data: reasons for a pause, results of calls and tasks, what is set for each service."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from agents.changing import Kind, Refused, Values
from models import vocabulary
from models.base import new_public_id
from models.presence import MISSED, PauseReason
from models.results import CallResult, Scope
from models.service_items import ServiceItem
from models.vocabulary import LANGUAGES

_Condition = ColumnElement[bool] | InstrumentedAttribute[bool]

# Results of the staff's run do what their row says (`effect`): they keep their place, and no others are made by page.
STAFF = (Scope.VISIT, Scope.SKIP)
NAME_MAX = 40
POSITION_MAX = 999
# From a minute to a fortnight.
RETRY_MIN_S, RETRY_MAX_S = 60, 14 * 24 * 3600
PRICE_MAX_FEN = 10_000_00


class Unit(StrEnum):
    """What a price is for."""

    VISIT = "visit"
    HOUR = "hour"
    MEAL = "meal"
    DAY = "day"


def _names(form: Mapping[str, str], problems: dict[str, str]) -> dict[str, str]:
    """Return the names by language; Chinese is needed, the others stand in for each other."""
    names = {}
    for language in LANGUAGES:
        field = f"name_{language}"
        text = " ".join(unicodedata.normalize("NFKC", form.get(field, "")).split())
        if len(text) > NAME_MAX:
            problems[field] = "long"
        elif any(unicodedata.category(character).startswith("C") for character in text):
            problems[field] = "bad"
        elif text:
            names[language] = text
        elif language == LANGUAGES[0]:
            problems[field] = "missing"
    return names


def _whole(form: Mapping[str, str], field: str, most: int, problems: dict[str, str]) -> int:
    text = form.get(field, "").strip() or "0"
    if not text.isascii() or not text.isdigit() or int(text) > most:
        problems[field] = "range"
        return 0
    return int(text)


def _done(values: Values, problems: dict[str, str]) -> Values:
    if problems:
        raise Refused(problems)
    return values


# Reasons for a pause.


def reason_values(form: Mapping[str, str]) -> Values:
    """Return what a form says of a reason for a pause.

    Raises:
        Refused: with the fields that are wrong.
    """
    problems: dict[str, str] = {}
    values = {
        "names": _names(form, problems),
        "position": _whole(form, "position", POSITION_MAX, problems),
        "is_shown": form.get("shown") != "no",
    }
    return _done(values, problems)


def reasons(session: Session) -> list[tuple[str, Values]]:
    """Return every reason, those off the list too: key and values, in their order."""
    rows = session.scalars(select(PauseReason).order_by(PauseReason.position, PauseReason.id))
    return [(str(row.id), _of_reason(row)) for row in rows]


def _of_reason(row: PauseReason) -> Values:
    return {"names": dict(row.names), "position": row.position, "is_shown": row.hidden_at is None}


def _read_reason(session: Session, key: str) -> Values | None:
    row = session.get(PauseReason, int(key))
    return _of_reason(row) if row is not None else None


def _write_reason(session: Session, key: str | None, values: Values | None, now: datetime) -> str:
    if values is None:
        raise Refused({"": "kept"})
    row = session.get_one(PauseReason, int(key)) if key else PauseReason(code=_new_code())
    session.add(row)
    row.names, row.position = values["names"], values["position"]
    row.hidden_at = _hidden(row.hidden_at, values["is_shown"], now)
    session.flush()
    shown = PauseReason.hidden_at.is_(None), PauseReason.code != MISSED
    _must_be_left(session, PauseReason.id, shown)
    return str(row.id)


REASON = Kind("pause_reason", _read_reason, _write_reason)


# Results of calls and tasks.


def result_values(form: Mapping[str, str]) -> Values:
    """Return what a form says of a result.

    Raises:
        Refused: with the fields that are wrong.
    """
    problems: dict[str, str] = {}
    final = form.get("final") != "no"
    retry_s: int | None = None
    if not final:
        retry_s = _whole(form, "retry_min", RETRY_MAX_S // 60, problems) * 60
        if form.get("scope") in STAFF and not retry_s:
            retry_s = None  # The staff's run brings her back by itself.
        elif "retry_min" not in problems and retry_s < RETRY_MIN_S:
            problems["retry_min"] = "range"
    if form.get("scope") not in {scope.value for scope in Scope}:
        problems["scope"] = "bad"
    values = {
        "names": _names(form, problems),
        "scope": form.get("scope"),
        "is_final": final,
        "retry_s": retry_s,
        "needs_note": form.get("needs_note") == "yes",
        "position": _whole(form, "position", POSITION_MAX, problems),
        "is_shown": form.get("shown") != "no",
    }
    return _done(values, problems)


def results(session: Session) -> list[tuple[str, Values]]:
    """Return every result, those off the list too: key and values, in their order."""
    rows = session.scalars(select(CallResult).order_by(CallResult.position, CallResult.id))
    return [(str(row.id), _of_result(row)) for row in rows]


def _of_result(row: CallResult) -> Values:
    return {
        "names": dict(row.names),
        "scope": str(row.scope),
        "is_final": row.is_final,
        "retry_s": row.retry_s,
        "needs_note": row.needs_note,
        "position": row.position,
        "is_shown": row.hidden_at is None,
    }


def _read_result(session: Session, key: str) -> Values | None:
    row = session.get(CallResult, int(key))
    return _of_result(row) if row is not None else None


def _write_result(session: Session, key: str | None, values: Values | None, now: datetime) -> str:
    if values is None:
        raise Refused({"": "kept"})
    row = session.get_one(CallResult, int(key)) if key else CallResult(code=_new_code())
    if values["scope"] != row.scope and (values["scope"] in STAFF or row.scope in STAFF):
        raise Refused({"scope": "bad"})
    session.add(row)
    for name in ("names", "scope", "is_final", "retry_s", "needs_note", "position"):
        setattr(row, name, values[name])
    row.hidden_at = _hidden(row.hidden_at, values["is_shown"], now)
    session.flush()
    # A result is owed for every call and every task: one that ends it has to be there to choose.
    for scope in STAFF:
        _must_be_left(session, CallResult.id, (CallResult.hidden_at.is_(None), CallResult.scope == scope))
    for scope in (Scope.TASK, Scope.CALL):
        shown = CallResult.hidden_at.is_(None), CallResult.scope.in_((scope, Scope.BOTH)), CallResult.is_final
        _must_be_left(session, CallResult.id, shown)
    return str(row.id)


RESULT = Kind("result", _read_result, _write_result)


def _hidden(since: datetime | None, shown: bool, now: datetime) -> datetime | None:
    return None if shown else since or now


def _must_be_left(
    session: Session, ids: Any, conditions: tuple[ColumnElement[bool] | InstrumentedAttribute[bool], ...]
) -> None:
    if session.scalar(select(ids).where(*conditions).limit(1)) is None:
        raise Refused({"": "last_one"})


def _new_code() -> str:
    # Rows name it for ever; what it is called may change.
    return f"own_{new_public_id()[:10]}"


# What is set for the services; which there are, and how they are said, is the vocabulary's.


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
    return _done({"is_offered": form.get("on") != "no", "price_fen": price_fen, "unit": form.get("unit")}, problems)


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
