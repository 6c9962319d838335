"""Peers that say anything at all: the server answers or ignores, and goes on serving the others."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from ivr.speech import protocol
from tests.speech.fakes import peer, speak
from tests.speech.support import RunningServer, hum

words = st.sampled_from(
    [
        "setup",
        "set",
        "get",
        "results",
        "grammar",
        "service",
        "language",
        "ko",
        "en",
        "codecs",
        "name",
        "slin",
        "dtmf",
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | words
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
messages = st.fixed_dictionaries(
    {},
    optional={
        "request": words | scalars,
        "response": words | scalars,
        "id": scalars,
        "params": st.dictionaries(words, values, max_size=3) | values,
        "codecs": values | st.just([{"name": "slin"}]),
    },
)
frames = st.one_of(
    messages.map(json.dumps),
    st.text(max_size=50),
    st.binary(max_size=700),
    st.integers(1, 400).map(hum),
    st.just('{"request":"setup","id":"1","codecs":[{"name":"slin"}],"params":{"language":"ko"}}'),
    st.just('{"request":"set","id":"2","params":{"grammar":"service"}}'),
)


@given(st.text() | values.map(json.dumps))
def test_parsing_raises_nothing_of_its_own(text: str) -> None:
    try:
        message = protocol.parse(text)
    except protocol.ProtocolError:
        return
    json.loads(protocol.response(message))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(frames, max_size=12))
def test_any_conversation_leaves_the_server_serving(server: RunningServer, said: list[str | bytes]) -> None:
    with peer(server.port) as stranger:
        try:
            for frame in said:
                stranger.socket.send(frame)
        except ConnectionClosed:
            pass  # given up for its nonsense, as it should be
        with peer(server.port) as caller:
            caller.begin()
            speak(caller)
            assert caller.result()["text"] == "목욕"
