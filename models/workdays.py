"""Days off and make-up workdays of mainland China, as the State Council announces them each November.

From the `holidays` library, which is released monthly. A year that is announced has
its exact days, the swapped ones too (`known_until`). A later year has the statutory
days computed from the lunar calendar, and plain weekends: the swaps are not known yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache, lru_cache

import holidays
from holidays import HolidayBase

_KOREAN = {
    "元旦": "신정", "农历除夕": "섣달그믐", "春节": "설", "清明节": "청명절", "劳动节": "노동절", "端午节": "단오",
    "中秋节": "추석", "国庆节": "국경절",
}  # fmt: skip


def is_workday(day: date) -> bool:
    """Whether offices are open: a weekday that is no holiday, or a weekend day worked instead of one."""
    return _calendar().is_working_day(day)


@lru_cache(maxsize=1024)
def holiday_name(day: date, language: str) -> str | None:
    """Return the name of the holiday that a day off belongs to; None on workdays and plain weekends."""
    run = [] if is_workday(day) else [day, *_days_off(day, -1), *_days_off(day, 1)]
    name = next((name for near in run if (name := _name(near))), None)
    if name is None or language == "zh-CN":
        return name
    return _KOREAN.get(name, name) if language == "ko" else _english().get(name, name)


def next_holiday(name: str, today: date) -> date | None:
    """Return the next day, today included, that has this Chinese name itself: 国庆节 is October 1st; None: no such."""
    days = sorted(day for day in holidays.country_holidays("CN", years=(today.year, today.year + 1), language="zh_CN"))
    first = {day.year: day for day in reversed(days) if _name(day) == name}
    return next((day for _, day in sorted(first.items()) if day >= today), None)


@cache
def known_until() -> date:
    """Return the last day of the last announced year; after it swapped days are not known."""
    announced = holidays.country_holidays("CN", years=range(2024, 2060), language="zh_CN").weekend_workdays
    return date(max(day.year for day in announced), 12, 31)


def _days_off(day: date, step: int) -> Iterator[date]:
    """Yield the days off that follow on each other, forwards or back."""
    while not is_workday(day := day + timedelta(days=step)):
        yield day


def _name(day: date) -> str | None:
    """Return the name that the announcement gives this very day; a swapped day off has none of its own."""
    text = _calendar().get(day)
    return None if text is None or "调休" in text else str(text).split("（")[0].split("; ")[0]


@cache
def _calendar() -> HolidayBase:
    return holidays.country_holidays("CN", language="zh_CN")


@cache
def _english() -> dict[str, str]:
    """Return the English names by the Chinese ones, read off one year of the library."""
    chinese, english = (holidays.country_holidays("CN", years=2026, language=code) for code in ("zh_CN", "en_US"))
    return {name: english[day] for day, name in chinese.items()}
