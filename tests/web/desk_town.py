"""Somebody rings: the rows of a call that is on its way to a person, for the desk's tests and pictures."""

from __future__ import annotations

from sqlalchemy import select

from models import phone
from models.calls import Call, CallState, IdentifiedBy
from models.lookup import number_row
from models.people import Elder
from models.users import User
from tests.web.world import World


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
