"""The dialplan's notes: worked off once, whatever state they and the rest are in."""

from __future__ import annotations

import os
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from dispatch import spool
from dispatch.calls import close_call
from ivr.prompts.voice import write_wav
from models import audio
from models.audio import Audio
from models.calls import Call, CallEnd, CallEvent, Direction
from models.journal import Entry, note
from models.people import PhoneNumber
from models.session import read, write
from models.settings import settings
from models.tasks import Task
from tests.dispatch.town import Town
from tests.support import world

CHANNEL = "1763766000.1"


@pytest.fixture
def spool_dir(town: Town) -> Path:
    settings().spool_dir.mkdir()
    return settings().spool_dir


def write_note(folder: Path, *lines: str, age: float = 0, channel: str = CHANNEL) -> Path:
    path = folder / f"{channel}.note"
    path.write_text("".join(f"{line}\n" for line in lines))
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_nobody_came_and_she_hung_up(town: Town, spool_dir: Path) -> None:
    call = town.inbound()
    path = write_note(spool_dir, f"number={world.WANG}", "why=asked", "end=caller")
    assert spool.collect(set()) == 1
    assert not path.exists() and spool.collect(set()) == 0
    assert (town.all(Call)[0].id, town.all(Call)[0].end) == (call.id, CallEnd.ABANDONED)
    assert town.tasks() == ["missed"]


def test_an_agent_answered(town: Town, spool_dir: Path) -> None:
    town.inbound()
    write_note(spool_dir, f"number={world.WANG}", "why=asked", "end=agent")
    spool.collect(set())
    assert town.all(Call)[0].end == CallEnd.PERSON and town.tasks() == []


def test_a_message_is_kept_by_its_content_and_becomes_a_task(town: Town, spool_dir: Path) -> None:
    town.inbound()
    recording = spool_dir / f"{CHANNEL}.wav"
    write_wav(recording, np.ones(16000, dtype=np.int16))
    path = write_note(spool_dir, f"number={world.WANG}", "why=asked", "end=caller")
    text = path.read_text()
    assert spool.collect(set()) == 1
    # A crash after the commit and before the files were gone: the same note comes again.
    path.write_text(text)
    assert spool.collect(set()) == 1
    (row,) = town.all(Audio)
    assert row.duration_ms == 2000 and audio.path_of(settings().audio_dir, row.content_key).exists()
    assert not recording.exists()
    assert town.tasks() == ["message"] and town.all(Call)[0].end == CallEnd.MESSAGE


def test_what_she_says_after_a_key_is_added_to_what_she_said_before(town: Town, spool_dir: Path) -> None:
    town.inbound()
    for name, seconds in (("", 2), ("-2", 1), ("-10", 3)):
        write_wav(spool_dir / f"{CHANNEL}{name}.wav", np.full(8000 * seconds, seconds, dtype=np.int16))
    (spool_dir / f"{CHANNEL}-3.wav").write_bytes(b"")
    write_wav(spool_dir / f"{CHANNEL}-word.wav", np.ones(8000, dtype=np.int16))
    write_note(spool_dir, f"number={world.WANG}", "why=asked", "end=caller")
    assert spool.collect(set()) == 1
    (row,) = town.all(Audio)
    assert row.duration_ms == 6000 and town.tasks() == ["message"]
    kept = audio.path_of(settings().audio_dir, row.content_key)
    with wave.open(str(kept)) as whole:
        samples = np.frombuffer(whole.readframes(whole.getnframes()), np.int16)
    assert [int(samples[at]) for at in (0, 17000, 25000)] == [2, 1, 3]
    assert [path.name for path in spool_dir.glob("*.wav")] == [f"{CHANNEL}-word.wav"]


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\xff" * 5000])
def test_a_recording_that_is_none_does_not_hold_up_the_note(town: Town, spool_dir: Path, content: bytes) -> None:
    town.inbound()
    (spool_dir / f"{CHANNEL}.wav").write_bytes(content)
    write_note(spool_dir, f"number={world.WANG}", "end=caller")
    assert spool.collect(set()) == 1 and town.tasks() == ["missed"]


def test_an_alarm_is_raised_at_once_and_once(town: Town, spool_dir: Path) -> None:
    town.inbound()
    write_note(spool_dir, f"number={world.WANG}", "why=asked", "why=emergency")
    for _ in range(3):
        assert spool.collect({CHANNEL}) == 0
        assert town.tasks() == ["alarm"]
    assert town.all(Call)[0].ended_at is None


def test_a_note_without_an_end_waits_for_its_call(town: Town, spool_dir: Path) -> None:
    town.inbound()
    write_note(spool_dir, f"number={world.WANG}", "why=asked", age=60)
    assert spool.collect({CHANNEL}) == 0, "she is still waiting"
    assert spool.collect(None) == 0, "nobody knows whether she is still waiting"
    assert spool.collect(set()) == 1, "Asterisk does not have the call any more"
    assert town.tasks() == ["missed"]


def test_a_note_that_is_just_being_written_is_left_alone(town: Town, spool_dir: Path) -> None:
    town.inbound()
    write_note(spool_dir, f"number={world.WANG}")
    assert spool.collect(set()) == 0


def test_a_call_that_python_never_saw_gets_its_row_and_its_task(town: Town, spool_dir: Path) -> None:
    write_note(spool_dir, f"number={world.WANG}", "why=fault", "end=caller")
    spool.collect(set())
    (call,) = town.all(Call)
    assert call.elder_id == 1 and call.number_id is not None and call.channel_id == CHANNEL
    assert town.tasks() == ["missed"]


