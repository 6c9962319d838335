"""What she said and nobody understood: kept for the agent, found from the call, and erased in time."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from agents.journal import call_course
from dispatch import heard_audio, retention, tasks
from dispatch.outbox import transaction
from ivr import inbound_rows
from ivr.inbound_rows import Turn, Words
from ivr.speech.archive import Archive
from models import audio, clock
from models.audio import Audio
from models.calls import Call, Utterance
from models.session import read
from models.settings import settings
from models.tasks import TaskKind

pytestmark = pytest.mark.usefixtures("database")
MUMBLING = bytes(range(256)) * 125  # two seconds


def missed(call_id: int, pcm: bytes = MUMBLING) -> str:
    """A turn that was not understood, with its audio; returns the content key."""
    key = Archive(settings().heard_dir, failed=True).keep(pcm)
    turn = Turn("service", "unknown", words=Words("목욕 어머니", 0, "ko", key))
    inbound_rows.keep_turn(call_id, None, turn)
    return key


@pytest.fixture
def call_id(database: Engine) -> int:
    return inbound_rows.open_call("1763766000.1", None).call_id


def stored(key: str) -> Path:
    return audio.path_of(settings().audio_dir, key)


def test_the_agent_finds_voice_hint_and_slots_in_the_call(call_id: int) -> None:
    key = missed(call_id)
    with read() as session:
        found = call_course(session, session.get_one(Call, call_id).public_id)
        recording = session.scalars(select(Audio)).one()
    assert found is not None
    [line] = [line for line in found[1].lines if line.kind == "turn"]
    assert line.heard is not None
    assert (line.heard.text, line.heard.score, line.recording) == ("목욕 어머니", 0, recording.public_id)
    assert (recording.kind, recording.duration_ms, recording.call_id) == ("utterance", 2000, call_id)
    assert stored(key).read_bytes().endswith(MUMBLING)


@pytest.mark.parametrize("key", ["ab" * 32, "../../etc/passwd", "x"])
def test_without_its_audio_the_turn_is_kept_all_the_same(call_id: int, key: str) -> None:
    inbound_rows.keep_turn(call_id, None, Turn("service", "unknown", words=Words("목욕", 0, "ko", key)))
    with read() as session:
        assert session.scalars(select(Utterance)).one().audio_id is None
        assert session.scalars(select(Audio)).all() == []


def test_after_its_days_it_is_erased_and_the_row_says_when(call_id: int) -> None:
    key = missed(call_id)
    now = clock.now()
    retention.erase_expired(now + timedelta(days=settings().audio_keep_days - 1))
    assert stored(key).exists()
    later = now + timedelta(days=settings().audio_keep_days + 1)
    retention.erase_expired(later)
    assert not stored(key).exists()
    with read() as session:
        assert session.scalars(select(Audio)).one().erased_at == later
    retention.erase_expired(later + timedelta(days=1))


def test_the_same_sound_in_a_younger_call_stays(call_id: int) -> None:
    key = missed(call_id)
    with transaction() as session:
        session.scalars(select(Audio)).one().created_at -= timedelta(days=400)
    missed(call_id)
    retention.erase_expired(clock.now())
    assert stored(key).exists()
    with read() as session:
        assert [row.erased_at is None for row in session.scalars(select(Audio).order_by(Audio.id))] == [False, True]


def test_a_message_of_hers_is_not_an_answer_and_stays_until_it_was_worked_off(call_id: int) -> None:
    key = missed(call_id)
    with transaction() as session:
        message = session.scalars(select(Audio)).one()
        message.kind = "message"
        tasks.open_task(
            session, tasks.NewTask(TaskKind.MESSAGE, "m", call_id=call_id, audio_id=message.id), clock.now()
        )
    assert retention.erase_expired(clock.now() + timedelta(days=settings().message_keep_days - 1)) == 0
    assert retention.erase_expired(clock.now() + timedelta(days=4000)) == 0
    with transaction() as session:
        tasks.settle(session, TaskKind.MESSAGE, "m", clock.now())
    assert stored(key).exists() and retention.erase_expired(clock.now() + timedelta(days=4000)) == 1
    assert not stored(key).exists()


def test_what_no_call_asked_for_does_not_stay_in_the_spool(call_id: int) -> None:
    missed(call_id)
    [left] = settings().heard_dir.iterdir()
    heard_audio.delete_unclaimed()
    assert left.exists(), "its call may be about to ask"
    long_ago = time.time() - heard_audio.UNCLAIMED_S - 1
    os.utime(left, (long_ago, long_ago))
    heard_audio.delete_unclaimed()
    assert not left.exists()
