"""Recordings of calls: both sides in one file and one row, whatever is cut off or runs twice; kept, and erased."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents import history
from agents.notes import notes as notes_of
from dispatch import call_audio, retention
from dispatch.orders import OrderRequest, place_order
from ivr import conversation, inbound_rows
from ivr.inbound_rows import Turn, Words
from models import audio, clock
from models.audio import Audio
from models.calls import Call, CallEvent, Utterance
from models.campaigns import Campaign, CareVisit
from models.care_runs import CareHold
from models.orders import Order
from models.people import Elder, NumberRole
from models.phone import normalise
from models.results import CallOutcome, Note
from models.session import read, write
from models.settings import settings
from models.tasks import Task, TaskKind, TaskState
from models.users import User
from tests.support import world

CHANNEL = "1763766000.1"
HEARD, SAID = b"\x01" * 8000, b"\x02" * 4000  # a second, and half of one


@pytest.fixture(params=["database", "postgres_database"])
def call_id(request: pytest.FixtureRequest) -> int:
    """A call of Mrs Wang's, whose recording lies in the spool."""
    request.getfixturevalue(request.param)
    with write() as session:
        world.settle(session)
    opened = inbound_rows.open_call(CHANNEL, normalise(world.WANG)).call_id
    spooled()
    return opened


def spooled(channel: str = CHANNEL, heard: bytes = HEARD, said: bytes | None = SAID, age: float = 10) -> None:
    """Asterisk has written this, so many seconds ago."""
    settings().spool_dir.mkdir(parents=True, exist_ok=True)
    for name, data in (("in", heard), ("out", said)):
        if data is not None:
            path = settings().spool_dir / f"{channel}.{name}.alaw"
            path.write_bytes(data)
            os.utime(path, (time.time() - age,) * 2)


def rows() -> list[Audio]:
    with read() as session:
        return list(session.scalars(select(Audio).order_by(Audio.id)))


def stored(row: Audio) -> Path:
    return audio.path_of(settings().audio_dir, row.content_key)


def test_both_sides_become_the_left_and_the_right_of_one_file(call_id: int) -> None:
    assert call_audio.collect({CHANNEL}) == 0, "the call goes on"
    assert call_audio.collect(set()) == 1
    (row,) = rows()
    assert (row.kind, row.call_id, row.duration_ms) == ("call", call_id, 1000)
    data = stored(row).read_bytes()
    body = data[data.index(b"data") + 8 :]
    assert (body[0::2], body[1::2]) == (HEARD, SAID + b"\xd5" * 4000)
    assert data[20:22] == b"\x06\x00" and data[22:24] == b"\x02\x00", "A-law, two channels"
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert list(settings().spool_dir.iterdir()) == []


def test_what_is_taken_in_twice_is_one_recording(call_id: int) -> None:
    call_audio.collect(set())
    spooled()
    assert call_audio.collect(set()) == 1
    assert len(rows()) == 1 and call_audio.waiting() == 0


