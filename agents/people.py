"""Who an elder is: registered from a call, attached to it, corrected. Every change keeps what stood before."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import false, select
from sqlalchemy.orm import Session, selectinload

from agents.accounts import record
from agents.parties import area_path
from models import search
from models.amendments import ElderChange
from models.calls import Call, IdentifiedBy
from models.lookup import number_row
from models.people import Elder, NumberRole, Person, PersonNumber
from models.phone import RINGABLE, BadNumber, Number, normalise
from models.register import NewElder, add_elder, area_at, family_name_of
from models.settings import settings
from models.tasks import Task
from models.users import AuditEvent, User
from models.vocabulary import LANGUAGES

OLDEST = 120
LIMITS = {"name": 80, "address": 200, "card_number": 32, "needs": 400, "district": 80, "community": 80, "grid": 80}
FIELDS = (
    "name", "sex", "born_on", "language", "numbers", "district", "community", "grid", "address", "card_number", "needs",
)  # fmt: skip
NUMBERS_MAX = 6
Values = dict[str, str]


class PersonError(ValueError):
    """The form has mistakes. `problems`: field to code (missing, long, bad, taken, overtaken)."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("mistakes in: " + ", ".join(problems))
        self.problems = dict(problems)


@dataclass(frozen=True)
class Change:
    """One change of the master data, for the card's history."""

    public_id: str
    at: datetime
    by: str
    fields: tuple[tuple[str, str, str], ...]  # field, before, after
    undone_at: datetime | None
    undone_by: str


def find_elder(session: Session, public_id: str) -> Elder:
    """Return the elder of this public id.

    Raises:
        KeyError: there is none.
    """
    query = select(Elder).join(Person, Person.id == Elder.id).where(Person.public_id == public_id)
    elder = session.scalar(query.options(selectinload(Elder.person).selectinload(Person.numbers)))
    if elder is None:
        raise KeyError(public_id)
    return elder


def values_of(session: Session, elder: Elder) -> Values:
    """Return the master data as the form has them."""
    person = elder.person
    path = (*area_path(session, elder.area_id), "", "", "")
    return {
        "name": person.name,
        "sex": person.sex or "",
        "born_on": person.born_on.isoformat() if person.born_on else "",
        "language": person.language,
        "numbers": " ".join(link.number.value for link in person.numbers),
        "district": path[0],
        "community": path[1],
        "grid": path[2],
        "address": elder.address,
        "card_number": elder.card_number or "",
        "needs": elder.needs,
    }


def register(session: Session, form: Mapping[str, str], user: User, now: datetime) -> Elder:
    """Register an elder by the form.

    Raises:
        PersonError: with the fields that are wrong.
    """
    values = _checked(session, form, None, now)
    elder = add_elder(
        session,
        NewElder(
            name=values["name"],
            numbers=numbers_in(values["numbers"]),
            sex=values["sex"] or None,
            born_on=date.fromisoformat(values["born_on"]) if values["born_on"] else None,
            language=values["language"],
            area=area_at(session, values["district"], values["community"], values["grid"]),
            address=values["address"],
            card_number=values["card_number"] or None,
            needs=values["needs"],
        ),
        now,
    )
    record(session, user, "elder_registered", ("elder", elder.id), now)
    return elder


def attach(session: Session, call_id: str, whose: tuple[Elder, bool], user: User, now: datetime) -> None:
    """Somebody has asked who is ringing: the call, and the tasks that it has made, are this elder's.

    `whose`: the elder, and whether from now on she is known by the number of this call. Where the call was held to be
    another elder's, its open tasks go over with it; what is closed stays where it was worked off.

    Raises:
        KeyError: there is no such call.
    """
    elder, keep_number = whose
    call = session.scalar(select(Call).where(Call.public_id == call_id).with_for_update(of=Call))
    if call is None:
        raise KeyError(call_id)
    former = call.elder_id
    if former is not None and former != elder.id:
        if call.caller_person_id == former:
            # It was taken for her own ringing; who holds the telephone is not known any more.
            call.caller_person_id = None
        record(session, user, "call_taken_off", ("elder", former), now)
    call.elder_id, call.identified_by = elder.id, IdentifiedBy.AGENT
    wrongly = (Task.elder_id == former) & Task.closed_at.is_(None) if former is not None else false()
    for task in session.scalars(select(Task).where(Task.call_id == call.id, Task.elder_id.is_(None) | wrongly)):
        task.elder_id = elder.id
    if keep_number and call.number is not None:
        before = values_of(session, elder)
        known = before["numbers"].split()
        if call.number.value not in known:
            _write(session, elder, {**before, "numbers": " ".join([*known, call.number.value])}, now)
            _keep(session, elder, before, user, now)
    record(session, user, "call_attached", ("call", call.id), now)


