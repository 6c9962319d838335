"""What agents ask to be done with their calls, done by moving channels: at once, or not at all.

The mirror's thread works them off (`dispatch.mirror`). What each leads to in Asterisk
stands in dialplans/agents.conf.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from asterisk.manager import ManagerException
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import presence
from dispatch.ami import Ami
from dispatch.calls import close_call
from dispatch.roster import interface
from models import clock
from models.calls import Call, CallEnd
from models.campaigns import CareVisit
from models.care_runs import VisitCall
from models.journal import Entry, note
from models.people import PhoneNumber
from models.presence import AgentPresence, CallAsk, Presence, TaskCall, Verb
from models.session import read, write
from models.settings import settings
from models.tasks import Task

log = logging.getLogger(__name__)

# Nobody expects a transfer that comes later than this.
TOO_LATE = timedelta(seconds=4)


@dataclass(frozen=True)
class _Work:
    """One ask with all that is needed of the rows: no session stays open while Asterisk is spoken to."""

    id: int
    verb: str
    user_id: int
    call: str  # public id
    channel: str  # of the caller; of a call of her own: of her browser
    leg: str  # of her browser
    third: str  # of whom she has asked in
    agent_id: int | None
    number: str
    language: str
    task: str
    late: bool


def third_leg(ask_public_id: str) -> str:
    """Return the channel id of whoever is asked in by this ask."""
    return f"third-{ask_public_id}"


def waiting(session: Session) -> list[int]:
    """Return the asks that nobody has worked off."""
    query = select(CallAsk.id).where(CallAsk.done_at.is_(None)).order_by(CallAsk.id).limit(20)
    return list(session.scalars(query))


def perform(ami: Ami, ask_id: int) -> None:
    """Do one ask and write its outcome. What Asterisk refuses is an outcome; what it does not answer is one too."""
    work = _read(ask_id)
    if work is None:
        return
    outcome = "too_late"
    if not work.late:
        try:
            outcome = _do(ami, work)
        except ManagerException as error:
            log.warning("ask %d (%s): %s", work.id, work.verb, error)
            outcome = "away"
    now = clock.now()
    with write() as session:
        ask = session.get_one(CallAsk, ask_id)
        ask.done_at, ask.outcome = now, outcome
        _written(session, ask, work, now)


def _read(ask_id: int) -> _Work | None:
    with read() as session:
        ask = session.get_one(CallAsk, ask_id)
        if ask.done_at is not None:
            return None
        call = session.get_one(Call, ask.call_id)
        leg = session.scalar(
            select(AgentPresence.leg_id).where(
                AgentPresence.user_id == ask.user_id, AgentPresence.call_id == ask.call_id
            )
        )
        return _Work(
            ask.id,
            ask.verb,
            ask.user_id,
            call.public_id,
            call.channel_id,
            leg or "",
            third_of(session, ask.call_id, before=ask.id) if ask.verb in _WITH_THIRD else third_leg(ask.public_id),
            ask.agent_id,
            _number_of(session, ask),
            ask.language or call.language,
            task_of(session, call.id),
            clock.now() - ask.created_at > TOO_LATE,
        )


_WITH_THIRD = (Verb.MERGE, Verb.COMPLETE, Verb.BACK)


def third_of(session: Session, call_id: int, before: int | None = None) -> str:
    """Return the channel of whoever was asked in last into this call; empty if nobody was, or she is gone again."""
    query = select(CallAsk).where(CallAsk.call_id == call_id, CallAsk.outcome == "done").order_by(CallAsk.id.desc())
    for ask in session.scalars(query if before is None else query.where(CallAsk.id < before)):
        if ask.verb in (Verb.BACK, Verb.COMPLETE):
            return ""
        if ask.verb in (Verb.ASK_AGENT, Verb.ASK_OUTSIDE):
            return third_leg(ask.public_id)
    return ""


def task_of(session: Session, call_id: int) -> str:
    """Return the public id of the task, or of the care visit, that a call belongs to; empty if it has none."""
    task = session.scalar(select(Task.public_id).join(TaskCall).where(TaskCall.call_id == call_id))
    of_visit = select(CareVisit.public_id).join(VisitCall).where(VisitCall.call_id == call_id)
    return task or session.scalar(of_visit) or ""


def _number_of(session: Session, ask: CallAsk) -> str:
    return session.get_one(PhoneNumber, ask.number_id).value if ask.number_id is not None else ""


def _do(ami: Ami, work: _Work) -> str:
    match work.verb:
        case Verb.DIAL:
            return _originate(ami, work, work.channel, interface(work.user_id), ("agent-out", work.number))
        case Verb.TO_AGENT:
            return _redirect(ami, work.channel, "to-agent", str(work.agent_id))
        case Verb.TO_QUEUE:
            return _redirect(ami, work.channel, "to-queue", work.language)
        case Verb.TO_OUTSIDE:
            return _redirect(ami, work.channel, "to-outside", work.number)
        case Verb.ASK_AGENT | Verb.ASK_OUTSIDE:
            return _ask_in(ami, work)
        case Verb.MERGE:
            return _redirect(ami, work.channel, "room", f"guest-{work.call}")
        case Verb.COMPLETE:
            outcome = _redirect(ami, work.channel, "room", f"guest-{work.call}")
            if outcome == "done":
                ami.send_action({"Action": "Hangup", "Channel": work.leg, "Cause": "16"})
            return outcome
        case Verb.BACK:
            ami.send_action({"Action": "Hangup", "Channel": work.third, "Cause": "16"})
            return _redirect(ami, work.channel, "room", f"guest-{work.call}")
    return "illegal"


def _redirect(ami: Ami, channel: str, context: str, exten: str) -> str:
    action = {"Action": "Redirect", "Channel": channel, "Context": context, "Exten": exten, "Priority": "1"}
    return "done" if ami.send_action(action).header("Response") == "Success" else "gone"


def _ask_in(ami: Ami, work: _Work) -> str:
    """The caller holds, she goes into a room, and whom she asks is rung and led there."""
    action = {
        "Action": "Redirect", "Channel": work.channel, "Context": "asked", "Exten": "s", "Priority": "1",
        "ExtraChannel": work.leg, "ExtraContext": "room", "ExtraExten": f"host-{work.call}", "ExtraPriority": "1",
    }  # fmt: skip
    if ami.send_action(action).header("Response") != "Success":
        return "gone"
    if work.agent_id is not None:
        return _originate(ami, work, work.third, interface(work.agent_id), ("room", f"colleague-{work.call}"))
    return _originate(ami, work, work.third, f"PJSIP/{work.number}@trunk", ("room", f"outsider-{work.call}"))


def _originate(ami: Ami, work: _Work, channel_id: str, to: str, then: tuple[str, str]) -> str:
    direction = "out" if work.verb == Verb.DIAL else "in"
    headers = {"Call": work.call, "Direction": direction, "Task": work.task, "Language": work.language}
    headers["Ring"] = str(settings().agent_ring_s)
    if work.verb == Verb.ASK_AGENT:
        headers["Why"] = "colleague"
    action = {
        "Action": "Originate",
        "Channel": to,
        "ChannelId": channel_id,
        "Context": then[0],
        "Exten": then[1],
        "Priority": "1",
        "Timeout": str(
            (settings().agent_ring_s if to.startswith("PJSIP/agent-") else settings().callback_ring_s) * 1000
        ),
        "CallerID": settings().hotline_number,
        "Async": "true",
        "ActionID": channel_id,
        "Variable": [
            f"__CALLER={work.channel}",
            f"__CALL={work.call}",
            *(
                [f"PJSIP_HEADER(add,X-Hotline-{name})={value}" for name, value in headers.items() if value]
                if to.startswith("PJSIP/agent-")
                else []
            ),
        ],
    }
    return "done" if ami.send_action(action).header("Response") == "Success" else "refused"


def _written(session: Session, ask: CallAsk, work: _Work, now: datetime) -> None:
    """Write what the ask has led to; what comes later (answered, missed, gone) is told by events."""
    call = session.get_one(Call, ask.call_id)
    if ask.outcome != "done":
        if ask.verb == Verb.DIAL:
            presence.leg_ended(session, call.channel_id, now)
            close_call(session, call, CallEnd.NOT_ANSWERED, now)
        return
    to = {Verb.TO_AGENT: "agent", Verb.TO_QUEUE: "queue", Verb.TO_OUTSIDE: "outside", Verb.COMPLETE: "agent"}
    if ask.verb in to:
        note(session, call.id, Entry.TRANSFERRED, now, user_id=ask.user_id, to=to[Verb(ask.verb)])
    if ask.verb == Verb.ASK_AGENT and ask.agent_id is not None:
        presence.rung(session, ask.agent_id, call.id, work.third, now)
    if ask.verb == Verb.COMPLETE:
        colleague = session.scalar(
            select(AgentPresence.user_id).where(
                AgentPresence.leg_id == work.third, AgentPresence.state == Presence.TALKING
            )
        )
        call.agent_id = colleague or call.agent_id
