"""Time words of English, blanks left out: nextwednesday, halfpastthree, the5thofmay."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ivr.understanding.time_words import Rule, Said, every, now, part

_DAYS = {"thedayaftertomorrow": 2, "dayaftertomorrow": 2, "tomorrow": 1, "today": 0, "yesterday": -1}
_WEEKS = {"last": -1, "this": 0, "next": 1}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MONTH_NAMES = "january february march april may june july august september october november december"
_MONTHS = tuple(_MONTH_NAMES.split())
_ORDINAL_NAMES = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth"
    " sixteenth seventeenth eighteenth nineteenth twentieth twentyfirst twentysecond twentythird twentyfourth"
    " twentyfifth twentysixth twentyseventh twentyeighth twentyninth thirtieth thirtyfirst"
)
_ORDINALS = tuple(_ORDINAL_NAMES.split())
_MINUTES = {"fifteen": 15, "twenty": 20, "thirty": 30, "fortyfive": 45}


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_HOUR = rf"(?P<hour>{_any(_NUMBERS)}|\d{{1,2}})"
_NTH = rf"(?P<day>{_any(_ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th)?)"
_MONTH = f"(?P<month>{_any(_MONTHS)})"
_HALF = r"(?P<half>[ap]m)"


def _weekday(match: re.Match[str]) -> tuple[Said, ...]:
    day = 5 if match["day"] == "weekend" else _WEEKDAYS.index(match["day"])
    return (Said("weekday", day, _WEEKS[match["week"]] if match["week"] else None),)


def _date(match: re.Match[str]) -> tuple[Said, ...] | None:
    word = match["day"]
    day = _ORDINALS.index(word) + 1 if word in _ORDINALS else int(re.sub(r"\D", "", word))
    month = match.groupdict().get("month")
    return (Said("date", day, _MONTHS.index(month) + 1 if month else None),) if 1 <= day <= 31 else None


def _clock(match: re.Match[str]) -> tuple[Said, ...] | None:
    found = match.groupdict()
    hour = _NUMBERS.index(found["hour"]) + 1 if found["hour"] in _NUMBERS else int(found["hour"])
    said = found.get("minute") or "0"
    minute = _MINUTES[said] if said in _MINUTES else int(said)
    match found.get("side"):
        case "halfpast":
            minute = 30
        case "quarterpast":
            minute = 15
        case "quarterto":
            hour, minute = hour - 1 or 12, 45
    if hour > 24 or minute > 59:
        return None
    half = found.get("half")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return (Said("clock", hour % 24, minute, half or ""),)


RULES: tuple[Rule, ...] = (
    (re.compile("(?:every|each)(?:single|other)?day|daily"), lambda _match: every("day")),
    (re.compile("(?:every|each)(?:other)?week|weekly|(?:once|twice|threetimes)aweek"), lambda _match: every("week")),
    (re.compile("(?:every|each)(?:other)?month|monthly|(?:once|twice)amonth"), lambda _match: every("month")),
    (
        re.compile(rf"(?:every|each)(?:other)?(?P<day>{_any(_WEEKDAYS)})s?|(?:on)?(?P<many>{_any(_WEEKDAYS)})s"),
        lambda match: every("week", Said("weekday", _WEEKDAYS.index(match["day"] or match["many"]))),
    ),
    (
        re.compile("(?:every|each)(?P<part>morning|afternoon|evening)"),
        lambda match: every("day", Said("part", code=match["part"])),
    ),
    (re.compile(f"({_any(_DAYS)})"), lambda match: (Said("day", _DAYS[match[1]]),)),
    (re.compile("(?:the)?dayafter(?!tomorrow)"), lambda match: (Said("day", 2),)),
    (
        re.compile("this(?P<part>morning|afternoon|evening)"),
        lambda match: (Said("day", 0), Said("part", code=match["part"])),
    ),
    (re.compile("tonight"), lambda match: (Said("day", 0), Said("part", code="evening"))),
    (re.compile(rf"(?:on)?(?P<week>{_any(_WEEKS)})?(?P<day>{_any(_WEEKDAYS)}|weekend)"), _weekday),
    (re.compile(f"({_any(_WEEKS)})week"), lambda match: (Said("week", _WEEKS[match[1]]),)),
    (re.compile(rf"(?:onthe|the|on){_NTH}(?:of)?{_MONTH}?"), _date),
    (re.compile(rf"(?:on)?{_NTH}(?:of)?{_MONTH}"), _date),
    (re.compile(rf"(?:on)?{_MONTH}(?:the)?{_NTH}"), _date),
    (re.compile(rf"(?:at)?{_HOUR}o'?clock{_HALF}?"), _clock),
    (re.compile(rf"(?:at)?{_HOUR}:?(?P<minute>{_any(_MINUTES)}|\d{{2}})?{_HALF}"), _clock),
    (re.compile(rf"at{_HOUR}:?(?P<minute>{_any(_MINUTES)}|\d{{2}})?"), _clock),
    (re.compile(rf"{_HOUR}:?(?P<minute>{_any(_MINUTES)}|\d{{2}})"), _clock),
    (re.compile(rf"(?:at)?(?:a)?(?P<side>halfpast|quarterpast|quarterto){_HOUR}{_HALF}?"), _clock),
    (re.compile("(?:inthe|this)?mornings?"), part("morning")),
    (re.compile("(?:at|around)?(?:noon|midday|lunchtime)"), part("noon")),
    (re.compile("(?:inthe|this)?afternoon"), part("afternoon")),
    (re.compile("(?:inthe|this)?evening|atnight|night"), part("evening")),
    (re.compile("rightnow|now|rightaway|atonce|immediately|assoonaspossible"), now),
)
