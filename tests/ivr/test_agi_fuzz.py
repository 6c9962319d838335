"""An Asterisk that says anything at all, in pieces of any size, and hangs up anywhere: nobody hangs, nobody crashes."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from asterisk.agi import AGIError, AGIHangup
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ivr import server
from ivr.agi import LARGEST_ENVIRONMENT, LONGEST_LINE, Line, NotAgi
from ivr.handover import hang_up
from tests.ivr.fake_asterisk import environment

# The longest that one peer may hold a thread here; in a call it is server.LINE_TIMEOUT_S.
SILENCE_S = 0.3
CLOSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

# Whole replies, wrong ones, and what a peer that is not Asterisk may send in their place.
known = st.sampled_from(
    [
        b"200 result=0\n",
        b"200 result=1 (timeout)\n",
        b'200 result=1 (speech) endpos=0 results=1 score0=90 text0="a b" grammar0=g\n',
        b"200 result=-1\n",
        b"200 result=\n",
        b"200\n",
        "200 result=1 (王秀\n英) endpos=7\n".encode(),  # a value of two lines
        b"HANGUP\n",
        b"HANGUP\nHANGUP\n",
        b"100 Trying\n",
        b"510 Invalid or unknown command\n",
        b"511 Command Not Permitted on a dead channel\n",
        b"520 Invalid command syntax.\n",
        b"520-Invalid command syntax.  Proper usage follows:\nUsage\n520 End of proper usage.\n",
        b"520-Invalid command syntax.\nand never an end",
        b"520-x\n" + b"usage\n" * (LARGEST_ENVIRONMENT + 5),
        b"\n",
        b"\xff\xfe\x00\n",
        b"agi_uniqueid: again\n\n",  # an environment in the place of an answer
        b"x" * (LONGEST_LINE + 10) + b"\n",
    ]
)
junk = st.binary(max_size=40)
answers = st.lists(st.one_of(known, junk, junk.map(lambda b: b + b"\n")), max_size=6)
headers = st.one_of(
    st.just(environment()),
    st.just(environment(agi_callingpres="many")),
    st.just(environment(agi_calleridname="王\r\nSET VARIABLE x")),
    st.binary(max_size=200),
    st.binary(max_size=60).map(lambda b: b + b"\n\n"),
    st.integers(0, len(environment())).map(lambda cut: environment()[:cut]),
    st.just(b"a: b\n" * (LARGEST_ENVIRONMENT + 1)),
    st.just(b"a" * (LONGEST_LINE + 10)),
)

pieces = st.sampled_from([1, 2, 7, 10**6])

# What a conversation does with a line.
COMMANDS: tuple[Callable[[Line], object], ...] = (
    lambda line: line.ask_key("prompt", 1000),
    lambda line: line.ask_digits("prompt", 1000, 4),
    lambda line: line.record("message", 10, 2),
    lambda line: line.get_variable("CHANNEL"),
    lambda line: line.shown_number,
    lambda line: line.play("prompt"),
    lambda line: line.set_variable("NAME", "王\n秀英"),
)


def go_on(command: Callable[[Line], object], line: Line) -> None:
    """Do one command whatever the last one brought; only the end of the call ends it."""
    try:
        command(line)
    except AGIHangup:
        raise
    except (AGIError, ValueError):
        # ValueError is what a number that is none becomes; in a call a person takes over (ivr/server.py).
        return


def drop(data: bytes, size: int) -> Iterator[bytes]:
    """`data` in pieces of `size` bytes."""
    return (data[start : start + size] for start in range(0, len(data), size))


class Dribble(io.RawIOBase):
    """A socket that gives some bytes at a time, and then its end."""

    def __init__(self, data: bytes, size: int) -> None:
        self._pieces = drop(data, size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        piece = next(self._pieces, b"")[: len(buffer)]
        buffer[: len(piece)] = piece
        return len(piece)


class Kept(io.BytesIO):
    """What was written, readable after the line has let go of it."""

    def close(self) -> None:
        """It stays."""


@settings(max_examples=200, deadline=None)
@given(header=headers, said=answers, piece=pieces)
@example(header=environment(), said=[b"520-Invalid\n"], piece=1)
@example(header=environment(), said=[b"HANGUP\n"], piece=1)
def test_a_line_answers_raises_what_it_says_or_hangs_up(header: bytes, said: list[bytes], piece: int) -> None:
    stream = io.BufferedReader(Dribble(header + b"".join(said), piece))  # type: ignore[type-var]
    written = Kept()
    with contextlib.suppress(NotAgi, AGIHangup):
        line = Line(cast(BinaryIO, stream), cast(BinaryIO, written))
        # Longer than any conversation: the end of what is said must be the end of this.
        for command in COMMANDS * (b"".join(said).count(b"\n") + 2):
            go_on(command, line)
        raise AssertionError("it goes on without a peer")
    for sent in written.getvalue().splitlines():
        assert sent.startswith((b"GET ", b"RECORD ", b"STREAM ", b"SET ")), "nothing the peer said became a command"


@pytest.fixture
def running(hotline_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[server.Server]:
    """A server whose calls walk through every command; a peer that says no more is given up at once."""

    def walk(line: Line) -> None:
        for command in COMMANDS:
            go_on(command, line)

    monkeypatch.setenv("HOTLINE_AGI_PORT", "0")
    monkeypatch.setattr(server, "VERBS", {"answer_call": walk, "say_hello": hang_up})
    monkeypatch.setattr(server._Handler, "timeout", SILENCE_S)
    with server.Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join(5)


def connect(made: server.Server) -> socket.socket:
    return socket.create_connection(made.server_address[:2], timeout=3)  # type: ignore[arg-type]


def next_call_is_served(made: server.Server) -> bool:
    with connect(made) as link, link.makefile("rb") as stream:
        link.sendall(environment(agi_network_script="say_hello"))
        first = stream.readline()
        link.sendall(b"200 result=1\n")
        return bool(first.startswith(b"SET VARIABLE")) and stream.readline() == b""


@settings(max_examples=60, deadline=None, suppress_health_check=CLOSED)
@given(header=headers, said=answers, piece=pieces, stays=st.booleans())
def test_whatever_a_peer_says_and_however_the_next_call_is_served(
    running: server.Server, header: bytes, said: list[bytes], piece: int, stays: bool
) -> None:
    whole = header + b"".join(said)
    with connect(running) as stranger:
        # It talks without waiting for a question: answers come in the wrong order, too many or too few of them.
        with contextlib.suppress(OSError):
            for part in drop(whole if piece > 1 else whole[:2000], piece):
                stranger.sendall(part)
            if not stays:
                stranger.shutdown(socket.SHUT_WR)
        # While the stranger is still there, and not only after it.
        assert next_call_is_served(running)
    assert running.drain(5), "a stranger holds a thread"


def test_a_hundred_strangers_who_say_nothing_more_hold_nobody_up(running: server.Server) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(100):
            link = stack.enter_context(connect(running))
            link.sendall(environment()[: number * 3])
        assert next_call_is_served(running)
        # They stay, and are given up all the same.
        assert running.drain(5)
