"""The same pages over PostgreSQL: what they ask the database must be asked in its language, too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agents import (
    board,
    campaign_rows,
    campaigns,
    care_report,
    duty_figures,
    tasks,
    visit_holds,
    visit_view,
    visits,
)
from agents.cards import elder_card
from agents.course import order_course
from agents.journal import call_course
from dispatch import duty_month
from models import clock, schema, session
from models.users import User
from tests.support import postgres
from tests.support.fresh import forget
from tests.web import care_town, town
from tests.web.world import World

pytestmark = pytest.mark.slow


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty town in PostgreSQL."""
    with postgres.cluster() as url:
        monkeypatch.setenv("HOTLINE_DATABASE_URL", url)
        forget()
        schema.upgrade(session.engine())
        yield World()
        forget()


def test_the_console_over_postgresql(world: World) -> None:
    user = world.user("小陈")
    with session.read() as db:
        assert board.snapshot(db).calls_open == 0
        before = board.version(db)
    seeded = town.build(world)
    with session.read() as db:
        assert board.version(db) != before
        assert board.version(db) == board.version(db)
        now = board.snapshot(db)
        course = order_course(db, seeded.order_id)
        call = call_course(db, seeded.call_id)
        card = elder_card(db, seeded.elder.person.public_id, datetime(2026, 11, 22, 1, 0, tzinfo=UTC))
    assert (now.calls_open, now.tasks_open, now.alarms, now.orders_open) == (5, 5, 1, 6)
    assert len(now.recent_calls) == 6
    assert [line.status for line in now.recent_orders] == ["cancelled"]
    assert course is not None
    assert [moment.kind for moment in course.moments].count("attempt") == 4
    assert call is not None
    assert call[1].lines[2].heard is not None
    assert card is not None
    assert [other.name for other in card[1].household] == ["赵德福"]
    with world.rows() as db:
        tasks.finish(db, seeded.task_id, tasks.Finding("told", "已告知。"), db.get_one(User, user.id), world.now)
    with pytest.raises(tasks.TaskError), world.rows() as db:
        tasks.finish(db, seeded.task_id, tasks.Finding("told", "又一次。"), db.get_one(User, user.id), world.now)

    # Care visits: the month with what is behind it, the report, and a visit taken, held against a colleague, concluded.
    quarter = care_town.build(world)
    care_town.talked_over_time(world, quarter)
    today = clock.local_date(world.now)
    other = world.user("刘洋")
    with world.rows() as db:
        view = duty_month.month_view(db, today, world.now)
        assert duty_figures.behind(db, duty_figures.figure(view, "all", "", "due"), 0, world.now)
        assert len(care_report.effort(db, today, care_report.tries(db, today)).needed) == care_report.MOST
        assert campaign_rows.visits(db, quarter.machine_id, "", 0)[0] == 7
        campaign = campaigns.find(db, quarter.staff)
        taken = visit_holds.take(db, campaign, db.get_one(User, user.id), world.now)
        assert taken is not None
        second = visit_holds.take(db, campaign, db.get_one(User, other.id), world.now)
        assert second is not None and second.elder_id != taken.elder_id
        assert visit_view.view(db, taken, user.id, world.now).standing.total == 4
        entered = visits.Draft({"feel": "well"}, "visit_well", "在楼下遇到")
        visits.finish(db, taken.public_id, entered, db.get_one(User, user.id), world.now)
        assert taken.status == "proved"
