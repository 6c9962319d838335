"""Campaigns: made, filled, begun, paused, stopped. `move` is the only writer of a campaign's status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, exists, insert, select
from sqlalchemy.orm import Session, aliased

from dispatch import campaign_rules, care, duties
from models.calling_hours import in_force
from models.campaigns import (
    CAMPAIGN_MOVES,
    CallRule,
    Campaign,
    CampaignEvent,
    CampaignMode,
    CampaignStatus,
    CareVisit,
    VisitStatus,
)
from models.care_scripts import SCRIPTS
from models.duties import Duty, DutyStatus, ElderGroup, Group, Period
from models.people import Elder, Person

_VISITS = cast(Table, CareVisit.__table__)
# How long before its deadline a duty's visit is begun; a duty with less time begins at once.
LEAD = {Period.WEEK: timedelta(days=2), Period.MONTH: timedelta(days=20), Period.QUARTER: timedelta(days=45)}
RANKS = {Group.HIGH: 0, Group.KEY: 1}
USUAL_RANK = 2
# Still at work on her; nothing else rings her by a machine meanwhile.
AT_WORK = (VisitStatus.WAITING, VisitStatus.CALLING, VisitStatus.AGENT, VisitStatus.ESCALATED)


class IllegalMove(ValueError):
    """A campaign cannot go from where it stands to there."""


@dataclass(frozen=True)
class NewCampaign:
    """What a campaign is made of; the mappings change defaults (dispatch.campaign_rules)."""

    name: str
    script: str = "care"
    source: str = "ledger"
    attempts: int = 3
    window: dict[str, Any] = field(default_factory=dict)
    pace: dict[str, Any] = field(default_factory=dict)
    retry: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, Any] = field(default_factory=dict)
    escalate: bool | None = None  # None: as the script says
    by_user_id: int | None = None
    mode: str = CampaignMode.MACHINE


@dataclass(frozen=True)
class Filter:
    """Which elders a campaign is for; empty means all."""

    groups: frozenset[str] = frozenset()
    area_ids: frozenset[int] = frozenset()  # with all that lies in them
    languages: frozenset[str] = frozenset()
    born_before: int | None = None  # year


def create(session: Session, new: NewCampaign, now: datetime) -> Campaign:
    """Write a campaign, as a draft.

    Raises:
        ValueError: no such script, or a setting that is none.
    """
    if new.script not in SCRIPTS:
        raise ValueError(f"no script is called {new.script}; there are {', '.join(SCRIPTS)}")
    if new.attempts < 1:
        raise ValueError("a campaign needs at least one attempt")
    campaign_rules.window_of(new.window)
    campaign_rules.pace_of(new.pace)
    campaign_rules.steps_of(new.steps)
    for outcome in new.retry:
        campaign_rules.rule_of(outcome, new.retry)
    row = Campaign(
        name=new.name, script=new.script, source=new.source, attempts=new.attempts, window=new.window, pace=new.pace,
        retry=new.retry, steps=new.steps, created_at=now, by_user_id=new.by_user_id,
        mode=CampaignMode(new.mode),
        escalate=SCRIPTS[new.script].escalates if new.escalate is None else new.escalate,
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add(CampaignEvent(campaign_id=row.id, at=now, to_status=CampaignStatus.DRAFT, by_user_id=new.by_user_id))
    return row


def move(session: Session, campaign_id: int, to: CampaignStatus, now: datetime, by_user_id: int | None = None) -> bool:
    """Begin, pause, resume or stop. Returns False where it stands there already.

    Raises:
        IllegalMove: a stopped campaign stays stopped.
    """
    row = session.scalars(select(Campaign).where(Campaign.id == campaign_id).with_for_update()).one()
    if row.status == to:
        return False
    if to not in CAMPAIGN_MOVES[row.status]:
        raise IllegalMove(f"a campaign cannot go from {row.status} to {to}")
    row.status = to
    if to == CampaignStatus.RUNNING:
        row.started_at = row.started_at or now
    row.ended_at = now if to in (CampaignStatus.STOPPED, CampaignStatus.DONE) else None
    session.add(CampaignEvent(campaign_id=row.id, at=now, to_status=to, by_user_id=by_user_id))
    if to == CampaignStatus.STOPPED:
        # Whoever is in front of a person, or looked for by others, stays so; whoever waits is let go.
        waiting = select(CareVisit).where(CareVisit.campaign_id == row.id, CareVisit.status == VisitStatus.WAITING)
        for visit in session.scalars(waiting.with_for_update(of=CareVisit)):
            visit.status, visit.closed_at = VisitStatus.STOPPED, now
    session.flush()
    return True


def add_elders(session: Session, campaign: Campaign, elder_ids: Iterable[int], now: datetime, wave: str = "") -> int:
    """Put elders into the campaign; who is in it already, stays once. Returns how many are new."""
    wanted = list(dict.fromkeys(elder_ids))
    there = set(session.scalars(
        select(CareVisit.elder_id).where(CareVisit.campaign_id == campaign.id, CareVisit.occasion == wave)
    ))  # fmt: skip
    ranks = _ranks(session)
    rows = [
        _visit_row(campaign.id, elder_id, ranks.get(elder_id, USUAL_RANK), now) | {"occasion": wave}
        for elder_id in wanted
        if elder_id not in there
    ]
    _write(session, rows)
    return len(rows)


def filtered(session: Session, chosen: Filter) -> list[int]:
    """Return the elders whom a filter names; who was registered twice is one."""
    query = select(Elder.id).where(Elder.merged_into_id.is_(None)).order_by(Elder.id)
    if chosen.groups:
        in_group = exists().where(
            ElderGroup.elder_id == Elder.id, ElderGroup.group.in_(chosen.groups), ElderGroup.ended_at.is_(None)
        )
        query = query.where(in_group)
    if chosen.area_ids:
        query = query.where(Elder.area_id.in_(_with_inner(session, chosen.area_ids)))
    if chosen.languages:
        query = query.where(Elder.person.has(Person.language.in_(chosen.languages)))
    if chosen.born_before is not None:
        query = query.where(Elder.person.has(Person.born_on < date(chosen.born_before, 1, 1)))
    return list(session.scalars(query))


def _with_inner(session: Session, area_ids: Iterable[int]) -> set[int]:
    from models.people import Area

    parents = {row.id: row.parent_id for row in session.execute(select(Area.id, Area.parent_id))}
    found = set(area_ids)
    while inner := {one for one, parent in parents.items() if parent in found and one not in found}:
        found |= inner
    return found


def top_up(session: Session, campaign: Campaign, now: datetime, elder_ids: Sequence[int] | None = None) -> int:
    """Bring the duties whose time has come, of these elders or all, into a campaign of the ledger.

    An elder at work in any campaign of the ledger is left to it. Returns how many elders are new.
    """
    rows = _coming(session, campaign.id, now, elder_ids)
    _write(session, list(rows.values()))
    never = _never(session, now) & rows.keys()
    if never:
        # She must not be rung: a person sees to her duty another way.
        mine = CareVisit.campaign_id == campaign.id, CareVisit.status == VisitStatus.WAITING
        for visit in session.scalars(select(CareVisit).where(*mine, CareVisit.elder_id.in_(never))):
            care.to_agent(session, visit, "never", now)
    return len(rows)


def coming(session: Session, campaign_id: int, now: datetime) -> list[int]:
    """Return the elders whom `top_up` would bring in. Reads only: nobody waits for the lock meanwhile."""
    return list(_coming(session, campaign_id, now, None))


def _coming(
    session: Session, campaign_id: int, now: datetime, elder_ids: Sequence[int] | None
) -> dict[int, dict[str, Any]]:
    """Return the visits that are to be written, by elder."""
    ours = aliased(Campaign)
    at_work = exists().where(
        CareVisit.elder_id == Duty.elder_id,
        CareVisit.status.in_(AT_WORK),
        CareVisit.campaign_id == ours.id,
        ours.source == "ledger",
    )
    query = (
        select(Duty.elder_id, Duty.group, Duty.deadline)
        .join(Elder, Elder.id == Duty.elder_id)
        .where(Duty.status == DutyStatus.OPEN, Duty.opens_at <= now, ~at_work, Elder.merged_into_id.is_(None))
        .order_by(Duty.deadline, Duty.id)
    )
    there = select(CareVisit.elder_id, CareVisit.occasion).where(CareVisit.campaign_id == campaign_id)
    if elder_ids is not None:
        query, there = query.where(Duty.elder_id.in_(elder_ids)), there.where(CareVisit.elder_id.in_(elder_ids))
    periods = {rule.group: rule.period for rule in duties.rules(session)}
    ranks = _ranks(session)
    known = {(row.elder_id, row.occasion) for row in session.execute(there)}
    rows: dict[int, dict[str, Any]] = {}
    for elder_id, group, deadline in session.execute(query):
        occasion = deadline.isoformat(timespec="minutes")
        lead = LEAD[Period(periods.get(group, Period.MONTH))]
        if elder_id in rows or (elder_id, occasion) in known or deadline - lead > now:
            continue
        row = _visit_row(campaign_id, elder_id, ranks.get(elder_id, USUAL_RANK), now)
        rows[elder_id] = row | {"occasion": occasion, "deadline": deadline}
    return rows


def _visit_row(campaign_id: int, elder_id: int, rank: int, now: datetime) -> dict[str, Any]:
    from models.base import new_public_id

    return {
        "public_id": new_public_id(), "campaign_id": campaign_id, "elder_id": elder_id, "occasion": "",
        "status": VisitStatus.WAITING.value, "rank": rank, "due_at": now, "deadline": None, "silences": 0,
        "created_at": now,
    }  # fmt: skip


def _write(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(_VISITS), list(rows))


def _ranks(session: Session) -> dict[int, int]:
    risky = select(ElderGroup.elder_id, ElderGroup.group).where(
        ElderGroup.group.in_(list(RANKS)), ElderGroup.ended_at.is_(None)
    )
    return {elder_id: RANKS[Group(group)] for elder_id, group in session.execute(risky)}


def _never(session: Session, now: datetime) -> set[int]:
    return set(session.scalars(select(CallRule.elder_id).where(CallRule.never.is_(True), in_force(now))))


def finish(session: Session, now: datetime) -> int:
    """Running campaigns in which nobody is left to be reached are done; a ledger's goes on. Returns how many."""
    left = exists().where(CareVisit.campaign_id == Campaign.id, CareVisit.status.in_(AT_WORK))
    some = exists().where(CareVisit.campaign_id == Campaign.id)
    query = select(Campaign.id).where(
        Campaign.status == CampaignStatus.RUNNING, Campaign.source != "ledger", some, ~left
    )
    found = list(session.scalars(query))
    for campaign_id in found:
        move(session, campaign_id, CampaignStatus.DONE, now)
    return len(found)


def running(session: Session) -> list[tuple[int, str]]:
    """Return id and source of the campaigns that run, those that were begun first at the head."""
    query = select(Campaign.id, Campaign.source).where(Campaign.status == CampaignStatus.RUNNING)
    return [(row.id, row.source) for row in session.execute(query.order_by(Campaign.started_at, Campaign.id))]
