"""A small client of Asterisk's manager interface, for the carrier only.

The hotline has its own client; the network around it must not share its faults.
Answers are matched by ActionID, every wait has a limit, and a value with a line
break is refused instead of becoming a header of its own.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from queue import Empty, SimpleQueue
from threading import Condition, Thread

Event = dict[str, str]
Headers = Mapping[str, str | Sequence[str]]


class AmiError(RuntimeError):
    """Asterisk refused an action, did not answer it, or is gone."""


class Ami:
    """One logged-in session; events, if wanted, are given to a function on the reader's thread."""

    def __init__(self, port: int, secret: str, on_event: Callable[[Event], None] | None = None) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._socket.settimeout(None)
        self._on_event = on_event
        self._numbers = itertools.count(1)
        self._answers: dict[str, Event] = {}
        self._changed = Condition()
        self._gone = False
        self.booted = False
        self._thread = Thread(target=self._read, name=f"ami-{port}", daemon=True)
        self._thread.start()
        try:
            events = "on" if on_event else "off"
            self.send("Login", {"Username": "carrier", "Secret": secret, "Events": events})
        except BaseException:
            self.close()
            raise

    def send(self, action: str, headers: Headers | None = None, timeout: float = 10.0) -> Event:
        """Sends an action and returns its answer; an error answer is an exception."""
        number = f"{id(self):x}-{next(self._numbers)}"
        lines = [f"Action: {action}", f"ActionID: {number}"]
        for name, value in (headers or {}).items():
            lines += [f"{name}: {one}" for one in ([value] if isinstance(value, str) else value)]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError(f"a line break in an AMI header of {action}")
        with contextlib.suppress(OSError):
            self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        with self._changed:
            if not self._changed.wait_for(lambda: number in self._answers or self._gone, timeout):
                raise AmiError(f"no answer to {action} in {timeout} s")
            answer = self._answers.pop(number, None)
        if answer is None:
            raise AmiError(f"Asterisk closed the manager connection during {action}")
        if answer.get("Response") == "Error":
            raise AmiError(f"{action}: {answer.get('Message')}")
        return answer

    def wait_until_booted(self, timeout: float) -> bool:
        """Waits for the event that tells that everything is loaded."""
        with self._changed:
            return self._changed.wait_for(lambda: self.booted or self._gone, timeout) and self.booted

    def close(self) -> None:
        """Ends the session."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(2)

    def _read(self) -> None:
        try:
            with self._socket.makefile("rb") as stream:
                stream.readline()
                message: Event = {}
                for raw in stream:
                    line = raw.decode("utf-8", "replace").rstrip("\r\n")
                    if line:
                        name, _, value = line.partition(": ")
                        message[name] = value
                    elif message:
                        self._deliver(message)
                        message = {}
        except (OSError, ValueError):
            pass
        with self._changed:
            self._gone = True
            self._changed.notify_all()

    def _deliver(self, message: Event) -> None:
        if "Response" in message:
            with self._changed:
                self._answers[message.get("ActionID", "")] = message
                self._changed.notify_all()
            return
        if message.get("Event") == "FullyBooted":
            with self._changed:
                self.booted = True
                self._changed.notify_all()
        if self._on_event is not None:
            self._on_event(message)


class AmiPool:
    """Sessions for actions that block theirs (Asterisk plays a digit before it answers)."""

    def __init__(self, port: int, secret: str) -> None:
        self._port, self._secret = port, secret
        self._idle: SimpleQueue[Ami] = SimpleQueue()
        self._all: list[Ami] = []

    @contextlib.contextmanager
    def session(self) -> Iterator[Ami]:
        """A session that nobody else uses meanwhile."""
        try:
            ami = self._idle.get_nowait()
        except Empty:
            ami = Ami(self._port, self._secret)
            self._all.append(ami)
        try:
            yield ami
        finally:
            self._idle.put(ami)

    def close(self) -> None:
        """Ends all sessions."""
        for ami in self._all:
            ami.close()
