"""Time words of Mandarin and of the north-east: 后儿过晌, 下礼拜三头午, 三点半."""

from __future__ import annotations

import re

from ivr.understanding.time_words import Rule, Said, every, now, part

_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "幺": 1,
    "二": 2,
    "两": 2,
    "俩": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_N = "[零〇一二两三四五六七八九十]{1,4}|\\d{1,2}"
_WEEKDAYS = {
    **{sign: n for n, sign in enumerate("一二三四五六")},
    "日": 6,
    "天": 6,
    "末": 5,
    **{str(n + 1): n for n in range(7)},
}
_DAYS = {
    "大后天|大后个": 3,
    "后天|后日|后个": 2,
    "明天|明日|明个|赶明天?": 1,
    "今天|今日|今个": 0,
    "昨天|昨日|昨个|前天|前个|前两天": -1,
}
_ABOUT = "(?:钟|整|来钟|多钟|左右|多)?"
_PARTS = {
    "morning": "上午|早上|早晨|头午|头晌|大?清早|一大早|一早|午前|早起|早间",
    "noon": "中午|晌午|正午|响午",
    "afternoon": "下午|过晌|后晌|下晌|午后|过午",
    "evening": "晚上|傍晚|下晚|晚间|天黑|夜里|半夜|晚黑",
    "night": "凌晨|后半夜|下半夜",
}  # fmt: skip
_BEFORE_AN_HOUR = tuple("|".join([*_PARTS.values(), "今天|明天|后天|今晚|明晚|日|号"]).replace("?", "").split("|"))
_HOLIDAYS = {
    "元旦": "元旦", "春节": "春节", "除夕|大年三十|年三十": "农历除夕", "清明节?": "清明节",
    "五一|劳动节": "劳动节", "端午节?": "端午节", "中秋节?|八月十五": "中秋节", "国庆节?|十一国庆|十一那天": "国庆节",
}  # fmt: skip


def chinese_number(text: str) -> int | None:
    """Return 0–99 written in digits or characters (三, 十五, 二十一, 15); None if it is no number."""
    if text.isascii():
        return int(text)
    head, ten, tail = text.partition("十")
    if not ten:
        digits = [_DIGITS.get(sign) for sign in text]
        return digits[0] if len(digits) == 1 else None
    high, low = (_DIGITS.get(head) if head else 1), (_DIGITS.get(tail) if tail else 0)
    return None if high is None or low is None else 10 * high + low


def _day(match: re.Match[str]) -> tuple[Said, ...]:
    return (Said("day", next(n for names, n in _DAYS.items() if re.fullmatch(names, match[1]))),)


def _day_and_part(match: re.Match[str]) -> tuple[Said, ...]:
    return Said("day", "今明后".index(match[1])), Said("part", code={"早": "morning", "晚": "evening"}[match[2]])


def _weekday(match: re.Match[str]) -> tuple[Said, ...]:
    return (Said("weekday", _WEEKDAYS[match["day"]], _weeks(match["which"])),)


def _week(match: re.Match[str]) -> tuple[Said, ...]:
    return (Said("week", _weeks(match["which"]) or 0),)


def _weeks(which: str) -> int | None:
    return {"": None, "这": 0, "本": 0, "上": -1}.get(which, which.count("下"))


def _date(match: re.Match[str]) -> tuple[Said, ...] | None:
    month = chinese_number(match["month"]) if match["month"] else None
    day = chinese_number(match["day"])
    if day is None or not 1 <= day <= 31 or (match["month"] and not (month and 1 <= month <= 12)):
        return None
    return (Said("date", day, month),)


def _clock(match: re.Match[str]) -> tuple[Said, ...] | None:
    hour, rest = chinese_number(match["hour"]), match["rest"] or ""
    minute = {"半": 30, "一刻": 15, "三刻": 45}.get(rest)
    if minute is None:
        minute = chinese_number(rest.rstrip("分").lstrip("零〇") or "0") if not rest.startswith("过") else 0
    if hour is None or minute is None or hour > 24 or minute > 59 or _is_a_little(match):
        return None
    return (Said("clock", hour % 24, minute),)


def _is_a_little(match: re.Match[str]) -> bool:
    """Whether 一点 only softens a wish (快一点): it is an hour after a word of time, or when nothing else was said."""
    if match[0] != "一点" or match.end() - match.start() == len(match.string):
        return False
    return not match.string[: match.start()].endswith(_BEFORE_AN_HOUR)


def _holiday(match: re.Match[str]) -> tuple[Said, ...]:
    return (Said("holiday", code=next(name for words, name in _HOLIDAYS.items() if re.fullmatch(words, match[1]))),)


