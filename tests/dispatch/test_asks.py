"""What an agent asks to be done with calls: her own call is recorded like one that comes in, after the same notice."""

from __future__ import annotations

import pytest

from dispatch import asks, disk
from dispatch.ami import Ami, AmiMessage
from models.calls import Call, CallState, Direction
from models.lookup import number_row
from models.people import Elder
from models.phone import normalise
from models.presence import CallAsk, Verb
from models.session import write
from models.settings import settings
from models.users import User
from tests.dispatch.town import Town
from tests.support import world


class Listens(Ami):
    """An AMI connection that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[dict[str, object]] = []

    def send_action(self, cdict: dict[str, object]) -> AmiMessage:  # type: ignore[override]
        """Remember it."""
        self.told.append(cdict)
        return AmiMessage(["Response: Success"])


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
