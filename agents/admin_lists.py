"""Lists that are data: reasons for a pause, results of calls and tasks, what calls are marked by, dialects."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from agents.changing import Kind, Refused, Values
from models.base import new_public_id
from models.dialects import Dialect, dialects
from models.presence import MISSED, PauseReason
from models.results import OWN, CallResult, Scope
from models.supervision import QualityItem
from models.vocabulary import LANGUAGES

_Condition = ColumnElement[bool] | InstrumentedAttribute[bool]
_Row = TypeVar("_Row", PauseReason, CallResult, QualityItem, Dialect)

# Results of the staff's run do what their row says (`effect`): they keep their place, and no others are made by page.
STAFF = (Scope.VISIT, Scope.SKIP)
NAME_MAX = 40
POSITION_MAX = 999
# From a minute to a fortnight.
RETRY_MIN_S, RETRY_MAX_S = 60, 14 * 24 * 3600
WEIGHT_MAX = 20


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
    row = _put(session, PauseReason, key, values, now)
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
    stands = session.get_one(CallResult, int(key)).scope if key else None
    if values is not None and values["scope"] != stands and (values["scope"] in STAFF or stands in STAFF):
        raise Refused({"scope": "bad"})
    row = _put(session, CallResult, key, values, now)
    # A result is owed for every call and every task: one that ends it has to be there to choose.
    for scope in STAFF:
        _must_be_left(session, CallResult.id, (CallResult.hidden_at.is_(None), CallResult.scope == scope))
    for scope in (Scope.TASK, Scope.CALL):
        shown = CallResult.hidden_at.is_(None), CallResult.scope.in_((scope, Scope.BOTH)), CallResult.is_final
        _must_be_left(session, CallResult.id, shown)
    return str(row.id)


RESULT = Kind("result", _read_result, _write_result)


# What calls are marked by.


def quality_values(form: Mapping[str, str]) -> Values:
    """Return what a form says of an item of the form of marks.

    Raises:
        Refused: with the fields that are wrong.
    """
    problems: dict[str, str] = {}
    weight = _whole(form, "weight", WEIGHT_MAX, problems)
    if not weight:
        problems["weight"] = "range"
    values = {
        "names": _names(form, problems),
        "weight": weight,
        "position": _whole(form, "position", POSITION_MAX, problems),
        "is_shown": form.get("shown") != "no",
    }
    return _done(values, problems)


def quality_items(session: Session) -> list[tuple[str, Values]]:
    """Return every item, those off the form too: key and values, in their order."""
    rows = session.scalars(select(QualityItem).order_by(QualityItem.position, QualityItem.id))
    return [(str(row.id), _of_quality(row)) for row in rows]


def _of_quality(row: QualityItem) -> Values:
    return {
        "names": dict(row.names),
        "weight": row.weight,
        "position": row.position,
        "is_shown": row.hidden_at is None,
    }


def _read_quality(session: Session, key: str) -> Values | None:
    row = session.get(QualityItem, int(key))
    return _of_quality(row) if row is not None else None


def _write_quality(session: Session, key: str | None, values: Values | None, now: datetime) -> str:
    row = _put(session, QualityItem, key, values, now)
    # A mark without anything that is marked says nothing.
    _must_be_left(session, QualityItem.id, (QualityItem.hidden_at.is_(None),))
    return str(row.id)


QUALITY_ITEM = Kind("quality_item", _read_quality, _write_quality)


# Dialects: each has a queue of those who speak it (dispatch/queue_rules.py).


def dialect_values(form: Mapping[str, str]) -> Values:
    """Return what a form says of a dialect.

    Raises:
        Refused: with the fields that are wrong.
    """
    problems: dict[str, str] = {}
    if form.get("language") not in LANGUAGES:
        problems["language"] = "bad"
    values = {
        "names": _names(form, problems),
        "language": form.get("language"),
        "position": _whole(form, "position", POSITION_MAX, problems),
        "is_shown": form.get("shown") != "no",
    }
    return _done(values, problems)


def all_dialects(session: Session) -> list[tuple[str, Values]]:
    """Return every dialect, those off the list too: key and values, in their order."""
    return [(str(row.id), _of_dialect(row)) for row in dialects(session, hidden=True)]


def _of_dialect(row: Dialect) -> Values:
    return {
        "names": dict(row.names),
        "language": row.language,
        "position": row.position,
        "is_shown": row.hidden_at is None,
    }


def _read_dialect(session: Session, key: str) -> Values | None:
    row = session.get(Dialect, int(key))
    return _of_dialect(row) if row is not None else None


def _write_dialect(session: Session, key: str | None, values: Values | None, now: datetime) -> str:
    return str(_put(session, Dialect, key, values, now).id)


DIALECT = Kind("dialect", _read_dialect, _write_dialect)


# What the lists have in common: a row is never deleted, for older rows name it.


def _put(session: Session, kind: type[_Row], key: str | None, values: Values | None, now: datetime) -> _Row:
    if values is None:
        raise Refused({"": "kept"})
    row = session.get_one(kind, int(key)) if key else kind(code=f"{OWN}{new_public_id()[:10]}")
    session.add(row)
    for name, value in values.items():
        if name != "is_shown":
            setattr(row, name, value)
    row.hidden_at = None if values["is_shown"] else row.hidden_at or now
    session.flush()
    return row


def _must_be_left(session: Session, ids: Any, conditions: tuple[_Condition, ...]) -> None:
    if session.scalar(select(ids).where(*conditions).limit(1)) is None:
        raise Refused({"": "last_one"})
