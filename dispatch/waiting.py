"""Callers who wait for a person: their place, the honest time it takes, and the promise to ring back."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from dispatch import tasks
from dispatch.calls import close_call
from models.calls import Call, CallEnd, CallEvent, CallState, Direction
from models.journal import Entry, last_data, note
from models.lookup import elders_at, number_row
from models.phone import Number, caller
from models.settings import settings
from models.tasks import Task, TaskKind

# Of answers longer ago than this nothing is concluded.
_LOOK_BACK = timedelta(hours=1)
# Of a note: she hung up before the conversation had begun, and has waited for nobody.
HUNG_UP = "hung_up"
# Fewer gaps than this are no measure: then no minutes are named.
LEAST_GAPS = 3


@dataclass(frozen=True)
class Place:
    """Where a caller stands. `number` 1 is next; `minutes` is None where nothing is known."""

    number: int
    minutes: int | None


def about_minutes(place: int, gaps_s: Sequence[float], agents: int) -> int | None:
    """Return how many minutes number `place` waits, rounded up; None if nobody is there or too little is known.

    `gaps_s`: seconds from one answer to the next while somebody was waiting. They
    already hold how many agents there are and how long they talk.
    """
    if agents < 1 or len(gaps_s) < LEAST_GAPS:
        return None
    return max(1, math.ceil(place * sum(gaps_s) / len(gaps_s) / 60))


def gaps(answers: Sequence[tuple[datetime, datetime]]) -> list[float]:
    """Return the seconds between answers. `answers`: (waiting since, answered at), in the order of the answers.

    Only a gap at whose beginning the next caller already waited tells how fast
    the queue moves; in the others the agents were idle.
    """
    pairs = itertools.pairwise(answers)
    return [(now - before).total_seconds() for (_, before), (since, now) in pairs if since <= before]


def begin(session: Session, call: Call, reason: str, now: datetime) -> None:
    """She is put through to people from now on; an emergency is an alarm task at once."""
    wait_from(call, now)
    note(session, call.id, Entry.TO_PERSON, now, reason=reason)
    if reason == "emergency":
        tasks.open_task(session, tasks.for_call(TaskKind.ALARM, call), now)


def wait_from(call: Call, now: datetime) -> None:
    """Give her a place among those who wait; a place that she has already stays hers."""
    call.state = CallState.WAITING
    call.waiting_since = call.waiting_since or now


def call_on_line(session: Session, channel_id: str, shown: str | None, why: str, now: datetime) -> Call:
    """Return the call of a channel that waits; if the AGI server was away there is no row yet, and it is made here.

    `shown`: the number as the network shows it; None or rubbish if it is withheld.
    """
    call = session.scalar(select(Call).where(Call.channel_id == channel_id))
    if call is not None:
        return call
    number = caller(shown, settings().area_code)
    elders = elders_at(session, number) if number else []
    call = Call(
        channel_id=channel_id,
        direction=Direction.IN,
        purpose="inbound",
        state=CallState.TALKING if why == HUNG_UP else CallState.WAITING,
        number_id=number_row(session, number).id if number else None,
        elder_id=elders[0].id if len(elders) == 1 else None,
        language=elders[0].person.language if len(elders) == 1 else settings().languages[0],
        started_at=_began(channel_id, now),
        waiting_since=None if why == HUNG_UP else _began(channel_id, now),
    )
    session.add(call)
    session.flush()
    if why == HUNG_UP:
        note(session, call.id, Entry.HUNG_UP, now)
        return call
    note(session, call.id, Entry.FAULT, now, where="agi")
    note(session, call.id, Entry.TO_PERSON, now, reason=why)
    return call


def _began(channel_id: str, now: datetime) -> datetime:
    """Return when the call began: Asterisk's Uniqueid starts with the epoch (`1763766000.12`)."""
    try:
        moment = datetime.fromtimestamp(float(channel_id.rsplit("-", 1)[-1].split(".")[0]), UTC)
    except (ValueError, OverflowError, OSError):
        return now
    moment += timedelta(seconds=settings().clock_offset_s)
    return moment if timedelta(0) <= now - moment < timedelta(days=30) else now


def place_of(session: Session, call: Call, agents: int, now: datetime) -> Place:
    """Return her place: after whoever has waited longer, and after every emergency."""
    alarm = select(Task.id).where(Task.call_id == Call.id, Task.kind == TaskKind.ALARM).exists()
    before = session.scalar(
        select(func.count())
        .select_from(Call)
        .where(
            Call.ended_at.is_(None),
            Call.state == CallState.WAITING,
            Call.id != call.id,
            or_(Call.waiting_since < (call.waiting_since or now), alarm),
        )
    )
    number = 1 + (before or 0)
    return Place(number, about_minutes(number, gaps(_answers(session, now)), agents))


def _answers(session: Session, now: datetime) -> list[tuple[datetime, datetime]]:
    rows = session.execute(
        select(Call.waiting_since, CallEvent.at)
        .join(CallEvent, CallEvent.call_id == Call.id)
        .where(Call.waiting_since > now - _LOOK_BACK, CallEvent.kind == Entry.AGENT_ANSWERED)
        .order_by(CallEvent.at)
    )
    return [(since, at) for since, at in rows if since is not None]


def ring_back(session: Session, call: Call, keyed: Number | None, now: datetime) -> Task | None:
    """She does not wait: her call ends, and a task says whom to ring. `keyed`: another number than the shown one.

    Returns None where no number is known: then nothing may be promised.
    """
    number_id = number_row(session, keyed).id if keyed else call.number_id
    if number_id is None:
        return None
    slots = (last_data(session, call.id, Entry.SLOT) or {}).get("slots", {})
    asked = last_data(session, call.id, Entry.TO_PERSON) or {}
    new = tasks.NewTask(
        TaskKind.RING_BACK,
        f"call:{call.id}",
        call_id=call.id,
        elder_id=call.elder_id,
        number_id=number_id,
        data={"slots": slots, "language": call.language, "reason": asked.get("reason", "fault")},
    )
    task = tasks.open_task(session, new, now)
    if call.ended_at is None:
        note(session, call.id, Entry.RING_BACK, now, number="keyed" if keyed else "shown")
        close_call(session, call, CallEnd.RING_BACK, now)
    return task
