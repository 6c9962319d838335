"""Who is ringing, before the answer: pure reading into plain data, few questions, quickly.

The same view serves a call that rings, one that is being spoken, and a task that is worked on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from agents.cards import age_on, card_tail
from agents.circle import Line, Tie, contacts, household, numbers_of
from agents.desk import Written, outcome_of
from agents.journal import Heard
from agents.lines import (
    CallLine,
    OrderLine,
    TaskLine,
    call_lines,
    calls_query,
    order_lines,
    orders_query,
    slots_of,
    task_lines,
    tasks_query,
)
from agents.notes import NoteLine, notes
from agents.parties import Party, area_path
from models import dialects, preferences
from models.audio import Audio
from models.calls import Call, CallEvent, CallState, Direction, Utterance
from models.contacts import Contact
from models.journal import Entry
from models.orders import Order
from models.people import Elder, PersonNumber
from models.phone import Number, NumberKind
from models.tasks import Task

# The newest of each; the card has the rest.
ORDERS, CALLS, NOTES = 6, 5, 3
# A butler stands by a whole grid: more than these are found by the search.
CANDIDATES = 8


@dataclass(frozen=True)
class Spoken:
    """One turn with the machine: the question's code, what she keyed or said, and the sound where it was not clear."""

    at: datetime
    step: str
    how: str
    key: str
    heard: Heard | None
    audio: str | None


@dataclass(frozen=True)
class PopElder:
    """The elder, as an agent needs her in the first second."""

    public_id: str
    name: str
    family_name: str
    sex: str | None
    age: int | None
    language: str
    dialect: Mapping[str, str]  # its names by language; empty where none is known
    pace: str
    volume: str
    person_first: bool
    area: tuple[str, ...]
    address: str
    card_tail: str | None
    needs: str
    numbers: tuple[Line, ...]
    household: tuple[Party, ...]
    contacts: tuple[Tie, ...]
    notes: tuple[NoteLine, ...]
    orders: tuple[OrderLine, ...]
    calls: tuple[CallLine, ...]
    tasks: tuple[TaskLine, ...]


@dataclass(frozen=True)
class Pop:
    """A call and everything that is known about who is on it. `number`: as it is dialled here; empty: withheld."""

    call_id: int
    line: CallLine
    number: str
    identified_by: str
    caller: str  # who rings for her; empty: she herself
    waiting: bool
    reason: str  # why the machine has put her through
    slots: tuple[tuple[str, str], ...]  # what was understood so far
    spoken: tuple[Spoken, ...]
    elder_id: int | None
    elder: PopElder | None
    candidates: tuple[Party, ...]  # who else may be on the line
    tasks: tuple[TaskLine, ...]  # of the number, where no elder is known
    written: Written | None


def pop(session: Session, public_id: str, today: date) -> Pop | None:
    """Return the view of a call, or None if there is none."""
    call = session.scalar(calls_query().where(Call.public_id == public_id).options(selectinload(Call.caller)))
    if call is None:
        return None
    spoken, slots, reason = _conversation(session, call)
    card = pop_elder(session, call.elder, today) if call.elder else None
    return Pop(
        call_id=call.id,
        line=call_lines(session, [call])[0],
        number=Number(call.number.value, NumberKind(call.number.kind)).national if call.number else "",
        identified_by=call.identified_by,
        caller=call.caller.name if call.caller and call.caller_person_id != call.elder_id else "",
        waiting=call.state == CallState.WAITING,
        reason=reason,
        slots=slots,
        spoken=spoken,
        elder_id=call.elder_id,
        elder=card,
        candidates=_at_number(session, call),
        tasks=_tasks(session, Task.number_id == call.number_id) if card is None and call.number_id else (),
        written=outcome_of(session, call.id),
    )


