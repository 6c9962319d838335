"""The gateway of Asterisk: what each failure of AMI means for a call that may or may not have been dialled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dispatch.asterisk_gateway import AsteriskGateway
from dispatch.gateways import GatewayRefused, GatewayUnavailable, OutboundCall, OutcomeUnknown
from tests.dispatch.fake_manager import Action, FakeManager, channels, cutting, manager, success
from tests.support.fresh import forget

CALL = OutboundCall("hotline-abc", "+8645110000101", "offer", 25, "zh-CN")


@contextmanager
def gateway(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[FakeManager, Action], None]
) -> Iterator[tuple[AsteriskGateway, FakeManager]]:
    """The Asterisk gateway, logged in to a fake manager that then answers as the test says."""

    def both(peer: FakeManager, action: Action) -> None:
        (success if action["Action"] == "Login" else answer)(peer, action)

    with manager(both) as peer:
        monkeypatch.setenv("HOTLINE_AMI_PORT", str(peer.port))
        forget()
        made = AsteriskGateway()
        try:
            yield made, peer
        finally:
            made._drop()


@pytest.fixture(autouse=True)
def _fresh(hotline_dir: Path) -> None:
    """Settings of this test only."""


def test_ring_fixes_the_channel_id_and_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with gateway(monkeypatch, success) as (made, peer):
        made.ready()
        made.ring(CALL)
        originate = peer.received[-1]
    assert [action["Action"] for action in peer.received] == ["Login", "Ping", "Originate"]
    assert originate["ChannelId"] == "hotline-abc" and originate["Async"] == "true"
    assert originate["Channel"] == "PJSIP/+8645110000101@trunk" and originate["Context"] == "offer"
    assert originate["Timeout"] == "25000"


def test_a_refused_originate_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(peer: FakeManager, action: Action) -> None:
        peer.send("Response: Error", f"ActionID: {action['ActionID']}", "Message: Permission denied")

    with gateway(monkeypatch, refuse) as (made, _), pytest.raises(GatewayRefused, match="Permission denied"):
        made.ring(CALL)


def test_a_connection_lost_during_originate_is_unknown_never_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with gateway(monkeypatch, cutting) as (made, peer):
        with pytest.raises(OutcomeUnknown):
            made.ring(CALL)
        assert [action["Action"] for action in peer.received].count("Originate") == 1


def test_a_dead_asterisk_is_unavailable_and_ring_says_that_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with manager() as peer:
        port = peer.port
    monkeypatch.setenv("HOTLINE_AMI_PORT", str(port))
    forget()
    made = AsteriskGateway()
    with pytest.raises(GatewayUnavailable):
        made.ready()
    with pytest.raises(GatewayUnavailable):
        made.living()
    with pytest.raises(GatewayRefused, match="not sent"):
        made.ring(CALL)


def test_ready_notices_a_connection_that_died_and_makes_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with gateway(monkeypatch, success) as (made, peer):
        made.ready()
        peer.cut()
        ami = made._ami
        assert ami is not None and ami.closed.wait(2)
        made.ready()
        assert [action["Action"] for action in peer.received] == ["Login", "Ping", "Login", "Ping"]


def test_living_is_the_set_ofchannels(monkeypatch: pytest.MonkeyPatch) -> None:
    with gateway(monkeypatch, channels) as (made, _):
        assert made.living() == {"hotline-1", "2.2"}


def test_a_refused_list_is_not_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(peer: FakeManager, action: Action) -> None:
        peer.send("Response: Error", f"ActionID: {action['ActionID']}", "Message: Permission denied")

    with gateway(monkeypatch, refuse) as (made, _), pytest.raises(GatewayUnavailable, match="Permission denied"):
        made.living()
