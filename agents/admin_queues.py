"""Times and weights of the queues, as an administrator sets them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.changing import Kind, Refused, Values
from models.queue_rules import URGENT_WEIGHT, QueueRule, queue_rules
from models.settings import settings

# There is one set of them.
KEY = "queues"
# Each time's least and most, in seconds.
TIMES: Mapping[str, tuple[int, int]] = {
    "ring_s": (5, 120),
    "wrap_up_s": (0, 900),
    "wrap_up_more_s": (10, 900),
    "lap_s": (10, 120),
    "wait_s": (30, 3600),
}
WEIGHT_MAX = URGENT_WEIGHT - 1


def weight_field(language: str) -> str:
    """Return what a form and the audit call the weight of a language's queue."""
    return f"weight_{language}"


def queue_values(form: Mapping[str, str]) -> Values:
    """Return what a form says: seconds by name, and the weight of each language's queue.

    Raises:
        Refused: with the fields that are no whole numbers within their bounds (range).
    """
    bounds = {**TIMES, **{weight_field(language): (0, WEIGHT_MAX) for language in settings().languages}}
    values, problems = {}, {}
    for field, (least, most) in bounds.items():
        text = form.get(field, "").strip()
        if not text.isascii() or not text.isdigit() or len(text) > 4 or not least <= int(text) <= most:
            problems[field] = "range"
        else:
            values[field] = int(text)
    if problems:
        raise Refused(problems)
    return values


def _read(session: Session, key: str) -> Values | None:
    if key != KEY:
        return None
    rules = queue_rules(session)
    weights = {weight_field(language): weight for language, weight in rules.weights.items()}
    return {**{name: getattr(rules, name) for name in TIMES}, **weights}


def _write(session: Session, key: str | None, values: Values | None, now: datetime) -> str:
    if values is None:
        raise Refused({"": "kept"})
    row = session.scalar(select(QueueRule).order_by(QueueRule.id).limit(1)) or QueueRule()
    for name in TIMES:
        setattr(row, name, values[name])
    row.weights = {language: values.get(weight_field(language), 0) for language in settings().languages}
    session.add(row)
    return KEY


QUEUES = Kind("queues", _read, _write)
