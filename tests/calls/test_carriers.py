"""The same journey on a carrier that asks who rings, as Twilio's Elastic SIP Trunking does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.calls.conftest import Town, begin_anew, end_calls, found_town
from tests.calls.test_orders_by_key import test_mrs_wang_orders_a_bath_by_key_and_hears_who_comes as the_journey
from tests.support.carrier import Carrier
from tests.support.carrier_config import Account
from tests.support.world import BATH, WANG

pytestmark = pytest.mark.call

ACCOUNT = Account("hotline", "a-long-password-of-this-test", "+8645112345000")


@pytest.fixture
def asking_town(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Town]:
    """A town whose carrier knows us by name, password and number; settings as the test says."""
    known = {
        "TRUNK_USER": ACCOUNT.user,
        "TRUNK_PASSWORD": ACCOUNT.password,
        "TRUNK_CALLER_ID": ACCOUNT.caller_id,
        **getattr(request, "param", {}),
    }
    with ExitStack() as stack:
        town = found_town(stack, tmp_path, Carrier(account=ACCOUNT), known)
        begin_anew(town)
        yield town
        end_calls(town)


def test_the_journey_of_an_order_passes_on_it(asking_town: Town) -> None:
    the_journey(asking_town)


@pytest.mark.parametrize("asking_town", [{"TRUNK_PASSWORD": "wrong"}], indirect=True)
def test_with_a_wrong_password_nobody_is_rung_and_a_person_is_told(asking_town: Town) -> None:
    call = asking_town.network.phone(WANG).rings("12349").answered()
    call.hears("ask_service").presses("2").hears("ask_day").presses("2").hears("ask_part").presses("1")
    call.hears("readback").presses("1").hears("order_done").hangs_up()
    asking_town.rows.wait_for(lambda: any(asking_town.rows.outcomes()), 20, "outcome of an attempt")
    asking_town.network.phone(BATH).was_not_rung()
