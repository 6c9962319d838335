"""Somebody rings: the rows of a call that is on its way to a person, for the desk's tests and pictures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents import presence
from dispatch import presence as rule
from models import clock, phone
from models.calls import Call, CallState, IdentifiedBy
from models.lookup import number_row
from models.people import Elder
from models.presence import AgentLine, AgentPresence, AgentSkill, Presence
from models.users import User
from tests.web.world import World


def stands(world: World, user: User, state: Presence = Presence.READY, *languages: str, **more: Any) -> User:
    """An agent whose telephone is there; `languages` she takes, the best first, all where none is said."""
    with world.rows() as db:
        presence.issue_account(db, db.get_one(User, user.id), clock.now() + timedelta(hours=8), clock.now())
        db.scalars(select(AgentLine).where(AgentLine.user_id == user.id)).one().registered_at = clock.now()
        rule.presence_of(db, user.id, clock.now())
        row = db.scalars(select(AgentPresence).where(AgentPresence.user_id == user.id)).one()
        row.state, row.since, row.reason = state, more.get("since", world.now), more.get("reason")
        for place, language in enumerate(languages):
            db.add(AgentSkill(user_id=user.id, language=language, penalty=10 * place))
    return user


def waits(world: World, since_s: float = 5, **more: Any) -> Call:
    """Somebody is put through to a person, and nobody's telephone rings yet."""
    return world.call(more.pop("elder", None), state=CallState.WAITING, waiting_since=world.ago(since_s), **more)


def nobody_waits(world: World) -> None:
    """Whoever of the seeded town still waits for a person has hung up."""
    with world.rows() as db:
        still = db.scalars(select(Call).where(Call.state == CallState.WAITING, Call.ended_at.is_(None))).all()
    for call in still:
        world.end(call)


def rings(world: World, elder: Elder, agent: str | None = None) -> Call:
    """Mrs Wang has said what she wants, but not clearly enough; a person's telephone rings."""
    call = world.call(elder, world.ago(64), state=CallState.WAITING, identified_by=IdentifiedBy.CALLER_ID)
    clear, unclear = world.said(call, 9, "洗澡"), world.said(call, 31, "下半晌儿", 0)
    with world.rows() as db:
        row = db.get_one(Call, call.id)
        row.waiting_since = world.ago(20)
        row.agent_id = db.scalar(select(User.id).where(User.name == agent)) if agent else None
    world.journal(
        call,
        (0, "answered", {}),
        (9, "turn", {"step": "open", "heard": "said", "utterance_id": clear, "score": 88}),
        (9, "slot", {"slots": {"service": "bathing"}}),
        (20, "turn", {"step": "day", "heard": "key", "key": "2"}),
        (20, "slot", {"slots": {"service": "bathing", "day": world.day(1).isoformat()}}),
        (31, "turn", {"step": "part", "heard": "unknown", "utterance_id": unclear}),
        (44, "to_person", {"reason": "not_understood"}),
    )
    return call


def stranger(world: World, number: str) -> Call:
    """Somebody rings whose number nobody knows."""
    with world.rows() as db:
        number_id = number_row(db, phone.normalise(number)).id
    return world.call(None, world.ago(30), state=CallState.WAITING, number_id=number_id, waiting_since=world.ago(12))


def answers(world: World, call: Call, agent: str) -> None:
    """The agent has taken it."""
    with world.rows() as db:
        row = db.get_one(Call, call.id)
        row.state, row.agent_id = CallState.AGENT, db.scalar(select(User.id).where(User.name == agent))


def hangs_up(world: World, call: Call) -> None:
    """It is over."""
    world.end(call, "person", 190)


def named(db: Session, name: str) -> User:
    """The user of this name."""
    return db.scalars(select(User).where(User.name == name)).one()


def row_of(db: Session, user: User) -> AgentPresence:
    """How she stands."""
    return db.scalars(select(AgentPresence).where(AgentPresence.user_id == user.id)).one()
