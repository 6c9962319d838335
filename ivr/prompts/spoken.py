"""Days, times, sums, counts and numbers as they are spoken, in three languages. Pure text.

`ivr.prompts.words` makes values for prompts of them.
"""

from __future__ import annotations

from datetime import date, time

from ivr.prompts.numerals import cardinal, counted, digit_by_digit, native
from models.phone import Number, NumberKind

_WEEKDAYS = {
    "zh-CN": tuple("一二三四五六日"),
    "ko": tuple("월화수목금토일"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
# June and October lose a sound in Korean: 유월, 시월. A synthetic voice does not know that.
_KO_MONTHS = {6: "유월", 10: "시월"}
# The hour from which a part of the day has its name.
_PARTS = (
    (0, {"zh-CN": "凌晨", "ko": "새벽", "en": "at night"}),
    (6, {"zh-CN": "上午", "ko": "오전", "en": "in the morning"}),
    (12, {"zh-CN": "中午", "ko": "낮", "en": "at noon"}),
    (13, {"zh-CN": "下午", "ko": "오후", "en": "in the afternoon"}),
    (18, {"zh-CN": "晚上", "ko": "저녁", "en": "in the evening"}),
)
# What is counted: the counter in Chinese and Korean, the noun in English (one, more).
COUNTERS = {
    "person": {"zh-CN": "位", "ko": "분", "en": ("person", "people")},
    "time": {"zh-CN": "次", "ko": "번", "en": ("time", "times")},
    "order": {"zh-CN": "单", "ko": "건", "en": ("order", "orders")},
    "day": {"zh-CN": "天", "ko": "일", "en": ("day", "days")},
    "hour": {"zh-CN": "个小时", "ko": "시간", "en": ("hour", "hours")},
}
# Koreans count days with 일 이 삼.
_SINO_COUNTED = frozenset({"day"})


def weekday(on: date, language: str) -> str:
    """Return 星期三, 수요일, Wednesday."""
    name = _WEEKDAYS[language][on.weekday()]
    return {"zh-CN": f"星期{name}", "ko": f"{name}요일", "en": name}[language]


def month_and_day(on: date, language: str) -> str:
    """Return 十一月二十五号, 11월 25일, November 25."""
    match language:
        case "zh-CN":
            return f"{cardinal(on.month, language)}月{cardinal(on.day, language)}号"
        case "ko":
            return f"{_KO_MONTHS.get(on.month, f'{on.month}월')} {on.day}일"
        case _:
            return f"{_MONTHS[on.month - 1]} {on.day}"


def date_and_weekday(on: date, language: str) -> str:
    """Return 星期三，十一月二十五号 / 수요일, 11월 25일 / Wednesday, November 25."""
    return joined(language, weekday(on, language), month_and_day(on, language))


def joined(language: str, *parts: str) -> str:
    """Join with the language's comma: a short pause."""
    return ("，" if language == "zh-CN" else ", ").join(parts)


def clock_time(at: time, language: str) -> str:
    """Return 下午两点半 / 오후 두 시 반 / half past 2 in the afternoon."""
    part = next(names for hour, names in reversed(_PARTS) if at.hour >= hour)[language]
    hour = at.hour % 12 or 12
    minute = at.minute
    if language == "zh-CN":
        # Midnight is 零点, not 十二点 of the night.
        hour = at.hour if at.hour == 0 else hour
        low = f"零{cardinal(minute, language)}" if minute < 10 else cardinal(minute, language)
        rest = "" if minute == 0 else "半" if minute == 30 else f"{low}分"
        return f"{part}{counted(hour, language)}点{rest}"
    if language == "ko":
        rest = "" if minute == 0 else " 반" if minute == 30 else f" {cardinal(minute, language)} 분"
        return f"{part} {native(hour)} 시{rest}"
    if minute == 0:
        return "12 o'clock at noon" if at.hour == 12 else f"{hour} o'clock {part}"
    said = f"half past {hour}" if minute == 30 else f"{hour} {minute:02}" if minute >= 10 else f"{hour} oh {minute}"
    return f"{said} {part}"


def amount(fen: int, language: str) -> str:
    """Return a sum of money: 十二元五角 / 십이 위안 오 자오 / 12 yuan 50.

    Raises:
        ValueError: below zero; who owes is said by the sentence, not by the number.
    """
    if fen < 0:
        raise ValueError("a sum below zero is not spoken")
    yuan, rest = divmod(fen, 100)
    if language == "en":
        return f"{yuan} yuan {rest:02}" if yuan and rest else f"{rest} fen" if rest else f"{yuan} yuan"
    jiao, fen = divmod(rest, 10)
    units = (("元", "角", "分"), "") if language == "zh-CN" else ((" 위안", " 자오", " 펀"), " ")
    words = [
        f"{'两' if language == 'zh-CN' and number == 2 and index == 0 else cardinal(number, language)}{unit}"
        for index, (number, unit) in enumerate(zip((yuan, jiao, fen), units[0], strict=True))
        if number or (index == 0 and rest == 0)
    ]
    return units[1].join(words)


def count(number: int, of: str, language: str) -> str:
    """Return how many: 两位 / 두 분 / 2 people. `of` is a key of `COUNTERS`."""
    noun = COUNTERS[of][language]
    if language == "en":
        return f"{number} {noun[number != 1]}"
    if language == "ko":
        said = cardinal(number, "ko") if of in _SINO_COUNTED else native(number)
        return f"{said} {noun}"
    return f"{counted(number, language)}{noun}"


def minutes(number: int, language: str) -> str:
    """Return 两分钟 / 이 분 / 2 minutes."""
    match language:
        case "zh-CN":
            return f"{counted(number, language)}分钟"
        case "ko":
            return f"{cardinal(number, language)} 분"
        case _:
            return f"{number} minute{'' if number == 1 else 's'}"


def score(points: int, language: str) -> str:
    """Return a mark: 五分 / 오 점 / 5 points."""
    match language:
        case "zh-CN":
            return f"{cardinal(points, language)}分"
        case "ko":
            return f"{cardinal(points, language)} 점"
        case _:
            return f"{points} point{'' if points == 1 else 's'}"


def phone_number(number: Number, language: str, area_code: str = "") -> str:
    """Return the number digit by digit in groups: 零四五幺，幺零零零，零零零幺; within `area_code` without it."""
    figures = number.national.lstrip("+")
    if area_code and number.kind is NumberKind.LANDLINE:
        figures = figures.removeprefix(area_code)
    groups = [" ".join(digit_by_digit(group, language, telephone=True)) for group in _groups(figures)]
    return joined(language, *groups).replace("，", "， ")


def _groups(figures: str) -> list[str]:
    """Divide a national number as it is written: area code, then fours; a mobile 3-4-4; a short code whole."""
    if len(figures) <= 6:
        return [figures]
    if len(figures) <= 8:
        return [figures[:-4], figures[-4:]]
    head = 3 if figures[0] != "0" or figures[1] in "12" else 4
    local = figures[head:]
    return [figures[:head], local[:-4], local[-4:]] if len(local) > 4 else [figures[:head], local]
