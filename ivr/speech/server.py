"""The speech server: WebSockets from Asterisk, the health page and the counters, on one port.

`python -m ivr.speech` runs it (family.py). It decodes nothing itself (pool.py).

Streams come to `/` or, better, to `/<language>`: a language without a model, or
one stream too many, is then refused in the handshake (503), and SPEECH CREATE
fails within a millisecond. Refused later, in the setup, CREATE fails as fast,
but Asterisk 22 leaks the socket and, when that is closed, writes into memory it
has freed; so after such a refusal the server leaves the closing to Asterisk.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as serve_websockets
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from ivr.speech import protocol
from ivr.speech.archive import Archive
from ivr.speech.gate import GateSettings
from ivr.speech.lifeline import Lifeline
from ivr.speech.metrics import prometheus
from ivr.speech.models import Models
from ivr.speech.pool import Pool
from ivr.speech.stream import Stream
from ivr.speech.turns import Phrases, Turns, Urgent, no_cries

log = logging.getLogger(__name__)

_LARGEST_MESSAGE = 64 * 1024  # bytes; Asterisk sends a few hundred
_MOST_ERRORS = 20  # messages that are none, before a socket is given up
_TICK_S = 0.25
_LAST_WORDS_S = 0.1  # for Asterisk to take the last results before the sockets close


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How the server runs. `port` 0: any free one."""

    host: str = "127.0.0.1"
    port: int = 9099
    max_streams: int = 200
    largest_lag_ms: int = 1000  # decoding further behind than this, new calls are refused
    gate: GateSettings = field(default_factory=GateSettings)
    paces: Mapping[str, int] = field(default_factory=dict)  # silence that ends an answer, by pace (ms)
    archive: Archive | None = None


