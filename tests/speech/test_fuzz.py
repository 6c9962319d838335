"""Peers that say anything at all: the server answers or ignores, and goes on serving the others."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
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


SETUP = '{"request":"setup","id":"1","codecs":[{"name":"slin"}],"params":{"language":"ko"}}'
HANDSHAKE = (
    b"GET /ko HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: speech_to_text\r\n\r\n"
)


def masked(opcode: int, payload: bytes) -> bytes:
    """A frame as a client sends it, with a mask of zeros."""
    long = len(payload) > 125
    length = bytes([0x80 | 126]) + len(payload).to_bytes(2, "big") if long else bytes([0x80 | len(payload)])
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


def still_serves(server: RunningServer) -> bool:
    with peer(server.port) as caller:
        caller.begin()
        speak(caller)
        return bool(caller.result()["text"] == "목욕")


def test_one_byte_at_a_time_is_a_conversation_too(server: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in HANDSHAKE + masked(1, SETUP.encode()):
            link.sendall(bytes([byte]))
        told = b""
        while b'"response"' not in told:
            piece = link.recv(4096)
            assert piece, told
            told += piece
        assert b"101 Switching Protocols" in told and b"error_msg" not in told
        # She hangs up in the middle of a frame.
        link.sendall(masked(2, hum(300))[:1000])
    assert still_serves(server)


@pytest.mark.parametrize("message", ["x" * 70_000, b"\1\2" * 40_000], ids=["text", "audio"])
def test_what_is_too_long_ends_only_its_own_stream(server: RunningServer, message: str | bytes) -> None:
    with peer(server.port) as stranger, pytest.raises(ConnectionClosed):
        stranger.setup(language="ko")
        stranger.socket.send(message)
        stranger.socket.recv(5)
    assert still_serves(server)


def test_audio_before_the_setup_is_ignored(server: RunningServer) -> None:
    with peer(server.port) as caller:
        caller.play(hum(1000))
        assert caller.hears_nothing(0.2)
        caller.begin()
        speak(caller)
        assert caller.result()["text"] == "목욕"
