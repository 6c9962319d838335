"""The thread on which everything hangs: a call becomes an order that a provider accepts by telephone."""

from __future__ import annotations

import pytest

from tests.calls.conftest import Town
from tests.support.world import BATH, WANG

pytestmark = pytest.mark.call


def test_mrs_wang_orders_a_bath_by_key_and_hears_who_comes(town: Town) -> None:
    wang = town.network.phone(WANG)
    wang.when_called(lambda call: _hears_who_comes(call))
    bath = town.network.phone(BATH).accepts(offer="offer")

    call = wang.rings("12349").answered()
    call.hears("greeting", "王/f", "ask_service").presses("2")
    call.hears("ask_day").presses("2")
    call.hears("ask_part").presses("1")
    call.hears("readback", "tomorrow", "morning", "bathing").presses("1")
    call.hears("order_done")
    call.hangs_up()

    order = town.rows.the_order("accepted", within=20)
    assert (order.service, order.wanted_part, order.channel) == ("bathing", "morning", "phone")
    bath.was_rung(times=1)
    callback = town.rows.the_callback("confirmed", within=20)
    assert callback.order_id == order.id
    assert town.rows.outcomes() == ["accepted", "confirmed"]


def _hears_who_comes(call: object) -> None:
    call.answers().hears("callback", "王/f", "tomorrow", "morning", "bathing", "康乐助浴").presses("1")  # type: ignore[attr-defined]
    call.hears("callback_confirmed")  # type: ignore[attr-defined]
