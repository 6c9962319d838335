"""How Asterisk asks the carrier what a called telephone does: one FastAGI connection a call."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Callable
from queue import Empty, Queue
from threading import Thread


class LineGone(Exception):
    """The call ended while a command was under way."""


class AgiLine:
    """The conversation about one call. A reader of its own notices at once when the caller gives up."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._stream = connection.makefile("rb")
        self.environment: dict[str, str] = {}
        self.on_gone: Callable[[], None] = lambda: None
        self._replies: Queue[str | None] = Queue()
        while line := self._line():
            name, _, value = line.partition(": ")
            self.environment[name] = value

    def listen(self) -> None:
        """From now on replies and the end of the call are noticed."""
        Thread(target=self._read, name="agi-reader", daemon=True).start()

    def command(self, *words: str, timeout: float = 10.0) -> str:
        """Sends one command, each word quoted, and returns its reply."""
        self.begin(*words)
        try:
            reply = self._replies.get(timeout=timeout)
        except Empty:
            raise TimeoutError(f"no reply to AGI {' '.join(words)}") from None
        if reply is None:
            self._replies.put(None)
            raise LineGone
        return reply

    def begin(self, *words: str) -> None:
        """Sends a command whose end nobody waits for."""
        verb, *arguments = words
        quoted = ['"' + re.sub(r'(["\\])', r"\\\1", word) + '"' for word in arguments]
        try:
            self._socket.sendall((" ".join([verb, *quoted]) + "\n").encode())
        except OSError:
            raise LineGone from None

    def value_of(self, expression: str) -> str:
        """The value of a dialplan expression such as `${CALLERID(num)}`, empty if unset."""
        found = re.match(r"200 result=1 \((.*)\)$", self.command("GET FULL VARIABLE", expression), re.DOTALL)
        return found.group(1) if found else ""

    def close(self) -> None:
        """Gives the call back to the dialplan."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _line(self) -> str:
        return self._stream.readline().decode("utf-8", "replace").rstrip("\r\n")

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while (line := self._line()) and line != "HANGUP":
                self._replies.put(line)
        self._replies.put(None)
        self.on_gone()
        with contextlib.suppress(OSError):
            self._stream.close()
            self._socket.close()


class AgiServer:
    """Takes the connections and runs each on a thread."""

    def __init__(self, port: int, answer: Callable[[AgiLine], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=200)
        self._answer = answer
        self._thread = Thread(target=self._serve, name="agi-server", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Takes no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(2)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._run, args=(connection,), name="agi-call", daemon=True).start()

    def _run(self, connection: socket.socket) -> None:
        try:
            line = AgiLine(connection)
        except OSError:
            connection.close()
            return
        self._answer(line)
