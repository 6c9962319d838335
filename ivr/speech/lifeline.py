"""The calls' sockets, held a second time by the parent, so that a server that dies leaves no caller waiting.

Asterisk notices at once that an engine is gone, but then asks it for its results and waits a second for them,
deaf to her keys. A result that came before the end spares that second (read in `speech_aeap_engine_get`). So the
server hands each call's socket to the parent, and the parent, where the server has died, sends the last result.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import uuid
from collections import deque
from itertools import count

from ivr.speech import protocol
from ivr.speech.protocol import UNAVAILABLE

_NUMBER = struct.Struct("!I")
_TEXT_FRAME = 0x81  # the only and last frame of a text message (RFC 6455)
_ONE_BYTE_LENGTH = 126


class Lifeline:
    """The server's end: says which sockets there are. Nothing here blocks."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        line.setblocking(False)
        self._numbers = count(1)
        self._over: deque[int] = deque()  # calls whose end is still to be told

    def hold(self, sock: int) -> int:
        """Hand over the socket with the file number `sock`; return the number by which it is let go again."""
        number = next(self._numbers)
        # A parent that is behind knows a call less: that one waits its second.
        with contextlib.suppress(OSError):
            socket.send_fds(self._line, [_NUMBER.pack(number)], [sock])
        return number

    def release(self, number: int) -> None:
        """The call is over: without this its connection would stay open as long as the server lives."""
        self._over.append(number)
        with contextlib.suppress(OSError):
            while self._over:
                self._line.send(_NUMBER.pack(self._over[0]))
                self._over.popleft()


class Keeper:
    """The parent's end: holds the sockets of one server's calls."""

    def __init__(self) -> None:
        self.line, self.others = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.line.setblocking(False)
        self._held: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._held)

    def take(self) -> None:
        """Take up and let go what the server has said by now."""
        while True:
            try:
                said, files, _flags, _address = socket.recv_fds(self.line, _NUMBER.size, 1)
            except BlockingIOError:
                return
            if len(said) < _NUMBER.size:
                return  # its end is closed
            (number,) = _NUMBER.unpack(said)
            if files:
                self._held[number] = files[0]
            elif number in self._held:
                os.close(self._held.pop(number))

    def say_last_words(self) -> None:
        """The server is dead: end every RECOGNIZE under way, so that her keys count now."""
        self.take()
        for held in self._held.values():
            with socket.socket(fileno=os.dup(held)) as call, contextlib.suppress(OSError):
                call.setblocking(False)
                call.send(_frame(protocol.results(uuid.uuid4().hex, UNAVAILABLE, 0, "")))

    def close(self) -> None:
        """Close what is held, in whichever process this is called."""
        for held in self._held.values():
            os.close(held)
        self._held.clear()
        self.line.close()
        self.others.close()


def _frame(text: str) -> bytes:
    """Return one WebSocket message, as a server sends it: unmasked."""
    payload = text.encode()
    if len(payload) < _ONE_BYTE_LENGTH:
        return bytes((_TEXT_FRAME, len(payload))) + payload
    return struct.pack("!BBH", _TEXT_FRAME, _ONE_BYTE_LENGTH, len(payload)) + payload
