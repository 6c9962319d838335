"""The notice before a recording: what is said and asked of the dialplan, and that nothing is where it is off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from asterisk.agi import AGIHangup
from sqlalchemy import Engine, select

from ivr import inbound_rows, recording
from ivr.callers import Seen
from ivr.conversation import Conversation
from ivr.listening import Listener
from ivr.turns import Ask, Care, Heard, Her, Key, KnownOrder, Matters, Missed, ReturnDue, State
from ivr.turns.state import replace
from models.calls import CallEvent
from models.journal import Entry
from models.session import read
from models.settings import settings
from tests.ivr.fake_asterisk import line

SILENT, KEYED = b"200 result= (timeout)\n", b"200 result=0\n"
DONE = b"100 result=0 Trying...\n200 result=0 Gosub complete\n"


@pytest.fixture
def call_id(database: Engine, monkeypatch: pytest.MonkeyPatch) -> int:
    """A call that has just begun; prompts need no rendering."""
    monkeypatch.setattr("ivr.prompts.voice.utterance", lambda lines, *_: f"/{lines[0].key}")
    return inbound_rows.open_call("1763766000.1", None).call_id


def switch(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    settings.cache_clear()


def how() -> list[str]:
    """What the journal says of the recording."""
    with read() as session:
        return [e.data["how"] for e in session.scalars(select(CallEvent)) if e.kind == Entry.RECORDING]


def test_switched_off_not_one_step_is_run(call_id: int) -> None:
    with line() as (call, asterisk):
        assert recording.begin(call, Listener(call, speech=False), call_id, "ko") is None
    assert asterisk.commands == [] and how() == []


@pytest.mark.parametrize(("answer", "key"), [(SILENT, None), (KEYED, "0")], ids=["heard out", "a key"])
def test_the_notice_comes_first_and_a_key_cuts_it_short(
    call_id: int, monkeypatch: pytest.MonkeyPatch, answer: bytes, key: str | None
) -> None:
    switch(monkeypatch, RECORDING="true", RECORDING_FREE_GB="0")
    with line(answer, DONE) as (call, asterisk):
        assert recording.begin(call, Listener(call, speech=False), call_id, "ko") == key
    assert asterisk.commands == ['GET DATA "/recording_notice" "1" "1"', 'GOSUB "record" "s" "1"']
    assert how() == ["on"]


def test_on_a_full_disk_the_call_goes_on_without_notice_and_recording(
    call_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch(monkeypatch, RECORDING="true", RECORDING_FREE_GB="1000000000")
    with line(b"200 result=1\n") as (call, asterisk):
        assert recording.begin(call, Listener(call, speech=False), call_id, "ko") is None
    assert asterisk.commands == ['SET VARIABLE "RECORDED" "no"'], "the dialplan does not begin either"
    assert how() == ["disk_full"]


def test_a_key_that_came_early_answers_the_first_question_and_a_star_may_be_a_workers(call_id: int) -> None:
    with line() as (call, _):
        assert Listener(call, speech=False).ask(Ask((), "none"), "ko", early="2") == Key("2")
    with line(b"200 result=4711\n") as (call, _):
        heard = Listener(call, speech=False).ask(Ask((), "none", star=True), "ko", early="*")
    assert str(heard) == "Digits(digits='*4711')"


WANG = Her(1, "王", "f", "zh-CN")
MORNING = datetime(2026, 11, 22, 9, tzinfo=UTC)
BATH = KnownOrder(11, 1011, "bathing", MORNING.date() + timedelta(days=1), "morning", "confirmed")
OPEN = State(MORNING, "zh-CN", people=(WANG,))
FIRST = {
    "open": (OPEN, True),
    "stranger": (replace(OPEN, how="unknown", people=()), True),
    "usual": (replace(OPEN, matters=Matters(usual=BATH.slots)), False),
    "missed": (replace(OPEN, matters=Matters(missed=Missed(4, BATH, "安康"))), False),
    "return_visit": (replace(OPEN, matters=Matters(asked=ReturnDue(6, (BATH,)))), False),
    "which": (replace(OPEN, how="household", people=(WANG, replace(WANG, elder_id=2))), False),
    "care_feel": (replace(OPEN, how="care", her=WANG, care=Care(9, ("feel",)), at_door=False), False),
}


@pytest.mark.parametrize("key", ["1", "0", "9", "#"])
@pytest.mark.parametrize("step", FIRST)
def test_a_key_during_the_notice_answers_an_open_question_and_confirms_nothing_that_was_not_said(
    call_id: int, monkeypatch: pytest.MonkeyPatch, step: str, key: str
) -> None:
    asked: list[str | None] = []

    def ask(_self: Listener, _ask: Ask, _language: str, early: str | None = None) -> Heard:
        asked.append(early)
        raise AGIHangup("hung up")

    monkeypatch.setattr(Listener, "ask", ask)
    monkeypatch.setattr(recording, "begin", lambda *_: key)
    state, kept = FIRST[step]
    with line() as (call, _):
        conversation = Conversation(call, inbound_rows.Opened(call_id, "a", Seen("one", "zh-CN")), state, inbound_rows)
        with pytest.raises(AGIHangup):
            conversation.lead()
    assert conversation.state.step == step
    assert asked == [key if kept or key != "1" else None]
