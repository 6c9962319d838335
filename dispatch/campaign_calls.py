"""Whom a campaign rings next, and how many. It writes attempts; what dials them is the same worker as everywhere
(dispatch/dial.py), which asks once more whether the call is still wanted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, exists, func, or_, select, union_all, update
from sqlalchemy.orm import Session

from dispatch import campaign_rules, care
from dispatch.attempts import new_care_attempt
from dispatch.campaign_rules import Load
from models.calling_hours import ANY, hours_of
from models.calls import Call, CallState, Direction
from models.campaigns import Campaign, CampaignMode, CampaignStatus, CareVisit, VisitStatus
from models.care_runs import CareHold
from models.dialing import Attempt, AttemptStatus
from models.people import PersonNumber
from models.prepared import Prepared
from models.rows import Rows, tell
from models.settings import settings

# Who cannot be rung just now is looked at again so much later.
_ENGAGED_PAUSE = timedelta(seconds=30)
# So many are looked at for each that can be rung: some are on the telephone.
_LOOKS_AT = 3
# Of the pace a second, no more than of so long is made up for (s).
_CATCHES_UP_S = 2.0
# Asked for every call.
_visits, _attempts, _numbers, _calls, _holds = (
    cast(Table, kind.__table__) for kind in (CareVisit, Attempt, PersonNumber, Call, CareHold)
)
_RUNG = Prepared(
    select(_visits.c.campaign_id, func.count())
    .where(_visits.c.status == bindparam("status"))
    .group_by(_visits.c.campaign_id)
)
_TRIED = Prepared(select(func.count()).select_from(_attempts).where(_attempts.c.care_visit_id == bindparam("visit_id")))
_CALLED = Prepared(
    update(_visits)
    .where(_visits.c.id == bindparam("visit_id"))
    .values(status=VisitStatus.CALLING.value, due_at=bindparam("at"))
)
# Put together once: that costs as much as the rows.
_CAMPAIGN = select(Campaign).where(Campaign.id == bindparam("campaign_id")).with_for_update()
_DUE = (
    select(CareVisit)
    .where(
        CareVisit.campaign_id == bindparam("campaign_id"),
        CareVisit.status == VisitStatus.WAITING,
        CareVisit.due_at <= bindparam("now"),
    )
    .order_by(CareVisit.rank, CareVisit.due_at, CareVisit.id)
    .limit(bindparam("at_most"))
    .with_for_update(of=CareVisit, skip_locked=True)
)
_campaigns = cast(Table, Campaign.__table__)
_TO_RING = Prepared(
    select(_campaigns.c.id, _campaigns.c.window)
    .where(
        _campaigns.c.status == CampaignStatus.RUNNING,
        _campaigns.c.mode == CampaignMode.MACHINE,
        exists().where(
            _visits.c.campaign_id == _campaigns.c.id,
            _visits.c.status == VisitStatus.WAITING,
            _visits.c.due_at <= bindparam("now"),
        ),
    )
    .order_by(_campaigns.c.started_at, _campaigns.c.id)
)
_GOES_ON = Prepared(
    select(Call.direction, Call.state, Call.purpose, func.count())
    .where(Call.ended_at.is_(None))
    .group_by(Call.direction, Call.state, Call.purpose)
)
_HERS = select(_numbers.c.number_id).where(_numbers.c.person_id == bindparam("of_elder"))
_ENGAGED = Prepared(
    union_all(
        select(_calls.c.id).where(
            _calls.c.ended_at.is_(None), or_(_calls.c.elder_id == bindparam("of_elder"), _calls.c.number_id.in_(_HERS))
        ),
        # Soon to be dialled counts too: an offer's or a callback's errand may run in this very second.
        select(_attempts.c.id).where(_attempts.c.status != AttemptStatus.CLOSED, _attempts.c.number_id.in_(_HERS)),
        select(_holds.c.id).where(_holds.c.elder_id == bindparam("of_elder"), _holds.c.until > bindparam("now")),
    ).limit(1)
)
_SHARE = Prepared(select(_numbers.c.person_id).where(_numbers.c.number_id.in_(_HERS)))


def to_ring(unit: Session | Rows, now: datetime) -> list[int]:
    """Return the running campaigns in whose window we are and who have somebody to be rung now, as `running`."""
    rows = _TO_RING.all(unit, {"now": now})
    return [campaign_id for campaign_id, window in rows if campaign_rules.window_of(window).is_open(now)]


def load(session: Session, free_agents: int, being_rung: Mapping[int, int]) -> Load:
    """Return what goes on now, of all calls. `being_rung`: see `automatic`."""
    rows = _GOES_ON.all(session, {})
    ours = sum(n for direction, _, purpose, n in rows if direction == Direction.OUT and purpose != "care")
    return Load(
        # A care visit takes its channel from the moment it was chosen, dialled or not yet.
        outbound=ours + sum(being_rung.values()),
        inbound=sum(n for direction, _, _, n in rows if direction == Direction.IN),
        waiting=sum(n for _, state, _, n in rows if state == CallState.WAITING),
        free_agents=free_agents,
        channels=settings().trunk_channels,
    )


def automatic(session: Session) -> dict[int, int]:
    """Return how many visits each campaign is ringing."""
    return dict(_RUNG.all(session, {"status": VisitStatus.CALLING}))


def begin_calls(session: Session, campaign_id: int, free_agents: int, now: datetime) -> int:
    """Choose whom this campaign rings next and write the attempts; return how many. Safe beside another round."""
    campaign = session.scalars(_CAMPAIGN, {"campaign_id": campaign_id}).one()
    if campaign.status != CampaignStatus.RUNNING or campaign.mode != CampaignMode.MACHINE:
        return 0
    window = campaign_rules.window_of(campaign.window)
    if not window.is_open(now):
        return 0
    pace = campaign_rules.pace_of(campaign.pace)
    passed = _unused(campaign, pace.per_second, now)
    number = int(passed * pace.per_second + 1e-6)
    if number < 1:
        return 0
    rung = automatic(session)
    goes_on = load(session, free_agents, rung)
    number = min(number, campaign_rules.room(pace, goes_on, rung.get(campaign_id, 0), sum(rung.values())))
    if number < 1:
        return 0
    begun = 0
    for visit in choose(session, campaign, number, now):
        own = care.numbers(session, visit)
        if not own:
            care.not_reached(session, visit, "no_number", now)
            continue
        tried = _TRIED.scalar(session, {"visit_id": visit.id})
        _CALLED.run(session, {"visit_id": visit.id, "at": now})
        tell(visit, status=VisitStatus.CALLING, due_at=now)
        new_care_attempt(session, visit.id, own[tried % len(own)], now)
        begun += 1
    if begun:
        # What is left of a call's time counts for the next one: rounds that come late do not slow the campaign down.
        left = min(max(passed - begun / pace.per_second, 0), 1 / pace.per_second)
        campaign.paced_at = now - timedelta(seconds=left)
    return begun


def _unused(campaign: Campaign, per_second: float, now: datetime) -> float:
    """Return for how many seconds this campaign may begin calls now."""
    if campaign.paced_at is None or campaign.paced_at > now:
        return max(1.0, 1 / per_second)
    return min((now - campaign.paced_at).total_seconds(), max(_CATCHES_UP_S, 1 / per_second))


def choose(session: Session, campaign: Campaign, number: int, now: datetime) -> list[CareVisit]:
    """Return whom to ring next, locked: high risk first, then who has waited longest. At most `number`.

    Whoever is in a call with us, or is rung by anybody else of ours, and whoever has other hours, is put off.
    """
    asked = {"campaign_id": campaign.id, "now": now, "at_most": number * _LOOKS_AT}
    visits = session.scalars(_DUE, asked).all()
    window = campaign_rules.window_of(campaign.window)
    chosen: list[CareVisit] = []
    taken: set[int] = set()
    for visit in visits:
        if len(chosen) == number:
            break
        own = hours_of(session, visit.elder_id, now)
        if own.never:
            care.to_agent(session, visit, "never", now)
        elif own is not ANY and not (hers := window.only(own)).is_open(now):
            visit.due_at = hers.next_open(now)
        elif visit.elder_id in taken or _engaged(session, visit.elder_id, now):
            visit.due_at = now + _ENGAGED_PAUSE
        else:
            chosen.append(visit)
            # Two visits of one elder, or of one household's telephone, are not both begun in this round.
            taken |= _sharing(session, visit.elder_id)
    return chosen


def _engaged(session: Session, elder_id: int, now: datetime) -> bool:
    """Return whether she is on the telephone with us, about to be rung by anything of ours, or worked on by staff."""
    return _ENGAGED.scalar(session, {"of_elder": elder_id, "now": now}) is not None


def _sharing(session: Session, elder_id: int) -> set[int]:
    """Return the elder and whoever else has one of her telephones."""
    return {elder_id, *(person_id for (person_id,) in _SHARE.all(session, {"of_elder": elder_id}))}
