"""Lines to say, and the words that fill their variables: names, days, numbers, properly in each language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from ivr.prompts.catalogue import CATALOGUE, variables
from models import vocabulary

_KO_DIGITS = dict(zip("0123456789", "영일이삼사오육칠팔구", strict=True))


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


def day(wanted: date, today: date, language: str) -> Value:
    """Return today, tomorrow, the day after; beyond that, and in the past, the date."""
    ahead = (wanted - today).days
    if 0 <= ahead < len(vocabulary.DAYS):
        concept = vocabulary.DAYS[ahead]
        return Value(concept.code, concept.name[language])
    text = {
        "zh-CN": f"{wanted.month}月{wanted.day}号",
        "ko": f"{wanted.month}월 {wanted.day}일",
        "en": f"{wanted:%B} {wanted.day}",
    }[language]
    return Value(wanted.isoformat(), text)


def digits(number: int, language: str) -> Value:
    """Return a number to be spoken digit by digit."""
    text = str(number)
    spoken: Iterable[str] = text
    if language == "ko":
        spoken = (_KO_DIGITS[digit] for digit in text)
    return Value(text, " ".join(spoken))


def said_in(said: Line, language: str) -> Line:
    """Return a line about an order's number, with the number's words in `language`."""
    return Line(said.key, tuple((name, digits(int(value.code), language)) for name, value in said.values))


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
