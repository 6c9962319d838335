"""One of every page of the console, with something to see on it: for the pictures and for axe."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from agents import admin_users, visit_holds, visits
from agents.changing import By
from agents.visits import Draft
from models import calling_hours, clock
from models.calling_hours import Hours
from models.campaigns import Campaign
from models.contacts import Contact
from models.orders import Order, OrderStatus
from models.providers import Provider
from models.tasks import TaskKind, TaskState, TaskStep, move_task
from models.users import User
from tests.web import care_town, desk_town, shift, staff, town
from tests.web.world import World, landline

# Whoever works at the desk in the pictures.
CHEN = "小陈"


def desk(world: World, chen: User) -> dict[str, str]:
    """Write a shift in which `chen` works; return the pages that show it, by name."""
    seeded = town.build(world)
    town.her_way(world, seeded.elder)
    call = desk_town.rings(world, seeded.elder, chen.name)
    unknown = desk_town.stranger(world, "13800001234")
    twin = world.elder("王桂兰", landline(155), sex="f", born_on=seeded.elder.person.born_on)
    over = world.call(seeded.elder, world.ago(900), state="ended", agent_id=chen.id)
    world.end(over, "person", 120)
    mine = world.task(TaskKind.CALLBACK, world.ago(7200), elder_id=seeded.elder.id)
    with world.rows() as db:
        move_task(db.merge(mine), TaskStep(TaskState.OWNED, chen.id, world.ago(-1800)), world.now)
        daughter = db.scalars(
            select(Contact.id).where(Contact.elder_id == seeded.elder.id).order_by(Contact.id)
        ).first()
        stuck = db.scalars(select(Order.public_id).where(Order.status == OrderStatus.NEEDS_AGENT)).one()
    told = shift.begins(world, seeded.elder, chen)
    elder = f"/elders/{seeded.elder.person.public_id}"
    return {
        "board": "/",
        "desk": "/desk",
        "pop": f"/desk/calls/{call.public_id}",
        "stranger": f"/desk/calls/{unknown.public_id}?q=wgl",
        "search": "/search?q=wang",
        "elder": elder,
        "correct": f"{elder}/edit",
        "merge": f"{elder}/merge/{twin.person.public_id}",
        "history": f"{elder}/history/calls",
        "contact": f"{elder}/contacts/new",
        "edit_contact": f"{elder}/contacts/{daughter}",
        "new_order": f"{elder}/order",
        "new_elder": "/elders/new",
        "order": f"/orders/{seeded.order_id}",
        "change": f"/orders/{stuck}/change",
        "stuck": f"/orders/{stuck}",
        "call": f"/calls/{seeded.call_id}",
        "task": f"/tasks/{seeded.task_id}",
        "alarm": f"/tasks/{seeded.alarm_id}",
        "providers": "/providers",
        "texts": "/texts",
        "prompts": "/prompts?language=zh-CN",
        "studio": f"/prompts/{staff.has_recorded(world, chen.name)}/zh-CN",
        "shortcuts": "/shortcuts",
        "account": "/account",
        "nothing": "/nothing-here",
        "wallboard": "/wallboard",
        "statistics": "/statistics",
        "figure": "/statistics/calls?kind=asked",
        "recording": f"/calls/{told.public_id}",
        "marks": "/marks",
    }


def house(world: World) -> tuple[User, dict[str, str]]:
    """Write what an administrator has set; return her, and the pages of administration by name."""
    boss, agent = staff.sets_the_house(world)
    new = world.user("小朴")
    with world.rows() as db:
        by = By(db.get_one(User, boss.id), world.now - timedelta(minutes=5))
        secret = admin_users.issue_link(db, db.get_one(User, new.id), by)
        provider = db.scalars(select(Provider.public_id).order_by(Provider.id)).first()
    return boss, {
        "settings": "/admin",
        "users": "/admin/users",
        "new_user": "/admin/users/new",
        "user": f"/admin/users/{agent.public_id}",
        "hours": "/admin/hours",
        "queues": "/admin/queues",
        "services": "/admin/services",
        "service": "/admin/services/item/bathing",
        "results": "/admin/results",
        "result": "/admin/results/item/7",
        "pauses": "/admin/pauses",
        "new_pause": "/admin/pauses/new",
        "items": "/admin/quality",
        "item": "/admin/quality/item/2",
        "dialects": "/admin/dialects",
        "dialect": "/admin/dialects/item/1",
        "imports": "/admin/imports",
        "machine": "/machine",
        "audit": "/admin/log",
        "reads": "/admin/log?group=",
        "provider": "/providers/new",
        "one_provider": f"/providers/{provider}/edit",
        "welcome": f"/welcome/{secret}",
    }


def care(world: World, chen: User) -> dict[str, str]:
    """Write a quarter with care visits, one of them in the middle of `chen`'s call; the pages that show it."""
    quarter = care_town.build(world)
    care_town.to_a_person(quarter, world.now)
    for which, hours in ((0, 2), (2, 5), (4, 9)):
        care_town.talked_over_time(world, quarter, which, hours)
    with world.rows() as db:
        campaign = db.scalars(select(Campaign).where(Campaign.public_id == quarter.staff)).one()
        user = db.get_one(User, chen.id)
        visit = visit_holds.take(db, campaign, user, clock.now())
        assert visit is not None
        visits.draft(db, visit.public_id, Draft({"feel": "need", "eaten": "yes"}), user, clock.now())
        visit_id = visit.public_id
        calling_hours.put(db, quarter.elders[3].id, Hours(never=True), chen.id, world.ago(86400))
        calling_hours.put(db, quarter.elders[5].id, Hours(((600, 690), (870, 1020))), chen.id, world.ago(7200))
    care_town.called(world, visit_id, chen.id, over=False)
    machine = f"/care/campaigns/{quarter.machine}"
    return {
        "care_month": "/care",
        "care_duties": "/care/duties?by=all&what=due",
        "care_runs": "/care/runs",
        "care_run_end": f"/care/runs/{quarter.machine}",
        "care_visit": f"/care/visits/{visit_id}",
        "care_campaigns": "/care/campaigns",
        "care_campaign": machine,
        "care_elders": f"{machine}/elders",
        "care_new": "/care/campaigns/new",
        "care_rules": "/care/do-not-call",
        "care_report": "/care/report",
        "care_report_calls": "/care/report/calls?what=tries",
        "care_card": f"/elders/{quarter.elders[0].person.public_id}",
    }
