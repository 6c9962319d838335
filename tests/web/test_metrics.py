"""Metrics for those who watch the hotline, and the page on which admins see queues and workers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from dispatch.beats import Beat
from models import clock, settings
from models.processes import ProcessBeat
from models.session import write
from models.tables import OutboxEntry
from tests.web.conftest import Browser
from tests.web.world import World
from web.app import create_app
from web.config import ConsoleSettings

TOKEN = "a-token-of-this-test"


@pytest.fixture
def busy(var_dir: Path, world: World) -> None:
    """A worker at work, a dispatcher long silent, two errands of which one is late."""
    beat = Beat("worker")
    beat.done = 7
    beat.failed("dial", KeyError("a name that must not be shown"))
    beat.beat()
    now = clock.now()
    with write() as session:
        silent = ProcessBeat(kind="dispatcher", host="h", pid=1, started_at=now, beat_at=now - timedelta(minutes=5))
        session.add(silent)
        for seconds in (-90, 90):
            due = now + timedelta(seconds=seconds)
            session.add(OutboxEntry(verb="dial", subject_id=1, created_at=now, due_at=due))


def value(text: str, name: str) -> float:
    """The value of one line."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[-1])


def test_metrics_count_what_waits_and_who_lives(busy: None, browser: Browser) -> None:
    answer = browser.get("/metrics")
    assert answer.status_code == 200 and answer.content_type.startswith("text/plain")
    assert value(answer.text, 'hotline_outbox_waiting{verb="dial"}') == 2
    assert value(answer.text, 'hotline_outbox_due{verb="dial"}') == 1
    assert 85 < value(answer.text, "hotline_outbox_oldest_seconds") < 120
    assert value(answer.text, 'hotline_processes_living{kind="worker"}') == 1
    assert value(answer.text, 'hotline_processes_living{kind="dispatcher"}') == 0
    assert value(answer.text, "hotline_redis_up") == 0 and "hotline_queue_jobs" not in answer.text


def test_metrics_are_for_this_machine_or_for_who_has_the_token(busy: None, browser: Browser) -> None:
    assert browser.get("/metrics", environ_base={"REMOTE_ADDR": "10.1.2.3"}).status_code == 404
    assert browser.get("/metrics", headers={"X-Forwarded-For": "10.1.2.3"}).status_code == 404, "a proxy of ours"
    guarded = Browser(create_app(settings.settings(), ConsoleSettings(metrics_token=TOKEN)))
    assert guarded.get("/metrics").status_code == 404
    assert guarded.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}x"}).status_code == 404
    far = {"REMOTE_ADDR": "10.1.2.3"}
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert guarded.get("/metrics", headers=bearer, environ_base=far).status_code == 200


@pytest.mark.parametrize("language", ["zh-CN", "ko", "en"])
def test_admins_see_who_lives_what_waits_and_the_last_error(
    busy: None, world: World, browser: Browser, app: Flask, language: str
) -> None:
    world.user("林管理", "admin")
    browser.login("林管理")
    browser.post("/preferences", {"language": language}, page="/")
    page = browser.get("/machine").text
    assert "dial: KeyError" in page and "must not be shown" not in page
    assert {"zh-CN": "静默", "ko": "소식 없음", "en": "Silent"}[language] in page
