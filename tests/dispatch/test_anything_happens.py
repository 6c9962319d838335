"""Whatever happens in whatever order: never two winners, never a telephone rung twice at once, never a lost order."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from dispatch.gateways import GatewayRefused, GatewayUnavailable, OutcomeUnknown
from dispatch.sweep import reconcile
from models.calls import Call
from models.dialing import Attempt, AttemptStatus, Callback, Offer, OfferStatus
from models.orders import Order
from models.outbox import OutboxEntry
from models.session import write
from models.tables import metadata
from tests.dispatch.town import Town

HAPPENINGS = st.sampled_from(
    ["works", "works", "works", "passes", "passes", "hangs_up", "answers", "accepts", "declines", "confirms", "sweep",
     "away", "refuses", "unknown", "well", "again", "ended"]
)  # fmt: skip


def happen(town: Town, what: str, cause: int) -> None:
    """Let one thing happen; what is impossible just now does not."""
    attempts = town.all(Attempt)
    live = [one for one in attempts if one.status in (AttemptStatus.DIALING, AttemptStatus.ANSWERED)]
    match what:
        case "works":
            town.works()
        case "passes":
            town.passes(30)
        case "hangs_up" if live:
            town.hangs_up(cause, live[0])
        case "answers" if live:
            town.answers(lambda session, row: None, live[0])
        case "accepts" if live and live[0].offer_id:
            town.accepts(live[0])
        case "declines" if live and live[-1].id == attempts[-1].id and live[-1].offer_id:
            town.declines()
        case "confirms" if live and live[-1].id == attempts[-1].id and live[-1].callback_id:
            town.confirms()
        case "sweep":
            reconcile(
                set(town.gateway.living()) if town.gateway.not_ready is None else {a.channel_id for a in attempts}
            )
        case "away":
            town.gateway.not_ready = GatewayUnavailable("away")
        case "refuses":
            town.gateway.ringing_fails = GatewayRefused("no")
        case "unknown":
            town.gateway.ringing_fails = OutcomeUnknown("cut")
        case "well":
            town.gateway.not_ready = town.gateway.ringing_fails = None
        case "again":
            town.orders(key="again")
        case "ended":
            town.ended()


def holds(town: Town) -> None:
    """What is true at every moment."""
    order, offers, attempts = town.order(), town.all(Offer), town.all(Attempt)
    won = [offer for offer in offers if offer.status == OfferStatus.ACCEPTED]
    assert len(won) <= 1 and [offer.provider_id for offer in won] == ([order.provider_id] if order.provider_id else [])
    assert len(town.all(Callback)) == len(won)
    dialled = Counter(call.channel_id for call in town.gateway.rung)
    assert max(dialled.values(), default=0) <= 1, "one attempt, one call"
    assert set(dialled) <= {attempt.channel_id for attempt in attempts if attempt.dialed_at}
    open_attempts = [attempt for attempt in attempts if attempt.status != AttemptStatus.CLOSED]
    errands = [entry for entry in town.all(OutboxEntry) if entry.done_at is None]
    if order.status in ("confirmed", "offered"):
        assert open_attempts or errands, "an order that nobody works on is lost"
    elif order.status == "needs_agent":
        assert "no_provider" in town.tasks()
    else:
        told = [callback.status != "open" for callback in town.all(Callback)]
        assert order.status == "accepted" and (all(told) or open_attempts)
    for attempt in attempts:
        if attempt.status == AttemptStatus.DUE:
            assert any(e.verb == "dial" and e.subject_id == attempt.id for e in errands), "due, and nobody comes"


@pytest.mark.usefixtures("database")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happenings=st.lists(st.tuples(HAPPENINGS, st.sampled_from([1, 16, 17, 34])), min_size=10, max_size=40))
def test_whatever_happens(database: Engine, happenings: list[tuple[str, int]]) -> None:
    with write() as session:
        for table in reversed(metadata.sorted_tables):
            session.execute(table.delete())
    with pytest.MonkeyPatch.context() as patch:
        town = Town(patch)
        town.orders()
        for what, cause in happenings:
            happen(town, what, cause)
            holds(town)
        # When everything is well again and everybody stays silent, it all comes to its end.
        town.gateway.not_ready = town.gateway.ringing_fails = None
        for _ in range(80):
            town.ended()
            town.passes(600)
            reconcile(set(town.gateway.living()))
            town.works()
        holds(town)
        assert town.open_attempts() == 0 and all(entry.done_at for entry in town.all(OutboxEntry))
        assert town.order().status in ("accepted", "needs_agent")
        town.ended()
        assert all(call.ended_at for call in town.all(Call)) and len(town.all(Order)) == 1
