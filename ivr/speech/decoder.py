"""Feeds one utterance to its recogniser, in order and never two pieces at once; counts how far that lags behind."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from ivr.speech.gate import SAMPLE_RATE
from ivr.speech.metrics import Metrics
from ivr.speech.models import Ear
from ivr.speech.recogniser import Heard

log = logging.getLogger(__name__)

_BYTES_PER_MS = SAMPLE_RATE * 2 // 1000
# Handing over a piece costs as much as decoding a frame, so several frames go together; by her
# endpoint all of them have long been decoded.
BATCH_BYTES = 200 * _BYTES_PER_MS
# Silence after speech is decoded as far as the last soft consonant reaches, the rest
# only if she speaks on: silence costs as much as speech.
TAIL_MS = 300

Done = Callable[["Decoder"], Awaitable[None]]


class Decoder:
    """One utterance under way. All methods run on the event loop and return at once.

    `heard` is None until the utterance is finished, and stays None where the
    recogniser failed.
    """

    def __init__(self, ear: Ear, metrics: Metrics) -> None:
        self.heard: Heard | None = None
        self._audio = bytearray()
        self._ear = ear
        self._metrics = metrics
        self._waiting = bytearray()
        self._since = 0.0  # when the first byte of `_waiting` came, of time.monotonic()
        self._held_back = bytearray()  # silence that is decoded only if she speaks on
        self._quiet_ms = 0
        self._working = 0  # bytes that the recogniser has in hand
        self._done: Done | None = None
        self._task: asyncio.Task[None] | None = None
        self._failed = False
        self._cancelled = False

    @property
    def lag_ms(self) -> float:
        """Audio handed over and not decoded yet, in milliseconds; up to one batch is normal."""
        return (len(self._waiting) + self._working) / _BYTES_PER_MS

    @property
    def audio(self) -> bytes:
        """All that was handed over, the pauses in it too."""
        return bytes(self._audio)

    @property
    def audio_ms(self) -> int:
        """The length of it."""
        return len(self._audio) // _BYTES_PER_MS

    def feed(self, pcm: bytes, pause: bool = False) -> None:
        """Adds audio. `pause` says that it is silence, which may turn out to be the end."""
        length = len(pcm) // _BYTES_PER_MS
        self._audio += pcm
        if pause:
            self._quiet_ms += length
            if self._quiet_ms > TAIL_MS:
                self._held_back += pcm
                self._work()
                return
        else:
            self._quiet_ms = 0
            self._waiting += self._held_back
            self._held_back.clear()
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting += pcm
        if len(self._waiting) >= BATCH_BYTES:
            self._work()

    def finish(self, done: Done) -> None:
        """Ends the utterance; `done` is awaited with this decoder when `heard` stands."""
        self._done = done
        if self._task is not None:
            self._ear.hurry()
        self._start_task()

    def cancel(self) -> None:
        """Drops the utterance. A piece that is being decoded is finished and forgotten."""
        self._cancelled = True
        self._waiting.clear()
        self._ear.cancel()

    def _work(self) -> None:
        if self._waiting:
            self._start_task()

    def _start_task(self) -> None:
        if self._task is None and not self._cancelled:
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting and not self._cancelled:
                piece = bytes(self._waiting)
                self._waiting.clear()
                if self._failed:
                    continue
                since, self._working = self._since, len(piece)
                await self._ear.feed(piece)
                self._working = 0
                self._metrics.decoded(len(piece) / _BYTES_PER_MS, (time.monotonic() - since) * 1000)
            if self._done is None or self._cancelled:
                return
            if not self._failed:
                self.heard = await self._ear.finish()
        except Exception as error:  # a fault of the recogniser's costs this utterance, never the server
            if not self._cancelled:
                log.warning("an utterance was lost: %s", type(error).__name__)
                self._metrics.lost += 1
            self._failed = True
            self._working = 0
        finally:
            self._task = None
        if self._done is not None and not self._cancelled:
            await self._done(self)
