"""Stands between a worker and Asterisk's manager interface, and cuts the line exactly where it hurts.

The first Originate is passed on, Asterisk's answer to it is taken from the wire, and only then are both sides cut:
Asterisk has acted, and the worker never hears of it. Or it is cut before it is passed on: Asterisk knows nothing. The
worker cannot tell one from the other. Everything after that goes through.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

from tests.support.ports import PortBlock

_END = b"\r\n\r\n"
_ANSWERS_WITHIN_S = 10


class AmiProxy:
    """A context manager. `reached`: whether Asterisk gets the Originate before the cut. `cuts` counts them."""

    def __init__(self, asterisk_port: int, *, reached: bool) -> None:
        self.cuts = 0
        self._reached = reached
        self._to = ("127.0.0.1", asterisk_port)
        self._block = PortBlock()
        self.port = self._block.take()
        self._listener = socket.create_server(("127.0.0.1", self.port))

    def __enter__(self) -> AmiProxy:
        threading.Thread(target=self._serve, name="ami-proxy", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self._block.release()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._lead, args=(client,), name="ami-proxy-line", daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        """Pass on action by action; the answers go back on a thread of their own."""
        with client, contextlib.suppress(OSError), socket.create_connection(self._to) as asterisk:
            cutting = threading.Event()
            answered = threading.Event()
            back = threading.Thread(target=self._back, args=(asterisk, client, cutting, answered), daemon=True)
            back.start()
            waiting = b""
            while data := client.recv(65536):
                waiting += data
                while _END in waiting:
                    action, _, waiting = waiting.partition(_END)
                    if b"Action: Originate" in action and not self.cuts:
                        self.cuts += 1
                        cutting.set()
                        if self._reached:
                            asterisk.sendall(action + _END)
                            answered.wait(_ANSWERS_WITHIN_S)
                        client.shutdown(socket.SHUT_RDWR)
                        return
                    asterisk.sendall(action + _END)

    @staticmethod
    def _back(
        asterisk: socket.socket, client: socket.socket, cutting: threading.Event, answered: threading.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while data := asterisk.recv(65536):
                if not cutting.is_set():
                    client.sendall(data)
                elif b"Response:" in data:
                    answered.set()
