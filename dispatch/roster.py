"""What app_queue and PJSIP should know of the agents: a pure picture of the rows, compared with what they know.

Nothing here speaks to Asterisk (`dispatch.mirror` does).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.presence import line_is_valid, time_brings
from models import dialects
from models.prepared import Prepared
from models.presence import MISSED, AgentLine, AgentPresence, AgentSkill, Presence
from models.rows import Rows
from models.settings import settings
from models.users import User

# Whoever did not answer still counts as being there for so long; after that callers are told the truth.
MISSED_COUNTS = timedelta(seconds=30)
# In the queues of emergencies everybody is a member; whoever does not speak the language comes last.
STRANGE_LANGUAGE = 50
# Without rows of skills an agent takes the hotline's first language, and the others when nobody better is there.
SECOND_LANGUAGE = 10

# Asked ten times a second.
_ANYBODY = Prepared(select(AgentLine.id).limit(1))
_AGENTS = (
    select(User.id, User.public_id, User.session_version, User.disabled_at, AgentLine, AgentPresence)
    .join(AgentLine, AgentLine.user_id == User.id)
    .outerjoin(AgentPresence, AgentPresence.user_id == User.id)
)


@dataclass(frozen=True)
class Member:
    """One agent in one queue."""

    penalty: int
    paused: bool
    reason: str
    name: str


@dataclass(frozen=True)
class Account:
    """The SIP account of one agent's browser."""

    digest: str
    serial: int


@dataclass(frozen=True)
class Skills:
    """Who takes calls in which languages, and speaks which dialects: user to language, or (language, code), to penalty.

    Without a language of her own an agent takes what is the rule of the house.
    """

    languages: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    dialects: Mapping[int, Mapping[tuple[str, str], int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Picture:
    """Who is in which queue, and which accounts there are. Keys: (queue, interface), and user ids."""

    members: Mapping[tuple[str, str], Member]
    accounts: Mapping[int, Account]


def endpoint(user_id: int) -> str:
    """Return the name of the user's endpoint in PJSIP."""
    return f"agent-{user_id}"


def interface(user_id: int) -> str:
    """Return what a queue rings to reach the user."""
    return f"PJSIP/{endpoint(user_id)}"


def user_of(name: str) -> int | None:
    """Return whose endpoint, interface or channel this is: agent-7, PJSIP/agent-7, PJSIP/agent-7-0000002a."""
    head, _, rest = name.removeprefix("PJSIP/").partition("agent-")
    digits = rest.partition("-")[0]
    return int(digits) if not head and digits.isascii() and digits.isdigit() else None


def queue_of(language: str, dialect: str = "") -> str:
    """Return the queue of those who speak `language`, or of those of them who speak this dialect of it."""
    return f"person-{language}-{dialect}" if dialect else f"person-{language}"


def urgent_queue_of(language: str) -> str:
    """Return the queue of emergencies in `language`: before all others, and everybody is in it."""
    return f"urgent-{language}"


@dataclass(frozen=True)
class Agent:
    """Whoever has a telephone in the browser, as the rows have her."""

    user_id: int
    public_id: str
    session_version: int | None  # None: locked out
    line: AgentLine
    presence: AgentPresence | None

    def has_line(self, now: datetime) -> bool:
        """Whether her session still stands."""
        return line_is_valid(self.line, self.session_version, now)


def anybody(unit: Session | Rows) -> bool:
    """Return whether anybody has a telephone in the browser."""
    return _ANYBODY.scalar(unit, {}) is not None


def agents(session: Session) -> list[Agent]:
    """Read them all, in one question."""
    return [
        Agent(user_id, public_id, None if disabled else version, line, presence)
        for user_id, public_id, version, disabled, line, presence in session.execute(_AGENTS)
    ]


def skills(session: Session) -> Skills:
    """Return who takes calls in which languages, and speaks which dialects."""
    found: dict[int, dict[str, int]] = {}
    for skill in session.scalars(select(AgentSkill)):
        found.setdefault(skill.user_id, {})[skill.language] = skill.penalty
    return Skills(found, dialects.spoken(session))


def picture(all_agents: Iterable[Agent], skilled: Skills, now: datetime) -> Picture:
    """Return how it should be."""
    accounts: dict[int, Account] = {}
    members: dict[tuple[str, str], Member] = {}
    for agent in all_agents:
        if not agent.has_line(now):
            continue
        accounts[agent.user_id] = Account(agent.line.digest, agent.line.serial)
        if agent.presence is not None and counts(agent.presence, now):
            members.update(_memberships(agent, agent.presence, skilled))
    return Picture(members, accounts)


def due(all_agents: Iterable[Agent], now: datetime) -> list[int]:
    """Return whom time moves: see `dispatch.presence.look_after`."""
    return [
        agent.user_id
        for agent in all_agents
        if agent.presence is not None and time_brings(agent.presence, agent.line, agent.session_version, now)
    ]


def unheard(all_agents: Iterable[Agent]) -> set[str]:
    """Return the channels that ring in a browser that is gone: nobody hears them, and a caller waits for each."""
    return {
        agent.presence.leg_id
        for agent in all_agents
        if agent.presence is not None
        and agent.presence.state == Presence.RINGING
        and agent.presence.leg_id is not None
        and agent.line.gone_at is not None
    }


def counts(row: AgentPresence, now: datetime) -> bool:
    """Whether callers may wait for this agent: a pause of her own takes her out of the queues altogether."""
    match row.state:
        case Presence.OFFLINE:
            return False
        case Presence.PAUSE:
            return row.reason == MISSED and now - row.since < MISSED_COUNTS
    return True


def usual_skills() -> dict[str, int]:
    """Return which calls an agent takes of whom nothing is said: the first language, the others after everybody."""
    first, *others = settings().languages
    return {first: 0, **dict.fromkeys(others, SECOND_LANGUAGE)}


def _memberships(agent: Agent, row: AgentPresence, skilled: Skills) -> Iterable[tuple[tuple[str, str], Member]]:
    languages = skilled.languages.get(agent.user_id) or usual_skills()
    paused = row.state in (Presence.PAUSE, Presence.WRAP_UP)
    # In a call it is the telephone's own state that keeps her from being rung: `ringinuse=no`.
    reason = (row.reason or row.state) if paused else ""
    for language in settings().languages:
        penalty = languages.get(language)
        if penalty is not None:
            yield (queue_of(language), interface(agent.user_id)), Member(penalty, paused, reason, agent.public_id)
        urgent = STRANGE_LANGUAGE if penalty is None else penalty
        yield (urgent_queue_of(language), interface(agent.user_id)), Member(urgent, paused, reason, agent.public_id)
    for (language, code), penalty in skilled.dialects.get(agent.user_id, {}).items():
        # Of a language whose calls she does not take she is asked by nobody.
        if language in languages:
            yield (queue_of(language, code), interface(agent.user_id)), Member(penalty, paused, reason, agent.public_id)
