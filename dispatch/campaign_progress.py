"""How a campaign stands, for the console and the command line: each figure with the visits behind it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import campaign_rules
from models.campaigns import VISIT_ENDS, Campaign, CareVisit, VisitStatus
from models.dialing import Attempt, AttemptStatus

# Of how long back the present speed is measured.
_SPEED = timedelta(minutes=30)


@dataclass(frozen=True)
class Progress:
    """One campaign now. `ends_at` is an estimate by the last half hour's speed; None where nothing tells."""

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
    visits: dict[str, tuple[int, ...]] = field(default_factory=dict)  # by status: the ids behind the figures

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
    visits: dict[str, list[int]] = defaultdict(list)
    mine = select(CareVisit.status, CareVisit.id).where(CareVisit.campaign_id == campaign_id).order_by(CareVisit.id)
    for status, visit_id in session.execute(mine):
        visits[status].append(visit_id)
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
    counts = {status: len(ids) for status, ids in visits.items()}
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
        visits={status: tuple(ids) for status, ids in visits.items()},
    )  # fmt: skip


def _ends_at(session: Session, campaign: Campaign, queued: int, now: datetime) -> datetime | None:
    """Return when the queue would be empty at the speed of the last half hour, in the window's hours."""
    closed = (
        select(func.count())
        .select_from(Attempt)
        .join(CareVisit, CareVisit.id == Attempt.care_visit_id)
        .where(
            CareVisit.campaign_id == campaign.id,
            Attempt.status == AttemptStatus.CLOSED,
            Attempt.closed_at > now - _SPEED,
            Attempt.dialed_at.is_not(None),
        )
    )
    done = session.scalar(closed) or 0
    if not queued or not done:
        return None
    left = _SPEED * (queued / done)
    window = campaign_rules.window_of(campaign.window)
    return window.after(now, left)
