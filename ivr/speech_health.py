"""Is the speech engine well? Asked in the background, so that no caller waits for a sick one.

An engine that is known to be unwell is not asked at all: a stalled one would
block SPEECH CREATE for three seconds (docs/decisions/010).
"""

from __future__ import annotations

import http.client
import json
import threading
import time

from models.settings import settings

EVERY_S = 1.0
PATIENCE_S = 0.5
# An engine whose decoding lags further behind than this hears answers too late (ms).
LARGEST_LAG_MS = 1500


class SpeechHealth:
    """Knows the state of each language's engine; at most a second old."""

    def __init__(self) -> None:
        self._ready: frozenset[str] = frozenset()
        self._started = threading.Lock()
        self._running = False

    def listens_for(self, language: str) -> bool:
        """Return whether the engine of `language` can be relied on now."""
        with self._started:
            if not self._running:
                self._running = True
                self._ready = ask()
                threading.Thread(target=self._watch, name="speech-health", daemon=True).start()
        return language in self._ready

    def _watch(self) -> None:
        while True:
            time.sleep(EVERY_S)
            self._ready = ask()


def ask() -> frozenset[str]:
    """Ask the engine now; return the languages that it listens for. At most half a second."""
    connection = http.client.HTTPConnection(settings().host, settings().speech_port, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/health")
        told = json.loads(connection.getresponse().read())
        if told.get("lag_ms", 0) > LARGEST_LAG_MS:
            return frozenset()
        return frozenset(name for name, state in told["languages"].items() if state == "ready")
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        return frozenset()
    finally:
        connection.close()


health = SpeechHealth()
