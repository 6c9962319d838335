"""What an agent of the staff's run has in front of her: the elder, the script, what was tried, how far the list is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from agents.care_card import CareCard, care_card
from agents.pop import PopElder, pop_elder
from agents.visit_holds import is_worked_on
from dispatch import care_staff
from models import care_scripts, clock
from models.calls import Call
from models.campaigns import VISIT_ENDS, Campaign, CampaignMode, CampaignStatus, CareVisit, VisitStatus
from models.care_runs import CareHold
from models.dialing import Attempt, AttemptStatus
from models.people import Elder, PhoneNumber
from models.phone import Number, NumberKind
from models.results import CallOutcome
from models.users import User


@dataclass(frozen=True)
class Asked:
    """One question with its answers by key, and what was entered."""

    code: str
    answers: tuple[tuple[str, str], ...]
    chosen: str


@dataclass(frozen=True)
class Tried:
    """One try of this visit. `code`: a result of an agent's, or an outcome of the machine's where `by` is empty."""

    at: datetime
    code: str
    by: str
    note: str
    call: str | None


@dataclass(frozen=True)
class OnLine:
    """The agent's call for this visit that has no result yet."""

    public_id: str
    answered: bool
    ended: bool


@dataclass(frozen=True)
class Standing:
    """How far a list is. `mine`: visits that this agent has concluded today; `left`: those that may be taken now."""

    total: int
    done: int
    mine: int
    left: int
    later: int

    @property
    def share(self) -> float:
        """Done of all, 0 to 1."""
        return self.done / self.total if self.total else 0.0


