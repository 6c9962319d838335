"""Is the speech engine well? Watched in the background, so that no caller waits for a sick one.

An engine that is known to be unwell is not asked at all: a stalled one would block SPEECH CREATE for three seconds,
and each further command to one that is gone would cost her a second (docs/decisions/010). The engine tells four times
a second how it is; its silence is a stall, the end of the connection its death.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
from contextlib import suppress

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from ivr.speech.protocol import SUBPROTOCOL, WATCH
from models.settings import settings

log = logging.getLogger(__name__)

PATIENCE_S = 0.5
# So long after a connection failed it is tried again (s).
AGAIN_S = 0.2
# One that lets a turn wait longer than this lets her wait a second for each command: keys (s).
SLOWEST_ANSWER_S = 0.4
# An engine that has told nothing for so long stands still (s); it tells every quarter of a second.
STALLED_S = 0.75
# An engine whose decoding lags further behind than this hears answers too late (ms).
LARGEST_LAG_MS = 1500


class SpeechHealth:
    """Knows the state of each language's engine."""

    def __init__(self) -> None:
        self._ready: frozenset[str] = frozenset()
        self._told = 0.0
        self._birth = 0
        self._engine: ClientConnection | None = None
        self._started = threading.Lock()
        self._tried = threading.Event()
        self._running = False

    @property
    def birth(self) -> int:
        """Which engine this is: another number after each one that has died. What was opened with another is gone."""
        return self._birth

    def lives(self, birth: int) -> bool:
        """Ask whether the engine is still that one, and answers; under a millisecond where it is well."""
        engine = self._engine
        if birth != self._birth or engine is None:
            return False
        with suppress(OSError, WebSocketException):
            return engine.ping().wait(SLOWEST_ANSWER_S)
        return False

    def listens_for(self, language: str) -> bool:
        """Return whether the engine of `language` can be relied on now."""
        with self._started:
            if not self._running:
                self._running = True
                self._take(ask())
                # Read once: a thread that outlives a test must not bring its settings into the next one.
                address = f"ws://{settings().host}:{settings().speech_port}/{WATCH}"
                threading.Thread(target=self._watch, args=(address,), name="speech-health", daemon=True).start()
                # The first caller would else find an engine that is well and not yet watched: gone, it seems.
                self._tried.wait(PATIENCE_S)
        return language in self._ready and time.monotonic() - self._told < STALLED_S

    def _take(self, ready: frozenset[str]) -> None:
        self._ready, self._told = ready, time.monotonic()

    def _watch(self, address: str) -> None:
        while True:
            try:
                self._listen(address)
            except (OSError, ValueError, KeyError, WebSocketException) as error:
                log.debug("the speech engine tells nothing: %s", error)
            self._tried.set()
            self._ready, self._engine = frozenset(), None
            self._birth += 1
            time.sleep(AGAIN_S)

    def _listen(self, address: str) -> None:
        """Take what the engine tells of itself, until it ends."""
        with connect(
            address,
            subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
            compression=None,
            open_timeout=PATIENCE_S,
            close_timeout=0,
            proxy=None,
        ) as engine:
            self._engine = engine
            self._tried.set()
            while True:
                self._take(_ready(json.loads(engine.recv())))


def ask() -> frozenset[str]:
    """Ask the engine now; return the languages that it listens for. At most half a second."""
    connection = http.client.HTTPConnection(settings().host, settings().speech_port, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/health")
        return _ready(json.loads(connection.getresponse().read()))
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        return frozenset()
    finally:
        connection.close()


def _ready(told: dict[str, object]) -> frozenset[str]:
    if told.get("lag_ms", 0) > LARGEST_LAG_MS:  # type: ignore[operator]
        return frozenset()
    return frozenset(name for name, state in told["languages"].items() if state == "ready")  # type: ignore[attr-defined]


health = SpeechHealth()
