"""Campaigns to look at: the list with its live figures, one campaign, and the elders behind each figure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from agents.parties import Party
from dispatch import campaign_rules
from dispatch.campaign_progress import Progress, progress
from models.calls import Call
from models.campaigns import CAMPAIGN_MOVES, Campaign, CampaignEvent, CareVisit
from models.care_runs import VisitCall
from models.dialing import Attempt
from models.users import User

SHOWN = 100
LISTED = 30


@dataclass(frozen=True)
class CampaignRow:
    """A campaign with how it was made and how it stands. `moves`: where it may go from here."""

    public_id: str
    mode: str
    script: str
    source: str
    attempts: int
    created_at: datetime
    by: str
    progress: Progress
    window: campaign_rules.Window
    pace: campaign_rules.Pace
    escalate: bool
    moves: frozenset[str]


@dataclass(frozen=True)
class VisitRow:
    """One elder of a campaign. `calls`: when and public ids of the calls to her, the newest first."""

    elder: Party
    status: str
    rank: int
    due_at: datetime
    closed_at: datetime | None
    decision: str | None
    calls: tuple[tuple[datetime, str], ...]


def listed(session: Session, now: datetime) -> list[CampaignRow]:
    """Return the newest campaigns, those that are at work first."""
    at_work = Campaign.status.in_(("running", "paused"))
    rows = session.scalars(select(Campaign).order_by(at_work.desc(), Campaign.id.desc()).limit(LISTED)).all()
    return [row_of(session, row, now) for row in rows]


def row_of(session: Session, row: Campaign, now: datetime) -> CampaignRow:
    """Return one campaign."""
    by = session.get(User, row.by_user_id) if row.by_user_id else None
    return CampaignRow(
        row.public_id,
        row.mode,
        row.script,
        row.source,
        row.attempts,
        row.created_at,
        by.name if by else "",
        progress(session, row.id, now),
        campaign_rules.window_of(row.window),
        campaign_rules.pace_of(row.pace),
        row.escalate,
        frozenset(str(one) for one in CAMPAIGN_MOVES[row.status]),
    )


def events(session: Session, campaign_id: int) -> list[tuple[datetime, str, str]]:
    """Return when it went where, and by whom, the newest first."""
    query = (
        select(CampaignEvent.at, CampaignEvent.to_status, User.name)
        .outerjoin(User, User.id == CampaignEvent.by_user_id)
        .where(CampaignEvent.campaign_id == campaign_id)
        .order_by(CampaignEvent.id.desc())
    )
    return [(at, status, name or "") for at, status, name in session.execute(query)]


def visits(session: Session, campaign_id: int, status: str, skip: int) -> tuple[int, list[VisitRow]]:
    """Return how many elders of the campaign stand so, and a page of them; of all with an empty status."""
    mine = [CareVisit.campaign_id == campaign_id]
    if status:
        mine.append(CareVisit.status == status)
    total = session.scalar(select(func.count()).select_from(CareVisit).where(*mine)) or 0
    query = select(CareVisit).where(*mine).options(selectinload(CareVisit.elder))
    rows = session.scalars(query.order_by(CareVisit.rank, CareVisit.id).offset(skip).limit(SHOWN)).all()
    calls = _calls(session, [row.id for row in rows])
    return total, [
        VisitRow(
            Party("elder", row.elder.person.name, row.elder.person.public_id), row.status, row.rank, row.due_at,
            row.closed_at, row.decision, tuple(calls[row.id]),
        )
        for row in rows
    ]  # fmt: skip


def _calls(session: Session, visit_ids: list[int]) -> dict[int, list[tuple[datetime, str]]]:
    by_machine = (
        select(Attempt.care_visit_id, Call.started_at, Call.public_id)
        .join(Call, Call.id == Attempt.call_id)
        .where(Attempt.care_visit_id.in_(visit_ids))
    )
    by_people = (
        select(VisitCall.visit_id, Call.started_at, Call.public_id)
        .join(Call, Call.id == VisitCall.call_id)
        .where(VisitCall.visit_id.in_(visit_ids))
    )
    found: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for query in (by_machine, by_people):
        for visit_id, at, public_id in session.execute(query):
            found[visit_id or 0].append((at, public_id))
    return defaultdict(list, {visit_id: sorted(calls, reverse=True) for visit_id, calls in found.items()})