def correct(session: Session, public_id: str, form: Mapping[str, str], user: User, now: datetime) -> None:
    """Change the master data to what the form says. `form["seen_FIELD"]` is what the form has shown.

    Raises:
        KeyError: there is no such elder.
        PersonError: with the fields that are wrong, or were changed by somebody else meanwhile.
    """
    elder = _locked(session, public_id)
    before = values_of(session, elder)
    wanted = {field: form.get(field, before[field]) for field in FIELDS}
    overtaken = {
        field: "overtaken"
        for field in FIELDS
        if f"seen_{field}" in form and form[f"seen_{field}"] != before[field] and wanted[field] != before[field]
    }
    if overtaken:
        raise PersonError(overtaken)
    _write(session, elder, _checked(session, wanted, elder, now), now)
    _keep(session, elder, before, user, now)


def undo(session: Session, change_id: str, user: User, now: datetime) -> str:
    """Take a change back; returns the elder's public id.

    Raises:
        KeyError: there is no such change.
        PersonError: a field was changed again since then (overtaken), or would now be wrong.
    """
    row = session.scalar(select(ElderChange).where(ElderChange.public_id == change_id).with_for_update(of=ElderChange))
    if row is None or row.undone_at is not None:
        raise KeyError(change_id)
    elder = _locked(session, session.get_one(Person, row.elder_id).public_id)
    present = values_of(session, elder)
    overtaken = {field: "overtaken" for field, value in row.after.items() if present[field] != value}
    if overtaken:
        raise PersonError(overtaken)
    _write(session, elder, _checked(session, {**present, **row.before}, elder, now), now)
    row.undone_at, row.undone_by_id = now, user.id
    record(session, user, "elder_change_undone", ("elder", elder.id), now)
    return elder.person.public_id


def elder_of_change(session: Session, change_id: str) -> str:
    """Return the public id of the elder whom a change is of.

    Raises:
        KeyError: there is no such change.
    """
    of = select(Person.public_id).join(ElderChange, ElderChange.elder_id == Person.id)
    public_id = session.scalar(of.where(ElderChange.public_id == change_id))
    if public_id is None:
        raise KeyError(change_id)
    return public_id


def changes(session: Session, elder_id: int, limit: int) -> tuple[Change, ...]:
    """Return the changes of one elder, the newest first."""
    query = select(ElderChange).where(ElderChange.elder_id == elder_id)
    together = (selectinload(ElderChange.user), selectinload(ElderChange.undone_by))
    return tuple(
        Change(
            row.public_id,
            row.at,
            row.user.name if row.user else "",
            tuple((field, row.before[field], row.after[field]) for field in row.after),
            row.undone_at,
            row.undone_by.name if row.undone_by else "",
        )
        for row in session.scalars(query.options(*together).order_by(ElderChange.id.desc()).limit(limit))
    )


def _keep(session: Session, elder: Elder, before: Values, user: User, now: datetime) -> None:
    after = values_of(session, elder)
    changed = [field for field in FIELDS if before[field] != after[field]]
    if not changed:
        return
    session.add(
        ElderChange(
            elder_id=elder.id,
            user_id=user.id,
            at=now,
            before={field: before[field] for field in changed},
            after={field: after[field] for field in changed},
        )
    )
    record(session, user, "elder_changed", ("elder", elder.id), now)


def _locked(session: Session, public_id: str) -> Elder:
    elder = find_elder(session, public_id)
    session.execute(select(Elder.id).where(Elder.id == elder.id).with_for_update())
    session.refresh(elder)
    return elder


