"""What her calls teach about her way of using the hotline; a rule, and a round of the dispatcher that applies it.

Runs beside the calls, not in them, and reads the journal only: the same round
twice learns nothing twice. What a person has set is never overridden. What was
undone is not learnt again for a while, and never from the same calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from models.calls import Call, CallEnd, CallEvent, Direction
from models.journal import Entry
from models.preferences import Because, ElderSetting, Origin, Setting, history, put
from models.session import read, write
from models.settings import settings

TIMEOUTS, PERSONS = "timeouts", "persons"  # the rules' names, as `why` has them

# Why a call went to a person: these are about her and the machine. An emergency, a
# service that only a person can give, a fault of ours say nothing about her.
HER_REASONS = frozenset({"asked", "not_heard", "not_understood", "too_long"})
# She wanted a person and got none, or something of ours broke: no evidence either way.
_TELLS_NOTHING = (CallEnd.ABANDONED, CallEnd.MESSAGE, CallEnd.LOST)
_SERVED = (Entry.ORDER_PLACED, Entry.ORDER_KNOWN, Entry.ORDER_CHANGED, Entry.ORDER_CANCELLED, Entry.ORDER_RATED)


@dataclass(frozen=True)
class CallSeen:
    """One ended call of hers, as the rules look at it."""

    call_id: int
    started_at: datetime
    end: str | None
    heard: tuple[str, ...] = ()  # of each turn: key, said, silence, unknown
    reason: str = ""  # why it went to a person
    served: bool = False  # the machine placed, changed, cancelled an order in it, or had one rated


@dataclass(frozen=True)
class Lesson:
    """What was learnt, by which rule, and from which calls."""

    name: Setting
    value: str
    why: str
    call_ids: tuple[int, ...]


def lessons(calls: Sequence[CallSeen], rows: Sequence[ElderSetting], now: datetime) -> list[Lesson]:
    """Return what her calls teach now. `calls` and `rows` (her settings' history): the newest first."""
    rules = ((Setting.PACE, "slow", TIMEOUTS, _timed_out), (Setting.PERSON_FIRST, "yes", PERSONS, _with_a_person))
    learnt = []
    for name, value, why, rule in rules:
        since = _open_since([row for row in rows if row.name == name], now)
        if since is None:
            continue
        evidence = rule([call for call in calls if call.started_at >= since])
        if evidence:
            learnt.append(Lesson(name, value, why, tuple(reversed(evidence))))
    return learnt


def _open_since(rows: Sequence[ElderSetting], now: datetime) -> datetime | None:
    """Return from when on calls may teach this setting; None where nothing may be learnt now."""
    if any(row.undone_at is None for row in rows):
        return None  # A person has set it, or it is learnt already.
    undone = max((row.undone_at for row in rows if row.undone_at and row.origin == Origin.LEARNT), default=None)
    if undone is None:
        return datetime.min.replace(tzinfo=now.tzinfo)
    return undone if now >= undone + timedelta(days=settings().learn_quiet_days) else None


def _timed_out(calls: Sequence[CallSeen]) -> list[int]:
    """Return the calls in which she let the time run out several times in a row, if there are enough of them."""
    wanted = settings().learn_slow_calls
    slow = [call.call_id for call in calls if _longest_silence(call) >= settings().learn_slow_timeouts]
    return slow[:wanted] if len(slow) >= wanted else []


def _longest_silence(call: CallSeen) -> int:
    runs = [len(list(run)) for how, run in groupby(call.heard) if how == "silence"]
    return max(runs, default=0)


def _with_a_person(calls: Sequence[CallSeen]) -> list[int]:
    """Return her newest calls if so many in a row ended with a person because she and the machine did not meet."""
    wanted = settings().learn_person_calls
    found: list[int] = []
    for call in calls:
        if call.end in _TELLS_NOTHING or (call.end == CallEnd.PERSON and call.reason not in HER_REASONS):
            continue
        if call.end != CallEnd.PERSON or call.served:
            break  # The machine did what she wanted, or she left it: the row is broken.
        found.append(call.call_id)
        if len(found) == wanted:
            return found
    return []


class Learner:
    """Looks every `learn_every_s` seconds at the calls that have ended since; at the start, at the last day's."""

    def __init__(self) -> None:
        self._last: datetime | None = None

    def round(self, now: datetime) -> None:
        """Learn from whoever's calls have ended lately, if it is time to."""
        every = timedelta(seconds=settings().learn_every_s)
        if self._last is not None and now - self._last < every:
            return
        # An end may be written with an earlier time than it is committed: look a minute further back.
        since = (self._last or now - timedelta(days=1)) - timedelta(minutes=1)
        for elder_id in _who_may_teach(since):
            learn(elder_id, now)
        self._last = now


def learn(elder_id: int, now: datetime) -> list[Lesson]:
    """Write what this elder's calls teach; return it. Safe to repeat."""
    with read() as session:
        learnt = lessons(_calls(session, elder_id), history(session, elder_id), now)
    if learnt:
        # An agent may have been faster in between: `put` never lets a lesson override anything.
        with write() as session:
            for lesson in learnt:
                because = Because(Origin.LEARNT, why=lesson.why, call_ids=lesson.call_ids)
                put(session, elder_id, (lesson.name, lesson.value), because, now)
    return learnt


def _hers() -> ColumnElement[bool]:
    # A daughter who rings for her has her own way of using a telephone.
    own = or_(Call.caller_person_id.is_(None), Call.caller_person_id == Call.elder_id)
    return and_(Call.direction == Direction.IN, Call.elder_id.is_not(None), own)


def _who_may_teach(since: datetime) -> list[int]:
    """Return the elders of whose calls one has ended since then in a way that a rule looks at."""
    silent = exists().where(
        CallEvent.call_id == Call.id,
        CallEvent.kind == Entry.TURN,
        CallEvent.data["heard"].as_string() == "silence",
    )
    ended = select(Call.elder_id).where(_hers(), Call.ended_at >= since, or_(Call.end == CallEnd.PERSON, silent))
    with read() as session:
        return [elder_id for elder_id in session.scalars(ended.distinct()) if elder_id is not None]


def _calls(session: Session, elder_id: int) -> list[CallSeen]:
    """Return her last ended calls, the newest first."""
    calls = session.execute(
        select(Call.id, Call.started_at, Call.end)
        .where(_hers(), Call.elder_id == elder_id, Call.ended_at.is_not(None))
        .order_by(Call.started_at.desc(), Call.id.desc())
        .limit(settings().learn_looks_back)
    ).all()
    seen: dict[int, list[tuple[str, dict[str, object]]]] = {call.id: [] for call in calls}
    entries = (
        select(CallEvent.call_id, CallEvent.kind, CallEvent.data)
        .where(CallEvent.call_id.in_(seen), CallEvent.kind.in_((Entry.TURN, Entry.TO_PERSON, *_SERVED)))
        .order_by(CallEvent.id)
    )
    for call_id, kind, data in session.execute(entries):
        seen[call_id].append((kind, data))
    return [
        CallSeen(
            call_id=call.id,
            started_at=call.started_at,
            end=call.end,
            heard=tuple(str(data.get("heard", "")) for kind, data in seen[call.id] if kind == Entry.TURN),
            reason=next((str(data.get("reason")) for kind, data in seen[call.id] if kind == Entry.TO_PERSON), ""),
            served=any(kind in _SERVED for kind, _ in seen[call.id]),
        )
        for call in calls
    ]
