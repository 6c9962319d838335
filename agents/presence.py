"""What an agent does about her own presence, and how she sees it: ready, pause, more time, the telephone's account."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, selectinload

from dispatch import presence as rule
from dispatch.presence import To
from dispatch.roster import endpoint
from models.calls import Call
from models.campaigns import CareVisit
from models.care_runs import VisitCall
from models.presence import ENGAGED, AgentLine, AgentPresence, PauseReason, Presence, TaskCall
from models.queue_rules import queue_rules
from models.settings import settings
from models.supervision import Watch, Watching
from models.tasks import Task
from models.users import User

# The page prolongs a wrap-up by itself while a result is owed, for so long beyond the usual wrap-up.
OWED_WRAP_UP = timedelta(minutes=10)


class PresenceRefused(ValueError):
    """It cannot be so now. `code`: no_line, reason, in_call, not_in_wrap_up, illegal."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class PresenceView:
    """How an agent stands, as her own page shows it. Equal views look the same."""

    state: str = Presence.OFFLINE
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    following: str | None = None
    call: str = ""  # public id of the call of this ringing, talk or wrap-up
    direction: str = ""
    language: str = ""
    task: str = ""  # public id of the task, or the care visit, that the call belongs to
    registered: bool = False
    serial: int = 0  # of the newest account: whoever has an older one has been replaced
    watched: str = ""  # how a supervisor is in this call, where an agent is to know it (models.supervision.Watching)
    watching: str = ""  # how she herself, a supervisor, is in an agent's call
    whom: str = ""  # that agent's name


@dataclass(frozen=True)
class Account:
    """A telephone's account, for the one browser that has just asked for it. The password is shown this once."""

    user: str
    realm: str
    password: str
    serial: int
    expires_at: datetime


def views(session: Session) -> dict[int, PresenceView]:
    """Return how every user stands who has ever had a telephone."""
    query = (
        select(AgentPresence, Call, func.coalesce(Task.public_id, CareVisit.public_id), AgentLine)
        .outerjoin(Call, Call.id == AgentPresence.call_id)
        .outerjoin(TaskCall, TaskCall.call_id == Call.id)
        .outerjoin(Task, Task.id == TaskCall.task_id)
        .outerjoin(VisitCall, VisitCall.call_id == Call.id)
        .outerjoin(CareVisit, CareVisit.id == VisitCall.visit_id)
        .outerjoin(AgentLine, AgentLine.user_id == AgentPresence.user_id)
    )
    found = {row.user_id: _view(row, call, task, line) for row, call, task, line in session.execute(query)}
    for watch in _watches(session):
        agent, supervisor = found.get(watch.agent_id), found.get(watch.user_id)
        if agent is not None and settings().watch_shown and agent.call == watch.call.public_id:
            found[watch.agent_id] = replace(agent, watched=watch.mode)
        if supervisor is not None:
            found[watch.user_id] = replace(supervisor, watching=watch.mode, whom=watch.agent.name)
    return found


def _watches(session: Session) -> list[Watch]:
    """Return the supervisors in calls, whoever is most in it last: that is what the agent is told."""
    order = list(Watching)
    rows = session.scalars(
        select(Watch).where(Watch.ended_at.is_(None)).options(selectinload(Watch.call), selectinload(Watch.agent))
    )
    return sorted(rows, key=lambda one: order.index(Watching(one.mode)))


def version(session: Session) -> tuple[object, ...]:
    """Return something that differs whenever anybody's view may have changed."""
    query = select(
        AgentPresence.user_id, AgentPresence.state, AgentPresence.reason, AgentPresence.since, AgentPresence.until,
        AgentPresence.following, AgentPresence.call_id, AgentLine.registered_at, AgentLine.gone_at, AgentLine.serial,
    ).outerjoin(AgentLine, AgentLine.user_id == AgentPresence.user_id)  # fmt: skip
    watches = session.execute(select(Watch.id, Watch.mode).where(Watch.ended_at.is_(None)).order_by(Watch.id))
    return (*session.execute(query.order_by(AgentPresence.user_id)).all(), *watches.all())


def view(session: Session, user_id: int) -> PresenceView:
    """Return how one user stands."""
    return views(session).get(user_id, PresenceView())


def _view(row: AgentPresence, call: Call | None, task: str | None, line: AgentLine | None) -> PresenceView:
    return PresenceView(
        row.state,
        row.reason,
        row.since,
        row.until,
        row.following,
        call.public_id if call else "",
        call.direction if call else "",
        call.language if call else "",
        task or "",
        line is not None and line.registered_at is not None and line.gone_at is None,
        line.serial if line else 0,
    )


