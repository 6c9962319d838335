"""Writing thousands of elders at once: all prepared before the transaction, then a few statements in it.

The transaction holds SQLite's only write lock, and somebody may be on the
telephone: it does nothing that could have been done before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from models.base import new_public_id
from models.calling_hours import ANY, columns_of
from models.campaigns import CallRule
from models.contacts import Contact
from models.duties import ElderGroup
from models.elder_import import AreaPath, Checked, Entry, identities, registered
from models.people import Area, AreaKind, Elder, NumberRole, Person, PersonNumber, PhoneNumber, card_digits
from models.phone import Number
from models.preferences import ElderSetting, Origin
from models.register import NewContact, NewElder, family_name_of
from models.sheet_cells import batched

_areas_table = cast(Table, Area.__table__)
_people, _elders, _numbers = (cast(Table, kind.__table__) for kind in (Person, Elder, PhoneNumber))
_links, _contacts, _settings = (cast(Table, kind.__table__) for kind in (PersonNumber, Contact, ElderSetting))
_rules, _groups = (cast(Table, kind.__table__) for kind in (CallRule, ElderGroup))
# A contact is known again by her name and her first number.
Known = tuple[str, str]


class Overtaken(RuntimeError):
    """Somebody has registered one of the file's elders since it was checked."""


@dataclass
class Prepared:
    """Rows without the ids that only the database can give."""

    now: datetime
    entries: list[Entry]
    people: list[dict[str, Any]]  # of each entry, in its order
    numbers: dict[str, dict[str, Any]] = field(default_factory=dict)  # by value
    helpers: dict[Known, dict[str, Any]] = field(default_factory=dict)  # contacts as persons, each once
    reached_at: dict[Known, list[Number]] = field(default_factory=dict)


def prepare(checked: Checked, now: datetime) -> Prepared:
    """Return everything that can be made of `checked` before the transaction.

    Raises:
        ValueError: there were problems.
    """
    if checked.problems:
        raise ValueError("a file with problems is not imported")
    ready = Prepared(now, checked.elders, [_person(entry.elder, now) for entry in checked.elders])
    for entry in checked.elders:
        for number in entry.elder.numbers:
            _number(ready, number)
        for contact in entry.contacts:
            key = (contact.name, str(contact.numbers[0]))
            ready.helpers.setdefault(key, _person(contact, now))
            reached = ready.reached_at.setdefault(key, [])
            for number in contact.numbers:
                _number(ready, number)
                if number not in reached:
                    reached.append(number)
    return ready


def write(session: Session, ready: Prepared) -> None:
    """Write everything into the open transaction.

    Raises:
        Overtaken: one of the elders is registered by now.
    """
    elders = [entry.elder for entry in ready.entries]
    known = registered(session, elders)
    if any(key in known for new in elders for key in identities(new)):
        raise Overtaken("somebody has registered one of these elders meanwhile; check the file again")
    connection = session.connection()
    areas = _areas(connection, {entry.area for entry in ready.entries})
    numbers = _number_ids(connection, ready.numbers)
    helpers = _known_people(connection, ready.helpers)
    ids, was_known = _elder_ids(connection, ready)
    # A contact who is herself an elder of this file is that elder.
    helpers |= {
        key: person_id
        for new, person_id in zip(elders, ids, strict=True)
        for number in new.numbers
        if (key := (new.name, str(number))) in ready.helpers and key not in helpers
    }
    fresh = [key for key in ready.helpers if key not in helpers]
    helpers |= dict(zip(fresh, _inserted(connection, _people, [ready.helpers[key] for key in fresh]), strict=True))
    _insert(
        connection,
        _elders,
        [
            {
                "id": elder_id,
                "area_id": areas[entry.area],
                "address": entry.elder.address,
                "card_number": entry.elder.card_number,
                "card_digits": card_digits(entry.elder.card_number),
                "needs": entry.elder.needs,
            }
            for entry, elder_id in zip(ready.entries, ids, strict=True)
        ],
    )
    _insert(connection, _links, _elders_links(connection, list(zip(elders, ids, strict=True)), was_known, numbers))
    _insert(connection, _links, _helpers_links(connection, ready, helpers, numbers))
    _insert(connection, _contacts, _ties(ready, ids, helpers))
    _insert(connection, _settings, _manners(ready, ids))
    _insert(connection, _rules, _own_hours(ready, ids))
    # The ledger's round writes what comes of it (dispatch.campaign_round).
    _insert(connection, _groups, _memberships(ready, ids))
    # The index of search is the sweep's work: it would hold SQLite's only write lock for longer than the rest.


