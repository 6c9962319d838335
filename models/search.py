"""The index by which elders are found: name, pinyin, initials, numbers, card, address. Prefixes, on both databases.

A term begins with the letter of its kind. Names and addresses are there from each of their syllables or words on,
numbers forwards and backwards, so that "the last four digits" is a prefix, too. `indexed_at` of an elder is empty
until her terms stand here; whoever changes what is found calls `index`, and the sweep finds whom nobody called for.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice, product
from typing import Any, cast

from sqlalchemy import Connection, ForeignKey, Index, String, Table, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.people import Elder, Person, PersonNumber, PhoneNumber

# Compared by code point on every database, or a prefix would be no range of the index.
TERM_MAX = 40
Term = String(TERM_MAX).with_variant(String(TERM_MAX, collation="C"), "postgresql")
NAME, PINYIN, INITIALS, NUMBER, REVERSED, CARD, ADDRESS = "n", "p", "i", "t", "r", "c", "a"
# Readings of a name are multiplied: 单 is shan and dan. More than this are of no use to anybody.
_READINGS = 6
_BATCH = 500
# Where the words of an address end.
_ADDRESS_ENDS = re.compile(
    r"(?<=[省市区县乡镇村屯街道路巷号院楼栋座单元室园苑城里组])|\s+|(?<=[^0-9A-Za-z])(?=[0-9A-Za-z])"
)


class SearchTerm(Base):
    """One term by which one elder is found."""

    __tablename__ = "search_terms"
    __table_args__ = (Index("ix_search_terms_elder_id_term", "elder_id", "term"),)

    term: Mapped[str] = mapped_column(Term, primary_key=True)
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id", ondelete="CASCADE"), primary_key=True)


_terms = cast(Table, SearchTerm.__table__)
_elders, _people = cast(Table, Elder.__table__), cast(Table, Person.__table__)
_links, _numbers = cast(Table, PersonNumber.__table__), cast(Table, PhoneNumber.__table__)


def plain(text: str) -> str:
    """Return `text` as it is compared: one form of each character, small letters, no blanks or dashes."""
    return re.sub(r"[\s\-‐-―()·.,，。、]+", "", unicodedata.normalize("NFKC", text).casefold())


def terms_of_name(name: str) -> set[str]:
    """Return the terms of a name: 王桂兰 is found by 王, 桂兰, wangguilan, guilan, wgl; 김순자 by 순자 and ㄱㅅㅈ."""
    words = unicodedata.normalize("NFKC", name).casefold().split()
    whole = plain(name)
    found = {NAME + whole[at:] for at in range(len(whole))} if not whole.isascii() else {NAME + word for word in words}
    found.add(NAME + whole)
    if any("一" <= character <= "鿿" for character in whole):
        for readings in _readings(whole):
            for at in range(len(readings)):
                found.add(PINYIN + "".join(readings[at:]))
                if at < len(readings) - 1:
                    found.add(INITIALS + "".join(reading[0] for reading in readings[at:]))
    elif any("가" <= character <= "힣" for character in whole):
        # The consonant at a syllable's head, as NFKC has it of the letters that people type.
        heads = "".join(chr(0x1100 + (ord(one) - 0xAC00) // 588) for one in whole if "가" <= one <= "힣")
        found |= {INITIALS + heads[at:] for at in range(max(1, len(heads) - 1))}
    elif len(words) > 1:
        found.add(INITIALS + "".join(word[0] for word in words))
    return found


def _readings(name: str) -> Iterable[tuple[str, ...]]:
    # Its table is 14 MB, and most processes never register anybody.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
    from pypinyin import Style, pinyin

    each = pinyin(name, style=Style.NORMAL, heteronym=True, errors="ignore")
    choices = ([reading.replace("ü", "v") for reading in dict.fromkeys(one)][:3] for one in each)
    return islice(product(*choices), _READINGS)


def terms_of_number(value: str) -> set[str]:
    """Return the terms of an E.164 number: as people in China write it, and backwards."""
    digits = re.sub(r"\D", "", value.removeprefix("+86"))
    return {NUMBER + digits, REVERSED + digits[::-1]}


def terms_of(name: str, numbers: Iterable[str], card: str | None, address: str) -> set[str]:
    """Return every term of an elder, cut to the column's length."""
    found = terms_of_name(name)
    for value in numbers:
        found |= terms_of_number(value)
    if card:
        found |= {CARD + plain(card), CARD + re.sub(r"\D", "", card)}
    begins = 0
    whole = unicodedata.normalize("NFKC", address).casefold()
    for end in [*(match.end() for match in _ADDRESS_ENDS.finditer(whole)), len(whole)]:
        if rest := plain(whole[begins:]):
            found.add(ADDRESS + rest)
        begins = end
    return {term[:TERM_MAX] for term in found if len(term) > 1}


def index(connection: Connection, elder_ids: Sequence[int], now: datetime) -> None:
    """Write the terms of these elders anew, in the open transaction. One who was merged away is found by nothing."""
    for start in range(0, len(elder_ids), _BATCH):
        _index(connection, list(elder_ids[start : start + _BATCH]), now)


def _index(connection: Connection, ids: list[int], now: datetime) -> None:
    numbers: dict[int, list[str]] = {}
    of = (
        select(_links.c.person_id, _numbers.c.value)
        .join(_numbers, _numbers.c.id == _links.c.number_id)
        .where(_links.c.person_id.in_(ids))
    )
    for person_id, value in connection.execute(of):
        numbers.setdefault(person_id, []).append(value)
    people = (
        select(_elders.c.id, _people.c.name, _elders.c.card_number, _elders.c.address)
        .join(_people, _people.c.id == _elders.c.id)
        .where(_elders.c.id.in_(ids), _elders.c.merged_into_id.is_(None))
    )
    rows: list[dict[str, Any]] = [
        {"term": term, "elder_id": row.id}
        for row in connection.execute(people)
        for term in terms_of(row.name, numbers.get(row.id, ()), row.card_number, row.address)
    ]
    connection.execute(delete(_terms).where(_terms.c.elder_id.in_(ids)))
    if rows:
        connection.execute(insert(_terms), rows)
    connection.execute(update(_elders).where(_elders.c.id.in_(ids)).values(indexed_at=now))


def index_missing(connection: Connection, now: datetime, limit: int = _BATCH) -> int:
    """Write the terms of some elders that have none yet; return of how many."""
    ids = list(connection.scalars(select(_elders.c.id).where(_elders.c.indexed_at.is_(None)).limit(limit)))
    index(connection, ids, now)
    return len(ids)
