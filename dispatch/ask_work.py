"""What is needed of the rows to do one ask of an agent's (`dispatch.asks` does it)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from dispatch import disk, watching
from models import clock
from models.calls import Call
from models.campaigns import CareVisit
from models.care_runs import VisitCall
from models.people import Elder, PhoneNumber
from models.presence import THIRD, AgentPresence, CallAsk, TaskCall, Verb
from models.queue_rules import queue_rules
from models.session import read
from models.settings import settings
from models.supervision import Watch
from models.tasks import Task

# Nobody expects a transfer that comes later than this.
TOO_LATE = timedelta(seconds=4)
_WITH_THIRD = (Verb.MERGE, Verb.COMPLETE, Verb.BACK)


@dataclass(frozen=True)
class Work:
    """One ask with all that is needed of the rows: no session stays open while Asterisk is spoken to."""

    id: int
    verb: str
    user_id: int
    call: str  # public id
    channel: str  # of the caller; of a call of her own: of her browser
    leg: str  # of her browser
    third: str  # of whom she has asked in; of a supervisor who is in the call
    agent_id: int | None
    number: str
    language: str
    task: str
    notice: str  # the language in which the notice of a recording is said; empty: it is not recorded
    late: bool
    inside: bool  # whether the supervisor is in the call already
    ring_s: int  # how long an agent's telephone rings


def third_leg(ask_public_id: str) -> str:
    """Return the channel id of whoever is asked in by this ask."""
    return f"{THIRD}{ask_public_id}"


def read_work(ask_id: int) -> Work | None:
    """Return it; None if it is done already."""
    with read() as session:
        ask = session.get_one(CallAsk, ask_id)
        if ask.done_at is not None:
            return None
        call = session.get_one(Call, ask.call_id)
        # What a supervisor asks for is about the agent's leg.
        whose = ask.agent_id if ask.verb in (*watching.WATCHES, Verb.LET_GO) else ask.user_id
        leg = session.scalar(
            select(AgentPresence.leg_id).where(AgentPresence.user_id == whose, AgentPresence.call_id == ask.call_id)
        )
        watch = watching.open_of(session, ask.user_id) if ask.verb in watching.WATCHES else None
        return Work(
            ask.id,
            ask.verb,
            ask.user_id,
            call.public_id,
            call.channel_id,
            leg or "",
            _third(session, ask, watch),
            ask.agent_id,
            _number_of(session, ask),
            ask.language or call.language,
            task_of(session, call.id),
            _notice(session, call) if ask.verb == Verb.DIAL else "",
            clock.now() - ask.created_at > TOO_LATE,
            watch is not None,
            queue_rules(session).ring_s,
        )


def _notice(session: Session, call: Call) -> str:
    """Return in which language whoever is rung is told of the recording; empty where there is none."""
    if not settings().recording or disk.is_low():
        return ""
    elder = session.get(Elder, call.elder_id) if call.elder_id is not None else None
    return elder.person.language if elder is not None else settings().languages[0]


def _third(session: Session, ask: CallAsk, watch: Watch | None) -> str:
    if watch is not None:
        return watch.channel_id
    if ask.verb in watching.WATCHES:
        return f"watch-{ask.public_id}"
    return third_of(session, ask.call_id, before=ask.id) if ask.verb in _WITH_THIRD else third_leg(ask.public_id)


def third_of(session: Session, call_id: int, before: int | None = None) -> str:
    """Return the channel of whoever was asked in last into this call; empty if nobody was, or she is gone again."""
    asked = asked_in(session, call_id, before)
    return third_leg(asked.public_id) if asked is not None else ""


def asked_in(session: Session, call_id: int, before: int | None) -> CallAsk | None:
    """Return the ask that brought in who is there now; None if nobody was asked in, or she is gone again."""
    query = select(CallAsk).where(CallAsk.call_id == call_id, CallAsk.outcome == "done").order_by(CallAsk.id.desc())
    for ask in session.scalars(query if before is None else query.where(CallAsk.id < before)):
        if ask.verb in (Verb.BACK, Verb.COMPLETE):
            return None
        if ask.verb in (Verb.ASK_AGENT, Verb.ASK_OUTSIDE):
            return ask
    return None


def is_over(session: Session, ask: CallAsk) -> bool:
    """Whether the agent has gone on (back to the caller, handed over, somebody else) from this ask, or is about to."""
    later = select(CallAsk.id).where(
        CallAsk.call_id == ask.call_id, CallAsk.id > ask.id, CallAsk.user_id == ask.user_id,
        CallAsk.verb.in_((Verb.BACK, Verb.COMPLETE, Verb.ASK_AGENT, Verb.ASK_OUTSIDE)),
        or_(CallAsk.outcome.is_(None), CallAsk.outcome == "done"),
    )  # fmt: skip
    return session.scalar(later.limit(1)) is not None


def task_of(session: Session, call_id: int) -> str:
    """Return the public id of the task, or of the care visit, that a call belongs to; empty if it has none."""
    task = session.scalar(select(Task.public_id).join(TaskCall).where(TaskCall.call_id == call_id))
    of_visit = select(CareVisit.public_id).join(VisitCall).where(VisitCall.call_id == call_id)
    return task or session.scalar(of_visit) or ""


def _number_of(session: Session, ask: CallAsk) -> str:
    return session.get_one(PhoneNumber, ask.number_id).value if ask.number_id is not None else ""
