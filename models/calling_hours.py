"""When one elder may be rung: her exceptions to everybody's hours. "Not before ten", "not at noon", "no Wednesdays".

Append-only: a change ends the row that held and writes another. They hold for
every call that she does not wait for herself: callbacks, reminders, return
visits, care visits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, select
from sqlalchemy.orm import Session

from models.campaigns import CallRule
from models.clock import hours_minutes, local
from models.people import Elder
from models.prepared import Prepared

# Minutes after local midnight: from, to.
Minutes = tuple[int, int]
DAY_MINUTES = 24 * 60
WEEK = range(1, 8)  # ISO: Monday is 1
# So many spans fit a day that somebody can still read out to her.
MOST_SPANS = 4
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—~～至到]\s*(\d{1,2}):(\d{2})")
_BETWEEN = re.compile(r"[;；,，、\s]+")


@dataclass(frozen=True)
class Hours:
    """Her hours. `spans`: empty is any hour; `not_on`: ISO weekdays; `never`: by a person only, never by the machine.

    Raises:
        ValueError: no minutes of a day, spans that overlap, or no day is left.
    """

    spans: tuple[Minutes, ...] = ()
    not_on: frozenset[int] = frozenset()
    never: bool = False

    def __post_init__(self) -> None:
        spans = tuple(sorted((int(begins), int(ends)) for begins, ends in self.spans))
        if not all(0 <= begins < ends <= DAY_MINUTES for begins, ends in spans) or len(spans) > MOST_SPANS:
            raise ValueError("not the hours of a day")
        if any(before[1] > after[0] for before, after in pairwise(spans)):
            raise ValueError("the hours overlap")
        if not self.not_on <= frozenset(WEEK) or len(self.not_on) == len(WEEK):
            raise ValueError("not weekdays, or all of them")
        object.__setattr__(self, "spans", spans)

    @property
    def only_days_off(self) -> bool:
        """Whether no workday is left to ring her: then she is rung on days off, whatever holds for others."""
        return self.not_on >= frozenset(range(1, 6))

    def on(self, day: date, usual: Sequence[Minutes]) -> tuple[Minutes, ...]:
        """Return when she may be rung on `day`: the `usual` spans, narrowed; hers hold where they lie outside of it."""
        if day.isoweekday() in self.not_on:
            return ()
        both = tuple(
            (max(a, c), min(b, d)) for a, b in usual for c, d in self.spans or usual if max(a, c) < min(b, d)
        )  # fmt: skip
        return both or self.spans

    def allow(self, moment: datetime) -> bool:
        """Return whether her own hours allow `moment`, whatever holds for everybody."""
        here = local(moment)
        minute = here.hour * 60 + here.minute
        return any(begins <= minute < ends for begins, ends in self.on(here.date(), ((0, DAY_MINUTES),)))


ANY = Hours()


def in_force(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Return the condition on CallRule that it holds at `now`."""
    return and_(CallRule.since <= now, CallRule.ended_at.is_(None) | (CallRule.ended_at > now))


# Asked before every call of ours.
_HOLDS = Prepared(
    select(CallRule.never, CallRule.spans)
    .where(CallRule.elder_id == bindparam("of_elder"), in_force(bindparam("now")))
    .order_by(CallRule.id.desc())
    .limit(1)
)


def hours_of(session: Session, elder_id: int, now: datetime) -> Hours:
    """Return the elder's own hours as they hold at `now`."""
    session.flush()
    row = _HOLDS.first(session, {"of_elder": elder_id, "now": now})
    return _hours(*row) if row is not None else ANY


def rule_of(session: Session, elder_id: int, now: datetime) -> CallRule | None:
    """Return the row that holds; None where she has no exceptions."""
    mine = select(CallRule).where(CallRule.elder_id == elder_id, in_force(now)).order_by(CallRule.id.desc()).limit(1)
    return session.scalar(mine)


def hours_in(row: CallRule) -> Hours:
    """Return the hours that a row holds."""
    return _hours(row.never, row.spans)


def _hours(never: bool, kept: Mapping[str, Any]) -> Hours:
    spans = tuple((begins, ends) for begins, ends in kept.get("spans", ()))
    return Hours(spans, frozenset(kept.get("not_on", ())), never)


def columns_of(hours: Hours) -> dict[str, object]:
    """Return the columns of a row that holds `hours`."""
    return {
        "never": hours.never,
        "spans": {"spans": [list(span) for span in hours.spans], "not_on": sorted(hours.not_on)},
    }


def put(session: Session, elder_id: int, hours: Hours, by_user_id: int | None, now: datetime) -> CallRule | None:
    """Write that `hours` hold from now on, in the place of what held; None where that changes nothing."""
    # One writer at a time for one elder.
    session.execute(select(Elder.id).where(Elder.id == elder_id).with_for_update())
    if hours_of(session, elder_id, now) == hours:
        return None
    open_rows = select(CallRule).where(CallRule.elder_id == elder_id, CallRule.ended_at.is_(None))
    for row in session.scalars(open_rows):
        row.ended_at = max(now, row.since)
    fresh = CallRule(elder_id=elder_id, since=now, by_user_id=by_user_id, **columns_of(hours))
    session.add(fresh)
    session.flush()
    return fresh


def read_spans(text: str) -> tuple[Minutes, ...]:
    """Read "10:00-11:30；14:00-18:00"; empty is any hour.

    Raises:
        ValueError: it says something else.
    """
    found = tuple(
        (int(h1) * 60 + int(m1), int(h2) * 60 + int(m2))
        for h1, m1, h2, m2 in _SPAN.findall(text)
        if int(m1) < 60 and int(m2) < 60
    )
    if _BETWEEN.sub("", _SPAN.sub("", text)) or len(found) != len(_SPAN.findall(text)):
        raise ValueError("not hours")
    return found


def written_spans(spans: Sequence[Minutes]) -> str:
    """Write spans as `read_spans` reads them."""
    return "；".join("-".join(map(hours_minutes, span)) for span in spans)
