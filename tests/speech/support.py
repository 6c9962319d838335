"""Voices and servers for the speech tests."""

from __future__ import annotations

import asyncio
import http.client
import json
import subprocess
import tempfile
import threading
import wave
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ivr.speech.grammar import Grammar, Wanted, build
from ivr.speech.models import Models
from ivr.speech.recogniser import Heard, Utterance
from ivr.speech.server import ServerSettings, SpeechServer
from models import toolbox
from models.settings import settings

SECOND = 16000  # bytes


def silence(ms: int) -> bytes:
    """Digital silence."""
    return bytes(16 * ms)


def noise(ms: int, dbfs: float, seed: int = 1) -> bytes:
    """White noise of a level."""
    samples = np.random.default_rng(seed).normal(0, 32768 * 10 ** (dbfs / 20), 8 * ms)
    return samples.clip(-32768, 32767).astype("<i2").tobytes()


def tone(ms: int, hertz: float, dbfs: float = -10) -> bytes:
    """A sine."""
    time = np.arange(8 * ms) / 8000
    return (32768 * 10 ** (dbfs / 20) * 1.414 * np.sin(2 * np.pi * hertz * time)).astype("<i2").tobytes()


def hum(ms: int) -> bytes:
    """A vowel of sorts: what the gate takes for a voice, made without a synthesiser."""
    time = np.arange(8 * ms) / 8000
    wave_ = sum(
        level * np.sin(2 * np.pi * 140 * number * time)
        for number, level in enumerate((1.0, 0.9, 0.7, 0.9, 0.6, 0.4, 0.3, 0.5, 0.3, 0.2), start=1)
    )
    syllables = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * time)
    return (2500 * wave_ * syllables).astype("<i2").tobytes()


class Voice:
    """A synthetic speaker on a telephone line: 8 kHz, 16 bit, mono, at an ordinary level."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str, int, int], bytes] = {}

    def say(self, text: str, voice: str = "ko", speed: int = 140, pitch: int = 50) -> bytes:
        """The text as audio, about 150 ms of silence before and after it included."""
        key = (text, voice, speed, pitch)
        if key not in self._said:
            self._said[key] = self._spoken(*key)
        return self._said[key]

    def _spoken(self, text: str, voice: str, speed: int, pitch: int) -> bytes:
        cache = settings().cache_dir
        with tempfile.TemporaryDirectory(prefix="hotline-voice-") as folder:
            spoken, narrow = Path(folder) / "spoken.wav", Path(folder) / "narrow.raw"
            toolbox.espeak(cache).run("-v", voice, "-s", str(speed), "-p", str(pitch), "-w", spoken, text)
            toolbox.sox(cache).run(
                "-D", spoken, "-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1", narrow,
                "norm", "-6", stderr=subprocess.DEVNULL,
            )  # fmt: skip
            return narrow.read_bytes()


def write_wav(path: Path, pcm: bytes) -> None:
    """Writes telephone audio where Asterisk can play it."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(pcm)


def health(port: int) -> tuple[int, dict[str, object]]:
    """Status and body of the server's health page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


class Blocking(Protocol):
    """A model that decodes where it is called: Vosk itself, and the fake one."""

    def knows(self, word: str) -> bool: ...

    def utterance(self, grammar: Grammar) -> Utterance: ...


class InProcess:
    """What the server needs of a model, with recognition on threads of this process instead of others."""

    def __init__(self, model: Blocking, language: str = "ko") -> None:
        self._model = model
        self._language = language

    async def grammar(self, wanted: Wanted) -> Grammar:
        return await asyncio.to_thread(build, wanted, self._language, self._model.knows)

    def utterance(self, grammar: Grammar) -> InProcessEar:
        return InProcessEar(lambda: self._model.utterance(grammar))


class InProcessEar:
    def __init__(self, start: Callable[[], Utterance]) -> None:
        self._start = start
        self._utterance: Utterance | None = None

    async def feed(self, pcm: bytes) -> None:
        await asyncio.to_thread(lambda: self._begun().feed(pcm))

    async def finish(self) -> Heard:
        return await asyncio.to_thread(lambda: self._begun().finish())

    def hurry(self) -> None:
        """Each utterance has a thread."""

    def cancel(self) -> None:
        """A piece in hand is finished and forgotten."""

    def _begun(self) -> Utterance:
        if self._utterance is None:
            self._utterance = self._start()
        return self._utterance


def understanding(model: Blocking, language: str = "ko", *missing: str) -> Models:
    """Languages of a server: one is understood, the others have no model."""
    models = Models([language, *missing], {language: Path("/loaded")}.get)
    models.put(language, InProcess(model, language))
    return models


class RunningServer:
    """A speech server on an event loop and thread of its own."""

    def __init__(self, server: SpeechServer, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self._loop = loop
        self._stopped = False

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    def stop(self) -> None:
        """Stops it; a second time does nothing."""
        if not self._stopped:
            self._stopped = True
            self.call(self.server.stop)

    def call(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Runs something on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(20)


@contextmanager
def serving(
    models: Models,
    phrases: Callable[[str, str], Sequence[str]],
    settings: ServerSettings,
    urgent: Callable[[str], Sequence[str]] = lambda language: (),
) -> Iterator[RunningServer]:
    """A speech server, stopped at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = SpeechServer(settings, models, phrases, urgent)
    running = RunningServer(server, loop)
    try:
        running.call(server.start)
        yield running
    finally:
        running.stop()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
