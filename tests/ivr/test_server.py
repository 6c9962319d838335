"""The FastAGI server: whatever breaks in a conversation, the caller's line is given back and a person takes it."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotline import health
from ivr import server
from ivr.agi import Line
from ivr.handover import hang_up
from tests.ivr.fake_asterisk import dribble, environment


@pytest.fixture
def running(hotline_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[server.Server]:
    """A server on a free port, its verbs replaced by those of the test."""
    monkeypatch.setenv("HOTLINE_AGI_PORT", "0")
    monkeypatch.setattr(server, "VERBS", dict(server.VERBS))
    monkeypatch.setattr(server._Handler, "timeout", 3)
    with server.Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join(5)


def call(made: server.Server, verb: str, *answers: bytes) -> list[str]:
    """One call as Asterisk makes it; returns the commands that came until the server closed."""
    commands = []
    with socket.create_connection(made.server_address[:2], timeout=3) as link, link.makefile("rb") as stream:  # type: ignore[arg-type]
        link.sendall(environment(agi_network_script=verb))
        replies = iter(answers)
        while command := stream.readline():
            commands.append(command.decode().rstrip("\n"))
            link.sendall(next(replies, b"200 result=1\n"))
    return commands


def test_a_verb_leads_the_call_and_the_line_is_given_back(running: server.Server) -> None:
    server.VERBS["say_hello"] = lambda line: line.play("hello")
    assert call(running, "say_hello") == ['STREAM FILE "hello" ""']


def test_a_query_behind_the_verb_does_not_change_it(running: server.Server) -> None:
    server.VERBS["say_hello"] = lambda line: line.play("hello")
    assert call(running, "say_hello?x=1") == ['STREAM FILE "hello" ""']


def _break_at(line: Line) -> None:
    line.play("hello")
    raise RuntimeError("something of ours")


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("no_such_verb", b""),
        ("breaks", b"200 result=0 endpos=1\n"),
        ("breaks", b"510 Invalid or unknown command\n"),
        ("breaks", b"garbage\n"),
        ("breaks", b"200 result=-1\nHANGUP\n"),
    ],
)
def test_a_failure_never_says_hang_up(
    running: server.Server, verb: str, answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    server.VERBS["breaks"] = _break_at
    with caplog.at_level(logging.INFO, "ivr.server"):
        commands = call(running, verb, answer)
    assert not [command for command in commands if "HOTLINE_NEXT" in command]
    assert verb in caplog.text
    assert "王秀英" not in caplog.text and "45110000001" not in caplog.text
    # The next call is served as if nothing had been.
    server.VERBS["say_hello"] = hang_up
    assert call(running, "say_hello") == ['SET VARIABLE "HOTLINE_NEXT" "hangup"']


def test_the_health_check_is_answered_by_the_end_of_the_line(running: server.Server) -> None:
    host, port = running.server_address[:2]

    async def ask() -> bool:
        return await health.agi(str(host), int(port))()

    assert asyncio.run(ask())


def test_what_is_no_call_costs_nobody_else(running: server.Server) -> None:
    with socket.create_connection(running.server_address[:2], timeout=3) as link:  # type: ignore[arg-type]
        slow = threading.Thread(target=dribble, args=(link, b"GET / HTTP/1.1\r\nHost: x", 0.005))
        slow.start()
        server.VERBS["say_hello"] = lambda line: line.play("hello")
        assert call(running, "say_hello") == ['STREAM FILE "hello" ""']
        slow.join()


def test_a_stop_waits_for_the_call_in_progress_and_not_for_ever(running: server.Server) -> None:
    go_on = threading.Event()
    began = threading.Event()

    def talk(line: Line) -> None:
        began.set()
        go_on.wait(5)
        line.play("goodbye")

    server.VERBS["talk"] = talk
    heard: list[list[str]] = []
    caller = threading.Thread(target=lambda: heard.append(call(running, "talk")))
    caller.start()
    assert began.wait(3)
    assert not running.drain(0.05)
    go_on.set()
    assert running.drain(3)
    caller.join(3)
    assert heard == [['STREAM FILE "goodbye" ""']]


def test_a_call_counts_before_its_thread_runs(running: server.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    # A stop between accepting a call and its thread's first breath must wait for it.
    late = threading.Event()
    lead = server.Server.process_request_thread

    def hesitant(self: server.Server, request: object, address: object) -> None:
        late.wait(3)
        lead(self, request, address)

    monkeypatch.setattr(server.Server, "process_request_thread", hesitant)
    with socket.create_connection(running.server_address[:2], timeout=3) as link:  # type: ignore[arg-type]
        link.sendall(b"\n")
        while not running._calls:
            pass
        assert not running.drain(0.05)
        late.set()
        assert running.drain(3)
