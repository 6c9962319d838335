"""Days off as the State Council announced them, and what is known beyond."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from models.workdays import holiday_name, is_workday, known_until


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 11, 23), True),  # a Monday
        (date(2026, 11, 22), False),  # a Sunday
        (date(2026, 10, 1), False),
        (date(2026, 10, 7), False),  # swapped
        (date(2026, 10, 10), True),  # the Saturday worked for it
        (date(2026, 2, 14), True),
        (date(2026, 2, 23), False),
        (date(2027, 2, 8), False),  # Spring Festival by the moon, not yet announced
    ],
)
def test_workdays(day: date, works: bool) -> None:
    assert is_workday(day) is works


def test_holidays_have_their_name_in_each_language_and_lend_it_to_the_days_off_around_them() -> None:
    for day in range(1, 8):
        assert holiday_name(date(2026, 10, day), "zh-CN") == "国庆节"
    assert holiday_name(date(2026, 10, 1), "en") == "National Day"
    assert holiday_name(date(2026, 10, 1), "ko") == "국경절"
    assert holiday_name(date(2026, 2, 20), "zh-CN") == "春节"
    assert holiday_name(date(2026, 11, 22), "en") is None
    assert holiday_name(date(2026, 10, 10), "en") is None


def test_every_holiday_of_the_known_years_has_a_korean_and_an_english_name() -> None:
    day = date(2025, 1, 1)
    while day <= known_until():
        for language in ("ko", "en"):
            name = holiday_name(day, language)
            assert name is None or not any("一" <= letter <= "鿿" for letter in name), name
        day += timedelta(days=1)
    assert known_until() >= date(2026, 12, 31)
