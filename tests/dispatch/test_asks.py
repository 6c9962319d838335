"""What an agent asks to be done with calls: her own call is recorded like one that comes in, after the same notice."""

from __future__ import annotations

import pytest

from dispatch import ask_work, asks, disk, events, presence
from dispatch.ami import Ami, AmiMessage
from models import clock
from models.calls import Call, CallState, Direction
from models.lookup import number_row
from models.people import Elder
from models.phone import normalise
from models.presence import CallAsk, Verb
from models.session import read, write
from models.settings import settings
from models.users import User
from tests.dispatch.town import Town
from tests.support import world


class Listens(Ami):
    """An AMI connection that remembers what it was told; so many agents, and whom they asked, are in the room."""

    def __init__(self, marked: int = 0, refuses: str = "") -> None:
        self.told: list[dict[str, object]] = []
        self.marked = marked
        self.refuses = refuses

    def send_action(self, cdict: dict[str, object]) -> AmiMessage:  # type: ignore[override]
        """Remember it, unless it is a question."""
        if cdict["Action"] == "Getvar":
            assert str(cdict["Variable"]).startswith("CONFBRIDGE_INFO(marked,room-")
            return AmiMessage(["Response: Success", f"Value: {self.marked}"])
        self.told.append(cdict)
        return AmiMessage([f"Response: {'Error' if cdict['Action'] == self.refuses else 'Success'}"])


def asked(town: Town, elder_id: int | None) -> int:
    """An agent has clicked a number."""
    with write() as session:
        user = User(name="陈接线", password_hash="x", role="agent", created_at=town.now)
        session.add(user)
        session.flush()
        call = Call(
            channel_id="agent-abc", direction=Direction.OUT, purpose="agent", state=CallState.DIALING,
            number_id=number_row(session, normalise(world.WANG)).id, elder_id=elder_id, started_at=town.now,
        )  # fmt: skip
        session.add(call)
        session.flush()
        ask = CallAsk(
            user_id=user.id, call_id=call.id, verb=Verb.DIAL, number_id=call.number_id, created_at=town.now
        )  # fmt: skip
        session.add(ask)
        session.flush()
        if elder_id is not None:
            session.get_one(Elder, elder_id).person.language = "ko"
        return ask.id


@pytest.mark.parametrize(
    ("recording", "low", "elder_id", "language"),
    [("true", False, 1, "ko"), ("true", False, None, "zh-CN"), ("true", True, 1, None), ("false", False, 1, None)],
)
def test_whoever_is_rung_is_told_of_the_recording_in_her_language(
    town: Town, monkeypatch: pytest.MonkeyPatch, recording: str, low: bool, elder_id: int | None, language: str | None
) -> None:
    monkeypatch.setenv("HOTLINE_RECORDING", recording)
    settings.cache_clear()
    monkeypatch.setattr(disk, "is_low", lambda: low)
    ami = Listens()
    asks.perform(ami, asked(town, elder_id))
    (action,) = ami.told
    variables = [one for one in action["Variable"] if "RECORD" in one or "LANGUAGE" in one]  # type: ignore[attr-defined]
    assert variables == ([f"__HOTLINE_LANGUAGE={language}", "__RECORD_OWN=yes"] if language else [])


@pytest.mark.parametrize(("marked", "outcome"), [(0, "nobody"), (1, "nobody"), (2, "done")])
def test_a_caller_is_handed_over_to_somebody_who_is_there(town: Town, marked: int, outcome: str) -> None:
    """Whom was asked in may still be rung, or have gone again: then the caller stays the agent's."""
    with write() as session:
        user, other = (User(name=name, password_hash="x", role="agent", created_at=town.now) for name in "陈李")
        call = Call(
            channel_id="1763766000.1", direction=Direction.IN, purpose="inbound", state=CallState.AGENT,
            started_at=town.now,
        )  # fmt: skip
        session.add_all([user, other, call])
        session.flush()
        call.agent_id = user.id
        presence.talks(session, user.id, call.id, "leg.1", town.now)
        session.add(CallAsk(
            user_id=user.id, call_id=call.id, verb=Verb.ASK_AGENT, agent_id=other.id, created_at=town.now,
            done_at=town.now, outcome="done",
        ))  # fmt: skip
        ask = CallAsk(user_id=user.id, call_id=call.id, verb=Verb.COMPLETE, created_at=clock.now())
        session.add(ask)
        session.flush()
        ids = ask.id, call.public_id
    ami = Listens(marked)
    asks.perform(ami, ids[0])
    moved = [(one["Action"], one["Channel"], one.get("Exten")) for one in ami.told]
    handed_over = [("Redirect", "1763766000.1", f"guest-{ids[1]}"), ("Hangup", "leg.1", None)]
    assert moved == (handed_over if outcome == "done" else [])
    with read() as session:
        assert session.get_one(CallAsk, ids[0]).outcome == outcome
        # It is neither handed over nor written so, and she may try it again.
        assert bool(ask_work.third_of(session, session.get_one(CallAsk, ids[0]).call_id)) is (outcome == "nobody")


def test_the_agent_is_told_when_whom_she_asked_is_not_there_any_more(town: Town) -> None:
    """Rejected, not answered or gone again: her page says it until she goes back, or asks somebody else."""
    with write() as session:
        user, other = (User(name=name, password_hash="x", role="agent", created_at=town.now) for name in "陈李")
        call = Call(
            channel_id="1763766000.1", direction=Direction.IN, purpose="inbound", state=CallState.AGENT,
            started_at=town.now,
        )  # fmt: skip
        session.add_all([user, other, call])
        session.flush()
        presence.talks(session, user.id, call.id, "leg.1", town.now)
        ids = user.id, other.id, call.id

    def asks_for(verb: Verb, ami: Listens | None = None) -> str:
        with write() as session:
            ask = CallAsk(user_id=ids[0], call_id=ids[2], verb=verb, agent_id=ids[1], created_at=clock.now())
            session.add(ask)
            session.flush()
            found = ask.id, ask_work.third_leg(ask.public_id)
        asks.perform(ami or Listens(), found[0])
        return found[1]

    def told() -> str | None:
        with read() as session:
            return presence.presence_of(session, ids[0], town.now).reason

    third = asks_for(Verb.ASK_AGENT)
    events.handle({"Event": "Hangup", "Uniqueid": "third-nobody"})
    assert told() is None
    events.handle({"Event": "Hangup", "Uniqueid": third})
    assert told() == "third_gone"
    asks_for(Verb.BACK)
    assert told() is None
    # It was she who sent that one away: that is no news.
    events.handle({"Event": "Hangup", "Uniqueid": third})
    assert told() is None
    third = asks_for(Verb.ASK_OUTSIDE)
    events.handle({"Event": "OriginateResponse", "Response": "Failure", "ActionID": third, "Uniqueid": ""})
    assert told() == "third_gone"
    # Where the exchange rings nobody at all the caller does not hold for nothing: there is no key that ends it.
    refusing = Listens(refuses="Originate")
    asks_for(Verb.ASK_AGENT, refusing)
    assert str(refusing.told[-1]["Exten"]).startswith("guest-") and refusing.told[-1]["Channel"] == "1763766000.1"