def reasons(session: Session, language: str) -> list[tuple[str, str]]:
    """Return the reasons for a pause that may be chosen: code and name."""
    rows = session.scalars(
        select(PauseReason).where(PauseReason.hidden_at.is_(None)).order_by(PauseReason.position, PauseReason.id)
    )
    return [(row.code, reason_name(row, language)) for row in rows]


def reason_name(row: PauseReason, language: str) -> str:
    """Return the reason's name, in another language where there is none in this one."""
    return str(row.names.get(language) or next(iter(row.names.values()), row.code))


def choose(session: Session, user: User, wish: tuple[str, str | None], now: datetime) -> None:
    """She wants to be ready, in a pause, or offline. In a call it is what follows the call.

    Raises:
        PresenceRefused: no telephone is registered, there is no such reason, or no such move.
    """
    state, reason = wish
    if state not in (Presence.READY, Presence.PAUSE, Presence.OFFLINE):
        raise PresenceRefused("illegal")
    row = rule.presence_of(session, user.id, now)
    if state == Presence.PAUSE and reason not in [code for code, _ in reasons(session, "")]:
        raise PresenceRefused("reason")
    reason = reason if state == Presence.PAUSE else None
    if row.state in ENGAGED:
        row.following = reason if state == Presence.PAUSE else state
        return
    if state != Presence.OFFLINE and not _registered(session, user.id):
        raise PresenceRefused("no_line")
    if (row.state, row.reason) == (state, reason):
        return
    try:
        rule.move(session, row, To(Presence(state), reason=reason), now)
    except rule.IllegalPresence as error:
        raise PresenceRefused("illegal") from error


def extend(session: Session, user: User, now: datetime, by_itself: bool = False) -> None:
    """She needs more time after the call; `by_itself`: her page asks for it, because a result is owed.

    A page does not know who sits before it: after `OWED_WRAP_UP` of that she is in a pause, and nobody waits for her.

    Raises:
        PresenceRefused: she is not in wrap-up.
    """
    row = rule.presence_of(session, user.id, now)
    if row.state != Presence.WRAP_UP or row.until is None:
        raise PresenceRefused("not_in_wrap_up")
    rules = queue_rules(session)
    if by_itself and now - row.since >= timedelta(seconds=rules.wrap_up_s) + OWED_WRAP_UP:
        rule.owes(session, row, now)
        return
    row.until = max(row.until, now) + timedelta(seconds=rules.wrap_up_more_s)


def _registered(session: Session, user_id: int) -> bool:
    line = session.scalar(select(AgentLine).where(AgentLine.user_id == user_id))
    return line is not None and line.registered_at is not None


def issue_account(session: Session, user: User, until: datetime, now: datetime) -> Account:
    """Give the user's browser a SIP account with a fresh password; the one before is void.

    It ends with the session (`until` at the latest), by itself after `phone_line_s`,
    and at once when the user's sessions are ended or she is locked out.
    """
    password = secrets.token_urlsafe(24)
    name, realm = endpoint(user.id), settings().phone_realm
    # SIP's digest is MD5; the password is long and lives an hour, so that nobody finds it from this.
    digest = hashlib.md5(f"{name}:{realm}:{password}".encode(), usedforsecurity=False).hexdigest()
    expires = min(until, now + timedelta(seconds=settings().phone_line_s))
    line = session.scalar(select(AgentLine).where(AgentLine.user_id == user.id).with_for_update())
    if line is None:
        line = AgentLine(user_id=user.id, digest=digest, serial=0, live_serial=0, session_version=user.session_version)
        line.issued_at = line.expires_at = now
        session.add(line)
    if line.session_version != user.session_version:
        # The telephone of an older session is nobody's proof that this one's browser is there.
        line.registered_at = None
    line.digest, line.session_version = digest, user.session_version
    line.issued_at, line.expires_at, line.serial = now, expires, (line.serial or 0) + 1
    session.flush()
    return Account(name, realm, password, line.serial, expires)


def is_live(session: Session, user_id: int, serial: int) -> bool:
    """Whether Asterisk knows the account by now."""
    live = session.scalar(select(AgentLine.live_serial).where(AgentLine.user_id == user_id))
    return live is not None and live >= serial


def call_for(session: Session, user_id: int, named: str) -> Call | None:
    """Return the call that this agent is rung for or has, by its public id or its channel's; None if it is not hers."""
    call = session.scalar(select(Call).where(or_(Call.public_id == named, Call.channel_id == named)))
    return call if call is not None and call.agent_id == user_id else None
