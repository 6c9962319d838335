"""What a word of the vocabulary is: a code, a key, a name and the phrases by which people say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LANGUAGES = ("zh-CN", "ko", "en")

Words = Mapping[str, str]
Phrases = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Concept:
    """Something she can mean: `code` in rows, `key` on the telephone (1–8, or 0, 9, *; "" none), phrases by language.

    `also` holds forms that are understood when a recogniser or a message writes them, but
    are not listed for one, because a model lacks a word of theirs.
    """

    code: str
    key: str
    name: Words
    phrases: Phrases
    also: Phrases = field(default_factory=dict)

    def forms(self, language: str) -> tuple[str, ...]:
        """Return every phrase by which it is understood."""
        return (*self.phrases[language], *self.also.get(language, ()))


@dataclass(frozen=True)
class Service(Concept):
    """A service item. `page`, `key`: where the telephone's menu has it, pages of four from 1, then 8 for the next.

    `person_only`: never put to a provider, an agent takes it.
    `sensitive`: not named aloud on caller ID alone (domain.md: a health matter).
    """

    category: str = ""
    page: int = 1
    person_only: bool = False
    sensitive: bool = False


def name(zh: str, ko: str, en: str) -> Words:
    """Return a name in each language."""
    return {"zh-CN": zh, "ko": ko, "en": en}


def said(zh: str = "", ko: str = "", en: str = "") -> Phrases:
    """Return the phrases of each language; `|` divides them, one that begins with `~` is left to `also`."""
    return _divided(zh, ko, en, unlisted=False)


def also(zh: str = "", ko: str = "", en: str = "") -> Phrases:
    """Return the phrases that begin with `~`."""
    return _divided(zh, ko, en, unlisted=True)


def concept(code: str, key: str, names: tuple[str, str, str], *columns: str) -> Concept:
    """Return one row of a table: the names and then the phrases in Chinese, Korean, English."""
    return Concept(code, key, name(*names), said(*columns), also(*columns))


def _divided(*columns: str, unlisted: bool) -> Phrases:
    divided = {}
    for language, column in zip(LANGUAGES, columns, strict=True):
        every = [phrase.strip() for phrase in column.split("|") if phrase.strip()]
        divided[language] = tuple(phrase.lstrip("~") for phrase in every if phrase.startswith("~") == unlisted)
    return divided
