"""The same pages over PostgreSQL: what they ask the database must be asked in its language, too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agents import board, tasks
from agents.cards import elder_card
from agents.course import order_course
from agents.journal import call_course
from models import schema, session
from models.users import User
from tests.support import postgres
from tests.support.fresh import forget
from tests.web import town
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