def pop_elder(session: Session, elder: Elder, today: date) -> PopElder:
    """Return one elder."""
    person = elder.person
    her_way = preferences.preferences(session, elder.id)
    orders = orders_query().where(Order.elder_id == elder.id).order_by(Order.id.desc()).limit(ORDERS)
    calls = calls_query().where(Call.elder_id == elder.id).order_by(Call.id.desc()).limit(CALLS)
    return PopElder(
        public_id=person.public_id,
        name=person.name,
        family_name=person.family_name,
        sex=person.sex,
        age=age_on(person.born_on, today) if person.born_on else None,
        language=person.language,
        dialect=dialects.names_of(session, her_way.dialect),
        pace=her_way.pace,
        volume=her_way.volume,
        person_first=her_way.person_first,
        area=area_path(session, elder.area_id),
        address=elder.address,
        card_tail=card_tail(elder.card_number),
        needs=elder.needs,
        numbers=numbers_of(person),
        household=household(session, person),
        contacts=contacts(session, elder),
        notes=notes(session, elder.id, NOTES),
        orders=order_lines(session, session.scalars(orders).all()),
        calls=call_lines(session, session.scalars(calls).all()),
        tasks=_tasks(session, Task.elder_id == elder.id),
    )


def _tasks(session: Session, whose: object) -> tuple[TaskLine, ...]:
    query = tasks_query().where(whose, Task.closed_at.is_(None))  # type: ignore[arg-type]
    return task_lines(session.scalars(query.order_by(Task.priority, Task.created_at)).all())


def _at_number(session: Session, call: Call) -> tuple[Party, ...]:
    """Return whom else the call may be about: who is reached at its number, or has a contact who is."""
    if call.number_id is None or call.direction != Direction.IN:
        return ()
    here = select(PersonNumber.person_id).where(PersonNumber.number_id == call.number_id)
    wards = select(Contact.elder_id).where(Contact.person_id.in_(here), Contact.ended_at.is_(None))
    meant = Elder.id.in_(here) | Elder.id.in_(wards)
    query = select(Elder).where(meant, Elder.merged_into_id.is_(None)).order_by(Elder.id).limit(CANDIDATES)
    if call.elder_id is not None:
        query = query.where(Elder.id != call.elder_id)
    return tuple(Party("elder", row.person.name, row.person.public_id) for row in session.scalars(query))


def _conversation(session: Session, call: Call) -> tuple[tuple[Spoken, ...], tuple[tuple[str, str], ...], str]:
    """Return the turns with the machine, the slots understood at last, and why a person was asked for."""
    events = session.scalars(
        select(CallEvent)
        .where(CallEvent.call_id == call.id, CallEvent.kind.in_((Entry.TURN, Entry.SLOT, Entry.TO_PERSON)))
        .order_by(CallEvent.id)
    ).all()
    heard: dict[int, tuple[Utterance | None, str | None]] = {
        row.id: (row, audio)
        for row, audio in session.execute(
            select(Utterance, Audio.public_id)
            .outerjoin(Audio, (Audio.id == Utterance.audio_id) & Audio.erased_at.is_(None))
            .where(Utterance.call_id == call.id)
        )
    }
    slots: tuple[tuple[str, str], ...] = ()
    reason = ""
    turns = []
    for event in events:
        data = event.data or {}
        if event.kind == Entry.SLOT:
            slots = slots_of(data)
        elif event.kind == Entry.TO_PERSON:
            reason = str(data.get("reason", ""))
        else:
            row, audio = heard.get(_id(data), (None, None))
            said = Heard(row.text, row.score) if row else None
            turns.append(
                Spoken(
                    event.at,
                    str(data.get("step", "")),
                    str(data.get("heard", "")),
                    str(data.get("key", "")),
                    said,
                    audio,
                )
            )
    return tuple(turns), slots, reason


def _id(data: Mapping[str, Any]) -> int:
    """Return the id of what was heard; one that no row has where there is none."""
    value = data.get("utterance_id")
    return value if isinstance(value, int) else -1
