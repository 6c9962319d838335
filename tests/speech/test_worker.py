"""In which order a recognising process works off what it was given."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from ivr.speech import wire
from ivr.speech.grammar import Grammar
from ivr.speech.recogniser import Heard
from ivr.speech.wire import Kind, Message
from ivr.speech.worker import Worker


class Slow:
    """A model whose first piece of audio is decoded only when it may be; notes what was decoded, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.began, self.may = threading.Event(), threading.Event()

    def utterance(self, grammar: Grammar) -> Slow.One:
        return Slow.One(self, grammar.name)

    class One:
        def __init__(self, model: Slow, name: str) -> None:
            self._model, self._name = model, name

        def feed(self, pcm: bytes) -> None:
            self._model.began.set()
            assert self._model.may.wait(5)
            self._model.done.append(f"{self._name} {pcm.decode()}")

        def finish(self) -> Heard:
            self._model.done.append(f"{self._name} end")
            return Heard(self._name)


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's end of a worker's socket, and the worker's."""
    ours, its = socket.socketpair()
    with ours, its:
        ours.settimeout(5)
        yield ours, its


@pytest.mark.parametrize("hurries", [True, False])
def test_what_has_ended_is_decoded_before_what_is_still_being_said(
    line: tuple[socket.socket, socket.socket], hurries: bool
) -> None:
    ours, its = line
    slow = Slow()
    worker = threading.Thread(target=Worker(slow, "ko", its).serve, daemon=True)  # type: ignore[arg-type]
    worker.start()
    questions = iter(range(1, 100))

    def send(kind: Kind, utterance: int, payload: bytes = b"") -> None:
        question = 0 if kind in (Kind.START, Kind.HURRY, Kind.CANCEL) else next(questions)
        ours.sendall(Message(kind, question, utterance, payload).packed())

    names = {1: "one", 2: "two", 3: "three"}
    for number, name in names.items():
        send(Kind.START, number, wire.dump_grammar(Grammar(name, {}, ())))
    send(Kind.FEED, 1, b"a")
    assert slow.began.wait(5)
    for number in names:
        send(Kind.FEED, number, b"b")
    if hurries:
        send(Kind.HURRY, 3)
        send(Kind.FEED, 3, b"c")
    send(Kind.END, 3)
    send(Kind.END, 1)
    send(Kind.FEED, 2, b"c")
    send(Kind.PING, 0)
    with ours.makefile("rb") as stream:
        # The ping is answered while it decodes: all before it was taken.
        assert [wire.read(stream.read).kind for _ in range(2)] == [Kind.HELLO, Kind.OK]
        slow.may.set()
        while len(slow.done) < 7 + hurries:
            wire.read(stream.read)
    third = ["three b", "three c", "three end"] if hurries else ["three b", "three end"]
    assert slow.done == ["one a", *third, "one b", "one end", "two b", "two c"]
