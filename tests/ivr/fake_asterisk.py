"""A fake Asterisk that speaks raw AGI over a socket pair: it answers from a script and keeps what it was sent."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from ivr.agi import Line

# As `GET /answer_call` comes from a trunk.
ENVIRONMENT = {
    "agi_network": "yes",
    "agi_network_script": "answer_call",
    "agi_request": "agi://127.0.0.1:4573/answer_call",
    "agi_uniqueid": "1763766000.12",
    "agi_callerid": "+8645110000001",
    "agi_calleridname": "王秀英",
    "agi_callingpres": "0",
}


def environment(**more: str) -> bytes:
    """The header of a call, with its blank line."""
    lines = {**ENVIRONMENT, **more}
    return "".join(f"{name}: {value}\n" for name, value in lines.items()).encode() + b"\n"


class FakeAsterisk:
    """Sends `header`, then one `answer` for each command; after the last one it closes, unless it is to stay."""

    def __init__(self, header: bytes, answers: Iterable[bytes], stays: bool = False) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.commands: list[str] = []
        self._script = (header, list(answers), stays)
        self._thread = threading.Thread(target=self._speak, daemon=True)
        self._thread.start()

    def _speak(self) -> None:
        header, answers, stays = self._script
        with contextlib.suppress(OSError), self.theirs.makefile("rb") as commands:
            self.theirs.sendall(header)
            for answer in answers:
                command = commands.readline()
                if not command:
                    return
                self.commands.append(command.decode().removesuffix("\n"))
                self.theirs.sendall(answer)
            while stays and (command := commands.readline()):
                self.commands.append(command.decode().removesuffix("\n"))
        if not stays:
            with contextlib.suppress(OSError):
                self.theirs.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """The end of the call, for both."""
        for end in (self.ours, self.theirs):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self.ours.close()
        self.theirs.close()


@contextmanager
def peer(*answers: bytes, header: bytes | None = None, stays: bool = False) -> Iterator[FakeAsterisk]:
    """A fake Asterisk for a `with` block."""
    asterisk = FakeAsterisk(environment() if header is None else header, answers, stays)
    try:
        yield asterisk
    finally:
        asterisk.close()


@contextmanager
def line(*answers: bytes, header: bytes | None = None, timeout: float = 2.0) -> Iterator[tuple[Line, FakeAsterisk]]:
    """A Line on a fake Asterisk. No read may take longer than `timeout`, so nothing can hang."""
    with peer(*answers, header=header) as asterisk, connected(asterisk, timeout) as made:
        yield made, asterisk


@contextmanager
def connected(asterisk: FakeAsterisk, timeout: float = 2.0) -> Iterator[Line]:
    """The Line over our end of the pair."""
    asterisk.ours.settimeout(timeout)
    with asterisk.ours.makefile("rb") as reader, asterisk.ours.makefile("wb", 0) as writer:
        yield Line(cast(BinaryIO, reader), cast(BinaryIO, writer))


def dribble(end: socket.socket, data: bytes, pause: float) -> None:
    """Send byte by byte."""
    for byte in data:
        with contextlib.suppress(OSError):
            end.sendall(bytes([byte]))
        time.sleep(pause)


def in_thread(work: Callable[[], object]) -> None:
    """Run `work` in a thread that is not the main one; its exception is ours."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert not thread.is_alive(), "it hangs"
    if failures:
        raise failures[0]
