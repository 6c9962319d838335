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

from dispatch import disk, presence, watching
from dispatch.ami import Ami
from dispatch.calls import close_call
from dispatch.roster import interface
from models import clock
from models.calls import Call, CallEnd
from models.campaigns import CareVisit
from models.care_runs import VisitCall
from models.journal import Entry, note
from models.people import Elder, PhoneNumber
from models.prepared import Prepared
from models.presence import AgentPresence, CallAsk, Presence, TaskCall, Verb
from models.queue_rules import queue_rules
from models.rows import Rows
from models.session import read, write
from models.settings import settings
from models.supervision import Watch
from models.tasks import Task

log = logging.getLogger(__name__)

# Nobody expects a transfer that comes later than this.
TOO_LATE = timedelta(seconds=4)
# Asked ten times a second.
_WAITING = Prepared(select(CallAsk.id).where(CallAsk.done_at.is_(None)).order_by(CallAsk.id).limit(20))


@dataclass(frozen=True)
class _Work:
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
    return f"third-{ask_public_id}"


def waiting(unit: Session | Rows) -> list[int]:
    """Return the asks that nobody has worked off."""
    return [ask_id for (ask_id,) in _WAITING.all(unit, {})]


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
        # What a supervisor asks for is about the agent's leg.
        whose = ask.agent_id if ask.verb in (*watching.WATCHES, Verb.LET_GO) else ask.user_id
        leg = session.scalar(
            select(AgentPresence.leg_id).where(AgentPresence.user_id == whose, AgentPresence.call_id == ask.call_id)
        )
        watch = watching.open_of(session, ask.user_id) if ask.verb in watching.WATCHES else None
        return _Work(
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


_WITH_THIRD = (Verb.MERGE, Verb.COMPLETE, Verb.BACK)


def _third(session: Session, ask: CallAsk, watch: Watch | None) -> str:
    if watch is not None:
        return watch.channel_id
    if ask.verb in watching.WATCHES:
        return f"watch-{ask.public_id}"
    return third_of(session, ask.call_id, before=ask.id) if ask.verb in _WITH_THIRD else third_leg(ask.public_id)


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
        case Verb.TO_AGENT | Verb.TO_QUEUE | Verb.TO_OUTSIDE:
            return _give(ami, work)
        case Verb.ASK_AGENT | Verb.ASK_OUTSIDE:
            return _ask_in(ami, work)
        case Verb.MERGE:
            return _redirect(ami, work.channel, "room", f"guest-{work.call}")
        case Verb.COMPLETE:
            outcome = _redirect(ami, work.channel, "room", f"guest-{work.call}")
            if outcome == "done":
                _hang_up(ami, work.leg)
            return outcome
        case Verb.BACK:
            _hang_up(ami, work.third)
            return _redirect(ami, work.channel, "room", f"guest-{work.call}")
        case Verb.LISTEN | Verb.WHISPER:
            return _look_in(ami, work)
        case Verb.JOIN:
            together = "done" if _in_room(ami, work) else _into_room(ami, work)
            return _look_in(ami, work) if together == "done" else together
        case Verb.TAKE_OVER if work.inside:
            return _redirect(ami, work.third, "room", f"colleague-{work.call}", (work.channel, f"guest-{work.call}"))
        case Verb.LET_GO if work.leg:
            _hang_up(ami, work.leg)
            return "done"
    return "illegal"


def _hang_up(ami: Ami, channel: str) -> None:
    ami.send_action({"Action": "Hangup", "Channel": channel, "Cause": "16"})


def _give(ami: Ami, work: _Work) -> str:
    """The caller is led away, which ends the agent's leg; but a room (somebody was asked in) would keep her alone."""
    exten = {Verb.TO_AGENT: str(work.agent_id), Verb.TO_QUEUE: work.language, Verb.TO_OUTSIDE: work.number}
    outcome = _redirect(ami, work.channel, work.verb.replace("_", "-"), exten[Verb(work.verb)])
    if outcome == "done" and _in_room(ami, work):
        _hang_up(ami, work.leg)
    return outcome


def _in_room(ami: Ami, work: _Work) -> bool:
    """Whether the call is in its room already: somebody was asked in, or has joined."""
    answer = ami.send_action({"Action": "Getvar", "Variable": f"CONFBRIDGE_INFO(parties,room-{work.call})"})
    return answer.header("Value", "0") not in ("", "0")


def _into_room(ami: Ami, work: _Work) -> str:
    """Agent and caller go on in the room of their call, where a third hears and is heard."""
    return _redirect(ami, work.leg, "room", f"host-{work.call}", (work.channel, f"guest-{work.call}"))


def _look_in(ami: Ami, work: _Work) -> str:
    """The supervisor's browser is rung and led to the agent's leg; whoever is there already only changes how."""
    if not work.leg:
        return "gone"
    if work.inside:
        return _redirect(ami, work.third, f"watch-{work.verb}", "s")
    return _originate(ami, work, work.third, interface(work.user_id), (f"watch-{work.verb}", "s"))


def _redirect(ami: Ami, channel: str, context: str, exten: str, other: tuple[str, str] | None = None) -> str:
    """Lead a channel elsewhere; `other` is one more channel and its extension in the same context."""
    action = {"Action": "Redirect", "Channel": channel, "Context": context, "Exten": exten, "Priority": "1"}
    if other is not None:
        action |= {"ExtraChannel": other[0], "ExtraContext": context, "ExtraExten": other[1], "ExtraPriority": "1"}
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
    direction = "out" if work.verb == Verb.DIAL else "watch" if work.verb in watching.WATCHES else "in"
    headers = {"Call": work.call, "Direction": direction, "Task": work.task, "Language": work.language}
    headers["Ring"] = str(work.ring_s)
    if work.verb == Verb.ASK_AGENT:
        headers["Why"] = "colleague"
    action = {
        "Action": "Originate",
        "Channel": to,
        "ChannelId": channel_id,
        "Context": then[0],
        "Exten": then[1],
        "Priority": "1",
        "Timeout": str((work.ring_s if to.startswith("PJSIP/agent-") else settings().callback_ring_s) * 1000),
        "CallerID": settings().hotline_number,
        "Async": "true",
        "ActionID": channel_id,
        "Variable": [
            f"__CALLER={work.channel}",
            f"__CALL={work.call}",
            f"WATCHED={work.leg}",
            *([f"__HOTLINE_LANGUAGE={work.notice}", "__RECORD_OWN=yes"] if work.notice else []),
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
    if ask.verb in watching.WATCHES:
        watching.done(session, ask, work.third, now)
    if ask.verb == Verb.ASK_AGENT and ask.agent_id is not None:
        presence.rung(session, ask.agent_id, call.id, work.third, now)
    if ask.verb == Verb.COMPLETE:
        colleague = session.scalar(
            select(AgentPresence.user_id).where(
                AgentPresence.leg_id == work.third, AgentPresence.state == Presence.TALKING
            )
        )
        call.agent_id = colleague or call.agent_id
