"""A short month over a few elders with all that goes wrong in it; the long one: `python -m tests.support.month`."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch import campaigns
from tests.support import month
from tests.support.month_charts import draw

pytestmark = pytest.mark.slow


def test_every_duty_of_a_week_is_proved_or_in_somebodys_hands(tmp_path: Path) -> None:
    figures = month.simulate(40, tmp_path, seed=3, days=4, kills=0.05)
    assert figures.problems == [] and figures.sound, figures
    assert figures.calls and figures.killed + figures.emptied
    draw(vars(figures), tmp_path / "charts")
    assert (tmp_path / "charts" / "month-duties.svg").read_text().startswith("<svg")


def test_the_month_notices_a_call_outside_of_the_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check can fail: a campaign that rings on Sundays is found out."""
    create = campaigns.create
    monkeypatch.setattr(
        campaigns, "create",
        lambda session, new, now: create(session, _always(new), now),
    )  # fmt: skip
    figures = month.simulate(40, tmp_path, seed=3, days=1)
    assert figures.outside_window and not figures.sound


def _always(new: campaigns.NewCampaign) -> campaigns.NewCampaign:
    return campaigns.NewCampaign(new.name, pace=new.pace, window={"days_off": True, "spans": [[0, 1440]]})
