"""The words that Asterisk and the speech server exchange: AEAP, sub-protocol `speech_to_text`.

Text frames are JSON. Asterisk sends requests (`setup`, `set`, `get`) and waits
up to one second for each answer; the server sends one request of its own, a
`set` of `results`, which ends the SPEECH RECOGNIZE that is under way. Nothing
here touches a socket.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SUBPROTOCOL = "speech_to_text"
CODEC = "slin"
# The path at which the server tells several times a second how it is (its /health), to whoever connects.
WATCH = "watch"

# Results that are not words of hers. No phrase can look like them.
SPEAKING = "<speaking>"  # she has begun to speak: stop the prompt and call RECOGNIZE again
UNKNOWN = "<unknown>"  # she has spoken, and it was none of the phrases
UNAVAILABLE = "<unavailable>"  # no grammar, or the server is stopping: go on by keys

# In a result's grammar field, before the content key of the audio that was kept.
AUDIO_MARK = ":"

_LONGEST_ID = 128


class ProtocolError(ValueError):
    """What came is not a message of this protocol. The text says why, without quoting it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One JSON message.

    `kind` says who waits for whom, `name` is the verb, `ident` ties an answer
    to its request (None where the peer gave none that can be echoed), `body` is
    the whole object.
    """

    kind: Literal["request", "response"]
    name: str
    ident: str | None
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def params(self) -> Mapping[str, Any]:
        """The named parameters; empty where there are none or they are a list."""
        params = self.body.get("params")
        return params if isinstance(params, dict) else {}


def parse(text: str) -> Message:
    """Reads one text frame. Raises ProtocolError for everything that is not a message."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("not JSON") from error
    if not isinstance(body, dict):
        raise ProtocolError("not a JSON object")
    # Asterisk takes a message that has both for a request, so we do too.
    kind: Literal["request", "response"] = "request" if "request" in body else "response"
    name = body.get(kind)
    if not isinstance(name, str):
        raise ProtocolError("neither a request nor a response")
    ident = body.get("id")
    if not isinstance(ident, str) or len(ident) > _LONGEST_ID:
        ident = None
    return Message(kind, name, ident, body)


def response(request: Message, **fields: Any) -> str:
    """The answer that lets Asterisk go on."""
    return _dump({"response": request.name[:_LONGEST_ID], "id": request.ident, **fields})


def refusal(request: Message | None, reason: str) -> str:
    """The answer that makes Asterisk's request fail at once instead of after its second of waiting.

    Without a request (what came could not be read) the answer carries no id.
    Asterisk never answers a message that has `error_msg`, so no two servers can
    fall into telling each other of errors for ever.
    """
    if request is None:
        return _dump({"response": "error", "error_msg": reason})
    return response(request, error_msg=reason)


def results(ident: str, text: str, score: int, grammar: str) -> str:
    """The request that ends a RECOGNIZE. `score` is 0 to 100."""
    result = {"text": text, "score": score, "grammar": grammar, "best": 0}
    return _dump({"request": "set", "id": ident, "params": {"results": [result]}})


def _dump(body: Mapping[str, Any]) -> str:
    # ASCII only: a lone surrogate that a peer sent us can then be echoed without an error.
    return json.dumps({key: value for key, value in body.items() if value is not None})
