"""What the parent holds of a server's calls, and what it says to them when the server has died."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ivr.speech import UNAVAILABLE
from ivr.speech.lifeline import Keeper, Lifeline


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    keeper = Keeper()
    yield keeper
    keeper.close()


@pytest.fixture
def calls() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """Three connections: Asterisk's end and the server's."""
    with ExitStack() as stack:
        pairs = [socket.socketpair() for _ in range(3)]
        for pair in pairs:
            for end in pair:
                stack.enter_context(end).settimeout(2)
        yield pairs


def test_the_calls_of_a_dead_server_are_told_and_those_that_ended_are_closed(
    keeper: Keeper, calls: list[tuple[socket.socket, socket.socket]]
) -> None:
    server = Lifeline(keeper.others)
    numbers = [server.hold(end.fileno()) for _, end in calls]
    server.release(numbers[1])
    keeper.take()
    assert len(keeper) == 2
    for _, end in calls:
        end.close()  # as the end of the process does
    assert calls[1][0].recv(10) == b"", "a call that is over is closed at once"
    keeper.say_last_words()
    for asterisk, _ in (calls[0], calls[2]):
        frame = asterisk.recv(1000)
        # One text message, unmasked, its length in two bytes.
        assert frame[:2] == b"\x81\x7e" and int.from_bytes(frame[2:4]) == len(frame) - 4
        told = json.loads(frame[4:])
        assert told["request"] == "set" and told["params"]["results"][0]["text"] == UNAVAILABLE
    keeper.close()
    assert calls[0][0].recv(10) == b""


def test_a_parent_that_is_behind_stops_no_call(
    keeper: Keeper, calls: list[tuple[socket.socket, socket.socket]]
) -> None:
    server = Lifeline(keeper.others)
    for _ in range(1000):
        server.release(server.hold(calls[0][1].fileno()))
    keeper.take()
    # What could not be told then is told with the next call.
    for _ in range(10):
        server.release(server.hold(calls[0][1].fileno()))
        keeper.take()
    assert len(keeper) == 0
