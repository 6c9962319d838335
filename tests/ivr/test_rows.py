"""What calls leave in the database: every kind of end, in every language, by word; and when they break off at any step.

The walk of the graph (test_turns.py) knows no rows. Here the whole conversation runs on a database, only the ears are
lent: what she says comes from a list.
"""

from __future__ import annotations

import io
import os
import wave
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asterisk.agi import AGIHangup
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from dispatch import spool
from dispatch.calls import end_call
from dispatch.outbox import transaction
from ivr import deeds, inbound
from ivr.agi import Line
from ivr.listening import Listener
from ivr.prompts import voice
from ivr.turns import Ask, Digits, Heard, Key, Said, Silence, Unknown
from models import clock, register
from models.audio import Audio
from models.calls import Call, CallEnd, CallState
from models.contacts import Relation
from models.journal import Entry
from models.orders import Order
from models.people import Elder, Person
from models.phone import normalise
from models.ratings import OrderRating
from models.register import NewContact, NewElder
from models.session import read
from models.settings import settings
from models.tasks import Task
from tests.ivr.fake_asterisk import environment
from tests.support import world

pytestmark = pytest.mark.usefixtures("database")

SMITH = "+8645110000009"  # an English-speaking elder
HER = {"zh-CN": world.WANG, "ko": world.KIM, "en": SMITH}
LANGUAGES = tuple(HER)


def say(*words: str) -> list[Heard]:
    return [Said(word, 95) for word in words]


BATH = {"zh-CN": "明天上午洗澡", "ko": "내일 오전 목욕", "en": "a bath tomorrow morning"}
YES = {"zh-CN": "对", "ko": "네", "en": "yes"}
NO = {"zh-CN": "没有了", "ko": "없어요", "en": "that's all"}


def _ways(language: str) -> dict[str, list[Heard]]:
    """What she says in calls of every kind of end, in her language."""
    of = dict(zip(LANGUAGES, range(3), strict=True))[language]

    def one(*words: str) -> list[Heard]:
        return say(words[of])

    ordered = say(BATH[language], YES[language])
    return {
        "order": ordered,
        "goodbye": [*ordered, *say(NO[language])],
        "order, slot by slot": [
            *one("洗澡", "목욕", "a bath"),
            *one("后天", "모레", "the day after tomorrow"),
            *one("下午", "오후", "in the afternoon"),
            *say(YES[language]),
        ],
        "cancel": [*ordered, *one("取消", "취소", "cancel"), *say(YES[language])],
        "change": [*ordered, *one("改到后天", "변경 모레", "change it to friday"), *say(YES[language])],
        "status": [*ordered, *one("什么时候来", "언제 와", "when are they coming")],
        "message": one("留言", "메시지", "leave a message"),
        "person": [*one("洗澡", "목욕", "a bath"), *one("人工", "상담원", "operator")],
        "emergency": [*one("洗澡", "목욕", "a bath"), *one("我摔倒了", "넘어졌어요", "i have fallen")],
        "government": one("问一下低保", "민원", "my pension"),
        "again and again": one("每周三上午洗澡", "매주 수요일 오전 목욕", "a bath every wednesday morning"),
        "several days": one("明天和后天都来送饭", "내일하고 모레 식사 배달", "meals tomorrow and friday"),
        "rate": [*one("评价", "평가", "rate"), *one("很不好", "최악", "terrible"), *one("对", "네", "yes")],
    }


# The tables of the world that is there before anybody rings.
SETTLED: set[str] = set()
WAYS = tuple(_ways("en"))


@pytest.fixture(autouse=True)
def _town(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "utterance", lambda *_manner: "prompt")
    with transaction() as session:
        world.settle(session)
        register.add_elder(session, NewElder("Smith", [normalise(SMITH)], sex="f", language="en"), clock.now())
        session.flush()
        SETTLED.update(table.name for table in Call.metadata.sorted_tables if session.execute(select(table)).first())