def clean(text: str) -> str:
    """Return what was typed without what cannot be seen, and with single blanks."""
    seen = "".join(" " if character in "\r\n\t" else character for character in unicodedata.normalize("NFKC", text))
    return " ".join("".join(c for c in seen if not unicodedata.category(c).startswith("C")).split())


def _checked(session: Session, form: Mapping[str, str], elder: Elder | None, now: datetime) -> Values:
    values = {field: clean(form.get(field, "")) for field in FIELDS}
    problems = {field: "long" for field, most in LIMITS.items() if len(values[field]) > most}
    if not values["name"]:
        problems["name"] = "missing"
    if values["sex"] not in ("", "f", "m"):
        problems["sex"] = "bad"
    if values["language"] not in LANGUAGES:
        problems["language"] = "bad"
    if values["born_on"]:
        try:
            age = now.year - date.fromisoformat(values["born_on"]).year
            if not 0 <= age <= OLDEST or date.fromisoformat(values["born_on"]) > now.date():
                problems["born_on"] = "bad"
        except ValueError:
            problems["born_on"] = "bad"
    try:
        numbers = numbers_in(values["numbers"])
        values["numbers"] = " ".join(number.value for number in numbers)
        if len(numbers) > NUMBERS_MAX:
            problems["numbers"] = "long"
    except BadNumber:
        problems["numbers"] = "bad"
    if (values["grid"] and not values["community"]) or (values["community"] and not values["district"]):
        problems["district"] = "missing"
    if values["card_number"]:
        taken = session.scalar(select(Elder.id).where(Elder.card_number == values["card_number"]))
        if taken is not None and (elder is None or taken != elder.id):
            problems["card_number"] = "taken"
    if problems:
        raise PersonError(problems)
    return values


def numbers_in(text: str) -> list[Number]:
    """Return the numbers of a field, divided by commas; blanks may stand within one, or between whole ones.

    Raises:
        BadNumber: one of them is no number that may be rung.
    """
    found: list[Number] = []
    for part in re.split(r"[,;，；、]+", text):
        try:
            numbers = [normalise(part, settings().area_code)] if part.strip() else []
        except BadNumber:
            numbers = [normalise(one, settings().area_code) for one in part.split()]
        for number in numbers:
            if number.kind not in RINGABLE:
                raise BadNumber(part)
            if number not in found:
                found.append(number)
    return found


def _write(session: Session, elder: Elder, values: Values, now: datetime) -> None:
    person = elder.person
    if person.name != values["name"]:
        person.name, person.family_name = values["name"], family_name_of(values["name"])
    person.sex, person.language = values["sex"] or None, values["language"]
    person.born_on = date.fromisoformat(values["born_on"]) if values["born_on"] else None
    area = area_at(session, values["district"], values["community"], values["grid"])
    elder.area_id = area.id if area else None
    elder.address, elder.needs, elder.card_number = values["address"], values["needs"], values["card_number"] or None
    write_numbers(session, person, values["numbers"].split())
    session.flush()
    session.refresh(person, ["numbers"])
    search.index(session.connection(), [elder.id], now)


def write_numbers(session: Session, person: Person, wanted: list[str]) -> None:
    """Make `wanted` (E.164) the person's numbers, the first one to be rung first."""
    links = {link.number.value: link for link in person.numbers}
    for value, link in links.items():
        if value not in wanted:
            session.delete(link)
    for position, value in enumerate(wanted):
        if value in links:
            links[value].position = position
            continue
        row = number_row(session, normalise(value))
        others = session.scalars(
            select(PersonNumber)
            .join(Elder, Elder.id == PersonNumber.person_id)
            .where(
                PersonNumber.number_id == row.id, PersonNumber.person_id != person.id, Elder.merged_into_id.is_(None)
            )
        ).all()
        for other in others:
            other.role = NumberRole.SHARED
        role = NumberRole.SHARED if others else NumberRole.OWN
        session.add(PersonNumber(person_id=person.id, number_id=row.id, role=role, position=position))


def audit_read(session: Session, user: User, ids: list[int], now: datetime) -> None:
    """Write that a search has shown these elders: ids only, never what was looked for."""
    data: dict[str, Any] = {"ids": ids}
    session.add(AuditEvent(at=now, user_id=user.id, action="searched", subject="elder", subject_id=None, data=data))
