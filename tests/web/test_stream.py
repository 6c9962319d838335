"""The stream of events: everything at once, then what changes, right again after any gap."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from agents import accounts, board
from models import clock
from models.users import User
from tests.support.patience import PATIENCE
from tests.web.conftest import Browser
from tests.web.world import World, landline
from web import live
from web.board import PARTS
from web.live import Sight, Stream, TooManyStreams, Watcher

Broken = Callable[[], AbstractContextManager[None]]


class Listener:
    """Reads a stream as a browser does: whole events, one after the other."""

    def __init__(self, browser: Browser) -> None:
        self.answer = browser.client.get("/events", buffered=False)
        assert self.answer.status_code == 200, self.answer.status
        self._chunks = iter(self.answer.response)

    def next(self) -> tuple[str, str]:
        """The next event: its name and its data."""
        chunk = next(self._chunks)
        text = chunk.decode() if isinstance(chunk, bytes) else str(chunk)
        lines = text.rstrip("\n").split("\n")
        fields = [line.split(": ", 1) if ": " in line else (line.rstrip(":"), "") for line in lines]
        name = next((value for field, value in fields if field == "event"), fields[0][0])
        return name, "\n".join(value for field, value in fields if field == "data")

    def until(self, name: str, has: str = "", within_s: float = 10) -> str:
        """Read on until an event of this name that contains something."""
        end = time.monotonic() + within_s * PATIENCE
        while time.monotonic() < end:
            event, data = self.next()
            if event == name and has in data:
                return data
        raise AssertionError(f"no {name} with {has!r} in {within_s} s")

    def ends(self, within_s: float = 10) -> bool:
        """Whether the server ends the stream."""
        end = time.monotonic() + within_s * PATIENCE
        try:
            while time.monotonic() < end:
                self.next()
        except StopIteration:
            return True
        return False


@contextmanager
def listening(browser: Browser) -> Iterator[Listener]:
    """Open a stream and close it again."""
    listener = Listener(browser)
    try:
        yield listener
    finally:
        listener.answer.close()


@pytest.fixture(autouse=True)
def watcher_has_gone(app: Flask) -> Iterator[None]:
    """Nobody watches when nobody looks."""
    yield
    end = time.monotonic() + 5 * PATIENCE
    while any(thread.name == "board-watcher" for thread in threading.enumerate()):
        assert time.monotonic() < end, "the watcher goes on without anybody to watch for"
        time.sleep(0.02)


def test_a_stream_begins_with_everything(world: World, agent: Browser) -> None:
    world.call(world.elder("王桂兰", landline(101)))
    with listening(agent) as stream:
        assert stream.answer.headers["Content-Type"].startswith("text/event-stream")
        assert stream.answer.headers["Cache-Control"] == "no-store"
        assert stream.next()[0] == "retry"
        events = dict(stream.next() for _ in range(len(PARTS) + 2))
    assert set(events) == {*PARTS, "coming", "clock"}
    assert "王桂兰" in events["calls"]


def test_what_changes_is_sent_again_and_what_does_not_is_not(world: World, agent: Browser) -> None:
    elder = world.elder("王桂兰", landline(101))
    with listening(agent) as stream:
        stream.until("clock")
        world.order(elder, "bathing")
        seen = []
        while "orders" not in seen:
            seen.append(stream.next()[0])
        assert "calls" not in seen
        assert "tasks" not in seen
        call = world.call(elder)
        stream.until("calls", "王桂兰")
        world.end(call)
        stream.until("calls", "当前没有通话")


def test_a_change_is_seen_at_once(world: World, agent: Browser) -> None:
    elder = world.elder("王桂兰", landline(101))
    with listening(agent) as stream:
        stream.until("clock")
        began = time.monotonic()
        world.call(elder)
        stream.until("calls", "王桂兰")
        # Far sooner than the full look that comes every few seconds would take on a busy machine.
        assert time.monotonic() - began < 2.5 * PATIENCE


def test_after_a_gap_the_new_stream_has_what_was_missed(world: World, agent: Browser) -> None:
    elder = world.elder("王桂兰", landline(101))
    with listening(agent) as stream:
        stream.until("calls", "当前没有通话")
    world.call(elder)
    with listening(agent) as stream:
        stream.until("calls", "王桂兰")


def test_a_quiet_stream_says_that_it_is_alive(agent: Browser) -> None:
    with listening(agent) as stream:
        first = stream.until("clock")
        assert stream.until("clock") > first


def test_each_reads_her_own_language(world: World, agent: Browser, app: Flask) -> None:
    world.user("지민", language="ko")
    other = Browser(app)
    other.login("지민")
    with listening(agent) as chinese, listening(other) as korean:
        chinese.until("calls", "当前没有通话")
        korean.until("calls", "현재 통화가 없습니다")


def test_the_database_is_asked_once_for_all(world: World, agent: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = board.snapshot

    def counting(session: Session) -> board.Board:
        asked.append(1)
        return real(session)

    monkeypatch.setattr(board, "snapshot", counting)
    watcher: Watcher = agent.app.extensions["watcher"]
    watcher._console.watch_s = 0.3
    threads = [threading.Thread(target=watcher.now) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1


def test_a_log_out_ends_open_streams(world: World, agent: Browser) -> None:
    with listening(agent) as stream:
        stream.until("clock")
        agent.post("/logout", {}, page="/")
        assert stream.ends()
    assert agent.get("/events").status_code == 401


def test_a_disabled_users_stream_ends(world: World, agent: Browser) -> None:
    with listening(agent) as stream:
        stream.until("clock")
        with world.rows() as db:
            accounts.disable(db, db.query(User).one(), None, world.now)
        assert stream.ends()


def test_a_stream_ends_with_its_session(agent: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(agent) as stream:
        stream.until("clock")
        from datetime import timedelta

        later = clock.now() + timedelta(hours=2)
        monkeypatch.setattr(clock, "now", lambda: later)
        assert stream.ends()


def test_a_users_oldest_stream_makes_room(agent: Browser) -> None:
    first = Listener(agent)
    first.until("clock")
    others = [Listener(agent) for _ in range(live.STREAMS_PER_USER)]
    assert first.ends()
    others[0].until("clock")
    for stream in (first, *others):
        stream.answer.close()


def test_streams_leave_threads_for_pages(app: Flask) -> None:
    watcher: Watcher = app.extensions["watcher"]
    watcher._most = 2
    with watcher.stream(1), watcher.stream(2), pytest.raises(TooManyStreams), watcher.stream(3):
        pass


def test_one_stream_too_many_is_told_to_come_back(agent: Browser) -> None:
    agent.app.extensions["watcher"]._most = 0
    answer = agent.get("/events")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_a_stopping_server_lets_its_streams_go(agent: Browser) -> None:
    with listening(agent) as stream:
        stream.until("clock")
        agent.app.extensions["watcher"].stopping = lambda: True
        assert stream.ends(2)


def seen_after(sight: Sight, watcher: Watcher, stream: Stream) -> Sight:
    """The next sight; a heart beats a few times meanwhile where the machine is slow."""
    for _ in range(50):
        if (fresh := watcher.next(sight.number, stream)) is not None:
            return fresh
    raise AssertionError("nothing new is seen")


def test_without_a_database_the_page_is_told_and_later_is_right_again(
    world: World, agent: Browser, broken_database: Broken
) -> None:
    elder = world.elder("王桂兰", landline(101))
    watcher: Watcher = agent.app.extensions["watcher"]
    stop = threading.Event()
    watcher.stopping = stop.is_set
    with watcher.stream(1) as stream:
        sight = watcher.now()
        with broken_database():
            broken = seen_after(sight, watcher, stream)
            assert broken.fault
            assert broken.board == sight.board
        healed = seen_after(broken, watcher, stream)
        assert not healed.fault
        world.call(elder)
        fresh = seen_after(healed, watcher, stream)
        assert fresh.board is not None
        assert fresh.board.calls_open == 1


def test_a_change_that_leaves_no_sign_is_found_by_the_regular_look(world: World, agent: Browser) -> None:
    elder = world.elder("王桂兰", landline(101))
    world.call(elder)
    with listening(agent) as stream:
        stream.until("calls", "王桂兰")
        with world.rows() as db:
            from models.people import Person

            db.get_one(Person, elder.id).name = "王桂芝"
        stream.until("calls", "王桂芝")


def test_names_cannot_break_the_stream(world: World, agent: Browser) -> None:
    world.call(world.elder("王\n\nevent: evil\ndata: x\n\n", landline(101)))
    with listening(agent) as stream:
        stream.next()
        names = {stream.next()[0] for _ in range(len(PARTS) + 2)}
    assert names == {*PARTS, "coming", "clock"}
