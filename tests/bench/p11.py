"""P11: whom to ring next, with 10,000 elders due in a campaign. Goal: the choice takes 20 ms or less.

What is measured is `dispatch.campaign_calls.choose` with its checks (who is on the telephone, whose hours are others,
who shares a telephone), in the transaction in which the campaign's round calls it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from statistics import median

from sqlalchemy import insert

from dispatch import campaign_calls, campaigns
from dispatch.campaigns import NewCampaign
from models import session
from models.campaigns import CampaignStatus
from models.people import Elder, Person, PersonNumber, PhoneNumber
from tests.bench.report import Figure, table
from tests.bench.store import stores

LIMIT_MS = 20.0
DUE_AT_GOAL = 10_000
SIZES = (100, 1_000, 10_000)
AT_ONCE, TIMES = 10, 30
NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


def run() -> Figure:
    """Measure the choice at each size on SQLite; return the figure of 10,000 elders due."""
    found = {due: _choice_ms(due) for due in SIZES}
    lines = [(f"{due:,}", f"{median(times):.2f}", f"{max(times):.2f}") for due, times in found.items()]
    print(f"P11: the choice of the next {AT_ONCE} calls, median and slowest of {TIMES}")  # noqa: T201
    print(table(("elders due", "choice (ms)", "slowest"), lines))  # noqa: T201
    times = found[DUE_AT_GOAL]
    return Figure(
        ratio=round(median(times) / LIMIT_MS, 3),
        better="lower",
        goal=1.0,
        ours=round(median(times), 3),
        other=LIMIT_MS,
        unit="ms a choice",
        spread=f"slowest {max(times):.1f} ms",
    )


def _choice_ms(due: int) -> list[float]:
    """Return the times of the choice (ms) with so many elders due."""
    with stores(redis=False):
        return _times(due)


def _times(due: int) -> list[float]:
    with session.write() as unit:
        ids = range(1, due + 1)
        unit.execute(insert(Person), [
            {"id": n, "public_id": f"p{n}", "name": "虚构", "family_name": "虚", "language": "zh-CN", "created_at": NOW}
            for n in ids
        ])  # fmt: skip
        unit.execute(insert(Elder), [{"id": n, "address": "", "needs": ""} for n in ids])
        unit.execute(insert(PhoneNumber), [
            {"id": n, "public_id": f"n{n}", "value": f"+864511{n:07d}", "kind": "landline"} for n in ids
        ])  # fmt: skip
        links = [{"person_id": n, "number_id": n, "role": "own", "position": 0} for n in ids]
        unit.execute(insert(PersonNumber), links)
        campaign = campaigns.create(unit, NewCampaign("P11", source="filter"), NOW)
        campaigns.add_elders(unit, campaign, ids, NOW)
        campaigns.move(unit, campaign.id, CampaignStatus.RUNNING, NOW)
    taken = []
    for turn in range(TIMES):
        with session.write() as unit:
            row = unit.get_one(type(campaign), campaign.id)
            began = time.perf_counter()
            chosen = campaign_calls.choose(unit, row, AT_ONCE, NOW + timedelta(seconds=turn))
            taken.append((time.perf_counter() - began) * 1000)
        if len(chosen) != AT_ONCE:
            raise RuntimeError(f"{len(chosen)} were chosen, not {AT_ONCE}")
    return taken
