"""Typical values of every variable, so that a prompt can be heard and measured without a call. Invented people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, time

from ivr.prompts import words
from ivr.prompts.catalogue import variables
from ivr.prompts.words import Line, Value
from models import vocabulary
from models.phone import normalise

_TODAY = date(2026, 11, 24)
_NAMES = {"zh-CN": "王奶奶", "ko": "김 어르신", "en": "Mrs Wang"}


def _name(texts: Mapping[str, str]) -> Callable[[str], Value]:
    return lambda language: words.name(texts[language])


def _same(text: str) -> Callable[[str], Value]:
    return lambda language: words.name(text)


# By the variable's name: a new variable needs a value here, or the completeness check names it.
TYPICAL: Mapping[str, Callable[[str], Value]] = {
    "who": _name(_NAMES),
    "other": _name({"zh-CN": "李爷爷", "ko": "이 어르신", "en": "Mr Li"}),
    "service": lambda language: words.service("bathing", language),
    "day": lambda language: words.day(date(2026, 11, 25), _TODAY, language),
    "date": lambda language: words.date_and_weekday(date(2026, 11, 29), language),
    "part": lambda language: words.part(vocabulary.PARTS[0].code, language),
    "time": lambda language: words.clock_time(time(14, 30), language),
    "number": lambda language: words.digits(1001, language),
    "phone": lambda language: words.phone_number(normalise("+8645110000001"), language),
    "minutes": lambda language: words.minutes(5, language),
    "place": lambda language: words.place(3, language),
    "people": lambda language: words.count(2, "person", language),
    "orders": lambda language: words.count(2, "order", language),
    "holiday": _name({"zh-CN": "国庆节", "ko": "국경절", "en": "National Day"}),
    "press": lambda language: words.digits(1, language),
    "status": lambda language: words.status("accepted", language),
    "amount": lambda language: words.amount(1250, language),
    "score": lambda language: words.score(5, language),
    "district": _name({"zh-CN": "道里区", "ko": "도리구", "en": "Daoli"}),
    "needs": _name({"zh-CN": "右腿不便，开门慢", "ko": "오른쪽 다리가 불편함", "en": "right leg weak, slow to open"}),
    "provider": _name({"zh-CN": "康乐助浴", "ko": "강락 목욕", "en": "Kangle"}),
}


def typical(key: str, language: str) -> Line:
    """Return the prompt with typical values.

    Raises:
        KeyError: the prompt has a variable that has no typical value here.
    """
    return words.line(key, **{name: TYPICAL[name](language) for name in variables(key)})
