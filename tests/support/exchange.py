"""The sound of all calls of a carrier, in both directions, in real time.

Asterisk's AudioSocket brings each call as one TCP connection with frames of
20 ms. One thread serves them all: it hands on what arrives, and sends one frame
a call every 20 ms, silence when nothing is to be said, as a telephone does.
Frames that a busy machine has delayed are sent late, never dropped: speech
reaches the hotline whole.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
import uuid
from typing import Protocol

_FRAME_BYTES = 320
_FRAME_S = 0.02
_UUID, _DTMF, _AUDIO = 0x01, 0x03, 0x10
_SILENCE = bytes(_FRAME_BYTES)
_AUDIO_HEADER = bytes([_AUDIO]) + _FRAME_BYTES.to_bytes(2, "big")
# Later than this the past is given up, so that a suspended machine does not send minutes of silence.
_MAX_LATE_FRAMES = 50


class Party(Protocol):
    """The call behind a connection, as the exchange sees it."""

    def audio_begins(self) -> None:
        """The connection stands."""

    def audio_arrives(self, samples: bytes, at: float) -> None:
        """Samples of which the first arrived at that monotonic time."""

    def key_arrives(self, key: str) -> None:
        """The other side pressed a key."""

    def next_frame(self) -> bytes | None:
        """The 20 ms to be sent now; None for silence."""

    def audio_ends(self) -> None:
        """The connection is gone."""


class AudioExchange:
    """The server behind AudioSocket; `serve()` is its thread."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=200)
        self._listener.setblocking(False)
        self._wake, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._expected: dict[str, Party] = {}
        self._lines: list[_Line] = []
        self._closing = False

    def expect(self, audio_id: str, party: Party) -> None:
        """Tells which call will come under an id."""
        self._expected[audio_id] = party

    def forget(self, audio_id: str) -> None:
        """The call will not come, or has ended."""
        self._expected.pop(audio_id, None)

    def close(self) -> None:
        """Ends the thread and all connections."""
        self._closing = True
        self._wake.send(b"x")

    def serve(self) -> None:
        """Runs until closed."""
        due = time.monotonic()
        while not self._closing:
            wait = due - time.monotonic() if self._lines else None
            for key, _ in self._selector.select(None if wait is None else max(0.0, wait)):
                if key.data is not None:
                    key.data.read()
                elif key.fileobj is self._listener:
                    if not self._lines:
                        due = time.monotonic()
                    self._accept()
            now = time.monotonic()
            if now - due > _MAX_LATE_FRAMES * _FRAME_S:
                due = now
            while self._lines and due <= now:
                due += _FRAME_S
                for line in self._lines:
                    line.send_frame()
            if any(line.ended for line in self._lines):
                self._drop_ended()
        for line in self._lines:
            line.end()
        self._drop_ended()
        for sock in (self._listener, self._wake, self._woken):
            sock.close()
        self._selector.close()

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line = _Line(connection, self._expected)
            self._lines.append(line)
            self._selector.register(connection, selectors.EVENT_READ, line)

    def _drop_ended(self) -> None:
        for line in [line for line in self._lines if line.ended]:
            self._selector.unregister(line.socket)
            line.socket.close()
            self._lines.remove(line)


class _Line:
    """One connection."""

    def __init__(self, connection: socket.socket, expected: dict[str, Party]) -> None:
        self.socket = connection
        self.ended = False
        self._expected = expected
        self._party: Party | None = None
        self._received = bytearray()
        self._unsent = b""

    def read(self) -> None:
        """Takes in what has arrived."""
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.end()
            return
        now = time.monotonic()
        self._received += data
        audio = bytearray()
        while len(self._received) >= 3:
            size = int.from_bytes(self._received[1:3], "big")
            if len(self._received) < 3 + size:
                break
            kind, payload = self._received[0], bytes(self._received[3 : 3 + size])
            del self._received[: 3 + size]
            if kind == _AUDIO:
                audio += payload
            elif kind == _UUID:
                self._begin(str(uuid.UUID(bytes=payload)))
            elif kind == _DTMF and self._party is not None:
                self._party.key_arrives(payload.decode("ascii", "replace"))
        if audio and self._party is not None:
            # Several frames at once mean that we were late, not that the line was silent before.
            self._party.audio_arrives(bytes(audio), now - (len(audio) / _FRAME_BYTES - 1) * _FRAME_S)

    def _begin(self, audio_id: str) -> None:
        self._party = self._expected.get(audio_id)
        if self._party is None:
            self.end()
        else:
            self._party.audio_begins()

    def send_frame(self) -> None:
        """Sends the next 20 ms."""
        if self._party is None or self.ended:
            return
        data = self._unsent + _AUDIO_HEADER + (self._party.next_frame() or _SILENCE)
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.end()
            return
        self._unsent = data[sent:]

    def end(self) -> None:
        """The call is over."""
        if not self.ended:
            self.ended = True
            if self._party is not None:
                self._party.audio_ends()
