"""Who may be ringing: everybody behind a number or a service card, in one question to the database each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

from sqlalchemy import String, Table, bindparam, false, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from models.contacts import Contact
from models.people import Elder, Person, PersonNumber, PhoneNumber, card_digits
from models.phone import Number
from models.providers import Provider, ProviderNumber


@dataclass(frozen=True)
class Somebody:
    """A person, as far as the conversation may need her: for the form of address and the language."""

    person_id: int  # of an elder: elder_id as well
    name: str
    family_name: str
    sex: str | None
    language: str


@dataclass(frozen=True)
class Charge:
    """An elder in a contact's charge, and what the contact may do and hear."""

    elder: Somebody
    relation: str
    may_order: bool
    may_hear_orders: bool
    may_hear_money: bool
    may_hear_health: bool


@dataclass(frozen=True)
class Helper:
    """A contact, and the elders she stands by, in the order of their registration."""

    who: Somebody
    charges: tuple[Charge, ...]


@dataclass(frozen=True)
class ProviderHere:
    """A provider whose number this is."""

    provider_id: int
    name: str
    language: str


@dataclass(frozen=True)
class Candidates:
    """Everybody who may be on the line. A number may belong to several at once: an elder and her daughter."""

    elders: tuple[Somebody, ...] = ()
    helpers: tuple[Helper, ...] = ()
    providers: tuple[ProviderHere, ...] = ()


_people, _elders, _contacts = (cast(Table, kind.__table__) for kind in (Person, Elder, Contact))
_numbers, _links = (cast(Table, kind.__table__) for kind in (PhoneNumber, PersonNumber))
_providers, _provider_links = (cast(Table, kind.__table__) for kind in (Provider, ProviderNumber))
_charges, _charged = _people.alias("charges"), _elders.alias("charged")

_THIS_NUMBER = _numbers.c.value == bindparam("value")
_WHO = (_people.c.id, _people.c.name, _people.c.family_name, _people.c.sex, _people.c.language)
_FOR = (_charges.c.id, _charges.c.name, _charges.c.family_name, _charges.c.sex, _charges.c.language)
_MAY = (_contacts.c.may_order, _contacts.c.may_hear_orders, _contacts.c.may_hear_money, _contacts.c.may_hear_health)
_text = null().cast(String)
_NOBODY = (null().cast(_people.c.id.type), _text, _text, _text, _text)
_NOTHING = (_text, false(), false(), false(), false())

# One question, made once: the caller hears ringing while it is asked.
_WHO_RINGS = union_all(
    select(literal("elder").label("kind"), *_WHO, *(column.label(f"for_{n}") for n, column in enumerate(_NOBODY)),
           *(column.label(f"right_{n}") for n, column in enumerate(_NOTHING)))
    .select_from(_numbers.join(_links, _links.c.number_id == _numbers.c.id)
                 .join(_elders, _elders.c.id == _links.c.person_id)
                 .join(_people, _people.c.id == _elders.c.id))
    # A registration that was merged away keeps the number that both had; it is nobody any more.
    .where(_THIS_NUMBER, _elders.c.merged_into_id.is_(None)),
    select(literal("contact"), *_WHO, *_FOR, _contacts.c.relation, *_MAY)
    .select_from(_numbers.join(_links, _links.c.number_id == _numbers.c.id)
                 .join(_contacts, _contacts.c.person_id == _links.c.person_id)
                 .join(_people, _people.c.id == _contacts.c.person_id)
                 .join(_charged, _charged.c.id == _contacts.c.elder_id)
                 .join(_charges, _charges.c.id == _charged.c.id))
    .where(_THIS_NUMBER, _contacts.c.ended_at.is_(None), _charged.c.merged_into_id.is_(None)),
    select(literal("provider"), _providers.c.id, _providers.c.name, _text, _text, _providers.c.language,
           *_NOBODY, *_NOTHING)
    .select_from(_numbers.join(_provider_links, _provider_links.c.number_id == _numbers.c.id)
                 .join(_providers, _providers.c.id == _provider_links.c.provider_id))
    .where(_THIS_NUMBER),
)  # fmt: skip
# Two are enough to know that the digits are not one elder's.
_BY_CARD = (
    select(*_WHO)
    # Who was registered twice keeps both cards; either names the registration that has stayed.
    .select_from(_elders.join(_people, _people.c.id == func.coalesce(_elders.c.merged_into_id, _elders.c.id)))
    .where(_elders.c.card_digits == bindparam("digits"))
    .distinct()
    .limit(2)
)


def who_rings(session: Session, number: Number) -> Candidates:
    """Return everybody who may be ringing from `number`, each in the order of registration."""
    found = [tuple(row) for row in session.connection().execute(_WHO_RINGS, {"value": number.value})]
    contacts = sorted((row for row in found if row[0] == "contact"), key=lambda row: (row[1], row[6]))
    return Candidates(
        elders=tuple(_somebody(row[1:6]) for row in _of_kind(found, "elder")),
        helpers=tuple(
            Helper(_somebody(rows[0][1:6]), tuple(Charge(_somebody(row[6:11]), *row[11:16]) for row in rows))
            for rows in (list(group) for _, group in groupby(contacts, key=lambda row: row[1]))
        ),
        providers=tuple(ProviderHere(row[1], row[2], row[5]) for row in _of_kind(found, "provider")),
    )


def elder_by_card(session: Session, keyed: str) -> Somebody | None:
    """Return the elder whose service card has the keyed digits; None if nobody's, or not one elder's alone."""
    digits = card_digits(keyed)
    if digits is None:
        return None
    found = session.connection().execute(_BY_CARD, {"digits": digits}).all()
    return _somebody(tuple(found[0])) if len(found) == 1 else None


def _of_kind(rows: list[tuple[Any, ...]], kind: str) -> list[tuple[Any, ...]]:
    return sorted((row for row in rows if row[0] == kind), key=lambda row: row[1])


def _somebody(cells: tuple[Any, ...]) -> Somebody:
    return Somebody(*cells)