def _of_month(match: re.Match[str]) -> tuple[Said, ...] | None:
    day = 0 if match["day"] is None else chinese_number(match["day"])
    months = match["which"].count("下")
    return None if day is None or (match["day"] and not 1 <= day <= 31) else (Said("month", day, months),)


def _of_new_year(match: re.Match[str]) -> tuple[Said, ...] | None:
    day = chinese_number(match["day"])
    return (Said("holiday", day - 1, code="春节"),) if day and 1 <= day <= 10 else None


def _in_days(match: re.Match[str]) -> tuple[Said, ...] | None:
    n = chinese_number(match["n"])
    # 过两天 is "some day soon".
    return None if not n or match[0] == "过两天" else (Said("day", n),)


def _every_weekday(match: re.Match[str]) -> tuple[Said, ...]:
    """Each Wednesday; of 周一三五 the last one stands for all."""
    return every("week", Said("weekday", _WEEKDAYS[match["day"]]))


def _every_date(match: re.Match[str]) -> tuple[Said, ...] | None:
    day = chinese_number(match["day"])
    return every("month", Said("date", day)) if day and 1 <= day <= 31 else None


RULES: tuple[Rule, ...] = (
    (re.compile(f"({'|'.join(_DAYS)})"), _day),
    (
        re.compile("每天|(?<![今明后昨前大每白])天天|每日|日日|见天|隔[一二两三]?天|每隔[一二两三]天"),
        lambda _match: every("day"),
    ),
    (
        re.compile(
            "每个?(?:周|星期|礼拜)|每隔?[一两]个?(?:周|星期|礼拜)|(?:一个?|每个?)(?:周|星期|礼拜)(?:来|去|送|洗|做|要)?[一两二三四五]次"
        ),
        lambda _match: every("week"),
    ),
    (re.compile("(?:每逢?|逢)个?(?:周|星期|礼拜)(?P<day>[一二三四五六日天末1-7])"), _every_weekday),
    (
        re.compile("每?个?(?:周|星期|礼拜)[一二三四五六日天1-7]{1,5}(?P<day>[一二三四五六日天1-7])(?![点号日个次])"),
        _every_weekday,
    ),
    (re.compile("每个?月|月月|(?:一个|每个?)月(?:来|去|送|洗|做|要)?[一两二三四五]次"), lambda _match: every("month")),
    (re.compile(rf"每个?月(?P<day>{_N})[号日]"), _every_date),
    (re.compile(r"([今明后])天?([早晚])(?:上|晨)?"), _day_and_part),
    (re.compile(r"(?P<which>下下|下|这|本|上|)个?(?:周|星期|礼拜)(?P<day>[一二三四五六日天末1-7])"), _weekday),
    (re.compile(r"(?P<which>下下|下|这|本|上)个?(?:周|星期|礼拜)"), _week),
    (re.compile(rf"(?:(?P<month>{_N})月(?:份)?)?(?P<day>{_N})[号日]"), _date),
    (re.compile(rf"(?P<which>下下|下|这|本)个?月(?P<day>{_N})[号日]"), _of_month),
    (re.compile("(?P<which>下下|下|这|本|)个?月(?P<day>(?!))?(?:底|末)"), _of_month),
    (re.compile("(?:大年|正月)初(?P<day>[一二三四五六七八九十])"), _of_new_year),
    (re.compile(rf"(?P<hour>{_N})[点时]{_ABOUT}(?P<rest>半|一刻|三刻|(?:{_N})分?)?{_ABOUT}"), _clock),
    (re.compile(r"(?P<hour>\d{1,2}):(?P<rest>\d{2})"), _clock),
    (re.compile(rf"(?:再?过)?(?P<n>{_N})天(?:以后|之后|后)"), _in_days),
    (re.compile(f"({'|'.join(_HOLIDAYS)})(?:那天|当天)?"), _holiday),
    (re.compile(rf"过(?P<n>{_N})天"), _in_days),
    (re.compile("(?:吃完|吃过)早饭|早饭(?:以后|之后|后)"), part("morning")),
    (re.compile("(?:吃完|吃过)(?:晌午饭|中午饭|午饭|晌饭)|(?:晌午饭|中午饭|午饭)(?:以后|之后|后)"), part("afternoon")),
    (re.compile("(?:吃完|吃过)晚饭|晚饭(?:以后|之后|后)"), part("evening")),
    *((re.compile(names), part(code)) for code, names in _PARTS.items()),
    (re.compile("现在|马上|这就|这会|立刻|赶紧|尽快|快点|立马|待会|一会|等会|呆会|越快越好"), now),
)
