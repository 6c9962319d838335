"""Recordings of calls: supervisors play them, also in part; every hearing is audited; what is erased is not there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, select
from werkzeug.routing import PathConverter

from agents import waveform
from agents.journal import call_course
from dispatch import call_audio
from models import audio, settings
from models.audio import Audio
from models.calls import CallEnd, CallEvent
from models.session import write
from models.users import AuditEvent
from tests.support import sound
from tests.web.conftest import Browser
from tests.web.world import World, landline


@pytest.fixture
def recorded(world: World) -> tuple[str, str]:
    """A call and its recording: their public ids."""
    wang = world.elder("王桂兰", landline(101))
    call = world.call(wang)
    source = settings.settings().var_dir / "x.wav"
    source.write_bytes(b"RIFF" + bytes(range(256)) * 40)
    with write() as db:
        key = audio.keep(settings.settings().audio_dir, source)
        row = Audio(content_key=key, kind="call", call_id=call.id, duration_ms=61_000, created_at=world.now)
        db.add(row)
        db.flush()
        return call.public_id, row.public_id


def heard(world: World) -> int:
    with world.rows() as db:
        return len(db.scalars(select(AuditEvent).where(AuditEvent.action == "listened")).all())


def test_a_supervisor_plays_it_also_from_the_middle_and_each_time_is_audited(
    recorded: tuple[str, str], world: World, browser: Browser
) -> None:
    call, recording = recorded
    world.user("周班长", "supervisor")
    browser.login("周班长")
    page = browser.get(f"/calls/{call}").text
    assert f"/recordings/{recording}" in page and "通话录音" in page
    with browser.get(f"/recordings/{recording}", headers={"Range": "bytes=100-199"}) as answer:
        assert (answer.status_code, len(answer.data)) == (206, 100)
        assert answer.headers["Content-Range"].startswith("bytes 100-199/")
        assert answer.headers["Cache-Control"] == "no-store"
    with browser.get(f"/recordings/{recording}") as whole:
        assert whole.status_code == 200
    assert heard(world) == 2


def test_the_store_lies_under_no_address(recorded: tuple[str, str], world: World, browser: Browser) -> None:
    static = Path(browser.app.static_folder or "").resolve()
    ours, usual = settings.settings(), settings.Settings.model_fields["var_dir"].default
    for store in (ours.audio_dir.resolve(), (Path(usual) / ours.audio_dir.relative_to(ours.var_dir)).resolve()):
        assert static.is_dir() and not store.is_relative_to(static) and not static.is_relative_to(store)
    # Of all addresses only the static files' takes a path; and it leads nowhere else, whoever asks.
    rules = list(browser.app.url_map.iter_rules())
    assert [one.endpoint for one in rules if PathConverter in map(type, one._converters.values())] == ["static"]
    world.user("周班长", "supervisor")
    browser.login("周班长")
    (kept,) = ours.audio_dir.rglob("*.wav")
    for way in (os.path.relpath(kept, static), str(kept), kept.name, f"audio/{kept.parent.name}/{kept.name}"):
        for written in (way, way.replace("../", "%2e%2e/"), way.replace("/", "%2f")):
            assert browser.get(f"/static/{written}", follow_redirects=True).status_code == 404, written


def test_an_agent_does_not_hear_whole_calls(recorded: tuple[str, str], world: World, browser: Browser) -> None:
    call, recording = recorded
    world.user("陈接线", "agent")
    browser.login("陈接线")
    assert "/recordings/" not in browser.get(f"/calls/{call}").text
    assert browser.get(f"/recordings/{recording}").status_code == 403
    assert heard(world) == 0


@pytest.fixture
def spoken(world: World) -> tuple[str, Audio]:
    """A call of four seconds, recorded: she speaks in the second one, we in the fourth."""
    call = world.call(world.elder("李淑珍", landline(103)), at=world.ago(60))
    world.journal(call, (2, "recording", {"how": "on"}), (3, "turn", {"step": "day", "heard": "key", "key": "2"}))
    world.end(call, CallEnd.GOODBYE, 6)
    folder = settings.settings().var_dir
    silence, voice = b"\xd5" * 8000, b"\xaa" * 8000
    (folder / "left").write_bytes(silence + voice + silence * 2)
    (folder / "right").write_bytes(silence * 3 + voice)
    frames = call_audio._join(folder / "left", folder / "right", folder / "both")
    with write() as db:
        key = audio.keep(settings.settings().audio_dir, folder / "both")
        row = Audio(content_key=key, kind="call", call_id=call.id, duration_ms=frames // 8, created_at=world.now)
        db.add(row)
        db.flush()
        return call.public_id, row


def test_the_picture_shows_who_spoke_when_and_goes_with_the_sound(spoken: tuple[str, Audio], world: World) -> None:
    _, row = spoken
    store = settings.settings().audio_dir
    for _ in range(2):  # Worked out, and then as it was kept.
        wave = waveform.of(store, row.content_key)
        assert wave is not None
        left, right = wave.channels
        assert {left[50], left[250], left[350], right[50], right[150], right[250]} == {0}
        assert min(left[102:198]) > 150 and min(right[302:398]) > 150
    assert audio.peaks_of(store, row.content_key).stat().st_size == 2 * waveform.COLUMNS
    with write() as db:
        audio.erase(db, store, db.get_one(Audio, row.id), world.now)
    assert waveform.of(store, row.content_key) is None
    assert not list(store.rglob("*.peaks"))


@pytest.mark.parametrize("kept", [b"", b"x" * 799, b"RIFF"])
def test_a_picture_cut_off_by_a_kill_is_worked_out_again(spoken: tuple[str, Audio], kept: bytes) -> None:
    store = settings.settings().audio_dir
    audio.peaks_of(store, spoken[1].content_key).write_bytes(kept)
    wave = waveform.of(store, spoken[1].content_key)
    assert wave is not None and len(wave.channels) == 2 and max(wave.channels[0]) > 150


def test_a_message_in_sixteen_bits_has_one_too_and_what_is_no_sound_has_none(world: World) -> None:
    folder, store = settings.settings().var_dir, settings.settings().audio_dir
    sound.save(folder / "message.wav", np.concatenate([np.zeros(8000, np.int16), sound.beep(1)]))
    wave = waveform.of(store, audio.keep(store, folder / "message.wav"))
    assert wave is not None and len(wave.channels) == 1
    assert max(wave.channels[0][:199]) == 0 and min(wave.channels[0][202:]) > 60
    assert wave.path(0).startswith("M0 50L0.5 50L") and wave.path(0).endswith("L0 50Z")
    for broken in (b"", b"RIFF", b"RIFFxxxxWAVEfmt \x04\0\0\0\x55\0\1\0data\4\0\0\0abcd", b"no sound at all"):
        (folder / "broken").write_bytes(broken)
        assert waveform.of(store, audio.keep(store, folder / "broken")) is None


def test_the_calls_page_draws_it_and_each_line_leads_to_its_place(
    spoken: tuple[str, Audio], world: World, browser: Browser
) -> None:
    call, row = spoken
    world.user("周班长", "supervisor")
    browser.login("周班长")
    page = browser.get(f"/calls/{call}").text
    assert 'class="wave-theirs"' in page and 'class="wave-ours"' in page
    # The turn came one second after the recording had begun, which is a quarter of it.
    assert f'data-seek="1.0" data-of="{row.public_id}"' in page
    assert 'class="wave-turn" x1="100.0"' in page
    world.user("陈接线", "agent")
    other = Browser(browser.app)
    other.login("陈接线")
    page = other.get(f"/calls/{call}").text
    assert "data-seek" not in page and "wave-theirs" not in page


def test_without_a_line_of_its_own_a_recording_ended_with_its_call(spoken: tuple[str, Audio], world: World) -> None:
    with write() as db:
        db.execute(delete(CallEvent).where(CallEvent.kind == "recording"))
        found = call_course(db, spoken[0])
    assert found is not None
    (recording,) = found[1].recordings
    assert [recording.second_of(line.at) for line in found[1].lines] == [1.0]


def test_what_is_erased_is_gone_and_the_page_says_when(
    recorded: tuple[str, str], world: World, browser: Browser
) -> None:
    call, recording = recorded
    with write() as db:
        audio.erase(db, settings.settings().audio_dir, db.scalars(select(Audio)).one(), world.now)
    world.user("周班长", "supervisor")
    browser.login("周班长")
    assert browser.get(f"/recordings/{recording}").status_code == 404
    assert "删除" in browser.get(f"/calls/{call}").text


def test_a_disk_that_is_nearly_full_is_seen(world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hotline_disk_low 0" in browser.get("/metrics").text
    monkeypatch.setenv("HOTLINE_RECORDING_FREE_GB", "1000000000")
    settings.settings.cache_clear()
    assert "hotline_disk_low 1" in browser.get("/metrics").text
    world.user("林管理", "admin")
    browser.login("林管理")
    assert "磁盘快满了" in browser.get("/machine").text
