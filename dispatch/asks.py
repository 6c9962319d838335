"""What agents ask to be done with their calls, done by moving channels: at once, or not at all.

The mirror's thread works them off (`dispatch.mirror`). What each leads to in Asterisk
stands in dialplans/agents.conf.
"""

from __future__ import annotations

import logging
from datetime import datetime

from asterisk.manager import ManagerException
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import presence, watching
from dispatch.ami import Ami
from dispatch.ask_work import Work, asked_in, read_work
from dispatch.calls import close_call
from dispatch.roster import interface
from models import clock
from models.calls import Call, CallEnd
from models.journal import Entry, note
from models.prepared import Prepared
from models.presence import THIRD_GONE, AgentPresence, CallAsk, Presence, Verb
from models.rows import Rows
from models.session import write
from models.settings import settings

log = logging.getLogger(__name__)

# Asked ten times a second.
_WAITING = Prepared(select(CallAsk.id).where(CallAsk.done_at.is_(None)).order_by(CallAsk.id).limit(20))


def waiting(unit: Session | Rows) -> list[int]:
    """Return the asks that nobody has worked off."""
    return [ask_id for (ask_id,) in _WAITING.all(unit, {})]


def perform(ami: Ami, ask_id: int) -> None:
    """Do one ask and write its outcome. What Asterisk refuses is an outcome; what it does not answer is one too."""
    work = read_work(ask_id)
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


def _do(ami: Ami, work: Work) -> str:
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
            return _hand_over(ami, work)
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


def _give(ami: Ami, work: Work) -> str:
    """The caller is led away, which ends the agent's leg; but a room (somebody was asked in) would keep her alone."""
    exten = {Verb.TO_AGENT: str(work.agent_id), Verb.TO_QUEUE: work.language, Verb.TO_OUTSIDE: work.number}
    outcome = _redirect(ami, work.channel, work.verb.replace("_", "-"), exten[Verb(work.verb)])
    if outcome == "done" and _in_room(ami, work):
        _hang_up(ami, work.leg)
    return outcome


def _hand_over(ami: Ami, work: Work) -> str:
    """The caller comes to whom was asked in, and the agent leaves; but not while that one rings, or has gone again."""
    if _in_room(ami, work, "marked") < 2:
        return "nobody"
    outcome = _redirect(ami, work.channel, "room", f"guest-{work.call}")
    if outcome == "done":
        _hang_up(ami, work.leg)
    return outcome


def _in_room(ami: Ami, work: Work, who: str = "parties") -> int:
    """How many are in the call's room (none unless somebody was asked in, or has joined); `marked`: without guests."""
    answer = ami.send_action({"Action": "Getvar", "Variable": f"CONFBRIDGE_INFO({who},room-{work.call})"})
    value = str(answer.header("Value", "0"))
    return int(value) if value.isascii() and value.isdigit() else 0


def _into_room(ami: Ami, work: Work) -> str:
    """Agent and caller go on in the room of their call, where a third hears and is heard."""
    return _redirect(ami, work.leg, "room", f"host-{work.call}", (work.channel, f"guest-{work.call}"))


def _look_in(ami: Ami, work: Work) -> str:
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


def _ask_in(ami: Ami, work: Work) -> str:
    """The caller holds, she goes into a room, and whom she asks is rung and led there."""
    action = {
        "Action": "Redirect",
        "Channel": work.channel, "Context": "asked", "Exten": f"hold-{work.call}", "Priority": "1",
        "ExtraChannel": work.leg, "ExtraContext": "room", "ExtraExten": f"host-{work.call}", "ExtraPriority": "1",
    }  # fmt: skip
    if ami.send_action(action).header("Response") != "Success":
        return "gone"
    if work.agent_id is not None:
        to, then = interface(work.agent_id), f"colleague-{work.call}"
    else:
        to, then = f"PJSIP/{work.number}@trunk", f"outsider-{work.call}"
    outcome = _originate(ami, work, work.third, to, ("room", then))
    if outcome != "done":
        # Nobody is rung, and the page has no key for it: the caller does not hold for nothing.
        _redirect(ami, work.channel, "room", f"guest-{work.call}")
    return outcome


def _originate(ami: Ami, work: Work, channel_id: str, to: str, then: tuple[str, str]) -> str:
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


def _written(session: Session, ask: CallAsk, work: Work, now: datetime) -> None:
    """Write what the ask has led to; what comes later (answered, missed, gone) is told by events."""
    call = session.get_one(Call, ask.call_id)
    if ask.outcome != "done":
        if ask.verb == Verb.DIAL:
            presence.leg_ended(session, call.channel_id, now)
            close_call(session, call, CallEnd.NOT_ANSWERED, now)
        return
    if ask.verb in (Verb.TO_AGENT, Verb.TO_QUEUE, Verb.TO_OUTSIDE, Verb.COMPLETE):
        note(session, call.id, Entry.TRANSFERRED, now, user_id=ask.user_id, to=_given_to(session, ask))
    if ask.verb in (Verb.BACK, Verb.ASK_AGENT, Verb.ASK_OUTSIDE):
        hers = presence.presence_of(session, ask.user_id, now)
        hers.reason = None if hers.reason == THIRD_GONE else hers.reason
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


def _given_to(session: Session, ask: CallAsk) -> str:
    """Return what kind of party has the call now."""
    verb = ask.verb
    if verb == Verb.COMPLETE:
        asked = asked_in(session, ask.call_id, ask.id)
        verb = asked.verb if asked is not None else Verb.ASK_AGENT
    return {Verb.TO_QUEUE: "queue", Verb.TO_OUTSIDE: "outside", Verb.ASK_OUTSIDE: "outside"}.get(Verb(verb), "agent")
