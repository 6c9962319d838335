"""One recognising process: a loaded model and the utterances it was given, on one socket.

Vosk can abort the process it runs in; this is the process that it may take.
Two threads: one reads and answers what takes no time, one decodes: first what
has ended, for whoever said it waits now, then the others in the order in which
their audio came. It ends with its socket.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections import deque

from ivr.speech import grammar as grammars
from ivr.speech import wire
from ivr.speech.recogniser import LoadedModel, Utterance
from ivr.speech.wire import Kind, Message

log = logging.getLogger(__name__)


class Todo:
    """What waits to be decoded. One thread puts, another one gets."""

    def __init__(self) -> None:
        self._first: deque[Message] = deque()
        self._others: deque[Message] = deque()
        self._hurried: set[int] = set()
        self._something = threading.Condition()

    def put(self, message: Message) -> None:
        """Add a message. An END hurries by itself."""
        with self._something:
            if message.kind == Kind.END:
                self._bring_forward(message.utterance)
            (self._first if message.utterance in self._hurried else self._others).append(message)
            if message.kind in (Kind.END, Kind.CANCEL):
                self._hurried.discard(message.utterance)
            self._something.notify()

    def hurry(self, utterance: int) -> None:
        """All of this utterance goes first from now on."""
        with self._something:
            self._bring_forward(utterance)

    def get(self) -> Message:
        """The next message; the messages of an utterance in the order in which they came."""
        with self._something:
            while not self._first and not self._others:
                self._something.wait()
            return (self._first or self._others).popleft()

    def _bring_forward(self, utterance: int) -> None:
        self._hurried.add(utterance)
        waiting = [one for one in self._others if one.utterance == utterance]
        if waiting:
            self._first.extend(waiting)
            self._others = deque(one for one in self._others if one.utterance != utterance)


class Worker:
    """Serves one socket until its end."""

    def __init__(self, model: LoadedModel, language: str, peer: socket.socket) -> None:
        self._model = model
        self._peer = peer
        self._language = language
        self._sending = threading.Lock()
        self._todo = Todo()
        self._utterances: dict[int, Utterance] = {}
        self._cancelled: set[int] = set()

    def serve(self) -> None:
        """Says who it is and works until the socket closes."""
        self._send(Message(Kind.HELLO, payload=wire.dump({"language": self._language, "pid": os.getpid()})))
        threading.Thread(target=self._decode, name="decode", daemon=True).start()
        with self._peer.makefile("rb") as stream:
            try:
                while True:
                    self._take(wire.read(stream.read))
            except (EOFError, OSError):
                return

    def _take(self, message: Message) -> None:
        if message.kind == Kind.PING:
            self._send(Message(Kind.OK, message.question))
        elif message.kind == Kind.GRAMMAR:
            wanted, language = wire.load_wanted(message.payload)
            made = grammars.build(wanted, language, self._model.knows)
            self._send(Message(Kind.OK, message.question, payload=wire.dump_grammar(made)))
        elif message.kind == Kind.HURRY:
            self._todo.hurry(message.utterance)
        else:
            if message.kind == Kind.CANCEL:
                self._cancelled.add(message.utterance)
            self._todo.put(message)

    def _decode(self) -> None:
        while True:
            message = self._todo.get()
            try:
                answer = self._work(message)
            except Exception:  # a fault of the recogniser's costs this utterance only
                log.exception("decoding failed")
                answer = Message(Kind.ERROR, message.question)
            if message.question:
                self._send(answer)

    def _work(self, message: Message) -> Message:
        payload = b""
        if message.kind == Kind.CANCEL:
            self._utterances.pop(message.utterance, None)
            self._cancelled.discard(message.utterance)
        elif message.utterance in self._cancelled:
            pass
        elif message.kind == Kind.START:
            self._utterances[message.utterance] = self._model.utterance(wire.load_grammar(message.payload))
        elif message.kind == Kind.FEED:
            self._utterances[message.utterance].feed(message.payload)
        elif message.kind == Kind.END:
            payload = wire.dump_heard(self._utterances.pop(message.utterance).finish())
        return Message(Kind.OK, message.question, payload=payload)

    def _send(self, message: Message) -> None:
        # Whoever is gone needs no answer; the reading thread notices.
        try:
            with self._sending:
                self._peer.sendall(message.packed())
        except OSError:
            log.debug("the speech server is gone")
