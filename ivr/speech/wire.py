"""What the speech server and its recognising processes say to each other, over a socket of the machine.

A message is a header (kind, number of the question, number of the utterance,
length) and a payload: telephone audio, or JSON. Each question is answered by
one OK or ERROR with its number, in the order in which they were worked off.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import asdict
from enum import IntEnum
from typing import Any, NamedTuple

from ivr.speech.grammar import Grammar, Wanted
from ivr.speech.recogniser import Heard

_HEADER = struct.Struct("!BIII")
HEADER_BYTES = _HEADER.size
_LONGEST = 1 << 20  # bytes; the longest utterance has 200,000


class Kind(IntEnum):
    """What a message is."""

    HELLO = 1  # from the process, first: its language and pid as JSON
    FAILED = 2  # the same, where the model cannot be read
    PING = 3
    GRAMMAR = 4  # a Wanted → the Grammar
    START = 5  # a Grammar; begins the utterance
    FEED = 6  # audio; answered when it is decoded
    END = 7  # → what was heard
    CANCEL = 8  # forgets the utterance; not answered
    OK = 9
    ERROR = 10
    HURRY = 11  # this utterance has ended: somebody waits for it; not answered


class Message(NamedTuple):
    """One message. `question` and `utterance` are 0 where there is none."""

    kind: Kind
    question: int = 0
    utterance: int = 0
    payload: bytes = b""

    def packed(self) -> bytes:
        """As it goes over the socket."""
        return _HEADER.pack(self.kind, self.question, self.utterance, len(self.payload)) + self.payload


def header(data: bytes) -> tuple[Kind, int, int, int]:
    """Kind, question, utterance and length of the payload. Raises ValueError for what is no header."""
    kind, question, utterance, length = _HEADER.unpack(data)
    if length > _LONGEST:
        raise ValueError("a message is too long")
    return Kind(kind), question, utterance, length


def read(receive: Callable[[int], bytes]) -> Message:
    """The next message. `receive(n)` returns exactly n bytes, fewer only at the end. Raises EOFError there."""
    head = receive(HEADER_BYTES)
    if len(head) < HEADER_BYTES:
        raise EOFError
    kind, question, utterance, length = header(head)
    payload = receive(length) if length else b""
    if len(payload) < length:
        raise EOFError
    return Message(kind, question, utterance, payload)


def dump(value: Any) -> bytes:
    """A JSON payload."""
    return json.dumps(value, ensure_ascii=False).encode()


def dump_wanted(wanted: Wanted, language: str) -> bytes:
    """The payload of GRAMMAR."""
    return dump([asdict(wanted), language])


def load_wanted(payload: bytes) -> tuple[Wanted, str]:
    """And back."""
    fields, language = json.loads(payload)
    parts = {name: tuple(fields[name]) for name in ("phrases", "private", "urgent")}
    return Wanted(fields["name"], **parts), language


def dump_grammar(grammar: Grammar) -> bytes:
    """The payload of START, and of the answer to GRAMMAR."""
    fields = [grammar.name, grammar.phrases, grammar.fillers, grammar.missing, sorted(grammar.urgent), grammar.joint]
    return dump(fields)


def load_grammar(payload: bytes) -> Grammar:
    """And back."""
    name, phrases, fillers, missing, urgent, joint = json.loads(payload)
    return Grammar(name, phrases, tuple(fillers), tuple(missing), frozenset(urgent), joint)


def dump_heard(heard: Heard) -> bytes:
    """The payload of the answer to END."""
    return dump([heard.phrase, heard.score, heard.words])


def load_heard(payload: bytes) -> Heard:
    """And back."""
    return Heard(*json.loads(payload))
