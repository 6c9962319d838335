"""Campaigns: made, begun, paused, stopped; and their round, which chooses whom to ring next and how many.

`move` is the only writer of a campaign's status. The round writes attempts; what
dials them is the same worker as everywhere (dispatch/dial.py), which asks once
more whether the call is still wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, exists, func, insert, select
from sqlalchemy.orm import Session, aliased

from dispatch import campaign_rules, care, duties, limits
from dispatch.attempts import new_attempt
from dispatch.campaign_rules import Load
from models.calls import Call, CallState, Direction
from models.campaigns import (
    CAMPAIGN_MOVES,
    CallRule,
    Campaign,
    CampaignEvent,
    CampaignStatus,
    CareVisit,
    VisitStatus,
)
from models.care_scripts import SCRIPTS
from models.dialing import Attempt, AttemptStatus
from models.duties import Duty, DutyStatus, ElderGroup, Group, Period
from models.people import Elder, PersonNumber, PhoneNumber
from models.settings import settings

_VISITS = cast(Table, CareVisit.__table__)
# How long before its deadline a duty's visit is begun; a duty with less time begins at once.
LEAD = {Period.WEEK: timedelta(days=2), Period.MONTH: timedelta(days=20), Period.QUARTER: timedelta(days=45)}
RANKS = {Group.HIGH: 0, Group.KEY: 1}
USUAL_RANK = 2
# Who cannot be rung just now is looked at again so much later.
_ENGAGED_PAUSE = timedelta(seconds=30)
# So many are looked at for each that can be rung: some are on the telephone.
_LOOKS_AT = 3
# Of the pace a second, no more than of so long is made up for (s).
_CATCHES_UP_S = 2.0
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
        _visit_row(campaign, elder_id, ranks.get(elder_id, USUAL_RANK), now) | {"occasion": wave}
        for elder_id in wanted
        if elder_id not in there
    ]
    _write(session, rows)
    return len(rows)


def filtered(session: Session, chosen: Filter) -> list[int]:
    """Return the elders whom a filter names."""
    query = select(Elder.id).order_by(Elder.id)
    if chosen.groups:
        in_group = exists().where(
            ElderGroup.elder_id == Elder.id, ElderGroup.group.in_(chosen.groups), ElderGroup.ended_at.is_(None)
        )
        query = query.where(in_group)
    if chosen.area_ids:
        query = query.where(Elder.area_id.in_(_with_inner(session, chosen.area_ids)))
    elders = list(session.scalars(query))
    if not (chosen.languages or chosen.born_before):
        return elders
    people = {one.id: one.person for one in session.scalars(select(Elder).where(Elder.id.in_(elders))).unique()}
    return [
        elder_id
        for elder_id, person in sorted(people.items())
        if (not chosen.languages or person.language in chosen.languages)
        and (not chosen.born_before or (person.born_on is not None and person.born_on.year < chosen.born_before))
    ]


def _with_inner(session: Session, area_ids: Iterable[int]) -> set[int]:
    from models.people import Area

    parents = {row.id: row.parent_id for row in session.execute(select(Area.id, Area.parent_id))}
    found = set(area_ids)
    while inner := {one for one, parent in parents.items() if parent in found and one not in found}:
        found |= inner
    return found


def top_up(session: Session, campaign: Campaign, now: datetime) -> int:
    """Bring the duties whose time has come into a campaign of the ledger. Returns how many elders are new.

    An elder at work in any campaign of the ledger is left to it.
    """
    ours = aliased(Campaign)
    at_work = exists().where(
        CareVisit.elder_id == Duty.elder_id,
        CareVisit.status.in_(AT_WORK),
        CareVisit.campaign_id == ours.id,
        ours.source == "ledger",
    )
    query = (
        select(Duty.elder_id, Duty.group, Duty.opens_at, Duty.deadline)
        .where(Duty.status == DutyStatus.OPEN, Duty.opens_at <= now, ~at_work)
        .order_by(Duty.deadline, Duty.id)
    )
    periods = {rule.group: rule.period for rule in duties.rules(session)}
    ranks = _ranks(session)
    never = _never(session, now)
    known = {
        (row.elder_id, row.occasion)
        for row in session.execute(
            select(CareVisit.elder_id, CareVisit.occasion).where(CareVisit.campaign_id == campaign.id)
        )
    }
    rows: dict[int, dict[str, Any]] = {}
    for elder_id, group, _opens, deadline in session.execute(query):
        occasion = deadline.isoformat(timespec="minutes")
        lead = LEAD[Period(periods.get(group, Period.MONTH))]
        if elder_id in rows or (elder_id, occasion) in known or deadline - lead > now:
            continue
        row = _visit_row(campaign, elder_id, ranks.get(elder_id, USUAL_RANK), now)
        rows[elder_id] = row | {"occasion": occasion, "deadline": deadline}
    _write(session, list(rows.values()))
    if never & rows.keys():
        # She must not be rung: a person sees to her duty another way.
        mine = CareVisit.campaign_id == campaign.id, CareVisit.status == VisitStatus.WAITING
        for visit in session.scalars(select(CareVisit).where(*mine, CareVisit.elder_id.in_(never))):
            care.to_agent(session, visit, "never", now)
    return len(rows)


def _visit_row(campaign: Campaign, elder_id: int, rank: int, now: datetime) -> dict[str, Any]:
    from models.base import new_public_id

    return {
        "public_id": new_public_id(), "campaign_id": campaign.id, "elder_id": elder_id, "occasion": "",
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
    in_force = CallRule.since <= now, CallRule.ended_at.is_(None) | (CallRule.ended_at > now)
    return set(session.scalars(select(CallRule.elder_id).where(CallRule.never.is_(True), *in_force)))


# The round.


def load(session: Session, free_agents: int) -> Load:
    """Return what goes on now, of all calls."""
    rows = session.execute(
        select(Call.direction, Call.state, Call.purpose, func.count())
        .where(Call.ended_at.is_(None))
        .group_by(Call.direction, Call.state, Call.purpose)
    ).all()
    ours = sum(n for direction, _, purpose, n in rows if direction == Direction.OUT and purpose != "care")
    return Load(
        # A care visit takes its channel from the moment it was chosen, dialled or not yet.
        outbound=ours + automatic(session),
        inbound=sum(n for direction, _, _, n in rows if direction == Direction.IN),
        waiting=sum(n for _, state, _, n in rows if state == CallState.WAITING),
        free_agents=free_agents,
        channels=settings().trunk_channels,
    )


def automatic(session: Session, campaign_id: int | None = None) -> int:
    """Return how many visits are being rung, of one campaign or all."""
    query = select(func.count()).select_from(CareVisit).where(CareVisit.status == VisitStatus.CALLING)
    return session.scalar(query if campaign_id is None else query.where(CareVisit.campaign_id == campaign_id)) or 0


def begin_calls(session: Session, campaign_id: int, free_agents: int, now: datetime) -> int:
    """Choose whom this campaign rings next and write the attempts; return how many. Safe beside another round."""
    campaign = session.scalars(select(Campaign).where(Campaign.id == campaign_id).with_for_update()).one()
    if campaign.status != CampaignStatus.RUNNING:
        return 0
    window = campaign_rules.window_of(campaign.window)
    if not window.is_open(now):
        return 0
    pace = campaign_rules.pace_of(campaign.pace)
    number = campaign_rules.room(pace, load(session, free_agents), automatic(session, campaign_id), automatic(session))
    number = min(number, _allowed_now(campaign, pace.per_second, now))
    if number < 1:
        return 0
    begun = 0
    for visit in choose(session, campaign, number, now):
        own = care.numbers(session, visit)
        if not own:
            care.not_reached(session, visit, "no_number", now)
            continue
        tried = session.scalar(select(func.count()).select_from(Attempt).where(Attempt.care_visit_id == visit.id)) or 0
        visit.status, visit.due_at = VisitStatus.CALLING, now
        new_attempt(session, visit, own[tried % len(own)], now)
        begun += 1
    if begun:
        campaign.paced_at = now
    return begun


def _allowed_now(campaign: Campaign, per_second: float, now: datetime) -> int:
    if campaign.paced_at is None or campaign.paced_at > now:
        return max(1, int(per_second))
    passed = min((now - campaign.paced_at).total_seconds(), max(_CATCHES_UP_S, 1 / per_second))
    return int(passed * per_second + 1e-6)


def choose(session: Session, campaign: Campaign, number: int, now: datetime) -> list[CareVisit]:
    """Return whom to ring next, locked: high risk first, then who has waited longest. At most `number`.

    Whoever is in a call with us, or is rung by anybody else of ours, and whoever has other hours, is put off.
    """
    due = (
        select(CareVisit)
        .where(CareVisit.campaign_id == campaign.id, CareVisit.status == VisitStatus.WAITING, CareVisit.due_at <= now)
        .order_by(CareVisit.rank, CareVisit.due_at, CareVisit.id)
        .limit(number * _LOOKS_AT)
        .with_for_update(of=CareVisit, skip_locked=True)
    )
    visits = list(session.scalars(due))
    if not visits:
        return []
    elders = [visit.elder_id for visit in visits]
    engaged = _engaged(session, elders)
    excepted = _exceptions(session, elders, now)
    chosen: list[CareVisit] = []
    for visit in visits:
        if len(chosen) == number:
            break
        own = excepted.get(visit.elder_id)
        if own is not None and own.never:
            care.to_agent(session, visit, "never", now)
        elif own is not None and not (hers := care.window_for(session, visit, now)).is_open(now):
            visit.due_at = hers.next_open(now)
        elif visit.elder_id in engaged:
            visit.due_at = now + _ENGAGED_PAUSE
        else:
            chosen.append(visit)
            # Two visits of one elder, or of one household's telephone, are not both begun in this round.
            engaged |= _sharing(session, visit.elder_id)
    return chosen


def _engaged(session: Session, elder_ids: list[int]) -> set[int]:
    """Return who of these is on the telephone with us, or about to be rung by anything of ours."""
    mine = select(PersonNumber.person_id, PersonNumber.number_id).where(PersonNumber.person_id.in_(elder_ids))
    numbers = [(row.person_id, row.number_id) for row in session.execute(mine)]
    number_ids = {number_id for _, number_id in numbers}
    calls = select(Call.elder_id, Call.number_id).where(
        Call.ended_at.is_(None), Call.elder_id.in_(elder_ids) | Call.number_id.in_(number_ids)
    )
    busy_numbers: set[int | None] = set()
    busy: set[int] = set()
    for elder_id, number_id in session.execute(calls):
        busy_numbers.add(number_id)
        if elder_id is not None:
            busy.add(elder_id)
    rung = select(Attempt.number_id).where(
        Attempt.number_id.in_(number_ids),
        Attempt.status.in_((AttemptStatus.DIALING, AttemptStatus.ANSWERED)),
    )
    # Soon to be dialled counts too: an offer's or a callback's errand may run in this very second.
    soon = select(Attempt.number_id).where(Attempt.number_id.in_(number_ids), Attempt.status == AttemptStatus.DUE)
    busy_numbers |= set(session.scalars(rung)) | set(session.scalars(soon))
    return busy | {person_id for person_id, number_id in numbers if number_id in busy_numbers}


def _sharing(session: Session, elder_id: int) -> set[int]:
    """Return the elder and whoever else has one of her telephones."""
    hers = select(PersonNumber.number_id).where(PersonNumber.person_id == elder_id)
    return {elder_id, *session.scalars(select(PersonNumber.person_id).where(PersonNumber.number_id.in_(hers)))}


def _exceptions(session: Session, elder_ids: list[int], now: datetime) -> dict[int, CallRule]:
    in_force = CallRule.since <= now, CallRule.ended_at.is_(None) | (CallRule.ended_at > now)
    query = select(CallRule).where(CallRule.elder_id.in_(elder_ids), *in_force).order_by(CallRule.id)
    return {row.elder_id: row for row in session.scalars(query)}


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


def dead(session: Session, number_id: int, now: datetime) -> bool:
    """Return whether a number is known not to exist."""
    return limits.is_dead(session, session.get_one(PhoneNumber, number_id), now)
