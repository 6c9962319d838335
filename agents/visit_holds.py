"""Whom the staff may ring next, and whose each elder is while one of them works on her."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import care_staff
from models.calls import Call
from models.campaigns import Campaign, CampaignMode, CampaignStatus, CareVisit, VisitStatus
from models.care_runs import CareHold
from models.settings import settings
from models.users import User

# So many are looked at for one that is free.
_LOOKS_AT = 20


def is_worked_on(campaign: Campaign) -> bool:
    """Return whether people may take somebody from it now: a pause is for the machine, or for the staff's own list."""
    if campaign.mode == CampaignMode.STAFF:
        return campaign.status == CampaignStatus.RUNNING
    return campaign.status in (CampaignStatus.RUNNING, CampaignStatus.PAUSED)


def take(session: Session, campaign: Campaign, user: User, now: datetime) -> CareVisit | None:
    """Return the visit this user works on in the campaign: the one she has, else the next free one; None: none left."""
    own = session.scalars(
        select(CareHold)
        .join(CareVisit, CareVisit.id == CareHold.visit_id)
        .where(CareHold.user_id == user.id, CareVisit.campaign_id == campaign.id)
        .order_by(CareHold.since, CareHold.id)
    )
    for row in own:
        if care_staff.workable(row.visit):
            renew(session, row, now)
            return row.visit
        # Somebody else has settled it meanwhile, or she has rung us back.
        session.delete(row)
    if not is_worked_on(campaign):
        return None
    return next((visit for visit in _free(session, campaign, now) if hold(session, visit, user.id, now)), None)


def _free(session: Session, campaign: Campaign, now: datetime) -> list[CareVisit]:
    """Return visits that nobody works on, the next one first: high risk, then who has waited longest."""
    rung = exists().where(Call.elder_id == CareVisit.elder_id, Call.ended_at.is_(None))
    other = select(CareVisit.elder_id).where(CareVisit.status == VisitStatus.CALLING)
    query = (
        select(CareVisit)
        .where(
            CareVisit.campaign_id == campaign.id,
            CareVisit.status.in_(care_staff.work_for(campaign.mode)),
            CareVisit.due_at <= now,
            CareVisit.elder_id.not_in(other),
            ~rung,
            ~care_staff.held(now),
        )
        .order_by(CareVisit.rank, CareVisit.due_at, CareVisit.id)
        .limit(_LOOKS_AT)
        .with_for_update(of=CareVisit, skip_locked=True)
    )
    return list(session.scalars(query))


def hold(session: Session, visit: CareVisit, user_id: int, now: datetime) -> bool:
    """Take the visit's elder for this user. False: a colleague was quicker, or has her task open."""
    if care_staff.task_locked(session, visit, user_id, now):
        return False
    stale = session.scalar(select(CareHold).where(CareHold.elder_id == visit.elder_id).with_for_update(of=CareHold))
    if stale is not None and stale.until > now and (stale.user_id, stale.visit_id) != (user_id, visit.id):
        return False
    until = now + timedelta(seconds=settings().care_hold_s)
    row = CareHold(elder_id=visit.elder_id, visit_id=visit.id, user_id=user_id, since=now, until=until)
    try:
        with session.begin_nested():
            if stale is not None:
                session.delete(stale)
                session.flush()
            session.add(row)
            session.flush()
    except IntegrityError:
        return False
    care_staff.lock_task(session, visit, user_id, until)
    return True


def renew(session: Session, row: CareHold, now: datetime) -> None:
    """Let a hold begin its time again; what was handed over keeps its longer one."""
    row.until = max(row.until, now + timedelta(seconds=settings().care_hold_s))
    care_staff.lock_task(session, row.visit, row.user_id, row.until)


def holds_of(session: Session, user_id: int, now: datetime) -> list[CareHold]:
    """Return on whom this user works, those handed to her first."""
    query = (
        select(CareHold)
        .where(CareHold.user_id == user_id, CareHold.until > now)
        .order_by(CareHold.from_user_id.is_(None), CareHold.since)
    )
    return [row for row in session.scalars(query) if care_staff.workable(row.visit)]
