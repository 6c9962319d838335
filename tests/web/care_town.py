"""A quarter with care visits: elders in groups, a staff's list and a machine's, answers over time, a butler."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dispatch import campaigns, care, duties
from dispatch.campaigns import NewCampaign
from dispatch.duties import Evidence
from models.calls import Call, CallState, Direction
from models.campaigns import Campaign, CampaignMode, CampaignStatus, CareAnswer, CareVisit, VisitStatus
from models.care_runs import VisitCall
from models.dialing import Attempt, AttemptStatus, Outcome
from models.duties import AreaButler, DutyRule, Group, ProofKind, default_rules
from models.people import Elder, Person
from models.session import write
from tests.web.world import World, landline

LONG_AGO = date(2026, 1, 1)


@dataclass
class Quarter:
    """What the tests and the pictures name."""

    elders: tuple[Elder, ...]
    staff: str  # public id of the campaign that people ring
    machine: str  # and of the machine's
    staff_id: int
    machine_id: int


NAMES = ("王桂兰", "李淑珍", "孙长海", "周玉芬", "김순자", "赵德福")


def build(world: World, now: datetime | None = None) -> Quarter:
    """Write the quarter. All campaigns run."""
    at = now or world.now
    elders = tuple(
        world.elder(
            name,
            landline(110 + number),
            card_number=f"H-{number:03}",
            sex="f",
            born_on=date(1940 + number, 3, 8),
            address=f"尚志大街 {number + 1} 号",
            language="ko" if name == "김순자" else "zh-CN",
            area=("道里区", "尚志社区" if number < 4 else "新安社区", "第一网格"),
        )
        for number, name in enumerate(NAMES)
    )
    before = at - timedelta(days=20)
    with write() as db:
        for rule in default_rules(LONG_AGO):
            db.add(DutyRule(**rule))
        db.flush()
        butler = Person(name="孙管家", family_name="孙", created_at=before)
        db.add(butler)
        db.flush()
        area_id = db.get_one(Elder, elders[0].id).area_id
        assert area_id is not None
        db.add(AreaButler(area_id=area_id, person_id=butler.id, since=before))
        duties.join(db, elders[0].id, Group.HIGH, before)
        for elder in elders[1:4]:
            duties.join(db, elder.id, Group.ALONE, before)
        duties.join(db, elders[4].id, Group.KEY, before)
        staff = campaigns.create(db, NewCampaign("十一月独居老人", "care", "filter", mode=CampaignMode.STAFF), at)
        machine = campaigns.create(db, NewCampaign("每日问候", "care", "import"), at)
        campaigns.add_elders(db, staff, [elder.id for elder in elders[:4]], at)
        campaigns.add_elders(db, machine, [elders[4].id, elders[5].id], at)
        for row in (staff, machine):
            campaigns.move(db, row.id, CampaignStatus.RUNNING, at)
        quarter = Quarter(elders, staff.public_id, machine.public_id, staff.id, machine.id)
    return quarter


def talked_over_time(world: World, quarter: Quarter, which: int = 0, hours: int = 2) -> None:
    """Five machine's calls to one elder over weeks, so many hours before this one: well, and then not any more."""
    elder = quarter.elders[which]
    told = (
        {"feel": "well", "eaten": "yes", "medicine": "yes", "warm": "yes"},
        {"feel": "well", "eaten": "yes", "medicine": "yes", "warm": "yes"},
        {"feel": "well", "eaten": "yes", "medicine": "none", "warm": "yes"},
        {"feel": "well", "eaten": "no", "medicine": "yes", "warm": "yes"},
        {"feel": "need", "eaten": "no", "medicine": "no", "warm": "no"},
    )
    for number, answers in enumerate(told):
        at = world.now - timedelta(days=3 * (len(told) - number), hours=hours)
        call = world.call(elder, at, direction=Direction.OUT, purpose="care", state=CallState.TALKING)
        world.end(call, "goodbye", 70)
        with write() as db:
            visit = CareVisit(
                campaign_id=quarter.machine_id, elder_id=elder.id, occasion=f"past{number}", due_at=at, created_at=at,
                status=VisitStatus.PROVED, closed_at=at,
            )  # fmt: skip
            db.add(visit)
            db.flush()
            number_id = db.get_one(Call, call.id).number_id
            db.add(
                Attempt(
                    care_visit_id=visit.id, number_id=number_id, channel_id=f"care-{call.id}", call_id=call.id,
                    status=AttemptStatus.CLOSED, outcome=Outcome.PROVED, due_at=at, dialed_at=at,
                    answered_at=at + timedelta(seconds=8), closed_at=at + timedelta(seconds=70),
                )
            )  # fmt: skip
            for question, answer in answers.items():
                db.add(
                    CareAnswer(
                        visit_id=visit.id, elder_id=elder.id, call_id=call.id, question=question, answer=answer,
                        how="key", at=at,
                    )
                )  # fmt: skip
            duties.prove(db, elder.id, Evidence(ProofKind.KEY, at, call.id), at)


def rung_in_vain(world: World, quarter: Quarter, which: int) -> Call:
    """The machine has rung one of the staff's list an hour ago, nobody answered, and others are asked to look in."""
    at = world.ago(3600)
    call = world.call(quarter.elders[which], at, direction=Direction.OUT, purpose="care", state=CallState.DIALING)
    world.end(call, "not_answered", 30)
    with write() as db:
        mine = CareVisit.elder_id == quarter.elders[which].id, CareVisit.campaign_id == quarter.staff_id
        care.not_reached(db, db.query(CareVisit).filter(*mine).one(), "no_answer", world.now)
    return call


def to_a_person(quarter: Quarter, now: datetime, which: int = 4) -> str:
    """The machine could not settle one: she is a person's. Returns the visit's public id."""
    with write() as db:
        query = CareVisit.campaign_id == quarter.machine_id, CareVisit.elder_id == quarter.elders[which].id
        visit = db.query(CareVisit).filter(*query).one()
        care.to_agent(db, visit, "silent", now)
        return visit.public_id


def called(world: World, visit_id: str, user_id: int, answered: bool = True, over: bool = True) -> Call:
    """An agent has rung her from the visit's page."""
    with write() as db:
        visit = db.query(CareVisit).filter(CareVisit.public_id == visit_id).one()
        elder = db.get_one(Elder, visit.elder_id)
        row_id = visit.id
    call = world.call(
        elder, world.ago(90), direction=Direction.OUT, purpose="agent", agent_id=user_id, state=CallState.AGENT,
        answered_at=world.ago(80) if answered else None,
    )  # fmt: skip
    if over:
        world.end(call, "person" if answered else "not_answered", 60)
    with write() as db:
        db.add(VisitCall(visit_id=row_id, call_id=call.id, user_id=user_id))
    return call


def campaign(public_id: str) -> Campaign:
    """A campaign as it stands."""
    with write() as db:
        return db.query(Campaign).filter(Campaign.public_id == public_id).one()
