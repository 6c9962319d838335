"""What an agent may do with a call: dial, transfer, ask somebody in. Rights and limits are looked at here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents import accounts, reached, tasks, visits
from agents.presence import PresenceRefused
from agents.reached import Reached
from dispatch import ask_work, care_staff, limits
from dispatch import presence as rule
from models import phone
from models.base import new_public_id
from models.calls import Call, CallState, Direction
from models.campaigns import CareVisit
from models.care_runs import VisitCall
from models.lookup import number_row
from models.people import Elder, Person, PersonNumber, PhoneNumber
from models.presence import (
    ENGAGED,
    AgentLine,
    AgentPresence,
    AgentSkill,
    CallAsk,
    Presence,
    TaskCall,
    Verb,
)
from models.providers import ProviderNumber
from models.settings import settings
from models.tasks import Task
from models.users import Role, User

_TO = {"agent": Verb.TO_AGENT, "queue": Verb.TO_QUEUE, "outside": Verb.TO_OUTSIDE}
_ASK = {"agent": Verb.ASK_AGENT, "outside": Verb.ASK_OUTSIDE}
_THEN = {"merge": Verb.MERGE, "complete": Verb.COMPLETE, "back": Verb.BACK}


@dataclass(frozen=True)
class Target:
    """Whom a call can be given to. `kind`: agent or queue."""

    kind: str
    id: str
    name: str
    free: bool


@dataclass(frozen=True)
class Whom:
    """Whom to ring: a task's, a call's or a written number.

    A number that is written together with a task, an elder or a care visit is one of hers or of her circle's: the call
    belongs to them then.
    """

    task: str = ""
    call: str = ""
    number: str = ""
    visit: str = ""
    elder: str = ""


def targets(session: Session, user_id: int) -> list[Target]:
    """Return the queues with somebody in them, and the colleagues who are there."""
    rows = list(
        session.execute(
            select(User, AgentPresence)
            .join(AgentPresence, AgentPresence.user_id == User.id)
            .where(AgentPresence.state != Presence.OFFLINE, User.id != user_id, User.disabled_at.is_(None))
            .order_by(User.name)
        )
    )
    there = [user.id for user, presence in rows if presence.state != Presence.PAUSE]
    spoken = set(session.scalars(select(AgentSkill.language).where(AgentSkill.user_id.in_(there))))
    skilled = set(session.scalars(select(AgentSkill.user_id).where(AgentSkill.user_id.in_(there))))
    if any(one not in skilled for one in there):
        spoken |= set(settings().languages)
    queues = [Target("queue", language, language, language in spoken) for language in settings().languages]
    people = [Target("agent", user.public_id, user.name, row.state == Presence.READY) for user, row in rows]
    return [*people, *queues]


def dial(session: Session, user: User, whom: Whom, now: datetime) -> CallAsk:
    """Ring her, and then whom she wants; the call belongs to its task.

    Raises:
        PresenceRefused: she has no telephone or is in a call, the number is none, may not be dialled or is engaged;
            the task is closed, or a colleague works on it.
    """
    task = _open_task(session, whom.task, user.id, now) if whom.task else None
    row = rule.presence_of(session, user.id, now)
    line = session.scalar(select(AgentLine).where(AgentLine.user_id == user.id))
    if line is None or line.registered_at is None:
        raise PresenceRefused("no_line")
    if row.state in ENGAGED:
        raise PresenceRefused("in_call")
    visit = visits.to_dial(session, whom.visit, user.id, now) if whom.visit else None
    if visit is not None:
        meant = _of_visit(session, visit, whom.number)
        if meant.elder_id is None:
            # Her daughter was rung from the visit's page: that is no call of the visit.
            visit = None
    else:
        meant = _number(session, whom, task)
    if meant.elder_id is None and task is None:
        meant = _of_card(session, whom, meant)
    number = meant.number
    _may(session, user, number, asked_for=bool(task or whom.call))
    # Her daughter can be rung while she herself is spoken to.
    if limits.in_a_call(session, number.id, meant.elder_id if meant.person_id is None else None):
        raise PresenceRefused("engaged")
    if limits.trunk_is_full(session, now):
        raise PresenceRefused("full")
    public_id = new_public_id()
    call = Call(
        public_id=public_id,
        channel_id=f"agent-{public_id}",
        direction=Direction.OUT,
        purpose="agent",
        state=CallState.DIALING,
        number_id=number.id,
        elder_id=meant.elder_id,
        caller_person_id=meant.person_id,
        agent_id=user.id,
        language=user.language,
        started_at=now,
    )
    session.add(call)
    session.flush()
    if task is not None:
        session.add(TaskCall(task_id=task.id, call_id=call.id, user_id=user.id))
    if visit is not None:
        session.add(VisitCall(visit_id=visit.id, call_id=call.id, user_id=user.id))
    rule.talks(session, user.id, call.id, call.channel_id, now)
    return _ask(session, CallAsk(user_id=user.id, call_id=call.id, verb=Verb.DIAL, number_id=number.id, created_at=now))


def _open_task(session: Session, public_id: str, user_id: int, now: datetime) -> Task:
    """Return the task, unless nobody is to be rung for it any more: an old page of it may still stand somewhere."""
    try:
        return tasks.open_row(session, public_id, user_id, now)
    except KeyError:
        raise PresenceRefused("gone_task") from None
    except tasks.TaskError as error:
        raise PresenceRefused(f"{error.code}_task") from None


def _number(session: Session, whom: Whom, task: Task | None) -> Reached:
    """Return the number to dial and the elder behind it, if that is known."""
    if task is not None and whom.number:
        meant = reached.of_task(session, task, _written(session, whom.number))
        if meant is None:
            # The card has changed since the page was drawn: nobody is to be rung for her who is hers no more.
            raise PresenceRefused("not_hers")
        return meant
    if task is not None:
        first = reached.first_of_task(task)
        if first is None:
            raise PresenceRefused("number")
        return first
    if whom.call:
        call = session.scalar(select(Call).where(Call.public_id == whom.call))
        if call is None or call.number is None:
            raise PresenceRefused("number")
        return Reached(call.number, call.elder_id)
    return Reached(_written(session, whom.number))


def _of_card(session: Session, whom: Whom, meant: Reached) -> Reached:
    """Return the number as the elder's from whose card it was rung, or her contact's; else as it is."""
    of = select(Elder).join(Person, Person.id == Elder.id).where(Person.public_id == whom.elder)
    elder = session.scalar(of) if whom.elder else None
    return (reached.of_elder(session, elder, meant.number) if elder is not None else None) or meant


def _of_visit(session: Session, visit: CareVisit, written: str) -> Reached:
    """Return the number that is meant, else the one that comes next, and the elder if it is hers."""
    if written:
        number = _written(session, written)
        own = {link.number_id for link in visit.elder.person.numbers}
        return Reached(number, visit.elder_id if number.id in own else None)
    left = care_staff.numbers(session, visit)
    if not left:
        raise PresenceRefused("number")
    return Reached(session.get_one(PhoneNumber, left[0]), visit.elder_id)


def _written(session: Session, text: str) -> PhoneNumber:
    try:
        return number_row(session, phone.normalise(text, settings().area_code))
    except phone.BadNumber:
        raise PresenceRefused("number") from None


def _may(session: Session, user: User, number: PhoneNumber, asked_for: bool = False) -> None:
    """Refuse what is never dialled, and to her what only others may. `asked_for`: a task or a call has this number."""
    if not limits.may_be_dialled(number):
        raise PresenceRefused("forbidden")
    if not (asked_for or may_outside(user) or _in_register(session, number)):
        raise PresenceRefused("outside")


def may_outside(user: User) -> bool:
    """Whether her role lets her dial, and give calls to, numbers that the register does not know."""
    return accounts.may(user, Role(settings().outside_role))


def _in_register(session: Session, number: PhoneNumber) -> bool:
    """Whether it belongs to an elder, somebody of her circle or a provider."""
    return any(
        session.scalar(select(link.id).where(link.number_id == number.id).limit(1)) is not None
        for link in (PersonNumber, ProviderNumber)
    )


def pass_on(session: Session, user: User, how: tuple[str, str, str], now: datetime) -> CallAsk:
    """Give the call away, or ask somebody in. `how`: transfer or consult; agent, queue or outside; whom.

    Raises:
        PresenceRefused: she has no call, there is nobody of that name, the number may not be dialled, something is
            under way already (illegal), or somebody is asked in (asked).
    """
    deed, kind, target = how
    verb = (_TO if deed == "transfer" else _ASK).get(kind)
    call = _hers(session, user, now)
    if verb is None:
        raise PresenceRefused("illegal")
    ask = CallAsk(user_id=user.id, call_id=call.id, verb=verb, created_at=now)
    if kind == "agent":
        ask.agent_id = _colleague(session, user, target)
    elif kind == "queue":
        if target not in settings().languages:
            raise PresenceRefused("nobody")
        ask.language = target
    else:
        number = _written(session, target)
        _may(session, user, number)
        ask.number_id = number.id
    if call.is_dialled_by_agent:
        # Her own call hangs on her channel: there is no caller's channel to be moved.
        raise PresenceRefused("own_call")
    _one_at_a_time(session, call, rule.presence_of(session, user.id, now))
    return _ask(session, ask)


def _one_at_a_time(session: Session, call: Call, row: AgentPresence) -> None:
    """Refuse while something that she has asked for is not done yet, or somebody whom she asked in is not left again.

    Only since she has this call: an agent before her may have lost it while she asked.
    """
    hers = CallAsk.call_id == call.id, CallAsk.user_id == row.user_id, CallAsk.created_at >= row.since
    if session.scalar(select(CallAsk.id).where(*hers, CallAsk.done_at.is_(None)).limit(1)) is not None:
        raise PresenceRefused("illegal")
    third = ask_work.asked_in(session, call.id, None)
    if third is not None and third.user_id == row.user_id and third.created_at >= row.since:
        raise PresenceRefused("asked")


def then(session: Session, user: User, deed: str, now: datetime) -> CallAsk:
    """Go on with whoever was asked in: merge, complete, back.

    Raises:
        PresenceRefused: nobody was asked in, or has not answered yet.
    """
    verb = _THEN.get(deed)
    call = _hers(session, user, now)
    if verb is None or not ask_work.third_of(session, call.id):
        raise PresenceRefused("nobody")
    return _ask(session, CallAsk(user_id=user.id, call_id=call.id, verb=verb, created_at=now))


def outcome(session: Session, ask_id: int) -> str | None:
    """Return what became of an ask; None while it is under way."""
    return session.scalar(select(CallAsk.outcome).where(CallAsk.id == ask_id))


def _ask(session: Session, ask: CallAsk) -> CallAsk:
    session.add(ask)
    session.flush()
    return ask


def _hers(session: Session, user: User, now: datetime) -> Call:
    row = rule.presence_of(session, user.id, now)
    if row.state != Presence.TALKING or row.call is None or row.call.ended_at is not None:
        raise PresenceRefused("no_call")
    return row.call


def _colleague(session: Session, user: User, public_id: str) -> int:
    row = session.execute(
        select(User.id, AgentPresence.state)
        .join(AgentPresence, AgentPresence.user_id == User.id)
        .where(User.public_id == public_id, User.id != user.id)
    ).one_or_none()
    if row is None or row.state == Presence.OFFLINE:
        raise PresenceRefused("nobody")
    if row.state in ENGAGED:
        raise PresenceRefused("engaged")
    return int(row.id)
