"""When people answer. Without rows the hotline is open round the clock, as the standard asks (GB/T 33358: 24 × 7).

A row of `opening_hours` is a span of a weekday; once there is one, only such spans are open. A `special_days`
row wins over its weekday: closed, or open from … to …. Without one, a public holiday has Sunday's hours, and a weekend
day that is worked for it Monday's. Days and minutes are those of the hotline's local time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import CheckConstraint, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.base import Base, Pk

DAY_MINUTES = 24 * 60
# How far ahead the next opening is looked for.
_HORIZON_DAYS = 31
_SATURDAY = 5

Span = tuple[int, int]  # minutes after midnight: from, to (at most 1440)
_SPAN = re.compile(r"([0-2]?\d)[:：]([0-5]\d)\s*[-–~至]\s*([0-2]?\d)[:：]([0-5]\d)")


def spans_of(text: str) -> tuple[Span, ...]:
    """Return the spans of `08:00-11:30, 13:00-17:00` in the order of the day; none for an empty text.

    Raises:
        ValueError: no such time, a span that ends before it begins, or two that overlap; the text is the part.
    """
    spans: list[Span] = []
    for part in re.split(r"[,，;；、]", text) if text.strip() else ():
        found = _SPAN.fullmatch(part.strip())
        opens, closes = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, 0)
        if not 0 <= opens < closes <= DAY_MINUTES or any(opens < other[1] and other[0] < closes for other in spans):
            raise ValueError(part.strip())
        spans.append((opens, closes))
    return tuple(sorted(spans))


def told(spans: Iterable[Span]) -> str:
    """Return spans as `spans_of` reads them."""
    return ", ".join("-".join(map(clock.hours_minutes, span)) for span in spans)


class OpeningHours(Base):
    """One span of one weekday (0 is Monday) in which people answer."""

    __tablename__ = "opening_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("opens >= 0 AND opens < closes AND closes <= 1440", name="span"),
    )

    id: Mapped[Pk]
    weekday: Mapped[int]
    opens: Mapped[int]
    closes: Mapped[int]


class SpecialDay(Base):
    """A day that is unlike its weekday: closed if `opens` is empty, otherwise open for that span."""

    __tablename__ = "special_days"
    __table_args__ = (
        CheckConstraint(
            "(opens IS NULL AND closes IS NULL) OR (opens >= 0 AND opens < closes AND closes <= 1440)", name="span"
        ),
    )

    id: Mapped[Pk]
    day: Mapped[date] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(String(40))
    opens: Mapped[int | None]
    closes: Mapped[int | None]


@dataclass(frozen=True)
class Hours:
    """The opening hours as plain values."""

    weekly: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)
    special: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)

    def spans(self, day: date) -> tuple[Span, ...]:
        """Return when people answer on `day`."""
        if day in self.special:
            return self.special[day]
        if not self.weekly:
            return ((0, DAY_MINUTES),)
        return self.weekly.get(_weekday(day), ())

    def is_open(self, moment: datetime) -> bool:
        """Return whether people answer at `moment` (aware)."""
        local = clock.local(moment)
        minute = local.hour * 60 + local.minute
        return any(opens <= minute < closes for opens, closes in self.spans(local.date()))

    def next_opening(self, moment: datetime) -> datetime | None:
        """Return when people answer again after `moment`, in local time; None if not within a month."""
        local = clock.local(moment)
        for ahead in range(_HORIZON_DAYS + 1):
            day = local.date() + timedelta(days=ahead)
            for opens, _closes in sorted(self.spans(day)):
                start = datetime.combine(day, time(opens // 60, opens % 60), local.tzinfo)
                if start > local:
                    return start
        return None


def _weekday(day: date) -> int:
    """Return the weekday whose hours count: a public holiday is a Sunday, a weekend day worked for one a Monday."""
    from models import workdays  # The calendar is large, and only a hotline with opening hours asks it.

    if workdays.is_workday(day):
        return day.weekday() if day.weekday() < _SATURDAY else 0
    return day.weekday() if day.weekday() >= _SATURDAY else _SATURDAY + 1


def read_hours(session: Session, since: date) -> Hours:
    """Return the opening hours, with the special days from `since` on."""
    weekly: dict[int, tuple[Span, ...]] = {}
    for row in session.scalars(select(OpeningHours).order_by(OpeningHours.weekday, OpeningHours.opens)):
        weekly[row.weekday] = (*weekly.get(row.weekday, ()), (row.opens, row.closes))
    special = {
        row.day: () if row.opens is None or row.closes is None else ((row.opens, row.closes),)
        for row in session.scalars(select(SpecialDay).where(SpecialDay.day >= since))
    }
    return Hours(weekly, special)