@dataclass(frozen=True)
class RunView:
    """One visit on the screen."""

    public_id: str
    visit_id: int
    elder_id: int
    campaign: str
    campaign_name: str
    script: str
    notice: str
    why: str
    standing: Standing
    card: PopElder
    care: CareCard
    number: str  # that is dialled next; empty: none is left
    asked: tuple[Asked, ...]
    result: str
    note: str
    from_name: str  # the colleague who has handed her over
    line: OnLine | None
    tried: tuple[Tried, ...]
    attempts: int
    tries: int
    colleagues: tuple[tuple[str, str], ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class RunLine:
    """One campaign that people can work on, in the list of runs."""

    public_id: str
    name: str
    script: str
    mode: str
    status: str
    standing: Standing


def standing(session: Session, campaign: Campaign, user_id: int, now: datetime) -> Standing:
    """Return how far a campaign is, and what of it this agent did today."""
    of = CareVisit.campaign_id == campaign.id
    query = select(CareVisit.status, func.count()).where(of).group_by(CareVisit.status)
    counts: dict[str, int] = dict(session.execute(query).all())
    over = (*VISIT_ENDS, VisitStatus.ESCALATED)
    done, total = sum(counts.get(status, 0) for status in over), sum(counts.values())
    by_people = exists().where(CallOutcome.visit_id == CareVisit.id)
    if campaign.mode == CampaignMode.MACHINE:
        # Of the machine's campaign people see what came to them.
        concluded = select(func.count()).select_from(CareVisit).where(of, CareVisit.status.in_(over), by_people)
        done = session.scalar(concluded) or 0
        total = done + counts.get(VisitStatus.AGENT, 0)
    free = (
        select(func.count())
        .select_from(CareVisit)
        .where(of, CareVisit.status.in_(care_staff.work_for(campaign.mode)), ~care_staff.held(now))
    )
    midnight = clock.local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    mine = (
        select(func.count(CallOutcome.visit_id.distinct()))
        .join(CareVisit, CareVisit.id == CallOutcome.visit_id)
        .where(of, CallOutcome.user_id == user_id, CallOutcome.at >= midnight)
    )
    takes = is_worked_on(campaign)
    return Standing(
        total=total,
        done=done,
        mine=session.scalar(mine) or 0,
        left=(session.scalar(free.where(CareVisit.due_at <= now)) or 0) if takes else 0,
        later=session.scalar(free.where(CareVisit.due_at > now)) or 0,
    )


def runs(session: Session, user_id: int, now: datetime) -> list[RunLine]:
    """Return the campaigns people work on now: the staff's that run, the machine's with something left over."""
    query = select(Campaign).where(
        Campaign.status.in_((CampaignStatus.RUNNING, CampaignStatus.PAUSED, CampaignStatus.DONE))
    )
    found = []
    for row in session.scalars(query.order_by(Campaign.mode.desc(), Campaign.id)):
        seen = standing(session, row, user_id, now)
        if (row.mode == CampaignMode.STAFF and row.status != CampaignStatus.DONE) or seen.left + seen.later:
            found.append(RunLine(row.public_id, row.name, row.script, row.mode, row.status, seen))
    return found


def view(session: Session, visit: CareVisit, user_id: int, now: datetime) -> RunView:
    """Return a visit as the agent who holds it works on it."""
    hold = session.scalars(select(CareHold).where(CareHold.visit_id == visit.id, CareHold.user_id == user_id)).one()
    elder = session.get_one(Elder, visit.elder_id)
    left = care_staff.numbers(session, visit)
    number = session.get_one(PhoneNumber, left[0]) if left else None
    script = care_scripts.SCRIPTS[visit.campaign.script]
    call = care_staff.call_of(session, visit.id, user_id)
    return RunView(
        public_id=visit.public_id,
        visit_id=visit.id,
        elder_id=visit.elder_id,
        campaign=visit.campaign.public_id,
        campaign_name=visit.campaign.name,
        script=script.code,
        notice=script.notice,
        why=visit.status,
        standing=standing(session, visit.campaign, user_id, now),
        card=pop_elder(session, elder, clock.local_date(now)),
        care=care_card(session, elder, user_id, now),
        number=Number(number.value, NumberKind(number.kind)).national if number else "",
        asked=_asked(script.code, hold.answers, now),
        result=hold.result or "",
        note=hold.note,
        from_name=hold.from_user.name if hold.from_user else "",
        line=OnLine(call.public_id, call.answered_at is not None, call.ended_at is not None) if call else None,
        tried=_tried(session, visit.id),
        attempts=visit.campaign.attempts,
        tries=care_staff.tries(session, visit.id),
        colleagues=_colleagues(session, user_id),
    )


def _asked(script: str, entered: dict[str, Any], now: datetime) -> tuple[Asked, ...]:
    return tuple(
        Asked(code, tuple(care_scripts.QUESTIONS[code].answers.items()), str(entered.get(code, "")))
        for code in care_scripts.questions(script, clock.local_date(now))
    )


def _tried(session: Session, visit_id: int) -> tuple[Tried, ...]:
    """Return what the machine and people tried for this visit, the newest first."""
    by_people = session.execute(
        select(CallOutcome.at, CallOutcome.code, User.name, CallOutcome.note, Call.public_id)
        .outerjoin(User, User.id == CallOutcome.user_id)
        .outerjoin(Call, Call.id == CallOutcome.call_id)
        .where(CallOutcome.visit_id == visit_id)
    )
    by_machine = session.execute(
        select(Attempt.closed_at, Attempt.outcome, Call.public_id)
        .outerjoin(Call, Call.id == Attempt.call_id)
        .where(
            Attempt.care_visit_id == visit_id,
            Attempt.status == AttemptStatus.CLOSED,
            Attempt.closed_at.is_not(None),
            Attempt.dialed_at.is_not(None),
        )
    )
    found = [Tried(at, code, name or "", note, call) for at, code, name, note, call in by_people]
    found += [Tried(at, outcome or "", "", "", call) for at, outcome, call in by_machine if at is not None]
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


def _colleagues(session: Session, user_id: int) -> tuple[tuple[str, str], ...]:
    query = select(User.public_id, User.name).where(User.disabled_at.is_(None), User.id != user_id).order_by(User.name)
    return tuple((public_id, name) for public_id, name in session.execute(query))
