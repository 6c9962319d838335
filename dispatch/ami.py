"""The one adapter to Asterisk's manager interface (AMI), over pyst2.

pyst2 0.5.1 gives the message format and the exceptions. Its `Manager` matches
no ActionID, has no time-out, does not reconnect, lets a callback's exception
kill its thread, does not escape headers, and fails on `ChanVariable`: the
parts that are wrong are replaced here, each with a test (tests/dispatch/test_ami.py).
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from asterisk.manager import Manager, ManagerAuthException, ManagerException, ManagerMsg, ManagerSocketException

log = logging.getLogger(__name__)

Headers = Mapping[str, str]
# What is read at once, and the longest message: a manager that never ends one is none.
_BLOCK, _LONGEST = 64 * 1024, 4 * 1024 * 1024
_END = b"\r\n\r\n"


class AmiTimeout(ManagerException):
    """Asterisk was asked and did not answer in time: what became of the action is unknown."""


class AmiMessage(ManagerMsg):
    """One message; a repeated header keeps its last value, `ChanVariable` included."""

    headers: dict[str, str]
    data: str

    def header(self, name: str, default: str = "") -> str:
        """Return the header's value, `default` if there is none."""
        return self.headers.get(name, default)

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__(lines)  # type: ignore[no-untyped-call]
        # pyst2 invents an answer for a message without one; an answer that nobody gave is none.
        if self.headers.get("Response") == "Generated Header":
            del self.headers["Response"]

    def parse(self, response: Sequence[str]) -> None:
        """Parse lines of `Name: value`; anything else is kept as data."""
        data = []
        for line in response:
            name, colon, value = line.partition(":")
            if colon:
                self.headers[name.strip()] = value.strip()
            else:
                data.append(line)
        self.data = "\n".join(data)


def _header(name: str, value: object) -> str:
    """Render one header; a line break in a value would start a header, or an action, of somebody else's."""
    text = str(value)
    if any(ord(char) < 32 or ord(char) == 127 for char in f"{name}{text}"):
        raise ValueError(f"control character in the AMI header {name}")
    return f"{name}: {text}\r\n"


