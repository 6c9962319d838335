"""The contract of gateways: the same for the real one, over a real Asterisk, and for its console twin."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from dispatch.asterisk_gateway import AsteriskGateway
from dispatch.gateways import ConsoleGateway, Gateway, OutboundCall
from models.base import new_public_id
from models.settings import settings
from tests.calls.conftest import Town
from tests.support.world import WANG

pytestmark = pytest.mark.call


@pytest.fixture(params=["asterisk", "console"])
def gateway(
    request: pytest.FixtureRequest, sqlite_town: Town, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Gateway, Town]]:
    """Each gateway, spoken to as dispatch does."""
    kept = json.loads((sqlite_town.hotline.folder / "secrets.json").read_text())
    for name, value in {**sqlite_town.hotline.env, "HOTLINE_AMI_SECRET": kept["ami_secret"]}.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    real = AsteriskGateway()
    yield (real if request.param == "asterisk" else ConsoleGateway()), sqlite_town
    real.close()
    monkeypatch.undo()
    settings.cache_clear()


def test_a_call_that_was_rung_lives_under_the_channel_id_that_was_fixed_for_it(gateway: tuple[Gateway, Town]) -> None:
    made, town = gateway
    town.network.phone(WANG).does_not_answer()
    channel_id = f"hotline-{new_public_id()}"
    made.ready()
    assert channel_id not in set(made.living())
    made.ring(OutboundCall(channel_id, WANG, "callback", 4, "zh-CN"))
    town.rows.wait_for(lambda: channel_id in set(made.living()), 5, "living channel of that id")
