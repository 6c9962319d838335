"""The one clock. Domain functions take `now`; only the edges ask this module."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from models.settings import settings


def now() -> datetime:
    """Return the present as aware UTC, moved by `HOTLINE_CLOCK_OFFSET_S` (tests run at any hour)."""
    return datetime.now(UTC) + timedelta(seconds=settings().clock_offset_s)


@cache
def zone() -> ZoneInfo:
    """Return the hotline's local time zone (Asia/Shanghai)."""
    return ZoneInfo(settings().timezone)


def local(moment: datetime) -> datetime:
    """Return `moment` in local time, for people's eyes and ears."""
    return moment.astimezone(zone())


def local_date(moment: datetime) -> date:
    """Return the calendar day in the elders' time zone."""
    return local(moment).date()


def hours_minutes(minute: int) -> str:
    """Return minutes after midnight (0 to 1440) as people read them: 07:05."""
    return f"{minute // 60:02}:{minute % 60:02}"
