"""The return visit as its call writes it: what she says, every way of not saying it, and a line that is lost."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from asterisk.agi import AGIHangup
from sqlalchemy import Engine, select

from dispatch import returns
from dispatch.outbox import transaction
from ivr import return_visits
from ivr.agi import Line, LineLost
from ivr.listening import Listener
from ivr.prompts import voice
from ivr.turns import Ask, Digits, Heard, Key, Said, Silence, Unknown
from models import clock
from models.audio import Audio
from models.calls import Call, CallState, Direction
from models.dialing import Attempt, AttemptStatus
from models.followups import ReturnVisit
from models.orders import Order, OrderEvent, OrderStatus, move_order
from models.people import Elder
from models.ratings import OrderRating
from models.session import read
from models.tasks import Task
from tests.ivr.fake_asterisk import environment
from tests.support import world


@pytest.fixture(autouse=True)
def _town(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """王秀英 had a bath and a meal, and is rung about it now."""
    monkeypatch.setattr(voice, "utterance", lambda *_manner: "prompt")
    now = clock.now()
    with transaction() as session:
        world.settle(session)
        elder = session.scalars(select(Elder).order_by(Elder.id)).first()
        assert elder is not None
        for service in ("bathing", "meals"):
            order = Order(
                idempotency_key=service, channel="phone", elder_id=elder.id, service=service, language="zh-CN",
                wanted_on=clock.local_date(now) - timedelta(days=1), wanted_part="morning", status="arrived",
                provider_id=1, created_at=now, changed_at=now,
            )  # fmt: skip
            session.add(order)
            session.flush()
            move_order(session, order, OrderStatus.COMPLETED, now, OrderEvent(actor="worker"))
            returns.begin(session, order, now)
        attempt = session.scalars(select(Attempt)).one()
        call = Call(
            channel_id=attempt.channel_id, direction=Direction.OUT, purpose="return_visit", state=CallState.DIALING,
            number_id=attempt.number_id, elder_id=elder.id, language="zh-CN", started_at=now,
        )  # fmt: skip
        session.add(call)
        session.flush()
        attempt.status, attempt.call_id, attempt.dialed_at = AttemptStatus.DIALING, call.id, now


def answers(monkeypatch: pytest.MonkeyPatch, *heard: Heard | type[AGIHangup]) -> list[str]:
    """She answers and is heard so; after the last of it nothing more is. Returns what she was asked."""
    left, asked = list(heard), list[str]()

    def ask(_self: Listener, move: Ask, _language: str, _early: str | None = None) -> Heard:
        asked.extend(said.key for said in (*move.first, *move.lines))
        one = left.pop(0) if left else Silence()
        if isinstance(one, type):
            raise one("gone")
        return one

    def record(_self: Listener, _lines: object, _language: str, target: Path) -> str | None:
        with wave.open(str(target), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(b"\x10\x27" * 16000)
        return "#"

    monkeypatch.setattr(Listener, "ask", ask)
    monkeypatch.setattr(Listener, "record", record)
    with read() as session:
        channel = session.scalars(select(Attempt.channel_id)).first() or ""
    line = Line(io.BytesIO(environment(agi_uniqueid=channel) + b"200 result=1\n" * 200), io.BytesIO())
    with suppress(AGIHangup):
        return_visits.return_visit(line)
    return asked


def found() -> tuple[str, list[str], list[str | None], str | None]:
    """How it stands: the visit, the orders, the attempts' outcomes, the call's end."""
    with read() as session:
        visit = session.scalars(select(ReturnVisit)).one()
        orders = session.scalars(select(Order.status).order_by(Order.id)).all()
        outcomes = session.scalars(select(Attempt.outcome).order_by(Attempt.id)).all()
        return visit.status, list(orders), list(outcomes), session.scalars(select(Call.end)).first()


def tasks() -> list[str]:
    with read() as session:
        return sorted(session.scalars(select(Task.kind)))


def test_she_says_how_both_were_and_has_a_word_of_her_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch, Key("5"), Said("很好", 90), Key("1"))
    assert asked == [
        "return_hello", "rate_what", "ask_score", "rated", "rate_what", "ask_score", "score_readback",
    ]  # fmt: skip
    assert found() == ("done", ["settled", "settled"], ["confirmed"], "goodbye")
    with read() as session:
        assert session.scalars(select(OrderRating.score)).all() == [5, 5]
        audio = session.scalars(select(Audio)).one()
        assert audio.kind == "word" and session.scalars(select(ReturnVisit)).one().audio_id == audio.id
    assert tasks() == ["word"]


def test_her_word_stands_with_her_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, Key("5"), Key("1"))
    assert found()[:2] == ("done", ["settled", "return_visited"]) and tasks() == ["dissatisfied"]
    with read() as session:
        assert session.scalars(select(Task.audio_id)).one() == session.scalars(select(Audio.id)).one()


def silence() -> Sequence[Heard | type[AGIHangup]]:
    return [Silence()] * 9


@pytest.mark.parametrize(
    ("heard", "orders", "outcome"),
    [
        (silence, ["completed", "completed"], "no_key"),
        (lambda: [Unknown("您拨打的电话"), Unknown("请在滴声后留言")], ["completed", "completed"], "no_key"),
        (lambda: [Said("对", 99), Said("好的", 99)], ["completed", "completed"], "no_key"),
        (lambda: [AGIHangup], ["completed", "completed"], "no_key"),
        (lambda: [Key("4"), AGIHangup], ["settled", "completed"], "no_key"),
        (lambda: [Key("4"), LineLost], ["settled", "completed"], "lost"),
        (lambda: [LineLost], ["completed", "completed"], "lost"),
        (lambda: [Digits("12"), Digits("13")], ["completed", "completed"], "no_key"),
    ],
    ids=["silence", "a machine", "a lone yes", "hangs up", "hangs up after one", "lost after one", "lost", "nonsense"],
)
def test_whatever_else_happens_she_is_rung_again_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
    heard: Callable[[], Sequence[Heard | type[AGIHangup]]],
    orders: list[str],
    outcome: str,
) -> None:
    answers(monkeypatch, *heard())
    status, stand, outcomes, _ = found()
    assert (status, stand) == ("open", orders)
    assert outcomes == [outcome, None], "once more, at its time"
    assert tasks() == []


@pytest.mark.parametrize(("key", "kinds"), [("0", ["unreachable"] * 2), ("9", ["alarm", *["unreachable"] * 2])])
def test_a_person_is_one_key_away_and_then_asks_her(
    monkeypatch: pytest.MonkeyPatch, key: str, kinds: list[str]
) -> None:
    answers(monkeypatch, Key(key))
    status, _, outcomes, _ = found()
    assert (status, outcomes, tasks()) == ("failed", ["person"], kinds)
    with read() as session:
        assert session.scalars(select(Call.state)).one() == "waiting"


def test_whoever_has_said_it_meanwhile_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction() as session:
        call = Call(
            channel_id="hers", direction=Direction.IN, purpose="inbound", state=CallState.TALKING,
            started_at=clock.now(),
        )  # fmt: skip
        session.add(call)
        session.flush()
        for order_id in session.scalars(select(Order.id)).all():
            returns.hear(session, returns.Said(order_id, 5, call.id), clock.now())
    assert answers(monkeypatch, Key("1")) == []
    assert found()[:3] == ("done", ["settled", "settled"], ["too_late"])
