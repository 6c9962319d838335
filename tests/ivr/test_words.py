"""Days, times, sums and numbers as people say them, in Chinese, Korean and English."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.prompts import numerals, spoken, words
from models.phone import normalise
from models.vocabulary import LANGUAGES

Three = tuple[str, str, str]


def in_three(say: object, *args: object) -> Three:
    zh, ko, en = (say(*args, language) for language in LANGUAGES)  # type: ignore[operator]
    return zh, ko, en


@pytest.mark.parametrize(
    ("on", "texts"),
    [
        (date(2026, 11, 25), ("星期三，十一月二十五号", "수요일, 11월 25일", "Wednesday, November 25")),
        (date(2026, 6, 7), ("星期日，六月七号", "일요일, 유월 7일", "Sunday, June 7")),
        (date(2026, 10, 10), ("星期六，十月十号", "토요일, 시월 10일", "Saturday, October 10")),
        (date(2028, 2, 29), ("星期二，二月二十九号", "화요일, 2월 29일", "Tuesday, February 29")),
    ],
)
def test_a_date_is_a_weekday_and_a_date(on: date, texts: Three) -> None:
    assert in_three(spoken.date_and_weekday, on) == texts


def test_a_near_day_has_its_word_first() -> None:
    today = date(2026, 11, 24)
    assert in_three(lambda language: words.day(today + timedelta(days=1), today, language).text) == (
        "明天，星期三",
        "내일, 수요일",
        "tomorrow, Wednesday",
    )
    assert words.day(date(2026, 11, 29), today, "zh-CN").text == "星期日，十一月二十九号"
    assert words.day(date(2026, 11, 23), today, "zh-CN").text == "昨天"
    assert words.day(date(2026, 11, 22), today, "zh-CN").text == "星期日，十一月二十二号", (
        "further back there is no word"
    )


@pytest.mark.parametrize(
    ("at", "texts"),
    [
        (time(9), ("上午九点", "오전 아홉 시", "9 o'clock in the morning")),
        (time(14), ("下午两点", "오후 두 시", "2 o'clock in the afternoon")),
        (time(14, 30), ("下午两点半", "오후 두 시 반", "half past 2 in the afternoon")),
        (time(12), ("中午十二点", "낮 열두 시", "12 o'clock at noon")),
        (time(18, 5), ("晚上六点零五分", "저녁 여섯 시 오 분", "6 oh 5 in the evening")),
        (time(0, 0), ("凌晨零点", "새벽 열두 시", "12 o'clock at night")),
        (time(23, 45), ("晚上十一点四十五分", "저녁 열한 시 사십오 분", "11 45 in the evening")),
    ],
)
def test_a_clock_time_names_its_part_of_the_day(at: time, texts: Three) -> None:
    assert in_three(spoken.clock_time, at) == texts


@pytest.mark.parametrize(
    ("fen", "texts"),
    [
        (0, ("零元", "영 위안", "0 yuan")),
        (200, ("两元", "이 위안", "2 yuan")),
        (1250, ("十二元五角", "십이 위안 오 자오", "12 yuan 50")),
        (8005, ("八十元五分", "팔십 위안 오 펀", "80 yuan 05")),
        (50, ("五角", "오 자오", "50 fen")),
        (10_000_00, ("一万元", "만 위안", "10000 yuan")),
    ],
)
def test_money_is_spoken_in_its_units(fen: int, texts: Three) -> None:
    assert in_three(spoken.amount, fen) == texts


def test_nobody_hears_a_sum_below_zero() -> None:
    with pytest.raises(ValueError, match="below zero"):
        spoken.amount(-1, "zh-CN")


@pytest.mark.parametrize(
    ("number", "of", "texts"),
    [
        (2, "person", ("两位", "두 분", "2 people")),
        (1, "person", ("一位", "한 분", "1 person")),
        (20, "time", ("二十次", "스무 번", "20 times")),
        (21, "order", ("二十一单", "스물한 건", "21 orders")),
        (3, "day", ("三天", "삼 일", "3 days")),
        (2, "hour", ("两个小时", "두 시간", "2 hours")),
    ],
)
def test_people_and_things_have_their_counters(number: int, of: str, texts: Three) -> None:
    assert in_three(spoken.count, number, of) == texts


def test_minutes_and_marks() -> None:
    assert in_three(spoken.minutes, 2) == ("两分钟", "이 분", "2 minutes")
    assert in_three(spoken.minutes, 1) == ("一分钟", "일 분", "1 minute")
    assert in_three(spoken.minutes, 15) == ("十五分钟", "십오 분", "15 minutes")
    assert in_three(spoken.score, 5) == ("五分", "오 점", "5 points")


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        (
            "045110000001",
            (
                "零 四 五 幺， 幺 零 零 零， 零 零 零 幺",
                "공 사 오 일, 일 공 공 공, 공 공 공 일",
                "0 4 5 1, 1 0 0 0, 0 0 0 1",
            ),
        ),
        (
            "11000000102",
            (
                "幺 幺 零， 零 零 零 零， 零 幺 零 二",
                "일 일 공, 공 공 공 공, 공 일 공 이",
                "1 1 0, 0 0 0 0, 0 1 0 2",
            ),
        ),
        ("12349", ("幺 二 三 四 九", "일 이 삼 사 구", "1 2 3 4 9")),
    ],
)
def test_a_telephone_number_goes_digit_by_digit_in_groups(text: str, texts: Three) -> None:
    assert in_three(spoken.phone_number, normalise(text)) == texts


def test_a_town_with_a_short_area_code() -> None:
    assert spoken._groups("01010000001") == ["010", "1000", "0001"]
    assert spoken._groups("02410000001") == ["024", "1000", "0001"]


def test_an_orders_number_goes_digit_by_digit() -> None:
    assert in_three(lambda language: words.digits(1001, language).text) == ("一 零 零 一", "일 영 영 일", "1 0 0 1")


@pytest.mark.parametrize(
    ("number", "zh", "ko"),
    [
        (0, "零", "영"), (10, "十", "십"), (12, "十二", "십이"), (20, "二十", "이십"), (100, "一百", "백"),
        (101, "一百零一", "백일"), (110, "一百一十", "백십"), (1001, "一千零一", "천일"), (1010, "一千零一十", "천십"),
        (10_000, "一万", "만"), (10_500, "一万零五百", "만오백"), (12_000, "一万二千", "만이천"),
        (120_000, "十二万", "십이만"), (100_010, "十万零一十", "십만십"),
    ],
)  # fmt: skip
def test_numbers_in_words(number: int, zh: str, ko: str) -> None:
    assert (numerals.cardinal(number, "zh-CN"), numerals.cardinal(number, "ko")) == (zh, ko)


@given(st.integers(0, 9999), st.integers(0, 9999))
def test_no_two_numbers_are_spoken_alike(one: int, other: int) -> None:
    for language in LANGUAGES:
        same = numerals.cardinal(one, language) == numerals.cardinal(other, language)
        assert same == (one == other)


@pytest.mark.parametrize("number", [-1, numerals.LARGEST + 1])
def test_a_number_out_of_bounds_is_a_mistake(number: int) -> None:
    with pytest.raises(ValueError, match="not spoken"):
        numerals.cardinal(number, "ko")
