"""The watch on the speech engine, from the very first caller on."""

from __future__ import annotations

import threading
import time
from typing import NoReturn, Self

import pytest

from ivr import speech_health
from ivr.speech_health import SpeechHealth


class Engine:
    """A connection that takes a while to be made, as on a busy machine, and answers each ping."""

    def __init__(self, *_address: object, **_how: object) -> None:
        time.sleep(0.1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def recv(self) -> NoReturn:
        threading.Event().wait()
        raise AssertionError

    def ping(self) -> threading.Event:
        heard = threading.Event()
        heard.set()
        return heard


def test_the_first_caller_finds_the_engine_that_is_well_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_health, "ask", lambda: frozenset({"ko"}))
    monkeypatch.setattr(speech_health, "connect", Engine)
    health = SpeechHealth()
    assert health.listens_for("ko")
    assert health.lives(health.birth), "else her words are lost in the first call after each start"


def test_without_an_engine_the_first_caller_does_not_wait_long(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_address: object, **_how: object) -> NoReturn:
        raise ConnectionRefusedError

    monkeypatch.setattr(speech_health, "ask", frozenset)
    monkeypatch.setattr(speech_health, "connect", refused)
    health, began = SpeechHealth(), time.monotonic()
    assert not health.listens_for("ko")
    assert not health.lives(health.birth)
    assert time.monotonic() - began < speech_health.PATIENCE_S
