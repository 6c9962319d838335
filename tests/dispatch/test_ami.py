"""Each fault of pyst2's manager that the adapter replaces, against a fake manager on a socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from asterisk.manager import ManagerAuthException, ManagerException, ManagerSocketException

from dispatch.ami import Ami, AmiMessage, AmiTimeout, Headers
from tests.dispatch.fake_manager import Action, FakeManager, channels, cutting, manager, silent, success
from tests.support.patience import PATIENCE


@contextmanager
def client(peer: FakeManager, on_event: Callable[[Headers], None] | None = None, timeout: float = 2.0) -> Iterator[Ami]:
    """A connection that is closed afterwards."""
    ami = Ami(on_event, timeout)
    ami.connect("127.0.0.1", peer.port)
    try:
        yield ami
    finally:
        ami.close()


def test_answers_are_matched_by_action_id_whatever_their_order() -> None:
    both = threading.Barrier(2)
    held: list[Action] = []

    def backwards(peer: FakeManager, action: Action) -> None:
        held.append(action)
        if len(held) == 2:
            for one in reversed(held):
                peer.send("Response: Success", f"ActionID: {one['ActionID']}", f"Message: {one['Action']}")

    with manager(backwards) as peer, client(peer) as ami, ThreadPoolExecutor() as pool:

        def ask(name: str) -> str:
            both.wait(2)
            return ami.send_action({"Action": name}).header("Message")

        assert list(pool.map(ask, ["One", "Two"])) == ["One", "Two"]


def test_an_event_between_request_and_answer_is_not_the_answer() -> None:
    def answer(peer: FakeManager, action: Action) -> None:
        # OriginateResponse carries both "Response" and the ActionID.
        peer.send("Event: OriginateResponse", f"ActionID: {action['ActionID']}", "Response: Failure")
        success(peer, action)

    heard: list[str] = []
    with manager(answer) as peer, client(peer, lambda event: heard.append(event["Event"])) as ami:
        assert ami.send_action({"Action": "Originate"}).header("Response") == "Success"
    assert heard == ["OriginateResponse"]


def test_no_answer_is_a_timeout() -> None:
    with manager(silent) as peer, client(peer, timeout=0.2) as ami:
        began = time.monotonic()
        with pytest.raises(AmiTimeout, match=r"0\.2"):
            ami.send_action({"Action": "Ping"})
        assert time.monotonic() - began < PATIENCE


def test_a_late_answer_is_nobody_elses() -> None:
    held: list[Action] = []

    def late(peer: FakeManager, action: Action) -> None:
        held.append(action)
        if len(held) == 2:
            peer.send("Response: Error", f"ActionID: {held[0]['ActionID']}")
            success(peer, action)

    with manager(late) as peer, client(peer, timeout=0.2) as ami:
        with pytest.raises(AmiTimeout):
            ami.send_action({"Action": "One"})
        assert ami.send_action({"Action": "Two"}).header("Response") == "Success"


def test_a_message_without_an_answer_is_no_answer() -> None:
    def answer(peer: FakeManager, action: Action) -> None:
        peer.send(f"ActionID: {action['ActionID']}", "Something: else")

    with manager(answer) as peer, client(peer, timeout=0.2) as ami, pytest.raises(AmiTimeout):
        ami.send_action({"Action": "Originate"})


def test_a_connection_cut_before_the_answer_leaves_the_outcome_unknown_at_once() -> None:
    with manager(cutting) as peer, client(peer, timeout=5) as ami:
        began = time.monotonic()
        with pytest.raises(AmiTimeout):
            ami.send_action({"Action": "Originate"})
        assert time.monotonic() - began < PATIENCE
        assert ami.closed.wait(1)
        with pytest.raises(ManagerSocketException):
            ami.send_action({"Action": "Ping"})
        assert len(peer.received) == 1


def test_never_connected_and_closed_send_nothing() -> None:
    with pytest.raises(ManagerSocketException):
        Ami().send_action({"Action": "Ping"})
    with manager() as peer, client(peer) as ami:
        ami.close()
        ami.close()
        with pytest.raises(ManagerSocketException):
            ami.send_action({"Action": "Ping"})
        assert peer.received == []


@pytest.mark.parametrize("value", ["x\r\nAction: Command", "x\nAction: Command", "x\r", "\x00", "x\x7f"])
def test_a_line_break_in_a_value_is_refused_and_nothing_is_sent(value: str) -> None:
    with manager() as peer, client(peer) as ami:
        for action in ({"Action": "Originate", "Channel": value}, {"Action": "Originate", "Variable": ["a=1", value]}):
            with pytest.raises(ValueError, match="control character"):
                ami.send_action(action)
        with pytest.raises(ValueError, match="control character"):
            ami.send_action({"Action": "Ping", f"X{value}": "1"})
        assert ami.send_action({"Action": "Ping"}).header("Response") == "Success"
        assert [action["Action"] for action in peer.received] == ["Ping"]


def test_chan_variable_headers_are_read() -> None:
    message = AmiMessage(["Event: Newchannel", "ChanVariable: a=1", "ChanVariable(PJSIP/x): b=2", "no header"])
    assert message.header("ChanVariable") == "a=1"
    assert message.data == "no header"


def test_a_callback_that_fails_does_not_end_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []

    def fail_on_the_first(event: Headers) -> None:
        heard.append(event["Event"])
        if len(heard) == 1:
            raise RuntimeError("not handled")

    def answer(peer: FakeManager, action: Action) -> None:
        peer.send("Event: One", "CallerIDName: 王秀英")
        peer.send("Event: Two")
        success(peer, action)

    with manager(answer) as peer, client(peer, fail_on_the_first) as ami:
        ami.send_action({"Action": "Ping"})
    assert heard == ["One", "Two"]
    assert "One was not handled" in caplog.text and "王秀英" not in caplog.text


def test_a_list_is_gathered_until_it_is_complete() -> None:
    with manager(channels) as peer, client(peer) as ami:
        events = ami.send_list({"Action": "CoreShowChannels"}, "CoreShowChannelsComplete")
    assert [event.header("Uniqueid") for event in events] == ["", "hotline-1", "2.2", ""]


def test_a_list_that_is_refused_or_cut_ends() -> None:
    def refuse(peer: FakeManager, action: Action) -> None:
        peer.send("Response: Error", f"ActionID: {action['ActionID']}", "Message: Permission denied")

    with manager(refuse) as peer, client(peer) as ami:
        assert (
            ami.send_list({"Action": "CoreShowChannels"}, "CoreShowChannelsComplete")[0].header("Response") == "Error"
        )
    with manager(cutting) as peer, client(peer) as ami, pytest.raises(AmiTimeout):
        ami.send_list({"Action": "CoreShowChannels"}, "CoreShowChannelsComplete")


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH\r\n", b"", b"\x00" * 500, b"Asterisk"])
def test_whoever_does_not_greet_as_a_manager_is_none(greeting: bytes) -> None:
    with manager(greeting=greeting) as peer:
        ami = Ami(timeout=0.2)
        with pytest.raises(ManagerSocketException):
            ami.connect("127.0.0.1", peer.port)
        assert ami.closed.is_set()


def test_nobody_listening_is_a_socket_exception() -> None:
    with manager() as peer:
        port = peer.port
    with pytest.raises(ManagerSocketException):
        Ami(timeout=0.5).connect("127.0.0.1", port)


def test_garbage_between_messages_is_passed_over() -> None:
    def answer(peer: FakeManager, action: Action) -> None:
        peer.send_raw(b"\x00\xff\xfe\r\n\r\n" + b"x" * 200_000 + b"\r\n\r\n:\r\n\r\n\r\n\r\nActionID\r\n\r\n")
        peer.send("Event: Name", "CallerIDName: " + "王".encode()[:-1].decode("latin1"))
        success(peer, action)

    with manager(answer) as peer, client(peer) as ami:
        assert ami.send_action({"Action": "Ping"}).header("Response") == "Success"


def test_a_wrong_secret_closes_the_connection() -> None:
    def refuse(peer: FakeManager, action: Action) -> None:
        peer.send("Response: Error", f"ActionID: {action['ActionID']}", "Message: Authentication failed")

    with manager(refuse) as peer, client(peer) as ami:
        with pytest.raises(ManagerAuthException):
            ami.login("hotline", "wrong")
        assert ami.closed.is_set()


def test_every_exception_of_the_adapter_is_a_manager_exception() -> None:
    assert issubclass(AmiTimeout, ManagerException)
