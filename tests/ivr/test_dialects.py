"""Which dialect the dialplan is told of on the way to a person: hers, where she is on the line herself."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from asterisk.agi import AGIHangup
from sqlalchemy import Engine, select

from dispatch.outbox import transaction
from ivr import inbound, outbound
from ivr.agi import Line
from ivr.prompts import voice
from models import clock, register
from models.contacts import Relation
from models.dialing import Attempt, AttemptStatus
from models.people import Elder
from models.phone import normalise
from models.preferences import Because, Origin, Setting, put
from models.register import NewContact
from tests.dispatch.town import Town
from tests.ivr.fake_asterisk import environment
from tests.support import world

DAUGHTER = "+8645110000044"


@pytest.fixture
def town(database: Engine, monkeypatch: pytest.MonkeyPatch) -> Town:
    """王秀英 and 李大山, who shares his telephone, speak as in Shandong; a daughter orders for her."""
    monkeypatch.setattr(voice, "utterance", lambda *_manner: "prompt")
    town = Town(monkeypatch)
    with transaction() as session:
        wang, _, li, _ = session.scalars(select(Elder).order_by(Elder.id))
        for elder in (wang, li):
            put(session, elder.id, (Setting.DIALECT, "shandong"), Because(Origin.AGENT), clock.now())
        daughter = NewContact("王芳", [normalise(DAUGHTER)], Relation.CHILD, may_order=True)
        register.add_contact(session, wang, daughter, clock.now())
    return town


def told(keys: list[str], channel: str = "", **header: str) -> str:
    """What the dialplan is told after these keys, one a question."""
    answers = b"".join(f"200 result={key}\n".encode() for key in keys) + b"200 result=1\n" * 9
    sent = io.BytesIO()
    line = Line(io.BytesIO(environment(**header, **({"agi_uniqueid": channel} if channel else {})) + answers), sent)
    with suppress(AGIHangup):
        (outbound.callback if channel else inbound.answer_call)(line)
    said = sent.getvalue().decode()
    assert '"HOTLINE_NEXT" "person"' in said, said
    return said.partition('"HOTLINE_DIALECT" "')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("number", "keys", "dialect"),
    [
        (world.WANG, ["0"], "shandong"),
        (world.KIM, ["0"], ""),
        (world.HOUSEHOLD, ["0"], ""),  # It is not said yet which of them rings.
        (world.HOUSEHOLD, ["1", "0"], "shandong"),
        (world.HOUSEHOLD, ["2", "0"], ""),
        (world.STRANGER, ["0"], ""),
        (world.STRANGER, ["1", "0001", "0"], "shandong"),  # Her card, at whatever telephone.
        (DAUGHTER, ["1", "0"], ""),
    ],
)
def test_her_own_and_nobody_elses(town: Town, number: str, keys: list[str], dialect: str) -> None:
    assert told(keys, agi_callerid=number) == dialect


def test_also_when_we_have_rung_her(town: Town) -> None:
    town.orders()
    town.works()
    town.accepts()
    town.ended()
    town.works()
    (attempt,) = [one for one in town.all(Attempt) if one.callback_id and one.status != AttemptStatus.CLOSED]
    assert told(["0"], channel=attempt.channel_id) == "shandong"