@pytest.mark.parametrize("text", [b"", b"\xff\xfe\x00garbage", b"number=;rm -rf\nend=caller\n", b"end=caller\n" * 1000])
def test_garbage_makes_no_number_and_holds_up_nobody(town: Town, spool_dir: Path, text: bytes) -> None:
    (spool_dir / "0.note").write_bytes(text)
    (spool_dir / ("x" * 120 + ".note")).write_bytes(text)
    (spool_dir / "1.note").mkdir()
    numbers = len(town.all(PhoneNumber))
    town.inbound()
    write_note(spool_dir, f"number={world.WANG}", "end=caller")
    spool.collect(set())
    assert "missed" in town.tasks()
    assert len(town.all(PhoneNumber)) == numbers


@pytest.mark.parametrize(
    ("end", "done", "tasks"),
    [
        (CallEnd.HUNG_UP, None, ["partial"]),
        (CallEnd.LOST, None, ["partial"]),
        (CallEnd.HUNG_UP, Entry.ORDER_PLACED, []),
        (CallEnd.HUNG_UP, Entry.AGENT_ANSWERED, []),
        (CallEnd.GOODBYE, None, []),
        (CallEnd.ABANDONED, Entry.ORDER_PLACED, ["missed"]),
    ],
)
def test_the_end_of_a_call_and_what_must_not_be_forgotten(
    town: Town, end: CallEnd, done: Entry | None, tasks: list[str]
) -> None:
    call_id = town.inbound().id
    with write() as session:
        note(session, call_id, Entry.SLOT, town.now, slots={"service": "bathing"})
        note(session, call_id, Entry.TO_PERSON, town.now, reason="asked")
        if done:
            note(session, call_id, done, town.now, order_id=1)
        call = session.get_one(Call, call_id)
        close_call(session, call, end, town.now)
        close_call(session, call, CallEnd.LOST, town.now)
    assert town.all(Call)[0].end == end and town.tasks() == tasks
    with read() as session:
        kinds = list(session.scalars(select(CallEvent.kind)))
    assert kinds.count(Entry.ENDED) == 1


@pytest.mark.parametrize("end", [CallEnd.ABANDONED, CallEnd.HUNG_UP, CallEnd.LOST])
def test_whoever_asks_for_a_person_in_a_call_of_ours_is_not_forgotten(town: Town, end: CallEnd) -> None:
    for number, entries in enumerate(((), (Entry.TO_PERSON,), (Entry.TO_PERSON, Entry.AGENT_ANSWERED))):
        call_id = town.inbound(channel=f"hotline-{number}").id
        with write() as session:
            call = session.get_one(Call, call_id)
            call.direction = Direction.OUT
            for entry in entries:
                note(session, call_id, entry, town.now, reason="asked")
            close_call(session, call, end, town.now)
    assert [(task.kind, task.call_id) for task in town.all(Task)] == [("missed", 2)]


def test_a_withheld_number_that_said_nothing_makes_no_task(town: Town) -> None:
    call_id = town.inbound().id
    with write() as session:
        call = session.get_one(Call, call_id)
        call.number_id = None
        close_call(session, call, CallEnd.HUNG_UP, town.now)
    assert town.tasks() == []


def test_who_hung_up_before_the_conversation_began_is_listed_once_and_rung_back(town: Town, spool_dir: Path) -> None:
    for _ in range(2):
        write_note(spool_dir, f"number={world.WANG}", "why=hung_up", "end=caller")
        assert spool.collect(set()) == 1
    (call,) = town.all(Call)
    assert (call.end, call.elder_id, call.waiting_since) == (CallEnd.HUNG_UP, 1, None)
    assert [event.kind for event in town.all(CallEvent)] == [Entry.HUNG_UP, Entry.ENDED]
    assert town.tasks() == ["partial"]


@pytest.mark.parametrize(
    ("kind", "tasks"), [("message", ["message"]), ("name", []), ("word", []), ("care_word", []), ("other", None)]
)
def test_what_a_conversation_could_not_write_is_taken_up_once(
    town: Town, spool_dir: Path, kind: str, tasks: list[str] | None
) -> None:
    call = town.inbound()
    path = spool_dir / f"{CHANNEL}-{kind}.wav"

    def left(age: float = 120) -> None:
        write_wav(path, np.ones(16000, dtype=np.int16))
        os.utime(path, (time.time() - age, time.time() - age))

    left()
    assert spool.collect({CHANNEL}) == 0, "she is still on the line"
    assert spool.collect(None) == 0, "nobody knows whether she is"
    left(age=1)
    assert spool.collect(set()) == 0, "the conversation may be writing it"
    # A crash after the commit and before the file was gone: the same one comes again.
    for _ in range(2):
        left()
        assert spool.collect(set()) == (tasks is not None)
    assert path.exists() == (tasks is None)
    assert [(row.kind, row.call_id) for row in town.all(Audio)] == ([] if tasks is None else [(kind, call.id)])
    assert town.tasks() == (tasks or [])


def test_a_recording_without_a_call_or_a_sound_does_not_lie_there_for_ever(town: Town, spool_dir: Path) -> None:
    for name, sound in (("1763766000.8-message", 16000), ("1763766000.9-message", 100)):
        write_wav(spool_dir / f"{name}.wav", np.ones(sound, dtype=np.int16))
        os.utime(spool_dir / f"{name}.wav", (0, 0))
    assert spool.collect(set()) == 2 and list(spool_dir.iterdir()) == []
    assert town.tasks() == ["message"] and len(town.all(Audio)) == 1
    assert {call.end for call in town.all(Call)} == {CallEnd.HUNG_UP}
