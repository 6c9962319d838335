"""A fake Asterisk manager on a socket: it reads actions and answers each as the test says."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Action = dict[str, str]
GREETING = b"Asterisk Call Manager/11.0.0\r\n"


class FakeManager:
    """One connection at a time. `answer(manager, action)` is called for each action; `received` keeps them all."""

    def __init__(self, answer: Callable[[FakeManager, Action], None], greeting: bytes = GREETING) -> None:
        self._answer, self._greeting = answer, greeting
        self.received: list[Action] = []
        self.raw = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._link: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def send(self, *lines: str) -> None:
        """Send one message."""
        self.send_raw("".join(f"{line}\r\n" for line in (*lines, "")).encode())

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self._link is not None
        self._link.sendall(data)

    def cut(self) -> None:
        """Break the connection."""
        if self._link is not None:
            with contextlib.suppress(OSError):
                self._link.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End, with whatever connection there is."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self.cut()
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self._link = link
            with contextlib.suppress(OSError), link, link.makefile("rb") as stream:
                link.sendall(self._greeting)
                self._talk(iter(stream.readline, b""))

    def _talk(self, lines: Iterator[bytes]) -> None:
        action: Action = {}
        for line in lines:
            self.raw += line
            if line.strip():
                name, _, value = line.decode().strip().partition(": ")
                action[name] = value
            else:
                self.received.append(action)
                self._answer(self, action)
                action = {}


def success(manager: FakeManager, action: Action) -> None:
    """The usual answer."""
    manager.send("Response: Success", f"ActionID: {action['ActionID']}", "Message: done")


def silent(peer: FakeManager, action: Action) -> None:
    """Say nothing."""


def cutting(peer: FakeManager, action: Action) -> None:
    """Break the connection between request and answer."""
    peer.cut()


def channels(peer: FakeManager, action: Action) -> None:
    """Two calls, as CoreShowChannels lists them, with an event of another call in between."""
    same = f"ActionID: {action['ActionID']}"
    peer.send("Response: Success", same, "EventList: start", "Message: Channels will follow")
    peer.send("Event: CoreShowChannel", same, "Uniqueid: hotline-1")
    peer.send("Event: Hangup", "Uniqueid: 7.7")
    peer.send("Event: CoreShowChannel", same, "Uniqueid: 2.2")
    peer.send("Event: CoreShowChannelsComplete", same, "EventList: Complete", "ListItems: 2")


@contextmanager
def manager(
    answer: Callable[[FakeManager, Action], None] = success, greeting: bytes = GREETING
) -> Iterator[FakeManager]:
    """A fake manager for a `with` block."""
    made = FakeManager(answer, greeting)
    try:
        yield made
    finally:
        made.close()
