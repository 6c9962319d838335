"""How a campaign stands, for the console and the command line, which ask again every two seconds: figures only.

`behind` names the visits behind them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import campaign_rules
from models.campaigns import VISIT_ENDS, Campaign, CareVisit, VisitStatus
from models.dialing import Attempt, AttemptStatus

# Of how long back the present speed is measured, and the least that says anything.
_SPEED, _SAYS = timedelta(minutes=30), timedelta(minutes=1)


@dataclass(frozen=True)
class Progress:
    """One campaign now. `ends_at` is an estimate by the speed of the last half hour; None where nothing tells."""

    campaign_id: int
    name: str
    status: str
    total: int
    done: int  # at their end, whatever it is
    proved: int
    reached: int  # elders at whose telephone somebody or something answered
    queued: int  # wait for their call
    calling: int
    agent: int
    escalated: int
    attempts: int
    ends_at: datetime | None
    counts: dict[str, int] = field(default_factory=dict)  # visits by status

    @property
    def reached_share(self) -> float:
        """Share of all elders at whose telephone somebody or something answered."""
        return self.reached / self.total if self.total else 0.0

    @property
    def proved_share(self) -> float:
        """Share of all elders who were reached for certain."""
        return self.proved / self.total if self.total else 0.0


def progress(session: Session, campaign_id: int, now: datetime) -> Progress:
    """Return how the campaign stands."""
    campaign = session.get_one(Campaign, campaign_id)
    mine = select(CareVisit.status, func.count()).where(CareVisit.campaign_id == campaign_id)
    counts: dict[str, int] = dict(session.execute(mine.group_by(CareVisit.status)).all())
    of_campaign = select(func.count(Attempt.care_visit_id.distinct())).join(
        CareVisit, CareVisit.id == Attempt.care_visit_id
    )
    answered = Attempt.answered_at.is_not(None), CareVisit.campaign_id == campaign_id
    made = (
        select(func.count())
        .select_from(Attempt)
        .join(CareVisit, CareVisit.id == Attempt.care_visit_id)
        .where(CareVisit.campaign_id == campaign_id, Attempt.dialed_at.is_not(None))
    )
    queued = counts.get(VisitStatus.WAITING, 0)
    return Progress(
        campaign_id, campaign.name, campaign.status,
        total=sum(counts.values()),
        done=sum(counts.get(status, 0) for status in VISIT_ENDS),
        proved=counts.get(VisitStatus.PROVED, 0),
        reached=session.scalar(of_campaign.where(*answered)) or 0,
        queued=queued,
        calling=counts.get(VisitStatus.CALLING, 0),
        agent=counts.get(VisitStatus.AGENT, 0),
        escalated=counts.get(VisitStatus.ESCALATED, 0),
        attempts=session.scalar(made) or 0,
        ends_at=_ends_at(session, campaign, queued, now),
        counts=counts,
    )  # fmt: skip


def behind(session: Session, campaign_id: int) -> dict[str, list[int]]:
    """Return the ids of the campaign's visits by their status."""
    found: dict[str, list[int]] = defaultdict(list)
    mine = select(CareVisit.status, CareVisit.id).where(CareVisit.campaign_id == campaign_id)
    for status, visit_id in session.execute(mine.order_by(CareVisit.id)):
        found[status].append(visit_id)
    return dict(found)


def _ends_at(session: Session, campaign: Campaign, queued: int, now: datetime) -> datetime | None:
    """Return when the queue would be empty at the present speed, in the window's hours."""
    if campaign.started_at is None:
        return None
    # In its first half hour it has had no longer.
    span = min(_SPEED, max(now - campaign.started_at, _SAYS))
    closed = (
        select(func.count())
        .select_from(Attempt)
        .join(CareVisit, CareVisit.id == Attempt.care_visit_id)
        .where(
            CareVisit.campaign_id == campaign.id,
            Attempt.status == AttemptStatus.CLOSED,
            Attempt.closed_at > now - span,
            Attempt.dialed_at.is_not(None),
        )
    )
    done = session.scalar(closed) or 0
    if not queued or not done:
        return None
    left = span * (queued / done)
    window = campaign_rules.window_of(campaign.window)
    return window.after(now, left)