class Ears:
    """Lends a call what is heard, turn by turn; then `last` for ever, None: she hangs up."""

    def __init__(self, heard: Sequence[Heard], last: Heard | None) -> None:
        self._heard: Iterator[Heard] = iter(heard)
        self._last = last
        self.asked: list[str] = []

    def ask(self, _listener: Listener, asked: Ask, _language: str, _early: str | None = None) -> Heard:
        self.asked.append(asked.lines[-1].key)
        heard = next(self._heard, self._last)
        if heard is None:
            raise AGIHangup("hung up")
        return heard

    def record(self, _listener: Listener, _lines: object, _language: str, target: Path) -> str | None:
        with wave.open(str(target), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(b"\x10\x27" * (8000 + len(self.asked)))  # another one each time
        return None


def rings(
    monkeypatch: pytest.MonkeyPatch, number: str, heard: Sequence[Heard], last: Heard | None = None
) -> tuple[int, Ears]:
    """One call to its end, or on to a person; returns its id."""
    ears = Ears(heard, last)
    monkeypatch.setattr(Listener, "ask", lambda self, *what: ears.ask(self, *what))
    monkeypatch.setattr(Listener, "record", lambda self, *what: ears.record(self, *what))
    with transaction() as session:
        for n, old in enumerate(session.scalars(select(Call))):
            old.channel_id = f"over-{n}"
    line = Line(io.BytesIO(environment(agi_callerid=number) + b"200 result=1\n" * 200), io.BytesIO())
    try:
        inbound.answer_call(line)
    except AGIHangup:
        assert last is None
    with read() as session:
        return session.scalars(select(Call.id).order_by(Call.id.desc())).first() or 0, ears


def _order_done(session: Session, number: str) -> None:
    """She had a bath yesterday."""
    order = session.scalars(select(Order)).one()
    order.status = "completed"
    order.wanted_on -= timedelta(days=2)


def kinds(call: Call) -> list[str]:
    return [event.kind for event in call.events]


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("way", WAYS)
def test_every_end_leaves_its_rows_in_every_language(way: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "rate":
        rings(monkeypatch, HER[language], _ways(language)["order"])
        with transaction() as session:
            _order_done(session, HER[language])
    call_id, _ = rings(monkeypatch, HER[language], _ways(language)[way])
    with read() as session:
        call = session.get_one(Call, call_id)
        orders = session.scalars(select(Order).order_by(Order.id)).all()
        tasks = {task.kind: task for task in session.scalars(select(Task))}
        journal = kinds(call)
        reasons = [event.data["reason"] for event in call.events if event.kind == Entry.TO_PERSON]
        slots: list[dict[str, Any]] = [event.data["slots"] for event in call.events if event.kind == Entry.SLOT]
        assert call.language == language and call.elder_id is not None
        # Every word is kept apart from the journal, and no word stands in it.
        assert not any("text" in event.data for event in call.events)
        match way:
            case "order" | "order, slot by slot" | "goodbye" | "status" | "change" | "cancel":
                [order] = orders
                assert (order.service, order.call_id, order.language) == ("bathing", call_id, language)
                assert Entry.ORDER_PLACED in journal and tasks == {}
                assert order.status == ("cancelled" if way == "cancel" else "confirmed")
                assert call.end == ("goodbye" if way == "goodbye" else "hung_up")
                today = clock.local_date(clock.now())
                if way == "change":
                    assert order.wanted_on != today + timedelta(days=1) and Entry.ORDER_CHANGED in journal
                elif way == "order":
                    assert (order.wanted_on, order.wanted_part) == (today + timedelta(days=1), "morning")
                if way == "status":
                    assert Entry.ORDERS_TOLD in journal
            case "message":
                assert orders == [] and tasks.keys() == {"message"} and tasks["message"].audio_id is not None
            case "rate":
                assert [rating.score for rating in session.scalars(select(OrderRating))] == [1]
                assert tasks.keys() == {"dissatisfied"}
            case _:
                assert orders == [] and (call.state, call.end, call.ended_at) == (CallState.WAITING, None, None)
                wanted = {"person": "asked", "again and again": "repeated", "several days": "repeated"}
                assert reasons == [wanted.get(way, way)]
                assert tasks.keys() == ({"alarm"} if way == "emergency" else set())
        if way == "again and again":
            assert slots[-1] == {"service": "bathing", "day": slots[-1]["day"], "part": "morning", "every": "week"}
            # Nobody came to the telephone: the task names the wish.
            with transaction() as writing:
                end_call(writing, call_id, CallEnd.ABANDONED, clock.now())
    if way == "again and again":
        with read() as session:
            [task] = session.scalars(select(Task)).all()
            assert (task.kind, task.data["slots"]["every"], task.data["reason"]) == ("missed", "week", "repeated")


ENDS: dict[str, Heard | None] = {
    "hangs up": None,
    "silence": Silence(),
    "nonsense": Unknown("음"),
    "a key that means nothing": Key("D"),
}


# She hangs up in each language; the rest takes turns.
BREAKS = [
    (way, end, language)
    for n, way in enumerate(WAYS)
    for m, end in enumerate(ENDS)
    for language in (LANGUAGES if ENDS[end] is None else (LANGUAGES[(n + m) % 3],))
    if way != "rate"
]


@pytest.mark.slow
@pytest.mark.parametrize(("way", "end", "language"), BREAKS)
def test_broken_off_at_any_step_the_journal_is_closed_and_what_was_understood_is_a_task(
    way: str, end: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = _ways(language)[way]
    for said in range(len(heard) + 1):
        _nothing_yet()
        call_id, _ = rings(monkeypatch, HER[language], heard[:said], ENDS[end])
        with transaction() as session:
            if session.get_one(Call, call_id).state == CallState.WAITING:
                # Nobody is there, and she hangs up at last.
                end_call(session, call_id, CallEnd.ABANDONED, clock.now())
        with read() as session:
            call = session.get_one(Call, call_id)
            journal = kinds(call)
            assert call.ended_at is not None and call.state == CallState.ENDED
            assert journal.count(Entry.ENDED) == 1 and journal[-1] == Entry.ENDED
            tasks = session.scalars(select(Task)).all()
            slots = [event.data["slots"] for event in call.events if event.kind == Entry.SLOT]
            done = (Entry.ORDER_PLACED, Entry.ORDERS_TOLD, Entry.ORDER_CHANGED, Entry.ORDER_CANCELLED, Entry.MESSAGE)
            achieved = max((n for n, kind in enumerate(journal) if kind in done), default=-1)
            begun = max((n for n, kind in enumerate(journal) if kind == Entry.SLOT), default=-1)
            if slots and begun > achieved:
                task = next(task for task in tasks if task.kind in ("partial", "missed"))
                assert task.data["slots"] == slots[-1] and task.elder_id == call.elder_id, said
            elif achieved < 0:
                assert tasks, "whoever got nothing is rung back"


def test_a_stranger_s_name_and_number_are_a_task_in_every_language(monkeypatch: pytest.MonkeyPatch) -> None:
    for turns, language in enumerate(LANGUAGES):
        _nothing_yet()
        order = ("zh-CN", "ko", "en")
        hashes: list[Heard] = [Key("#")] * ((order.index(language) - order.index("zh-CN")) % 3)
        call_id, _ = rings(monkeypatch, world.STRANGER, [*hashes, Key("2"), Key("2"), Digits("13900000000"), Key("1")])
        with read() as session:
            call = session.get_one(Call, call_id)
            [task] = session.scalars(select(Task)).all()
            assert (task.kind, task.data["language"], call.end) == ("ring_back", language, "ring_back"), turns
            assert task.audio_id is not None and task.number is not None and task.number.value.endswith("13900000000")


def _nothing_yet() -> None:
    """Only the world is there, as at the beginning."""
    with transaction() as session:
        for table in reversed(Call.metadata.sorted_tables):
            if table.name not in SETTLED:
                session.execute(table.delete())


def test_two_messages_in_one_call_are_both_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    call_id, _ = rings(monkeypatch, world.WANG, say("留言", "再留个言"))
    with read() as session:
        tasks = session.scalars(select(Task).order_by(Task.id)).all()
        kept = [recording.id for recording in session.scalars(select(Audio).where(Audio.call_id == call_id))]
        assert len(kept) == 2, "a second message does not write over the first"
        assert {task.kind for task in tasks} == {"message"} and {task.audio_id for task in tasks} == set(kept)


def test_a_changed_order_has_the_new_hour_and_another_part_of_the_day_none(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = say("明天下午三点打扫", "对", "改到后天下午四点", "对", "改到上午", "对")
    for said, at, part in ((2, "15:00", "afternoon"), (4, "16:00", "afternoon"), (6, None, "morning")):
        _nothing_yet()
        rings(monkeypatch, world.WANG, changes[:said])
        with read() as session:
            [order] = session.scalars(select(Order)).all()
            assert (order.wanted_at and f"{order.wanted_at:%H:%M}", order.wanted_part) == (at, part), said


@pytest.mark.parametrize("may_order", [True, False])
def test_a_card_gives_a_contact_no_more_than_the_elder_has_consented_to(
    may_order: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    mobile = normalise("13900000040")
    with transaction() as session:
        for name, consent in (("王秀英", may_order), ("김영희", True)):
            elder = session.scalars(select(Elder).join(Person, Person.id == Elder.id).where(Person.name == name)).one()
            register.add_contact(
                session, elder, NewContact("王芳", [mobile], Relation.CHILD, may_order=consent), clock.now()
            )
    # She is asked for the one or two elders she may order for; another's card is keyed behind "somebody else".
    other: list[Heard] = [Key("8"), Key("1")] if may_order else [Key("2"), Key("1")]
    _, ears = rings(monkeypatch, mobile.value, [*other, Digits("0001"), Key("2"), Key("2"), Key("1"), Key("1")])
    with read() as session:
        orders = session.scalars(select(Order)).all()
        assert [order.service for order in orders] == (["bathing"] if may_order else []), ears.asked


def test_a_message_that_could_not_be_written_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object) -> object:
        raise OperationalError("", {}, Exception("database is locked"))

    monkeypatch.setitem(deeds.DEEDS, "keep_recording", locked)
    with pytest.raises(OperationalError):
        rings(monkeypatch, HER["en"], _ways("en")["message"])
    (left,) = settings().spool_dir.glob("*.wav")
    os.utime(left, (0, 0))
    assert spool.collect(set()) == 1 and not left.exists()
    with read() as session:
        (task,) = session.scalars(select(Task).where(Task.kind == "message"))
        assert task.audio_id == session.scalars(select(Audio.id)).one()
        assert task.call_id == session.scalars(select(Call.id)).one()
