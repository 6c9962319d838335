"""What keeps a call from being placed now, or ever: forbidden and dead numbers, engaged people, a full trunk.

All of it is read from rows in the transaction that writes "dialling", behind
row locks (SQLite: the transaction's own), so that any number of workers on any
number of machines keep the limits together.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, bindparam, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, object_session

from dispatch import tasks
from dispatch.retry import TRUNK
from models import windows
from models.calling_hours import ANY, Hours, hours_of
from models.calls import Call, Direction
from models.dialing import Attempt, AttemptStatus, Callback, Occasion, Outcome, Trunk
from models.followups import Reminder, ReturnVisit
from models.people import Person, PhoneNumber
from models.phone import NumberKind
from models.prepared import Prepared
from models.settings import settings
from models.tasks import TaskKind

# The other end is on the telephone with us: look again so much later (s).
ENGAGED_PAUSE_S = 5
# The trunk is full: look again so much later (s).
TRUNK_PAUSE_S = 1
# Whoever ordered so lately is awake and waits for an answer.
_JUST_ORDERED = timedelta(hours=1)
# Emergency lines, also behind an area code.
_EMERGENCY = re.compile(r"(\+86[0-9]{2,3})?(110|119|120|122|999|995)")

# Asked before every call, on a connection that all other workers wait for.
_calls, _trunks = (cast(Table, kind.__table__) for kind in (Call, Trunk))
_LOCK_NUMBER = Prepared(select(PhoneNumber.id).where(PhoneNumber.id == bindparam("number_id")).with_for_update())
_LOCK_PERSON = Prepared(select(Person.id).where(Person.id == bindparam("person_id")).with_for_update(key_share=True))
_WITH_NUMBER, _OPEN = _calls.c.number_id == bindparam("of_number"), _calls.c.ended_at.is_(None)
_NUMBER_ENGAGED = Prepared(select(_calls.c.id).where(_WITH_NUMBER, _OPEN).limit(1))
_SHE_ENGAGED = Prepared(
    select(_calls.c.id).where(or_(_WITH_NUMBER, _calls.c.elder_id == bindparam("of_elder")), _OPEN).limit(1)
)
_OPEN_CALLS = Prepared(select(func.count()).select_from(_calls).where(_calls.c.direction == Direction.OUT, _OPEN))
_LOCK_TRUNK = Prepared(
    select(_trunks.c.id, _trunks.c.second, _trunks.c.begun).where(_trunks.c.name == bindparam("name")).with_for_update()
)
_COUNT_CALL = Prepared(
    update(_trunks)
    .where(_trunks.c.id == bindparam("trunk_id"))
    .values(second=bindparam("in_second"), begun=bindparam("so_many"))
)


def may_be_dialled(number: PhoneNumber) -> bool:
    """Return whether a rule may ever dial this number.

    Never short codes (emergency, service, premium), never other countries, never what a setting forbids;
    `HOTLINE_DIAL_ALLOWED` names exceptions.
    """
    chosen, value = settings(), number.value
    if value in chosen.dial_allowed:
        return True
    if _EMERGENCY.fullmatch(value) or value.startswith(chosen.dial_never):
        return False
    if number.kind == NumberKind.FOREIGN:
        return value.startswith(chosen.dial_countries) if chosen.dial_countries else False
    return number.kind in (NumberKind.LANDLINE, NumberKind.MOBILE, NumberKind.DEVICE)


def may_ring_at(occasion: Occasion, moment: datetime) -> datetime:
    """Return `moment`, or when people may next be rung for this after it. A provider works at any hour that it has."""
    match occasion:
        case ReturnVisit():
            return windows.return_visit(moment, _own_hours(occasion, moment))
        case Reminder():
            return windows.reminder(moment, _own_hours(occasion, moment))
        case Callback() if not timedelta(0) <= moment - occasion.order.created_at < _JUST_ORDERED:
            return windows.callback(moment, _own_hours(occasion, moment))
    return moment


def _own_hours(occasion: Callback | Reminder | ReturnVisit, moment: datetime) -> Hours:
    session = object_session(occasion)
    return hours_of(session, occasion.elder_id, moment) if session is not None else ANY


def only_by_people(session: Session, occasion: Occasion, now: datetime) -> bool:
    """Return whether this elder is never to be rung by the machine, unless she has just ordered and waits for it."""
    match occasion:
        case ReturnVisit() | Reminder():
            return hours_of(session, occasion.elder_id, now).never
        case Callback() if not timedelta(0) <= now - occasion.order.created_at < _JUST_ORDERED:
            return hours_of(session, occasion.elder_id, now).never
    return False


def is_dead(session: Session, number: PhoneNumber, now: datetime) -> bool:
    """Return whether the number is known not to exist. Whoever rings us from it lives; in time it is tried again."""
    since = number.dead_since
    if since is None or not timedelta(0) <= now - since < timedelta(days=settings().dead_number_days):
        return False
    rang = select(Call.id).where(Call.number_id == number.id, Call.direction == Direction.IN, Call.started_at > since)
    return session.scalar(rang.limit(1)) is None


def note_invalid(session: Session, attempt: Attempt, now: datetime) -> None:
    """The network says that the number does not exist. So often in a row, and it is dead: a person is told, once."""
    said = (
        select(Attempt.outcome)
        .where(
            Attempt.number_id == attempt.number_id,
            Attempt.status == AttemptStatus.CLOSED,
            # What never reached the network says nothing about the number.
            Attempt.dialed_at.is_not(None),
            Attempt.outcome.not_in((Outcome.CONGESTION, Outcome.LOST)),
        )
        .order_by(Attempt.id.desc())
        .limit(settings().dead_number_after)
    )
    outcomes = list(session.scalars(said))
    if len(outcomes) < settings().dead_number_after or set(outcomes) != {Outcome.INVALID}:
        return
    number = session.get_one(PhoneNumber, attempt.number_id)
    if number.dead_since is not None and now - number.dead_since < timedelta(days=settings().dead_number_days):
        return
    number.dead_since = now
    call = session.get(Call, attempt.call_id) if attempt.call_id else None
    key = f"number:{number.id}:{now:%Y%m%d}"
    new = tasks.NewTask(TaskKind.DEAD_NUMBER, key, number_id=number.id, elder_id=call.elder_id if call else None)
    tasks.open_task(session, new, now)


def engaged(session: Session, attempt: Attempt) -> bool:
    """Return whether this number, or the elder behind it, is in a call with us: one call at a time to a person.

    However old the call's row is: should its end have been missed, the sweep closes it as soon as Asterisk can be
    asked, and before that nobody is dialled. An age would let a clock that was set forward ring her twice.
    """
    return in_a_call(session, attempt.number_id, attempt.elder_id)


def in_a_call(session: Session, number_id: int, elder_id: int | None) -> bool:
    """Return whether this number, or this elder, is in a call with us; see `engaged`."""
    # Two workers with two errands for the same telephone, or the same person, wait for each other here.
    _LOCK_NUMBER.first(session, {"number_id": number_id})
    if elder_id is None:
        return _NUMBER_ENGAGED.first(session, {"of_number": number_id}) is not None
    _LOCK_PERSON.first(session, {"person_id": elder_id})
    return _SHE_ENGAGED.first(session, {"of_number": number_id, "of_elder": elder_id}) is not None


def trunk_is_full(session: Session, now: datetime) -> bool:
    """Take one of this second's calls and one of the channels; return whether there was none left.

    The trunk's row is locked until the caller's transaction ends.
    """
    trunk_id, counted, begun = _trunk(session)
    second = now.replace(microsecond=0)
    # Another second, be it a later or, after a clock was set back, an earlier one, begins anew.
    begun = begun if counted == second else 0
    if begun >= settings().trunk_calls_per_s or _OPEN_CALLS.scalar(session, {}) >= settings().trunk_channels:
        return True
    _COUNT_CALL.run(session, {"trunk_id": trunk_id, "in_second": second, "so_many": begun + 1})
    return False


def _trunk(session: Session) -> tuple[Any, ...]:
    """Return the trunk's id, the second that is counted, and how many calls were begun in it; its row is locked."""
    row = _LOCK_TRUNK.first(session, {"name": TRUNK})
    if row is not None:
        return row
    # Another worker may be a moment faster.
    with suppress(IntegrityError), session.begin_nested():
        session.add(Trunk(name=TRUNK, begun=0))
    row = _LOCK_TRUNK.first(session, {"name": TRUNK})
    assert row is not None  # noqa: S101 (one of the two has written it)
    return row
