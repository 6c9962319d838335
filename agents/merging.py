"""One elder who was registered twice: found, made one, and made two again if that was wrong.

Every row of every table that points to the one goes over to the other, in one transaction; which rows
those are is read from the schema, so that a table that is added later is not forgotten. A row that cannot
go (the other has the same) stays where it is and counts as hers still. The emptied registration stays, too,
as the place to which a merge can be taken back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Table, UniqueConstraint, func, or_, select, update
from sqlalchemy.orm import Session, selectinload

from agents.accounts import record
from agents.parties import Party
from agents.people import find_elder
from models import search
from models.amendments import ElderMerge
from models.campaigns import CareVisit, VisitStatus
from models.people import Elder, NumberRole, Person, PersonNumber
from models.tables import metadata
from models.users import User

# Fields that the kept registration takes from the other where it has nothing.
_OF_PERSON, _OF_ELDER = ("sex", "born_on"), ("area_id", "address", "needs")
# What says who she is, and the index of search, which is made anew.
_OWN = {"people", "elders", "search_terms"}


class MergeError(ValueError):
    """It cannot be done. `code`: same, gone, undone, later."""

    def __init__(self, code: str) -> None:
        super().__init__(f"not merged: {code}")
        self.code = code


@dataclass(frozen=True)
class Twin:
    """Another registration that may be the same elder; `why`: birth, number, name."""

    who: Party
    why: str


@dataclass(frozen=True)
class Merged:
    """A merge that holds: what became one, by whom, when."""

    public_id: str
    other: str
    by: str
    at: datetime
    rows: int


def twins(session: Session, elder: Elder) -> tuple[Twin, ...]:
    """Return registrations that may be the same elder: the same name with the same birth or number, or not known."""
    person = elder.person
    numbers = {link.number_id for link in person.numbers}
    query = (
        select(Elder)
        .join(Person, Person.id == Elder.id)
        .where(Person.name == person.name, Elder.id != elder.id, Elder.merged_into_id.is_(None))
        .options(selectinload(Elder.person).selectinload(Person.numbers))
        .order_by(Elder.id)
        .limit(50)
    )
    found = []
    for other in session.scalars(query):
        same_number = numbers & {link.number_id for link in other.person.numbers}
        births = {person.born_on, other.person.born_on}
        why = "number" if same_number else "birth" if len(births) == 1 and None not in births else ""
        if why:
            found.append(Twin(Party("elder", other.person.name, other.person.public_id), why))
    return tuple(found)


def merge(session: Session, kept: str, gone: str, user: User, now: datetime) -> ElderMerge:
    """Let `gone` be `kept` from now on: public ids.

    Raises:
        KeyError: one of them does not exist.
        MergeError: they are the same, or one was merged away already.
    """
    # Both in one order, so that two agents who merge crosswise do not wait for each other for ever.
    rows = {public_id: find_elder(session, public_id) for public_id in (kept, gone)}
    stays, goes = rows[kept], rows[gone]
    if stays.id == goes.id:
        raise MergeError("same")
    session.execute(select(Elder.id).where(Elder.id.in_((stays.id, goes.id))).order_by(Elder.id).with_for_update())
    for row in (stays, goes):
        session.refresh(row)
        if row.merged_into_id is not None:
            raise MergeError("gone")
    filled = _fill(stays, goes)
    session.flush()
    moved = {}
    for table, column in _pointing():
        ids = _move(session, table, column, (goes.id, stays.id))
        if ids:
            moved[f"{table.name}.{column.name}"] = ids
    # Of a campaign with both of them hers is the one visit.
    twice = CareVisit.elder_id == goes.id, CareVisit.status == VisitStatus.WAITING
    session.execute(update(CareVisit).where(*twice).values(status=VisitStatus.STOPPED, closed_at=now))
    goes.merged_into_id = stays.id
    _share(session, (stays, goes))
    merged = ElderMerge(kept_id=stays.id, gone_id=goes.id, user_id=user.id, at=now, moved=moved, filled=filled)
    session.add(merged)
    session.flush()
    _afresh(session, stays, goes, now)
    record(session, user, "elders_merged", ("elder", stays.id), now)
    record(session, user, "merged_away", ("elder", goes.id), now)
    return merged


def undo(session: Session, public_id: str, user: User, now: datetime) -> str:
    """Make two of one again: exactly the rows that went over come back. Returns the kept one's public id.

    Raises:
        KeyError: there is no such merge.
        MergeError: it was undone already, or a later merge has to be undone first.
    """
    row = session.scalar(select(ElderMerge).where(ElderMerge.public_id == public_id).with_for_update(of=ElderMerge))
    if row is None:
        raise KeyError(public_id)
    if row.undone_at is not None:
        raise MergeError("undone")
    later = select(ElderMerge.id).where(
        or_(ElderMerge.kept_id == row.kept_id, ElderMerge.gone_id == row.kept_id),
        ElderMerge.id > row.id,
        ElderMerge.undone_at.is_(None),
    )
    if session.scalar(later.limit(1)) is not None:
        raise MergeError("later")
    stays, goes = session.get_one(Elder, row.kept_id), session.get_one(Elder, row.gone_id)
    for name, ids in row.moved.items():
        table, column = metadata.tables[name.split(".")[0]], name.split(".")[1]
        key = next(iter(table.primary_key.columns))
        for at in range(0, len(ids), 500):
            session.execute(
                update(table).where(key.in_(ids[at : at + 500]), table.c[column] == stays.id).values({column: goes.id})
            )
    for name in row.filled:
        target = stays.person if name in _OF_PERSON else stays
        given = getattr(goes.person if name in _OF_PERSON else goes, name)
        if name == "card_number":
            card, stays.card_number = stays.card_number, None
            # The column is unique, and of two rows of one flush nobody says which is written first.
            session.flush()
            goes.card_number = card
        elif getattr(target, name) == given:
            setattr(target, name, None if name in (*_OF_PERSON, "area_id") else "")
    goes.merged_into_id = None
    _share(session, (stays, goes))
    row.undone_at, row.undone_by_id = now, user.id
    session.flush()
    _afresh(session, stays, goes, now)
    record(session, user, "merge_undone", ("elder", stays.id), now)
    return stays.person.public_id


def merges(session: Session, elder_id: int) -> tuple[Merged, ...]:
    """Return the merges that hold with this elder, the newest first."""
    rows = session.scalars(
        select(ElderMerge)
        .where(ElderMerge.kept_id == elder_id, ElderMerge.undone_at.is_(None))
        .options(selectinload(ElderMerge.user))
        .order_by(ElderMerge.id.desc())
    )
    return tuple(
        Merged(
            row.public_id,
            session.get_one(Person, row.gone_id).name,
            row.user.name if row.user else "",
            row.at,
            sum(len(ids) for ids in row.moved.values()),
        )
        for row in rows
    )


def present_elder(session: Session, public_id: str) -> Elder:
    """Return the elder of this public id, or the one with whom she was made one: a page may be older than a merge.

    Raises:
        KeyError: there is none.
    """
    elder = find_elder(session, public_id)
    while elder.merged_into_id is not None:
        elder = session.get_one(Elder, elder.merged_into_id)
    return elder


def elder_of_merge(session: Session, public_id: str) -> str:
    """Return the public id of the elder who was kept in a merge.

    Raises:
        KeyError: there is no such merge.
    """
    query = select(Person.public_id).join(ElderMerge, ElderMerge.kept_id == Person.id)
    kept = session.scalar(query.where(ElderMerge.public_id == public_id))
    if kept is None:
        raise KeyError(public_id)
    return kept


def kept_by(session: Session, public_id: str) -> str | None:
    """Return the public id of the elder with whom this one was merged, None if she was not."""
    into = select(Elder.merged_into_id).join(Person, Person.id == Elder.id).where(Person.public_id == public_id)
    kept_id = session.scalar(into)
    return session.get_one(Person, kept_id).public_id if kept_id is not None else None


def _fill(stays: Elder, goes: Elder) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for names, of in ((_OF_PERSON, (stays.person, goes.person)), (_OF_ELDER, (stays, goes))):
        for name in names:
            if not getattr(of[0], name) and (given := getattr(of[1], name)):
                setattr(of[0], name, given)
                filled[name] = True
    if stays.card_number is None and goes.card_number is not None:
        card, goes.card_number = goes.card_number, None
        # The column is unique: the one lets go of the number before the other has it.
        session = Session.object_session(goes)
        assert session is not None  # noqa: S101
        session.flush()
        stays.card_number = card
        filled["card_number"] = True
    return filled


def _share(session: Session, of: tuple[Elder, Elder]) -> None:
    """Let a number that these two have be shared while several elders have it, and her own where she alone has."""
    session.flush()
    ids = [elder.id for elder in of]
    numbers = select(PersonNumber.number_id).where(PersonNumber.person_id.in_(ids))
    links = (
        select(PersonNumber)
        .join(Elder, Elder.id == PersonNumber.person_id)
        .where(PersonNumber.number_id.in_(numbers), Elder.merged_into_id.is_(None))
    )
    at: dict[int, list[PersonNumber]] = defaultdict(list)
    for link in session.scalars(links.execution_options(populate_existing=True)):
        at[link.number_id].append(link)
    for each in at.values():
        for link in each:
            link.role = NumberRole.SHARED if len(each) > 1 else NumberRole.OWN


def _pointing() -> Iterator[tuple[Table, Column[Any]]]:
    """Yield every column of the schema that points to an elder or a person."""
    for table in metadata.sorted_tables:
        if table.name in _OWN:
            continue
        for column in table.columns:
            if any(key.column.table.name in ("elders", "people") for key in column.foreign_keys):
                yield table, column


def _move(session: Session, table: Table, column: Column[Any], between: tuple[int, int]) -> list[int]:
    """Re-point the rows of `between[0]` to `between[1]`, but for those of which the other has the same."""
    gone, kept = between
    key = next(iter(table.primary_key.columns))
    ids = list(session.scalars(select(key).where(column == gone).order_by(key)))
    ids = [each for each in ids if not _clashes(session, table, column, (key, each, kept))]
    for at in range(0, len(ids), 500):
        session.execute(update(table).where(key.in_(ids[at : at + 500])).values({column.name: kept}))
    return ids


def _clashes(session: Session, table: Table, column: Column[Any], of: tuple[Column[Any], int, int]) -> bool:
    key, row_id, kept = of
    sets = [one.columns for one in table.constraints if isinstance(one, UniqueConstraint)]
    sets += [one.columns for one in table.indexes if one.unique]
    for columns in sets:
        if column.name not in columns:
            continue
        row = session.execute(select(*columns).where(key == row_id)).one()._mapping
        # As it would be: every column of this constraint that has the one gets the other.
        same = [each == (kept if each.name == column.name else row[each.name]) for each in columns]
        if session.scalar(select(func.count()).select_from(table).where(*same)):
            return True
    # A person is no contact of herself.
    other = {"person_id": "elder_id", "elder_id": "person_id"}.get(column.name)
    if table.name == "contacts" and other:
        return session.scalar(select(table.c[other]).where(key == row_id)) == kept
    return False


def _afresh(session: Session, stays: Elder, goes: Elder, now: datetime) -> None:
    search.index(session.connection(), [stays.id, goes.id], now)
    for row in (stays, goes):
        session.expire(row)
