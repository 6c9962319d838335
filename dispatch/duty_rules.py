"""Who has to be reached by when: from rules, groups and proofs to obligations. Pure; nothing here touches a row.

A month and a quarter are the calendar's: one obligation each. A week is counted from the last proof: each proof
begins the next one. A proof meets every obligation that was open when it came, in time or late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from models import clock
from models.duties import Period

WEEK = timedelta(days=7)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Rule:
    """A rule of `duty_rules` as plain values."""

    id: int
    group: str
    period: str
    first_within: timedelta | None  # after she has come into the group
    proof: frozenset[str]  # the kinds that count
    valid_from: date
    valid_to: date | None = None  # the last day, inclusive


@dataclass(frozen=True)
class Member:
    """An elder belongs to a group."""

    group: str
    since: datetime
    ended: datetime | None = None


@dataclass(frozen=True)
class Proved:
    """She was reached."""

    at: datetime
    kind: str


@dataclass(frozen=True)
class Obligation:
    """To be reached between `opens` and `deadline`, because of `group`. `proved_at` may lie after the deadline."""

    rule_id: int
    group: str
    opens: datetime
    deadline: datetime
    proved_at: datetime | None = None


def obligations(
    rules: Iterable[Rule], members: Iterable[Member], proofs: Iterable[Proved], until: datetime
) -> list[Obligation]:
    """Return every obligation towards one elder that has opened by `until`, the earliest deadline first."""
    sorted_proofs = sorted(proofs, key=lambda one: one.at)
    known = tuple(members)
    found = [
        obligation
        for rule in rules
        for member in known
        if member.group == rule.group
        for obligation in _of(rule, member, sorted_proofs, until)
    ]
    return sorted(found, key=lambda one: (one.deadline, one.group, one.opens))


def _of(rule: Rule, member: Member, proofs: Sequence[Proved], until: datetime) -> Iterator[Obligation]:
    counting = list(dict.fromkeys(one.at for one in proofs if one.kind in rule.proof))
    span = in_force(rule, member, until)
    if span is None:
        return
    begin, end = span
    if rule.period == Period.WEEK:
        opens, deadline = begin, first_deadline(rule, begin)
        # What came in the very moment in which she came into the group, began nothing yet.
        for at in counting:
            if begin < at <= end:
                yield Obligation(rule.id, rule.group, opens, deadline, at)
                opens, deadline = at, at + WEEK
        yield Obligation(rule.id, rule.group, opens, deadline)
        return
    for opens, deadline in calendar_spans(rule, begin, end):
        proved_at = next((at for at in counting if at > opens), None)
        yield Obligation(rule.id, rule.group, opens, deadline, proved_at)


def in_force(rule: Rule, member: Member, until: datetime) -> tuple[datetime, datetime] | None:
    """Return from when to when the rule holds for her, `until` at most; None if it does not."""
    begin = max(member.since, _midnight(rule.valid_from))
    end = min(moment for moment in (until, member.ended, _after(rule.valid_to)) if moment is not None)
    return (begin, end) if begin <= end else None


def calendar_spans(rule: Rule, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield (opens, deadline) of each month or quarter from `begin` to `end`.

    Who comes into a group late in a period has `first_within` for the first one.
    """
    first = period_start(rule.period, clock.local_date(begin))
    start = first
    while _midnight(start) <= end:
        following = _next(rule.period, start)
        opens, deadline = _midnight(start), _midnight(following) - _SECOND
        if start == first and begin > opens:
            opens, deadline = begin, max(deadline, first_deadline(rule, begin))
        yield opens, deadline
        start = following


def first_deadline(rule: Rule, begin: datetime) -> datetime:
    """Return by when she must have been reached the first time under a rule that is not bound to the calendar."""
    return begin + (rule.first_within if rule.first_within is not None else WEEK)


def period_start(period: str, day: date) -> date:
    """Return the first day of the month or quarter in which `day` lies."""
    month = day.month if period == Period.MONTH else (day.month - 1) // 3 * 3 + 1
    return day.replace(month=month, day=1)


def _next(period: str, start: date) -> date:
    months = 1 if period == Period.MONTH else 3
    month = start.month - 1 + months
    return date(start.year + month // 12, month % 12 + 1, 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.zone())


def _after(day: date | None) -> datetime | None:
    return None if day is None else _midnight(day + timedelta(days=1)) - _SECOND


def month_span(month: date) -> tuple[datetime, datetime]:
    """Return the first moment of the month of `month`, and that of the next one."""
    start = month.replace(day=1)
    return _midnight(start), _midnight(_next(Period.MONTH, start))
