"""A recogniser that hears what the test wants, and an Asterisk that says what the test wants."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from ivr.speech.gate import FRAME_BYTES
from ivr.speech.grammar import Grammar
from ivr.speech.protocol import SPEAKING
from ivr.speech.recogniser import Heard, Utterance
from tests.speech.support import hum, silence
from tests.support.patience import PATIENCE

WORD = silence(700) + hum(500)
AFTER = silence(800)

# No measure: on a busy machine an answer takes its time (s).
LATE_S = 15 * PATIENCE


class FakeModel:
    """Hears `phrase` in everything, once `may_finish` is set; keeps the audio it was given."""

    def __init__(self) -> None:
        self.phrase: str | None = "목욕"
        self.fails = False
        self.may_finish = threading.Event()
        self.may_finish.set()
        self.utterances: list[FakeUtterance] = []

    def knows(self, word: str) -> bool:
        return True

    def utterance(self, grammar: Grammar) -> Utterance:
        heard = FakeUtterance(self, grammar)
        self.utterances.append(heard)
        return heard


class FakeUtterance:
    """Fails the test when it is fed after its end: the real one aborts the process then."""

    def __init__(self, model: FakeModel, grammar: Grammar) -> None:
        self._model = model
        self.grammar = grammar
        self.audio = b""
        self.finished = False

    def feed(self, pcm: bytes) -> None:
        assert not self.finished, "audio after the end"
        if self._model.fails:
            raise RuntimeError("the recogniser broke")
        self.audio += pcm

    def finish(self) -> Heard:
        self._model.may_finish.wait(10)
        self.finished = True
        return Heard(self._model.phrase, 90 if self._model.phrase else 0)


class Peer:
    """Asterisk's side of one socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._ids = itertools.count(1)

    def ask(self, name: str, timeout: float = LATE_S, **body: Any) -> dict[str, Any]:
        """Sends a request and returns its answer; results that come first are thrown away."""
        ident = f"peer-{next(self._ids)}"
        self.socket.send(json.dumps({"request": name, "id": ident, **body}))
        while True:
            message: dict[str, Any] = json.loads(self.socket.recv(timeout))
            if message.get("id") == ident:
                return message

    def setup(self, **params: str) -> dict[str, Any]:
        return self.ask("setup", version="0.1.0", codecs=[{"name": "slin"}], params=params)

    def set(self, **params: str) -> dict[str, Any]:
        return self.ask("set", params=params)

    def begin(self, grammar: str = "service") -> None:
        """Sets the stream up and begins a turn."""
        assert "error_msg" not in self.setup(language="ko")
        assert "error_msg" not in self.set(grammar=grammar)

    def play(self, pcm: bytes) -> None:
        """Sends audio as Asterisk does, in frames of 20 ms, but as fast as it goes."""
        for start in range(0, len(pcm), FRAME_BYTES):
            self.socket.send(pcm[start : start + FRAME_BYTES])

    def result(self, timeout: float = LATE_S, acknowledge: bool = True) -> dict[str, Any]:
        """The next result. Raises TimeoutError where none comes."""
        message = json.loads(self.socket.recv(timeout))
        assert message["request"] == "set", message
        if acknowledge:
            self.acknowledge(message)
        [result] = message["params"]["results"]
        return {**result, "id": message["id"]}

    def acknowledge(self, message: dict[str, Any]) -> None:
        self.socket.send(json.dumps({"response": "set", "id": message["id"]}))

    def has_opened(self) -> bool:
        """Whether speech has begun in what was played so far; its result is acknowledged.

        The server takes messages in their order: its answer to this one comes after all of that.
        """
        ident = f"peer-{next(self._ids)}"
        self.socket.send(json.dumps({"request": "get", "id": ident, "params": ["language"]}))
        opened = False
        while (message := json.loads(self.socket.recv(20))).get("id") != ident:
            opened = True
            self.acknowledge(message)
        return opened

    def hears_nothing(self, seconds: float = 0.4) -> bool:
        """Whether nothing arrives for some time."""
        try:
            self.socket.recv(seconds)
        except TimeoutError:
            return True
        return False


@contextmanager
def peer(port: int, path: str = "/ko") -> Iterator[Peer]:
    """A connected Asterisk. Raises websockets' InvalidStatus where the server refuses."""
    uri = f"ws://127.0.0.1:{port}{path}"
    with connect(uri, subprotocols=["speech_to_text"], compression=None, proxy=None) as socket:  # type: ignore[list-item]
        yield Peer(socket)


def speak(caller: Peer) -> None:
    """Says a word up to the result, as Asterisk delivers it: RECOGNIZE returns, and is called again."""
    caller.play(WORD)
    assert caller.result()["text"] == SPEAKING
    caller.play(AFTER)
