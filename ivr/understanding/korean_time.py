"""Time words of Korean, blanks left out: 내일모레, 다음주수요일, 오후세시반."""

from __future__ import annotations

import re

from ivr.understanding.time_words import Rule, Said, every, now, part

_DAYS = {"글피": 3, "내일모레": 2, "모레": 2, "내일": 1, "오늘": 0, "어제": -1, "그저께": -1, "그제": -1, "엊그제": -1}
_IN_DAYS = {"하루": 1, "이틀": 2, "사흘": 3, "나흘": 4, "닷새": 5, "일주일": 7}
_WEEKS = {"지난주": -1, "이번주": 0, "다음주": 1, "담주": 1, "다다음주": 2}
_WEEKDAYS = "월화수목금토일"
_HOUR_NAMES = "한 두 세 네 다섯 여섯 일곱 여덟 아홉 열 열한 열두"
_HOURS = {hour: n for n, hour in enumerate(_HOUR_NAMES.split(), 1)}
_DIGITS = "일이삼사오육칠팔구"
_N = rf"\d{{1,2}}|[{_DIGITS}십]{{1,3}}"


def sino(text: str) -> int | None:
    """Return 1–99 in digits or Sino-Korean (15, 십오, 이십일); None if it is no number."""
    if text.isascii():
        return int(text)
    match = re.fullmatch(rf"(?:([{_DIGITS}])?(십))?([{_DIGITS}])?", text)
    if not match or not text:
        return None
    tens = (_DIGITS.index(match[1]) + 1 if match[1] else 1) if match[2] else 0
    return 10 * tens + (_DIGITS.index(match[3]) + 1 if match[3] else 0)


def _weekday(match: re.Match[str]) -> tuple[Said, ...]:
    day = 5 if match["day"] == "주말" else _WEEKDAYS.index(match["day"][0])
    week = match["week"] or ""
    return (Said("weekday", day, _WEEKS[week if week.endswith("주") else f"{week}주"] if week else None),)


def _date(match: re.Match[str]) -> tuple[Said, ...] | None:
    month, day = sino(match["month"]) if match["month"] else None, sino(match["day"])
    if day is None or not 1 <= day <= 31 or (match["month"] and not (month and 1 <= month <= 12)):
        return None
    return (Said("date", day, month),)


def _clock(match: re.Match[str]) -> tuple[Said, ...] | None:
    hour = _HOURS.get(match["hour"]) or (int(match["hour"]) if match["hour"].isascii() else None)
    rest = match["rest"] or ""
    minute = 30 if rest == "반" else sino(rest.removesuffix("분")) if rest else 0
    if hour is None or hour > 24 or minute is None or minute > 59:
        return None
    return (Said("clock", hour % 24, minute),)


def _in_days(match: re.Match[str]) -> tuple[Said, ...] | None:
    n = _IN_DAYS.get(match["n"]) or sino(match["n"].removesuffix("일"))
    return (Said("day", n),) if n else None


def _any(words: dict[str, int]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


RULES: tuple[Rule, ...] = (
    (re.compile("매일|날마다|격일로?|하루걸러"), lambda _match: every("day")),
    (re.compile("매주|주마다|(?:일주일|한주)에(?:한|두|세|네)번"), lambda _match: every("week")),
    (re.compile("매달|매월|달마다|한달에(?:한|두|세|네)번"), lambda _match: every("month")),
    (
        re.compile(rf"매주(?P<day>[{_WEEKDAYS}])요일(?:마다)?|(?P<each>[{_WEEKDAYS}])요일마다"),
        lambda match: every("week", Said("weekday", _WEEKDAYS.index(match["day"] or match["each"]))),
    ),
    (re.compile(f"({_any(_DAYS)})"), lambda match: (Said("day", _DAYS[match[1]]),)),
    (re.compile(rf"(?P<week>{_any(_WEEKS)})?(?P<day>[{_WEEKDAYS}]요일)"), _weekday),
    (re.compile(r"(?P<week>이번|다음|지난)?(?P<day>주말)"), _weekday),
    (re.compile(f"({_any(_WEEKS)})"), lambda match: (Said("week", _WEEKS[match[1]]),)),
    (re.compile(rf"(?:(?P<month>{_N}|유|시)월)?(?P<day>{_N})일(?!요)"), _date),
    (re.compile(rf"(?P<hour>{_any(_HOURS)}|\d{{1,2}})시(?P<rest>반|(?:{_N})분)?"), _clock),
    (re.compile(r"(?P<hour>\d{1,2}):(?P<rest>\d{2})"), _clock),
    (re.compile(rf"(?P<n>{_any(_IN_DAYS)}|(?:{_N})일)(?:뒤|후|있다가)"), _in_days),
    (re.compile("오전|아침"), part("morning")),
    (re.compile("새벽"), part("night")),
    (re.compile("정오|한낮|낮|점심때|점심시간"), part("noon")),
    (re.compile("오후"), part("afternoon")),
    (re.compile("저녁때|저녁|밤"), part("evening")),
    (re.compile("지금|당장|바로|금방|빨리"), now),
)
