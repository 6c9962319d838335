"""Lines to say, and the words that fill their variables: names, days, numbers, properly in each language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Protocol

from ivr.prompts import spoken
from ivr.prompts.catalogue import CATALOGUE, variables
from ivr.prompts.numerals import cardinal, digit_by_digit, native
from models import vocabulary
from models.phone import Number
from models.settings import settings


@dataclass(frozen=True)
class Value:
    """What fills a variable: `code` names it to tests and logs, `text` is spoken."""

    code: str
    text: str


@dataclass(frozen=True)
class Line:
    """One prompt with its variables filled."""

    key: str
    values: tuple[tuple[str, Value], ...] = ()

    def text(self, language: str) -> str:
        """Return the sentence in `language`."""
        return CATALOGUE[self.key].text[language].format(**{name: value.text for name, value in self.values})

    def codes(self) -> tuple[str, ...]:
        """Return the key and the codes of its values, in the catalogue's order: what the line is, in any voice."""
        filled = dict(self.values)
        return (self.key, *(filled[name].code for name in variables(self.key)))


def line(key: str, **values: Value) -> Line:
    """Return a line.

    Raises:
        KeyError: no such prompt, or a variable is not filled.
    """
    needed = variables(key)
    return Line(key, tuple((name, values[name]) for name in needed))


def service(code: str, language: str, aloud: bool = True) -> Value:
    """Return the service's name; one that is sensitive is not named unless `aloud`."""
    item = vocabulary.SERVICE[code]
    if item.sensitive and not aloud:
        return Value("some_service", CATALOGUE["some_service"].text[language])
    return Value(code, item.name[language])


def part(code: str, language: str) -> Value:
    """Return the part of the day."""
    return Value(code, vocabulary.PART[code].name[language])


def time_of_day(part_code: str, at: time | None, language: str) -> Value:
    """Return the hour that she named, with its part of the day; where she named none, the part alone."""
    return clock_time(at, language) if at else part(part_code, language)


def day(wanted: date, today: date, language: str) -> Value:
    """Return "tomorrow, Wednesday" for the days that have a word of their own, else weekday and date."""
    ahead = (wanted - today).days
    if ahead == -1:
        return Value("yesterday", CATALOGUE["yesterday"].text[language])
    if 0 <= ahead < len(vocabulary.DAYS):
        concept = vocabulary.DAYS[ahead]
        return Value(concept.code, spoken.joined(language, concept.name[language], spoken.weekday(wanted, language)))
    return date_and_weekday(wanted, language)


def date_and_weekday(on: date, language: str) -> Value:
    """Return weekday and date: 星期三，十一月二十五号."""
    return Value(on.isoformat(), spoken.date_and_weekday(on, language))


def clock_time(at: time, language: str) -> Value:
    """Return a clock time with its part of the day: 下午两点半."""
    return Value(f"{at:%H:%M}", spoken.clock_time(at, language))


def amount(fen: int, language: str) -> Value:
    """Return a sum of money: 十二元五角."""
    return Value(f"{fen}fen", spoken.amount(fen, language))


def count(number: int, of: str, language: str) -> Value:
    """Return how many of what, `of` one of `spoken.COUNTERS`: 两位."""
    return Value(f"{number} {of}", spoken.count(number, of, language))


def minutes(number: int, language: str) -> Value:
    """Return whole minutes: 五分钟."""
    return Value(f"{number}min", spoken.minutes(number, language))


def score(points: int, language: str) -> Value:
    """Return a mark: 五分."""
    return Value(f"{points}points", spoken.score(points, language))


def place(number: int, language: str) -> Value:
    """Return a place in a row as it stands before 位, 번째 or after "number": 三, 세, 3."""
    return Value(str(number), native(number) if language == "ko" else cardinal(number, language))


def phone_number(number: Number, language: str) -> Value:
    """Return a telephone number, digit by digit in groups."""
    return Value(number.value, spoken.phone_number(number, language, settings().area_code))


def digits(number: int, language: str) -> Value:
    """Return a number to be spoken digit by digit, as an order's is."""
    return Value(str(number), " ".join(digit_by_digit(str(number), language)))


def status(code: str, language: str) -> Value:
    """Return where an order stands, in the two words that matter to her."""
    key = "status_arranged" if code == "accepted" else "status_waiting"
    return Value(key, CATALOGUE[key].text[language])


class Named(Protocol):
    """Whoever can be addressed: an elder of the conversation, a person's row."""

    @property
    def family_name(self) -> str: ...

    @property
    def sex(self) -> str | None: ...


def form_of_address(person: Named, language: str) -> Value:
    """Return surname and form of address: all that caller ID alone may have spoken."""
    name = person.family_name
    match language:
        case "zh-CN":
            text = name + {"f": "奶奶", "m": "爷爷"}.get(person.sex or "", "老人家")
        case "ko":
            text = f"{name} 어르신"
        case _:
            text = f"{ {'f': 'Mrs', 'm': 'Mr'}.get(person.sex or '', '') } {name}".strip()
    return Value(f"{name}/{person.sex or '-'}", text)


def name(text: str) -> Value:
    """Return a proper name as it stands; line breaks and controls become blanks."""
    clean = " ".join("".join(char if char.isprintable() else " " for char in text).split())[:60]
    return Value(clean, clean)
