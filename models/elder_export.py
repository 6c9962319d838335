"""Export of elders in the import's own columns, and the empty template: CSV or .xlsx, by the file's name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from models import sheet_files
from models.calling_hours import hours_in, written_spans
from models.campaigns import CallRule
from models.contacts import Contact
from models.duties import RISKS, ElderGroup
from models.elder_columns import (
    CONTACTS,
    GROUPS_BY_WORD,
    MANNERS,
    ONLY_PEOPLE,
    RELATIONS,
    RIGHTS,
    RISKS_BY_WORD,
    SEXES,
    WEEKDAYS,
    columns,
    manner_words,
)
from models.people import Area, Elder, Person
from models.preferences import ElderSetting, Setting
from models.sheet_cells import LANGUAGE_WORDS, Column, written
from models.sheet_files import Cells, Layout, dialled

_PART = 500
_CHOICES = {
    "sex": SEXES,
    "language": LANGUAGE_WORDS,
    "risk": RISKS_BY_WORD,
    **{name.value: words for name, words in MANNERS.items()},
    **{f"contact{number}_relation": RELATIONS for number in range(1, CONTACTS + 1)},
}


def write(path: Path, wanted: Sequence[Column], lines: Iterable[Cells]) -> int:
    """Write a file of elders with these columns; return how many lines it has.

    Raises:
        ValueError: the name ends neither in .csv nor in .xlsx.
    """
    wide = frozenset({"phones", "address", "needs"})
    return sheet_files.write(path, Layout("老人", wanted, _CHOICES, frozenset({"born_on"}), wide), lines)


class TooMuch(RuntimeError):
    """An elder has more contacts than a file has columns for."""


def count(session: Session) -> int:
    """Return how many elders there are; who was registered twice is one."""
    return session.scalar(select(func.count()).select_from(Elder).where(Elder.merged_into_id.is_(None))) or 0


def columns_needed(session: Session) -> tuple[Column, ...]:
    """Return the columns for all elders there are.

    Raises:
        TooMuch: somebody has more contacts than the import takes.
    """
    each = select(func.count().label("n")).where(Contact.ended_at.is_(None)).group_by(Contact.elder_id).subquery()
    most = session.scalar(select(func.max(each.c.n))) or 0
    if most > CONTACTS:
        raise TooMuch(f"an elder has {most} contacts; a file has room for {CONTACTS}")
    return columns(max(1, most))


def rows(session: Session) -> Iterator[Cells]:
    """Yield every elder as named cells, in the order of registration, a part of them in memory at a time."""
    areas = {area.id: (area.parent_id, area.kind, area.name) for area in session.scalars(select(Area))}
    words_of = manner_words(session)
    last = 0
    while True:
        part = session.scalars(
            select(Elder).where(Elder.id > last, Elder.merged_into_id.is_(None)).order_by(Elder.id).limit(_PART)
            .options(selectinload(Elder.person).selectinload(Person.numbers))
        ).all()  # fmt: skip
        if not part:
            return
        last = part[-1].id
        manners, contacts, hours = (
            _manners(session, part, words_of),
            _contacts(session, part),
            _own_hours(session, part),
        )
        groups = _groups(session, part)
        for elder in part:
            yield {
                **_own(elder),
                **dict(_places(areas, elder.area_id)),
                **manners.get(elder.id, {}),
                **hours.get(elder.id, {}),
                **groups.get(elder.id, {}),
                **contacts.get(elder.id, {}),
            }
        session.expunge_all()


def _own(elder: Elder) -> Cells:
    person = elder.person
    cells: Cells = {
        "name": person.name,
        "phones": _phones(person),
        "sex": written(SEXES, person.sex) if person.sex else "",
        "language": written(LANGUAGE_WORDS, person.language),
        "address": elder.address,
        "card_number": elder.card_number or "",
        "needs": elder.needs,
    }
    return cells | ({"born_on": person.born_on} if person.born_on else {})


def _phones(person: Person) -> str:
    return "；".join(dialled(link.number.value, link.number.kind) for link in person.numbers)


def _places(areas: dict[int, tuple[int | None, str, str]], area_id: int | None) -> Iterator[tuple[str, str]]:
    while area_id is not None:
        area_id, kind, name = areas[area_id]
        yield kind, name


def _manners(
    session: Session, part: Sequence[Elder], words_of: Mapping[Setting, Mapping[str, str]]
) -> dict[int, Cells]:
    found: dict[int, Cells] = {}
    present = (
        select(ElderSetting.elder_id, ElderSetting.name, ElderSetting.value)
        .where(ElderSetting.elder_id.in_([elder.id for elder in part]), ElderSetting.undone_at.is_(None))
        .order_by(ElderSetting.id)
    )
    for elder_id, name, value in session.execute(present):
        for setting, words in words_of.items():
            if name == setting:
                found.setdefault(elder_id, {})[name] = written(words, value)
    return found


def _groups(session: Session, part: Sequence[Elder]) -> dict[int, Cells]:
    rows = session.scalars(
        select(ElderGroup)
        .where(ElderGroup.elder_id.in_([elder.id for elder in part]), ElderGroup.ended_at.is_(None))
        .order_by(ElderGroup.id)
    )
    named: dict[int, list[str]] = defaultdict(list)
    found: dict[int, Cells] = defaultdict(dict)
    for row in rows:
        if row.group in RISKS:
            found[row.elder_id]["risk"] = written(RISKS_BY_WORD, row.group)
        else:
            named[row.elder_id].append(written(GROUPS_BY_WORD, row.group))
    for elder_id, words in named.items():
        found[elder_id]["groups"] = "；".join(words)
    return found


def _own_hours(session: Session, part: Sequence[Elder]) -> dict[int, Cells]:
    rules = select(CallRule).where(CallRule.elder_id.in_([elder.id for elder in part]), CallRule.ended_at.is_(None))
    found: dict[int, Cells] = {}
    for row in session.scalars(rules.order_by(CallRule.id)):
        hours = hours_in(row)
        found[row.elder_id] = {
            "call_hours": ONLY_PEOPLE[0] if hours.never else written_spans(hours.spans),
            "not_on": "；".join(written(WEEKDAYS, day) for day in sorted(hours.not_on)),
        }
    return found


def _contacts(session: Session, part: Sequence[Elder]) -> dict[int, Cells]:
    found: dict[int, Cells] = {}
    ties = session.scalars(
        select(Contact)
        .where(Contact.elder_id.in_([elder.id for elder in part]), Contact.ended_at.is_(None))
        .order_by(Contact.elder_id, Contact.position, Contact.id)
        .options(selectinload(Contact.person).selectinload(Person.numbers))
    )
    for tie in ties:
        cells = found.setdefault(tie.elder_id, {})
        of = f"contact{len(cells) // 4 + 1}"
        cells |= {
            f"{of}_name": tie.person.name,
            f"{of}_relation": written(RELATIONS, tie.relation),
            f"{of}_phones": _phones(tie.person),
            f"{of}_rights": "；".join(
                written(RIGHTS, right) for right in dict.fromkeys(RIGHTS.values()) if getattr(tie, right)
            ),
        }
    return found
