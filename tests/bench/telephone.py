"""A telephone that measures: it rings over SIP, presses keys by RFC 4733, and keeps when each packet of sound came.

Sound comes in packets of 20 ms; the kernel stamps each one as it arrives, so a
busy Python does not look like a late prompt. Silence is told from sound by the
telephone's own ear, the same for whoever plays.
"""

from __future__ import annotations

import re
import socket
import struct
import time
import uuid
from array import array
from dataclasses import dataclass
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
PACKET_MS = 20
# A prompt is over when it has been silent for so long; longer than the pauses between its sentences (ms).
QUIET_MS = 700
# A key is held so long (ms).
KEY_MS = 100
# The mean of A-law samples (linear) below which a packet is silence.
_LOUD = 60
_EVENT_PAYLOAD, _TICKS = 101, 160
_SO_TIMESTAMPNS = 35  # Linux, asm-generic/socket.h; Python has no name for it
_KEYS = "0123456789*#"


def linear(value: int) -> int:
    """Return how loud an A-law byte is (0..32256)."""
    value ^= 0x55
    exponent, mantissa = (value >> 4) & 7, value & 15
    return (mantissa * 16 + 8) if exponent == 0 else (mantissa * 16 + 264) << (exponent - 1)


_LINEAR = array("H", map(linear, range(256)))


def is_sound(payload: bytes) -> bool:
    """Return whether anything is to be heard in a packet of A-law."""
    return sum(_LINEAR[byte] for byte in payload) > _LOUD * len(payload)


@dataclass(frozen=True)
class Heard:
    """One prompt: when its first and its last sound came (ms, the machine's clock)."""

    first_ms: float
    last_ms: float


class TooQuiet(AssertionError):
    """A prompt or an answer that did not come."""


class Telephone:
    """One line with the number `number`; it rings the exchange whose SIP port is `sip_port`. A context manager."""

    def __init__(self, sip_port: int, number: str, patience_s: float = 20) -> None:
        self._number, self._patience_s = number, patience_s
        self._sip, self._rtp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "12")
        self._sip.bind((HOST, 0))
        self._sip.connect((HOST, sip_port))
        self._rtp.bind((HOST, 0))
        self._rtp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._call, self._cseq, self._to, self._target = uuid.uuid4().hex, 0, "", ""
        self._sequence, self._ticks = 1, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sip.close()
        self._rtp.close()

    def ring(self, service: str) -> float:
        """Ring `service` and wait until it is answered; return when it was (ms)."""
        self._to = f"<sip:{service}@{HOST}>"
        self._target = f"sip:{service}@{HOST}:{self._sip.getpeername()[1]}"
        offer = "\r\n".join((
            "v=0", f"o=elder 1 1 IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0",
            f"m=audio {self._rtp.getsockname()[1]} RTP/AVP 8 {_EVENT_PAYLOAD}", "a=rtpmap:8 PCMA/8000",
            f"a=rtpmap:{_EVENT_PAYLOAD} telephone-event/8000", f"a=ptime:{PACKET_MS}", "",
        ))  # fmt: skip
        said = self._request("INVITE", offer)
        answered = time.time_ns() / 1e6
        to, port = re.search(r"(?im)^To: *(.+?)\r$", said), re.search(r"(?m)^m=audio (\d+)", said)
        if to is None or port is None:
            raise TooQuiet(f"an answer without sound\n{said}")
        self._to = to.group(1)
        self._rtp.connect((HOST, int(port.group(1))))
        self._send("ACK")
        return answered

    def hear(self) -> Heard:
        """Listen to one prompt to its end. The silence before and after it is sent as packets, too."""
        first = last = 0.0
        self._rtp.settimeout(QUIET_MS / 1000)
        deadline = time.time() * 1000 + self._patience_s * 1000
        while True:
            now, payload = self._packet()
            if payload and is_sound(payload):
                first, last = first or now, now
            elif first and now - last > QUIET_MS:
                return Heard(first, last)
            elif not first and now > deadline:
                raise TooQuiet(f"no prompt within {self._patience_s} s")

    def _packet(self) -> tuple[float, bytes]:
        """Return when the next packet came (ms) and its sound; now and nothing, if none comes for a while."""
        try:
            packet, extra, _flags, _address = self._rtp.recvmsg(2048, 64)
        except TimeoutError:
            return time.time() * 1000, b""
        [(_level, _kind, stamp)] = extra
        seconds, nanoseconds = struct.unpack("qq", stamp)
        return seconds * 1000 + nanoseconds / 1e6, packet[12:]

    def wait_until(self, moment_ms: float) -> None:
        """Let time pass, on the machine's clock."""
        time.sleep(max(0.0, moment_ms / 1000 - time.time()))

    def press(self, key: str) -> float:
        """Press a key; return when its end was sent (ms)."""
        code = _KEYS.index(key)
        for ticks in range(_TICKS, KEY_MS // PACKET_MS * _TICKS, _TICKS):
            self._event(code, ticks)
            time.sleep(PACKET_MS / 1000)
        ended = time.time_ns() / 1e6
        for _ in range(3):  # RFC 4733: the end is sent three times
            self._event(code, KEY_MS // PACKET_MS * _TICKS, end=True)
        self._ticks += 100 * _TICKS
        return ended

    def hang_up(self) -> None:
        """End the call, and wait until the other side has understood."""
        self._request("BYE")

    def _event(self, code: int, ticks: int, *, end: bool = False) -> None:
        marker = 0x80 if ticks == _TICKS else 0
        head = struct.pack("!BBHII", 0x80, marker | _EVENT_PAYLOAD, self._sequence, self._ticks, 0x12349)
        self._rtp.send(head + struct.pack("!BBH", code, (0x80 if end else 0) | 10, ticks))
        self._sequence += 1

    def _request(self, method: str, body: str = "") -> str:
        """Send a request and return its final answer, which must be a 200."""
        self._cseq += 1
        deadline = time.monotonic() + self._patience_s
        while time.monotonic() < deadline:
            self._send(method, body)
            self._sip.settimeout(1)
            try:
                while True:
                    said = self._sip.recv(8192).decode(errors="replace")
                    status = said.split(" ", 2)[1]
                    if re.search(rf"(?im)^CSeq: *{self._cseq} {method}\r$", said) and status >= "200":
                        if status != "200":
                            raise TooQuiet(f"{method}: {said}")
                        return said
            except TimeoutError:
                continue
        raise TooQuiet(f"{method} was not answered")

    def _send(self, method: str, body: str = "") -> None:
        here = f"{HOST}:{self._sip.getsockname()[1]}"
        lines = (
            f"{method} {self._target} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{self._call}{self._cseq}{method}",
            f"From: <sip:{self._number}@{here}>;tag=bench", f"To: {self._to}", f"Call-ID: {self._call}",
            f"CSeq: {self._cseq} {method}", f"Contact: <sip:{self._number}@{here}>", "Max-Forwards: 70",
            f"P-Asserted-Identity: <sip:{self._number}@{HOST}>",
            *(("Content-Type: application/sdp",) if body else ()), f"Content-Length: {len(body)}", "", body,
        )  # fmt: skip
        self._sip.send("\r\n".join(lines).encode())