def test_a_kill_between_the_row_and_the_spool_doubles_nothing(call_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_args, **_more: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            call_audio.collect(set())
    call_audio.collect(set())
    assert [row.call_id for row in rows()] == [call_id] and call_audio.waiting() == 0


def test_a_full_disk_leaves_it_in_the_spool_and_the_next_goes_on(call_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(audio, "keep", full)
        assert call_audio.collect(set()) == 0
    assert rows() == [] and call_audio.waiting() == 1
    assert sorted(path.suffix for path in settings().spool_dir.iterdir()) == [".alaw", ".alaw"]
    assert call_audio.collect(set()) == 1


def test_while_asterisk_cannot_be_asked_only_old_ones_are_over(call_id: int) -> None:
    assert call_audio.collect(None) == 0
    spooled(age=call_audio.STALE_S + 1)
    assert call_audio.collect(None) == 1


def test_a_file_that_is_still_being_written_is_left(call_id: int) -> None:
    spooled(age=0)
    assert call_audio.collect(set()) == 0


def test_without_a_row_of_the_call_it_waits_and_is_then_kept_by_itself(call_id: int) -> None:
    call_audio.collect(set())
    spooled("1763766000.99", age=60, said=None)
    assert call_audio.collect(set()) == 0
    spooled("1763766000.99", age=call_audio.NO_ROW_S + 1, said=None)
    assert call_audio.collect(set()) == 1
    assert [row.call_id for row in rows()] == [call_id, None]


def test_nothing_was_written_and_nothing_is_kept(call_id: int) -> None:
    spooled(heard=b"", said=b"")
    assert call_audio.collect(set()) == 1 and rows() == [] and call_audio.waiting() == 0


def test_each_kind_has_its_days(call_id: int) -> None:
    call_audio.collect(set())
    now = clock.now()
    assert retention.erase_expired(now + timedelta(days=settings().recording_keep_days - 1)) == 0
    later = now + timedelta(days=settings().recording_keep_days + 1)
    assert retention.erase_expired(later) == 1
    assert rows()[0].erased_at == later and not stored(rows()[0]).exists()
    # All that is ever kept: what the conversation records, the call, and what was understood.
    assert set(retention.days()) == {"utterance", "call", *conversation._RECORDED}


def test_on_request_her_voice_and_words_go_and_the_journal_stays(call_id: int) -> None:
    call_audio.collect(set())
    words = Words("请给我洗个澡", 90, "zh-CN")
    inbound_rows.keep_turn(call_id, None, Turn("service", "said", words=words))
    other = inbound_rows.open_call("1763766000.2", normalise(world.KIM)).call_id
    spooled("1763766000.2", heard=b"\x03" * 8000)
    call_audio.collect(set())
    inbound_rows.keep_turn(other, None, Turn("service", "said", words=Words("목욕", 90, "ko")))
    with write() as session:
        elder = session.scalars(select(Elder).order_by(Elder.id)).first()
        assert elder is not None
        for key, part, status in (("done", "noon", "settled"), ("open", "morning", "confirmed")):
            request = OrderRequest(
                key, "phone", elder.id, "bathing", clock.local_date(clock.now()), part,
                "zh-CN", note="大水桶",
            )  # fmt: skip
            placed = place_order(session, request, clock.now())
            session.get_one(Order, placed.order_id).status = status
        # A call that nobody knew to be hers came from a telephone that is hers alone.
        session.get_one(Call, call_id).elder_id = None
    with read() as session:
        before = session.query(CallEvent).count()
        counted = retention.erase_person(session, elder.id, clock.now(), really=False)
    assert (counted.recordings, counted.words, counted.notes) == (1, 1, 1)
    hers, others = rows()
    assert stored(hers).exists()
    with write() as session:
        assert retention.erase_person(session, elder.id, clock.now()) == counted
    with read() as session:
        texts = {row.call_id: row.text for row in session.scalars(select(Utterance))}
        assert texts == {call_id: "", other: "목욕"}
        assert session.query(CallEvent).count() == before
        assert sorted(session.scalars(select(Order.note))) == ["", "大水桶"]
        assert retention.erase_person(session, elder.id, clock.now()).recordings == 0
    assert not stored(hers).exists() and stored(others).exists()
    assert [row.erased_at is None for row in rows()] == [False, True]


def test_a_household_line_is_nobodys_alone(call_id: int) -> None:
    inbound_rows.open_call("1763766000.3", normalise(world.HOUSEHOLD))
    spooled("1763766000.3")
    call_audio.collect(set())
    with write() as session:
        for elder in session.scalars(select(Elder)):
            if elder.person.name in ("李大山", "赵桂兰"):
                assert retention.erase_person(session, elder.id, clock.now()).recordings == 0


def noted_about(session: Session, elder: Elder, call_id: int | None) -> None:
    """Agents have written of her: in a call, at a visit in two states, of a task that is closed and one that is not."""
    now = clock.now()
    name = elder.person.name
    user = User(name=f"agent of {name}", role="agent", password_hash="", created_at=now)
    campaign = Campaign(name=name, script="care", source="filter", created_at=now)
    session.add_all((user, campaign))
    session.flush()
    visit = CareVisit(campaign_id=campaign.id, elder_id=elder.id, due_at=now, created_at=now)
    kinds = {"over": TaskState.CLOSED, "open": TaskState.POOL}
    closed, opened = (
        Task(
            kind=TaskKind.FOLLOW_UP, dedupe_key=f"{name}:{key}", priority=1, elder_id=elder.id, state=state,
            note=f"task {key}", created_at=now, changed_at=now, closed_at=now if key == "over" else None,
        )
        for key, state in kinds.items()
    )  # fmt: skip
    session.add_all((visit, closed, opened))
    session.flush()
    of = {"code": "visit_well", "user_id": user.id, "at": now}
    session.add_all((
        CallOutcome(call_id=call_id, note="call", **of),
        CallOutcome(visit_id=visit.id, note="visit", **of),
        CallOutcome(task_id=closed.id, note="try over", **of),
        CallOutcome(visit_id=visit.id, task_id=opened.id, note="try open", **of),
        CareHold(elder_id=elder.id, visit_id=visit.id, user_id=user.id, since=now, until=now, note="hold"),
        Note(elder_id=elder.id, user_id=user.id, text="card", at=now),
        Note(elder_id=elder.id, user_id=user.id, text="struck", at=now, struck_at=now),
    ))  # fmt: skip


def test_what_agents_noted_of_her_goes_too_but_an_open_task_keeps_what_it_is_about(call_id: int) -> None:
    other = inbound_rows.open_call("1763766000.4", normalise(world.KIM)).call_id
    with write() as session:
        for elder, call in zip(session.scalars(select(Elder).order_by(Elder.id)), (call_id, other), strict=False):
            noted_about(session, elder, call)
    with write() as session:
        hers, kim = session.scalars(select(Elder).order_by(Elder.id).limit(2))
        assert retention.erase_person(session, hers.id, clock.now(), really=False).remarks == 7
        assert retention.erase_person(session, hers.id, clock.now()).remarks == 7
        assert retention.erase_person(session, hers.id, clock.now()).remarks == 0
    with read() as session:
        notes = [*session.scalars(select(CallOutcome.note)), *session.scalars(select(Task.note))]
        # Hers and the other's: what is left twice was not erased.
        assert sorted(notes) == sorted([
            "call", "visit", "task over", "try over", *["task open", "try open"] * 2, *[""] * 4,
        ])  # fmt: skip
        holds = {row.elder_id: row.note for row in session.scalars(select(CareHold))}
        assert holds == {hers.id: "", kim.id: "hold"}
        on_card = {(row.elder_id, row.text) for row in session.scalars(select(Note))}
        assert on_card == {(hers.id, ""), (kim.id, "card"), (kim.id, "struck")}
        # On her card and in its history there is nothing left to be read.
        assert notes_of(session, hers.id, 9, struck=True) == () == history.page(session, hers.id, "notes", None).notes
        # Of the other nothing is touched.
        assert retention.erase_person(session, kim.id, clock.now(), really=False).remarks == 7


def test_a_second_registration_that_was_merged_into_hers_is_she(call_id: int) -> None:
    inbound_rows.open_call("1763766000.5", normalise(world.HOUSEHOLD))
    spooled("1763766000.5")
    call_audio.collect(set())
    with write() as session:
        twin, kept = (
            elder
            for elder in session.scalars(select(Elder).order_by(Elder.id))
            if elder.person.name in ("李大山", "赵桂兰")
        )
        noted_about(session, twin, None)
        for elder in (twin, kept):
            elder.person.numbers[0].role = NumberRole.OWN
        session.flush()
        assert retention.erase_person(session, kept.id, clock.now(), really=False) == retention.Erased(0, 0, 0, 0)
        twin.merged_into_id = kept.id
        session.flush()
        # The telephone that the two had is hers alone now, and what stayed with the old registration is hers.
        done = retention.erase_person(session, kept.id, clock.now())
    assert (done.recordings, done.remarks) == (1, 6)
