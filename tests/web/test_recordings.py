"""Recordings of calls: supervisors play them, also in part; every hearing is audited; what is erased is not there."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models import audio, settings
from models.audio import Audio
from models.session import write
from models.users import AuditEvent
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


def test_an_agent_does_not_hear_whole_calls(recorded: tuple[str, str], world: World, browser: Browser) -> None:
    call, recording = recorded
    world.user("陈接线", "agent")
    browser.login("陈接线")
    assert "/recordings/" not in browser.get(f"/calls/{call}").text
    assert browser.get(f"/recordings/{recording}").status_code == 403
    assert heard(world) == 0


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
