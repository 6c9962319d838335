"""The messages themselves, without a socket."""

from __future__ import annotations

import json

import pytest

from ivr.speech import protocol
from ivr.speech.protocol import ProtocolError


def test_a_request_is_read() -> None:
    message = protocol.parse('{"request":"set","id":"7","params":{"grammar":"day"}}')
    assert (message.kind, message.name, message.ident) == ("request", "set", "7")
    assert message.params == {"grammar": "day"}


def test_the_parameters_of_a_get_are_a_list_and_not_named() -> None:
    message = protocol.parse('{"request":"get","id":"7","params":["results"]}')
    assert message.params == {}
    assert message.body["params"] == ["results"]


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "null", "7", '"set"', "{}", '{"request":7}', '{"response":null}', "[" * 100_000, "9" * 5000],
)
def test_what_is_no_message_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ProtocolError):
        protocol.parse(text)


@pytest.mark.parametrize("ident", [7, None, [], {}, "x" * 129])
def test_an_id_that_cannot_be_echoed_is_none(ident: object) -> None:
    assert protocol.parse(json.dumps({"request": "set", "id": ident})).ident is None


def test_a_refusal_names_the_request_so_that_asterisk_need_not_wait() -> None:
    request = protocol.parse('{"request":"setup","id":"1"}')
    assert json.loads(protocol.refusal(request, "no")) == {"response": "setup", "id": "1", "error_msg": "no"}


def test_results_carry_text_score_and_grammar() -> None:
    body = json.loads(protocol.results("1", "목욕", 83, "service"))
    assert body["params"]["results"] == [{"text": "목욕", "score": 83, "grammar": "service", "best": 0}]


def test_a_lone_surrogate_can_be_echoed() -> None:
    request = protocol.parse('{"request":"\\ud800","id":"\\ud800"}')
    protocol.refusal(request, "unknown request").encode()