class SpeechServer:
    """The server's parts. `start` listens at once and loads the models meanwhile."""

    def __init__(self, settings: ServerSettings, models: Models, phrases: Phrases, urgent: Urgent = no_cries) -> None:
        self.settings = settings
        self.models = models
        self.port = settings.port
        self._turns = Turns(models, phrases, urgent, settings.archive)
        self.metrics = self._turns.metrics
        self.pool = Pool(models)
        self._streams: set[Stream] = set()
        self._loop_lag_ms = 0.0
        self._server: Server | None = None
        self._background: list[asyncio.Task[None]] = []
        self._stopping = False
        self._ends = asyncio.Event()
        self.beat: Callable[[], object] = lambda: None  # called several times a second while the loop is well
        self.lifeline: Lifeline | None = None  # who tells the calls of this process's sudden end

    async def start(self, sock: socket.socket | None = None) -> None:
        """Listens on `sock` or the settings' port. Raises OSError where the port is taken."""
        where = (None, None) if sock else (self.settings.host, self.settings.port)
        self._server = await serve_websockets(
            self._serve,
            *where,
            sock=sock,
            subprotocols=[protocol.SUBPROTOCOL],  # type: ignore[list-item]
            process_request=self._answer_http,
            compression=None,
            max_size=_LARGEST_MESSAGE,
            open_timeout=5,
            close_timeout=1,
            server_header=None,
            logger=_quiet_logger(),
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._background = [asyncio.create_task(self._tick())]
        log.info("speech server on %s:%d", self.settings.host, self.port)

    async def stop(self) -> None:
        """Ends every RECOGNIZE under way, so that callers go on by keys, then closes. At most some seconds."""
        self._stopping = True
        # First of all, so that no call asks for more of what is going.
        self._ends.set()
        await asyncio.sleep(0)
        streams = list(self._streams)
        for stream in streams:
            await stream.give_up()
        if streams:
            await asyncio.sleep(_LAST_WORDS_S)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        self.pool.close()
        await asyncio.to_thread(self._turns.close)

    def health(self) -> dict[str, Any]:
        """What `/health` says. `lag_ms` is the audio that waits longest for decoding, in milliseconds."""
        return {
            "status": "ok" if self._healthy else "unavailable",
            "languages": self.models.status,
            "recognisers": self.pool.processes,
            "lag_ms": round(max((stream.lag_ms for stream in self._streams), default=0.0)),
            **self._figures(),
        }

    def _figures(self) -> dict[str, float]:
        return {
            "streams": self._ready_streams,
            "max_streams": self.settings.max_streams,
            "lag_p95_ms": round(self.metrics.lag_p95_ms),
            "loop_lag_ms": round(self._loop_lag_ms, 1),
            "decoded_seconds": round(self.metrics.decoded_ms / 1000, 1),
            "understood": self.metrics.understood,
            "not_understood": self.metrics.not_understood,
            "lost": self.metrics.lost,
            "refused": self.metrics.refused,
            "recogniser_deaths": self.pool.lost,
            "restarts": self.metrics.restarts,
        }

    @property
    def _ready_streams(self) -> int:
        return sum(stream.ready for stream in self._streams)

    @property
    def _healthy(self) -> bool:
        return self.models.any_ready and not self._stopping

    # HTTP.

    def _answer_http(self, connection: ServerConnection, request: Request) -> Response | None:
        path = unquote(urlsplit(request.path).path)
        if path == "/health":
            status = HTTPStatus.OK if self._healthy else HTTPStatus.SERVICE_UNAVAILABLE
            return _json_response(status, self.health())
        if path == "/metrics":
            text = prometheus(self._figures(), self.models.status, self.pool.processes)
            return _response(HTTPStatus.OK, text.encode(), "text/plain; version=0.0.4")
        language = path.strip("/")
        if language == protocol.WATCH:
            return None
        if language and language not in self.models.status:
            return _json_response(HTTPStatus.NOT_FOUND, {"error": "no such language"})
        if self._stopping or not self.models.any_ready or (language and self.models.get(language) is None):
            return _json_response(HTTPStatus.SERVICE_UNAVAILABLE, {"error": "no speech model"})
        # A stream that was refused in its setup stays open until Asterisk closes it, and hears nothing.
        if self._ready_streams >= self.settings.max_streams or len(self._streams) >= 4 * self.settings.max_streams:
            return self._refuse("too many streams")
        # Those who are being listened to keep their pace; who comes now presses keys.
        if self.metrics.lag_p95_ms > self.settings.largest_lag_ms:
            return self._refuse("decoding is too far behind")
        return None

    def _refuse(self, reason: str) -> Response:
        self.metrics.refused += 1
        log.warning("refused a stream: %s; %d are open", reason, len(self._streams))
        return _json_response(HTTPStatus.SERVICE_UNAVAILABLE, {"error": reason})

    # WebSockets.

    async def _serve(self, connection: ServerConnection) -> None:
        path = unquote(urlsplit(connection.request.path if connection.request else "/").path).strip("/")
        if path == protocol.WATCH:
            await self._tell(connection)
        else:
            await self._serve_stream(connection, path or None)

    async def _tell(self, connection: ServerConnection) -> None:
        """Say several times a second how we are: a silence of this socket tells of a stall, its end of our death."""
        with contextlib.suppress(ConnectionClosed):
            while not self._stopping:
                await connection.send(json.dumps(self.health()))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ends.wait(), _TICK_S)

    async def _serve_stream(self, connection: ServerConnection, language: str | None) -> None:
        async def send(text: str) -> None:
            # She may have hung up; then the reading loop ends by itself.
            with contextlib.suppress(ConnectionClosed):
                await connection.send(text)

        stream = Stream(self._turns, send, language, self.settings.gate, self.settings.paces)
        self._streams.add(stream)
        sock = connection.transport.get_extra_info("socket")
        held = self.lifeline.hold(sock.fileno()) if self.lifeline else 0
        errors = 0
        try:
            async for message in connection:
                _acknowledge_now(connection)
                if isinstance(message, bytes):
                    await stream.audio(message)
                    continue
                try:
                    await stream.text(message)
                except protocol.ProtocolError as error:
                    errors += 1
                    log.warning("a message that is none: %s", error)
                    await send(protocol.refusal(None, str(error)))
                    if errors >= _MOST_ERRORS:
                        await connection.close(1008, "not AEAP")
        except ConnectionClosed:
            pass  # Asterisk hangs up without a closing handshake; that is its way
        finally:
            stream.close()
            self._streams.discard(stream)
            if self.lifeline:
                self.lifeline.release(held)

    # Background.

    async def _tick(self) -> None:
        while True:
            due = time.monotonic() + _TICK_S
            await asyncio.sleep(_TICK_S)
            now = time.monotonic()
            self._loop_lag_ms = max(0.0, now - due) * 1000
            for stream in list(self._streams):
                stream.tick(now)
            self.pool.look_after(self._loop_lag_ms)
            self.beat()


def _acknowledge_now(connection: ServerConnection) -> None:
    """Asterisk's socket waits for TCP's acknowledgement before it sends the next small message.

    The kernel holds that back for 40 ms, which she would hear after every answer.
    The option lasts only until the next acknowledgement, hence once a message.
    """
    sock = connection.transport.get_extra_info("socket")
    if sock is not None and hasattr(socket, "TCP_QUICKACK"):
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _json_response(status: HTTPStatus, body: dict[str, Any]) -> Response:
    return _response(status, json.dumps(body).encode(), "application/json")


def _response(status: HTTPStatus, payload: bytes, kind: str) -> Response:
    headers = Headers(
        [
            ("Content-Type", kind),
            ("Content-Length", str(len(payload))),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        ]
    )
    return Response(status, status.phrase, headers, payload)


def _quiet_logger() -> logging.Logger:
    """The library logs each refused or broken handshake with a traceback; we log what matters ourselves."""
    logger = logging.getLogger("ivr.speech.websockets")
    logger.setLevel(logging.CRITICAL)
    return logger
