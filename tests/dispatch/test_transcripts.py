"""Messages are written down one by one; what breaks is not tried again, what is stopped is."""

from __future__ import annotations

import threading
import wave
from datetime import timedelta
from pathlib import Path

import pytest

from dispatch import transcripts
from ivr import transcripts as scribe
from models import audio
from models.audio import Audio
from models.calls import Call, Utterance
from models.session import write
from models.settings import settings
from models.tasks import Task
from tests.dispatch.town import Town
from tests.support.sound import spoken

# Of espeak-ng's Korean little survives free decoding; the weekday in this sentence does (platform.md tells why).
SENTENCE = "월요일에 병원에 가고 싶어요"


def a_message(town: Town, folder: Path, language: str = "ko", text: str = SENTENCE) -> int:
    call_id = town.inbound().id
    file = folder / "message.wav"
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(spoken(text, "ko", 140).astype("<i2").tobytes())
    key = audio.keep(settings().audio_dir, file)
    with write() as session:
        session.get_one(Call, call_id).language = language
        row = Audio(content_key=key, kind="message", call_id=call_id, duration_ms=3000, created_at=town.now)
        session.add(row)
        session.flush()
        return row.id


@pytest.mark.speech
def test_a_korean_message_becomes_words_once(town: Town, tmp_path: Path) -> None:
    audio_id = a_message(town, tmp_path)
    for _ in range(2):
        scribe.write_down(audio_id)
    (words,) = town.all(Utterance)
    assert "월요일" in words.text
    assert (words.audio_id, words.language) == (audio_id, "ko") and 0 <= words.score <= 100
    assert [row.transcript for row in town.all(Audio)] == ["done"]


@pytest.mark.parametrize(
    ("words", "tasks"),
    [("제가 욕실 에서 넘어졌어요 도와주세요", ["alarm"]), ("살려 주세요", ["alarm"]), ("월요일 에 병원 에 가요", [])],
)
def test_a_cry_for_help_in_a_message_is_an_alarm(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, tasks: list[str]
) -> None:
    monkeypatch.setattr(scribe, "model_folder", lambda language, cache: tmp_path)
    monkeypatch.setattr(scribe, "_words", lambda path, folder: [(word, 0.4) for word in words.split()])
    audio_id = a_message(town, tmp_path)
    scribe.write_down(audio_id)
    assert town.tasks() == tasks
    assert [task.audio_id for task in town.all(Task)] == [audio_id] * len(tasks)


def test_without_a_model_it_is_said_so(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribe, "model_folder", lambda language, cache: None)
    scribe.write_down(a_message(town, tmp_path, language="zh-CN"))
    assert [row.transcript for row in town.all(Audio)] == ["no_model"] and town.all(Utterance) == []


def test_an_erased_recording_is_not_written_down(town: Town, tmp_path: Path) -> None:
    audio_id = a_message(town, tmp_path)
    with write() as session:
        session.get_one(Audio, audio_id).erased_at = town.now
    assert transcripts.due(town.now) is None
    scribe.write_down(audio_id)
    assert town.all(Utterance) == [] and town.all(Audio)[0].transcript is None


def test_what_breaks_is_not_tried_for_ever_and_what_is_stopped_is_tried_again(town: Town, tmp_path: Path) -> None:
    audio_id = a_message(town, tmp_path)
    assert transcripts.due(town.now) == audio_id
    assert transcripts.due(town.now + timedelta(days=8)) is None
    stop = threading.Event()
    stop.set()
    transcripts.one(audio_id, stop, ("-c", "import time; time.sleep(60)"))
    assert transcripts.due(town.now) == audio_id
    transcripts.one(audio_id, threading.Event(), ("-c", "import os; os.abort()"))
    assert transcripts.due(town.now) is None and town.all(Audio)[0].transcript == "failed"