class Ami(Manager):
    """A connection to AMI: one reader thread, answers matched by ActionID, events to one callback."""

    def __init__(self, on_event: Callable[[Headers], None] | None = None, timeout: float = 5.0) -> None:
        # Manager.__init__ starts nothing, but makes two threads and looks up the host's name: skipped on purpose.
        self._on_event = on_event
        self._timeout = timeout
        self._link: socket.socket | None = None
        self._sending = threading.Lock()
        self._waiting: dict[str, queue.Queue[AmiMessage | None]] = {}
        # Actions that are answered by a list: all that carries their ActionID belongs to it.
        self._lists: set[str] = set()
        self._prefix = uuid.uuid4().hex[:12]
        self._numbers = itertools.count()
        self.closed = threading.Event()
        self.closed.set()

    def __del__(self) -> None:
        # Manager.__del__ closes in the middle of garbage collection; the owner closes, nobody else.
        pass

    def connect(self, host: str, port: int = 5038) -> None:
        """Open the connection and read the greeting.

        Raises:
            ManagerSocketException: nobody is there, or it is not AMI.
        """
        try:
            link = socket.create_connection((host, port), timeout=self._timeout)
        except OSError as error:
            raise ManagerSocketException(error.errno, str(error)) from error
        try:
            greeting = _read_line(link)
            # The reader waits for ever; a lost peer shows by keep-alive and by time-outs of actions.
            link.settimeout(None)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        except OSError as error:
            link.close()
            raise ManagerSocketException(error.errno, str(error)) from error
        if not greeting.startswith(b"Asterisk Call Manager"):
            link.close()
            raise ManagerSocketException(0, "not an Asterisk manager")
        self._link = link
        self.closed.clear()
        threading.Thread(target=self._read, args=(link,), name="ami-reader", daemon=True).start()

    def login(self, username: str, secret: str, events: str = "off") -> None:
        """Log in; `events` is AMI's event mask (`off`, `on`, `call,agent`).

        Raises:
            ManagerAuthException: user or secret are wrong.
        """
        reply = self.send_action({"Action": "Login", "Username": username, "Secret": secret, "Events": events})
        if reply.header("Response") != "Success":
            self.close()
            raise ManagerAuthException(reply.header("Message"))

    def send_action(self, cdict: Mapping[str, Any] | None = None, **kwargs: Any) -> AmiMessage:
        """Send one action and return its answer.

        Raises:
            ValueError: a header would break the protocol; nothing was sent.
            ManagerSocketException: the connection was already gone; nothing was sent.
            AmiTimeout: sent, but the answer is lost.
        """
        return self._exchange({**(cdict or {}), **kwargs}, lambda message: True)[0]

    def send_list(self, action: Mapping[str, Any], complete: str) -> list[AmiMessage]:
        """Send an action that is answered by a list of events, the last of which is `complete`; return them all."""
        asked = {"ActionID": f"{self._prefix}-{next(self._numbers)}", **action}
        self._lists.add(asked["ActionID"])
        try:
            return self._exchange(
                asked,
                lambda message: (
                    message.header("Event") == complete or message.header("Response") in ("Error", "Failure")
                ),
            )
        finally:
            self._lists.discard(asked["ActionID"])

    def _exchange(self, action: dict[str, Any], last: Callable[[AmiMessage], bool]) -> list[AmiMessage]:
        action_id = action.setdefault("ActionID", f"{self._prefix}-{next(self._numbers)}")
        text = "".join(
            _header(name, item)
            for name, value in action.items()
            for item in (value if isinstance(value, list) else [value])
        )
        link = self._link
        if link is None or self.closed.is_set():
            raise ManagerSocketException(0, "not connected")
        answers: queue.Queue[AmiMessage | None] = queue.Queue()
        self._waiting[action_id] = answers
        deadline = time.monotonic() + self._timeout
        received: list[AmiMessage] = []
        try:
            with self._sending:
                link.sendall((text + "\r\n").encode("utf-8"))
            while not received or not last(received[-1]):
                message = answers.get(timeout=max(0.0, deadline - time.monotonic()))
                if message is None:
                    raise AmiTimeout("the connection broke before the answer")
                received.append(message)
        except queue.Empty:
            raise AmiTimeout(f"no answer to {action.get('Action')} within {self._timeout} s") from None
        except OSError as error:
            # Part of it may have arrived: nobody can know.
            raise AmiTimeout(f"the connection broke while sending: {error}") from error
        finally:
            self._waiting.pop(action_id, None)
        return received

    def _read(self, link: socket.socket) -> None:
        rest = b""
        try:
            # Whole messages are cut out of what has come: a list of all channels comes every few seconds.
            while (block := link.recv(_BLOCK)) and len(rest) < _LONGEST:
                *whole, rest = (rest + block).split(_END)
                for message in whole:
                    lines = [line for line in message.decode("utf-8", errors="replace").split("\r\n") if line]
                    if lines:
                        self._deliver(AmiMessage(lines))
        except (OSError, ValueError) as error:
            log.info("AMI connection lost: %s", error)
        finally:
            self._closed_by_peer()

    def _deliver(self, message: AmiMessage) -> None:
        waiter = self._waiting.get(message.header("ActionID"))
        part_of_list = message.header("ActionID") in self._lists
        # OriginateResponse is an event that carries "Response" and the ActionID: it is not the answer.
        answer = "Response" in message.headers and "Event" not in message.headers
        if waiter is not None and (answer or part_of_list):
            waiter.put(message)
        elif self._on_event is not None and "Event" in message.headers:
            try:
                self._on_event(message.headers)
            except Exception:
                # One bad event must not end the stream of all others.
                log.exception("AMI event %s was not handled", message.header("Event"))

    def _closed_by_peer(self) -> None:
        self.closed.set()
        for waiter in list(self._waiting.values()):
            waiter.put(None)

    def close(self) -> None:
        """Close the connection; safe to repeat."""
        link, self._link = self._link, None
        self.closed.set()
        if link is not None:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()


def _read_line(link: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and len(line) < 200:
        byte = link.recv(1)
        if not byte:
            break
        line += byte
    return line
