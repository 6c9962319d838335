"""Finds elders, and orders by their spoken number, by whatever a caller can tell of herself."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased, selectinload

from agents.cards import age_on, card_tail
from agents.circle import Line, numbers_of
from agents.lines import OrderLine, order_lines, orders_query
from agents.parties import area_path
from models import search
from models.orders import FIRST_ORDER_NUMBER, Order, order_id_of
from models.people import Elder, Person
from models.phone import BadNumber, NumberKind, normalise
from models.search import SearchTerm

SHOWN = 30
QUERY_MAX = 80
_WORDS_MAX = 4
_DIGITS_MIN = 3
# The greatest code point: a prefix is the range up to it.
_LAST = "\U0010ffff"


@dataclass(frozen=True)
class Found:
    """One elder of the result, with what tells her from another of the same name."""

    id: int
    public_id: str
    name: str
    sex: str | None
    age: int | None
    area: tuple[str, ...]
    address: str
    card_tail: str | None
    numbers: tuple[Line, ...]


@dataclass(frozen=True)
class Results:
    """What was found; `more`: the list was cut."""

    elders: tuple[Found, ...]
    orders: tuple[OrderLine, ...]
    more: bool


def find(session: Session, query: str, today: date, area_code: str) -> Results:
    """Return whoever fits all words of `query`, the best fit first. An empty query finds nobody."""
    words = unicodedata.normalize("NFKC", query[:QUERY_MAX]).split()
    whole = re.sub(r"[\s\-()+./]", "", query)
    if whole.isdigit() and len(words) > 1:
        words = [whole]  # 0451 1000 0101: one number, written in groups
    prefixes = [_prefixes(word, area_code) for word in words[:_WORDS_MAX]]
    if not prefixes or not all(prefixes):
        return Results((), _orders(session, whole), more=False)
    ids = _ids(session, prefixes)
    rows = {
        row.id: row
        for row in session.scalars(
            select(Elder)
            .where(Elder.id.in_(ids[:SHOWN]))
            .options(selectinload(Elder.person).selectinload(Person.numbers))
        )
    }
    paths: dict[int | None, tuple[str, ...]] = {}
    for row in rows.values():
        if row.area_id not in paths:
            paths[row.area_id] = area_path(session, row.area_id)
    found = tuple(_found(rows[each], paths, today) for each in ids[:SHOWN] if each in rows)
    return Results(found, _orders(session, whole), more=len(ids) > SHOWN)


def _prefixes(word: str, area_code: str) -> list[str]:
    """Return the beginnings of terms that a word of the query may be, the likeliest first."""
    text = search.plain(word.lstrip("+"))
    if not text:
        return []
    if text.isdigit():
        kinds = [search.CARD + text, search.ADDRESS + text]
        if len(text) >= _DIGITS_MIN:
            kinds = [*_of_number(word, text, area_code), search.REVERSED + text[::-1], *kinds]
        return kinds
    if text.isascii():
        return [kind + text for kind in (search.INITIALS, search.PINYIN, search.NAME, search.CARD, search.ADDRESS)]
    initials = [search.INITIALS + text] if all("\u1100" <= one <= "\u1112" for one in text) else []
    return [*initials, search.NAME + text, search.ADDRESS + text]


def _of_number(word: str, digits: str, area_code: str) -> list[str]:
    """Return the terms of a telephone number in any form: with +86, 0086 or a trunk 0, or not yet whole."""
    found = []
    try:
        number = normalise(word, area_code)
        if number.kind != NumberKind.SHORT_CODE:
            found += sorted(term for term in search.terms_of_number(number.value) if term[0] == search.NUMBER)
    except BadNumber:
        pass
    bare = re.sub(r"^(00)?86(?=[1-9])|^0+", "", digits)
    return list(dict.fromkeys([*found, search.NUMBER + bare, search.NUMBER + digits]))


def _ids(session: Session, prefixes: list[list[str]]) -> list[int]:
    """Return the ids in their order: the likeliest kind first, and of it the shortest term."""
    # The longest word says most: it leads, and the others are looked up beside each elder it finds.
    lead, *others = sorted(prefixes, key=lambda one: -len(one[0]))
    ids: dict[int, None] = {}
    for prefix in lead:
        query = select(SearchTerm.elder_id).where(_begins(SearchTerm, prefix))
        for word in others:
            beside = aliased(SearchTerm)
            fits = or_(*(_begins(beside, one) for one in word))
            query = query.where(select(beside.term).where(beside.elder_id == SearchTerm.elder_id, fits).exists())
        for elder_id in session.scalars(query.order_by(SearchTerm.term).limit(2 * SHOWN)):
            ids.setdefault(elder_id)
        if len(ids) > SHOWN:
            break
    return list(ids)


def _begins(table: Any, prefix: str) -> ColumnElement[bool]:
    cut = prefix[: search.TERM_MAX]
    return and_(table.term >= cut, table.term < cut + _LAST)


def _orders(session: Session, digits: str) -> tuple[OrderLine, ...]:
    if not digits.isdigit() or not FIRST_ORDER_NUMBER <= int(digits[:12]) < 10**9:
        return ()
    row = session.scalars(orders_query().where(Order.id == order_id_of(int(digits[:12])))).all()
    return order_lines(session, row)


def _found(row: Elder, paths: dict[int | None, tuple[str, ...]], today: date) -> Found:
    person = row.person
    return Found(
        id=row.id,
        public_id=person.public_id,
        name=person.name,
        sex=person.sex,
        age=age_on(person.born_on, today) if person.born_on else None,
        area=paths[row.area_id],
        address=row.address,
        card_tail=card_tail(row.card_number),
        numbers=numbers_of(person),
    )
