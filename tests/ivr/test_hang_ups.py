"""She hangs up, or only noise comes, at every step of every way: the journal is closed and what was said is kept."""

from __future__ import annotations

import io

import pytest
from asterisk.agi import AGIHangup
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from dispatch.outbox import transaction
from ivr import inbound, inbound_rows
from ivr.agi import Line
from ivr.prompts import voice
from models.calls import Call
from models.journal import Entry
from models.orders import Order
from models.session import read
from models.tasks import Task
from tests.ivr.fake_asterisk import environment
from tests.support import world

pytestmark = pytest.mark.usefixtures("database")

# Ways through the conversation by key, and what she has got by their end.
WAYS = {
    "a bath": (world.WANG, ["2", "2", "1", "1"]),
    "a bath on another date, changed": (world.WANG, ["2", "4", "28", "3", "2", "3", "1", "1"]),
    "rehabilitation": (world.WANG, ["8", "1", "8", "1", "2", "1", "1"]),
    "her orders": (world.WANG, ["8", "2", "2"]),
    "a bath, and another": (world.WANG, ["2", "2", "1", "1", "1", "3", "2", "1", "1"]),
    "one of a household": (world.HOUSEHOLD, ["2", "1", "2", "4", "1"]),
    "her card": (world.STRANGER, ["1", "0001", "3", "3", "3", "1"]),
    "in Korean": (world.KIM, ["2", "#", "2", "1", "1"]),
}


@pytest.fixture(autouse=True)
def _town(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "utterance", lambda *_manner: "prompt")
    world.settle_new_town()


def rings(number: str, keys: list[str], last: bytes = b"200 result=-1\n") -> None:
    """Somebody rings and presses `keys`, one a question; then `last` comes, as often as anything is asked."""
    answers = b"".join(f"200 result={key}\n".replace("result=#", "result=").encode() for key in keys)
    line = Line(io.BytesIO(environment(agi_callerid=number) + answers + last * 40), io.BytesIO())
    inbound.answer_call(line)


def the_call(session: Session) -> Call:
    return session.scalars(select(Call)).one()


@pytest.mark.parametrize("way", WAYS)
def test_hanging_up_at_every_step_closes_the_call_and_keeps_what_was_said(way: str, database: Engine) -> None:
    number, keys = WAYS[way]
    for pressed in range(len(keys) + 1):
        with transaction() as session:
            for table in reversed(Call.metadata.sorted_tables):
                if table.name in ("tasks", "outbox", "order_events", "orders", "call_events", "utterances", "calls"):
                    session.execute(table.delete())
        with pytest.raises(AGIHangup):
            rings(number, keys[:pressed])
        with read() as session:
            call = the_call(session)
            assert (call.state, call.end) == ("ended", "hung_up")
            kinds = [event.kind for event in call.events]
            assert kinds[-2:] == [Entry.HUNG_UP, Entry.ENDED] and kinds.count(Entry.ENDED) == 1
            assert kinds.count(Entry.TURN) == pressed
            asked = [event.data["slots"] for event in call.events if event.kind == Entry.SLOT]
            tasks = session.scalars(select(Task)).all()
            achieved = [n for n, kind in enumerate(kinds) if kind in (Entry.ORDER_PLACED, Entry.ORDERS_TOLD)]
            begun = [n for n, kind in enumerate(kinds) if kind == Entry.SLOT]
            if achieved and achieved[-1] > max(begun, default=-1):
                assert tasks == []
            else:
                assert [task.kind for task in tasks] == ["partial"]
                assert tasks[0].data["slots"] == (asked[-1] if asked else {})


NOISE = {"7": b"200 result=7\n", "silence": b"200 result= (timeout)\n", "D": b"200 result=D\n"}


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("way", WAYS)
def test_noise_at_every_step_ends_at_a_person_or_a_goodbye(way: str, noise: str) -> None:
    number, keys = WAYS[way]
    for pressed in range(len(keys) + 1):
        try:
            rings(number, keys[:pressed], NOISE[noise])
        except AGIHangup:
            pytest.fail("the conversation did not come to an end by itself")
        finally:
            with transaction() as session:
                call = session.scalars(select(Call).order_by(Call.id.desc()).limit(1)).one()
                ended = (call.state, call.end)
                call.channel_id = f"over-{call.id}"
        assert ended in (("waiting", None), ("ended", "goodbye")), pressed


def test_a_bath_cancelled_and_ordered_again_in_the_same_call_is_a_bath() -> None:
    again = ["2", "2", "1", "1", "1", "8", "2", "2", "1", "1", "2", "2", "1", "1"]
    with pytest.raises(AGIHangup):
        rings(world.WANG, again)
    with read() as session:
        assert [order.status for order in session.scalars(select(Order).order_by(Order.id))] == [
            "cancelled",
            "confirmed",
        ]


def test_a_cancellation_broken_off_is_an_unfinished_request() -> None:
    with pytest.raises(AGIHangup):
        rings(world.WANG, ["2", "2", "1", "1", "1", "8", "2", "2"])
    with read() as session:
        assert [order.status for order in session.scalars(select(Order))] == ["confirmed"]
        assert [task.data["slots"]["wish"] for task in session.scalars(select(Task))] == ["cancel"]


def test_nine_brings_her_to_a_person_though_no_row_can_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    monkeypatch.setattr(inbound_rows, "keep_turn", fails)
    monkeypatch.setattr(inbound_rows, "to_person", fails)
    sent = io.BytesIO()
    line = Line(io.BytesIO(environment(agi_callerid=world.WANG) + b"200 result=9\n" + b"200 result=1\n" * 9), sent)
    with pytest.raises(OperationalError):
        inbound.answer_call(line)
    assert b'"HOTLINE_WHY" "emergency"' in sent.getvalue() and b'"HOTLINE_NEXT" "person"' in sent.getvalue()