def _person(new: NewElder | NewContact, now: datetime) -> dict[str, Any]:
    return {
        "public_id": new_public_id(),
        "name": new.name,
        "family_name": getattr(new, "family_name", "") or family_name_of(new.name),
        "sex": new.sex,
        "born_on": getattr(new, "born_on", None),
        "language": new.language,
        "created_at": now,
    }


def _number(ready: Prepared, number: Number) -> None:
    if number.value not in ready.numbers:
        ready.numbers[number.value] = {"public_id": new_public_id(), "value": number.value, "kind": number.kind}


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _inserted(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert `rows`; return their ids in the same order."""
    if not rows:
        return []
    numbered = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(connection.execute(numbered, rows).scalars())


def _areas(connection: Connection, paths: Iterable[AreaPath]) -> dict[AreaPath, int | None]:
    """Return the area of each path, made where it is new; an empty name ends a path (as `register.area_at` has it)."""
    rows = connection.execute(select(_areas_table.c.parent_id, _areas_table.c.name, _areas_table.c.id))
    ids: dict[tuple[int | None, str], int] = {(parent, name): area_id for parent, name, area_id in rows}
    reached: dict[AreaPath, int | None] = dict.fromkeys(paths)
    going = set(reached)
    for level, kind in enumerate(AreaKind):
        going = {path for path in going if path[level]}
        wanted = sorted({(reached[path], path[level]) for path in going} - set(ids), key=str)
        fresh = [
            {"public_id": new_public_id(), "parent_id": parent, "kind": kind, "name": name} for parent, name in wanted
        ]
        ids |= dict(zip(wanted, _inserted(connection, _areas_table, fresh), strict=True))
        reached |= {path: ids[reached[path], path[level]] for path in going}
    return reached


def _number_ids(connection: Connection, wanted: Mapping[str, dict[str, Any]]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for part in batched(list(wanted)):
        known = select(_numbers.c.value, _numbers.c.id).where(_numbers.c.value.in_(part))
        ids |= dict(connection.execute(known).all())
    fresh = [value for value in wanted if value not in ids]
    return ids | dict(zip(fresh, _inserted(connection, _numbers, [wanted[value] for value in fresh]), strict=True))


def _elder_ids(connection: Connection, ready: Prepared) -> tuple[list[int], set[int]]:
    """Insert the elders as persons; return their ids, and which of them were known as somebody's contact before."""
    keys = [(entry.elder.name, str(entry.elder.numbers[0])) for entry in ready.entries]
    known = _known_people(connection, dict.fromkeys(keys))
    changed = [
        {"row": known[key], **{name: row[name] for name in ("sex", "born_on", "language")}}
        for key, row in zip(keys, ready.people, strict=True)
        if key in known
    ]
    if changed:
        change = update(_people).where(_people.c.id == bindparam("row"))
        connection.execute(change.values({name: bindparam(name) for name in ("sex", "born_on", "language")}), changed)
    fresh = [row for key, row in zip(keys, ready.people, strict=True) if key not in known]
    new_ids = iter(_inserted(connection, _people, fresh))
    return [known[key] if key in known else next(new_ids) for key in keys], set(known.values())


def _known_people(connection: Connection, wanted: Mapping[Known, object]) -> dict[Known, int]:
    """Return the persons whom the database has already; of two the older one."""
    ids: dict[Known, int] = {}
    for part in batched(list(wanted)):
        known = (
            select(_people.c.name, _numbers.c.value, _people.c.id)
            .join(_links, _links.c.person_id == _people.c.id)
            .join(_numbers, _numbers.c.id == _links.c.number_id)
            .where(_numbers.c.value.in_([value for _, value in part]))
            .order_by(_people.c.id)
        )
        for name, value, person_id in connection.execute(known):
            if (name, value) in wanted:
                ids.setdefault((name, value), person_id)
    return ids


def _elders_links(
    connection: Connection, elders: Sequence[tuple[NewElder, int]], was_known: set[int], numbers: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return the elders' numbers; one that several elders have is a household's, for those who had it before too."""
    wanted = Counter(numbers[number.value] for new, _ in elders for number in new.numbers)
    has: set[tuple[int, int]] = set()
    shared = {number_id for number_id, times in wanted.items() if times > 1}
    for part in batched(list(wanted)):
        taken = select(_links.c.id, _links.c.number_id, _links.c.person_id).where(_links.c.number_id.in_(part))
        living = _elders.c.merged_into_id.is_(None)
        rows = connection.execute(taken.join(_elders, _elders.c.id == _links.c.person_id).where(living)).all()
        has |= {(person_id, number_id) for _, number_id, person_id in rows if person_id in was_known}
        shared |= {number_id for _, number_id, person_id in rows if person_id not in was_known}
        for some in batched([row_id for row_id, number_id, _ in rows if number_id in shared]):
            connection.execute(update(_links).where(_links.c.id.in_(some)).values(role=NumberRole.SHARED))
    return [
        {
            "person_id": person_id,
            "number_id": (number_id := numbers[number.value]),
            "role": NumberRole.SHARED if number_id in shared else NumberRole.OWN,
            "position": position,
        }
        for new, person_id in elders
        for position, number in enumerate(new.numbers)
        if (person_id, numbers[number.value]) not in has
    ]


def _helpers_links(
    connection: Connection, ready: Prepared, helpers: Mapping[Known, int], numbers: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return the contacts' numbers, without those they have already."""
    has: dict[int, set[int]] = {}
    for part in batched(list(set(helpers.values()))):
        links = select(_links.c.person_id, _links.c.number_id).where(_links.c.person_id.in_(part))
        for person_id, number_id in connection.execute(links):
            has.setdefault(person_id, set()).add(number_id)
    rows = []
    for key, person_id in helpers.items():
        mine = has.setdefault(person_id, set())
        for number_id in (numbers[number.value] for number in ready.reached_at[key]):
            if number_id not in mine:
                row = {"person_id": person_id, "number_id": number_id, "role": NumberRole.OWN, "position": len(mine)}
                rows.append(row)
                mine.add(number_id)
    return rows


def _ties(ready: Prepared, ids: Sequence[int], helpers: Mapping[Known, int]) -> list[dict[str, Any]]:
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for entry, elder_id in zip(ready.entries, ids, strict=True):
        for position, new in enumerate(entry.contacts):
            person_id = helpers[new.name, str(new.numbers[0])]
            row = {
                "person_id": person_id,
                "elder_id": elder_id,
                "relation": new.relation,
                "position": position,
                "may_order": new.may_order,
                "may_hear_orders": new.may_hear_orders,
                "may_hear_money": new.may_hear_money,
                "may_hear_health": new.may_hear_health,
                "may_look_in": new.may_look_in,
                "wants_sms": new.wants_sms,
                "since": ready.now,
            }
            # One person under two of her numbers is one contact: the first line of the file holds.
            rows.setdefault((person_id, elder_id), row)
    return list(rows.values())


def _manners(ready: Prepared, ids: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {"elder_id": elder_id, "name": name, "value": value, "origin": Origin.IMPORT, "at": ready.now}
        for entry, elder_id in zip(ready.entries, ids, strict=True)
        for name, value in entry.manners.items()
    ]


def _memberships(ready: Prepared, ids: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {"elder_id": elder_id, "group": group, "since": ready.now}
        for entry, elder_id in zip(ready.entries, ids, strict=True)
        for group in entry.groups
    ]


def _own_hours(ready: Prepared, ids: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {"elder_id": elder_id, "since": ready.now, **columns_of(entry.hours)}
        for entry, elder_id in zip(ready.entries, ids, strict=True)
        if entry.hours != ANY
    ]
