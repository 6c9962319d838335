"""Tasks that are owned, locked and tried; results that stand; the pop; as stories."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from agents import desk, notes, pop, tasks
from agents.tasks import Finding, TaskError
from dispatch import tasks as work
from models import session
from models.audio import Audio
from models.calls import Call, CallState, Utterance
from models.contacts import Relation
from models.lookup import number_row
from models.orders import Order
from models.people import Elder
from models.phone import normalise
from models.presence import TaskCall
from models.register import NewContact, add_contact
from models.results import OWN, CallOutcome, CallResult, Scope
from models.tasks import IllegalTaskMove, Task, TaskKind, TaskState, TaskStep, move_task
from models.users import User
from tests.web import desk_town, town
from tests.web.world import World, landline


@pytest.fixture
def pair(world: World) -> tuple[User, User]:
    """Two agents."""
    return world.user("小陈"), world.user("小李")


def row(task: Task) -> Task:
    with session.read() as db:
        return db.get_one(Task, task.id)


def test_of_two_agents_one_has_the_task_open(world: World, pair: tuple[User, User]) -> None:
    chen, li = pair
    task = world.task(TaskKind.RING_BACK)
    with world.rows() as db:
        assert tasks.lock(db, task.public_id, chen.id, world.now)
        assert not tasks.lock(db, task.public_id, li.id, world.now)
        seen = tasks.view(db, task.public_id, li.id, world.now)
        assert seen is not None
        assert seen.locked_by == "小陈"
        for deed in (tasks.take, tasks.give_back):
            with pytest.raises(TaskError, match="locked"):
                deed(db, task.public_id, li, world.now)
        with pytest.raises(TaskError, match="locked"):
            tasks.finish(db, task.public_id, Finding("done"), li, world.now)
        # Another's leaving opens nothing; her own does; and so does silence.
        tasks.unlock(db, task.public_id, li.id)
        assert not tasks.lock(db, task.public_id, li.id, world.now)
        assert tasks.lock(db, task.public_id, li.id, world.now + timedelta(seconds=61))
        tasks.unlock(db, task.public_id, li.id)
        assert tasks.lock(db, task.public_id, chen.id, world.now + timedelta(seconds=61))


def test_a_task_ages_back_to_the_pool_unless_somebody_works_on_it(world: World, pair: tuple[User, User]) -> None:
    chen, _ = pair
    task = world.task(TaskKind.CALLBACK)
    with world.rows() as db:
        tasks.take(db, task.public_id, chen, world.now)
    assert (row(task).state, row(task).owner_id) == (TaskState.OWNED, chen.id)
    assert work.age(world.now + timedelta(minutes=29)) == 0
    with world.rows() as db:
        tasks.lock(db, task.public_id, chen.id, world.now + timedelta(minutes=29))
    assert work.age(world.now + timedelta(minutes=31)) == 0
    assert work.age(world.now + timedelta(minutes=62)) == 1
    assert (row(task).state, row(task).owner_id) == (TaskState.POOL, None)


def test_a_result_that_is_not_final_has_it_tried_again_by_the_same_agent(world: World, pair: tuple[User, User]) -> None:
    chen, _ = pair
    task = world.task(TaskKind.CALLBACK)
    with world.rows() as db:
        assert not tasks.finish(db, task.public_id, Finding("no_answer"), chen, world.now)
    tried = row(task)
    assert (tried.state, tried.owner_id, tried.tries, tried.result) == (TaskState.OWNED, chen.id, 1, None)
    assert tried.due_at == world.now + timedelta(minutes=10)
    with session.read() as db:
        now_desk = desk.desk(db, chen.id, world.now)
        later = desk.desk(db, chen.id, world.now + timedelta(minutes=11))
    assert (len(now_desk.mine), len(now_desk.later)) == (0, 1)
    assert (len(later.mine), len(later.later)) == (1, 0)


def test_a_final_result_is_never_overwritten(world: World, pair: tuple[User, User]) -> None:
    chen, li = pair
    elder = world.elder("王桂兰", landline(101))
    order = world.order(elder)
    with world.rows() as db:
        new = work.NewTask(TaskKind.NO_PROVIDER, f"order:{order.id}", order_id=order.id, elder_id=elder.id)
        task = work.open_task(db, new, world.now)
    with world.rows() as db:
        assert tasks.finish(db, task.public_id, Finding("told"), chen, world.now)
    # What comes about by itself later, a second agent, and the table of moves: all leave it as it is.
    with world.rows() as db:
        work.settle(db, TaskKind.NO_PROVIDER, f"order:{order.id}", world.now)
        work.settle_all(db, TaskKind.NO_PROVIDER, order.id, world.now)
        with pytest.raises(TaskError, match="closed"):
            tasks.finish(db, task.public_id, Finding("no_answer"), li, world.now)
        with pytest.raises(IllegalTaskMove):
            move_task(db.get_one(Task, task.id), TaskStep(TaskState.POOL), world.now)
    assert (row(task).result, row(task).closed_by_id, row(task).tries) == ("told", chen.id, 0)


@pytest.mark.parametrize("kind", [TaskKind.CARE, TaskKind.GO_THERE])
def test_a_result_of_the_houses_own_ends_no_duty(world: World, pair: tuple[User, User], kind: TaskKind) -> None:
    chen, _ = pair
    with world.rows() as db:
        names = {"zh-CN": "无人应门", "ko": "대답 없음", "en": "Nobody at the door"}
        db.add_all(
            [CallResult(code=f"{OWN}door", names=names), CallResult(code=f"{OWN}later", names=names, is_final=False)]
        )
    offered = {task_kind: codes(world, task_kind) for task_kind in (kind, TaskKind.CALLBACK)}
    assert offered[TaskKind.CALLBACK] - offered[kind] == {f"{OWN}door"}
    care = world.task(kind, elder=world.elder("王桂兰"))
    with world.rows() as db:
        with pytest.raises(TaskError, match="result"):
            tasks.finish(db, care.public_id, Finding(f"{OWN}door"), chen, world.now)
        assert not tasks.finish(db, care.public_id, Finding(f"{OWN}later"), chen, world.now)


def codes(world: World, kind: TaskKind) -> set[str]:
    """The results that are offered for a task."""
    with world.rows() as db:
        return {one.code for one in tasks.results(db, Scope.TASK, kind)}


def test_a_call_of_a_task_belongs_to_it_and_its_result_is_owed(world: World, pair: tuple[User, User]) -> None:
    chen, li = pair
    elder = world.elder("王桂兰", landline(101))
    task = world.task(TaskKind.RING_BACK, elder_id=elder.id)
    call = world.call(elder, direction="out", purpose="agent", state=CallState.AGENT, agent_id=chen.id)
    with world.rows() as db:
        db.add(TaskCall(task_id=task.id, call_id=call.id, user_id=chen.id))
    world.end(call, "not_answered")
    with session.read() as db:
        assert [(one.call.public_id, one.task) for one in desk.owed(db, chen.id, world.now)] == [
            (call.public_id, task.public_id)
        ]
        assert desk.owed(db, li.id, world.now) == ()
    with world.rows() as db:
        seen = tasks.view(db, task.public_id, chen.id, world.now)
        assert seen is not None
        assert seen.dialled == call.public_id
        tasks.finish(db, task.public_id, Finding("busy", call=call.public_id), chen, world.now)
    with session.read() as db:
        assert desk.owed(db, chen.id, world.now) == ()
        written = db.scalars(select(CallOutcome)).one()
        # It opened no other task, and it is the call's one result.
        assert (written.call_id, written.task_id, written.code) == (call.id, task.id, "busy")
        assert db.scalars(select(Task.id)).all() == [task.id]


def test_an_incoming_calls_result_is_written_once(world: World, pair: tuple[User, User]) -> None:
    chen, li = pair
    elder = world.elder("王桂兰", landline(101))
    call = desk_town.rings(world, elder)
    desk_town.answers(world, call, "小陈")
    desk_town.hangs_up(world, call)
    with session.read() as db:
        assert len(desk.owed(db, chen.id, world.now)) == 1
    with world.rows() as db:
        with pytest.raises(TaskError, match="note_missing"):
            desk.write_result(db, call.public_id, ("passed_on", " "), chen, world.now)
        with pytest.raises(TaskError, match="result"):
            desk.write_result(db, call.public_id, ("no_answer", ""), chen, world.now)
        desk.write_result(db, call.public_id, ("enquiry", "问了补贴"), chen, world.now)
    with world.rows() as db, pytest.raises(TaskError, match="closed"):
        desk.write_result(db, call.public_id, ("cut_off", ""), li, world.now)
    with session.read() as db:
        assert desk.owed(db, chen.id, world.now) == ()
        written = desk.outcome_of(db, call.id)
    assert written is not None
    assert (written.code, written.note, written.by) == ("enquiry", "问了补贴", "小陈")


def test_the_pop_knows_her_before_the_answer(world: World, pair: tuple[User, User]) -> None:
    seeded = town.build(world)
    town.her_way(world, seeded.elder)
    call = desk_town.rings(world, seeded.elder)
    task = world.task(TaskKind.MESSAGE, elder_id=seeded.elder.id)
    with world.rows() as db:
        sound = Audio(content_key="0" * 64, kind="utterance", call_id=call.id, duration_ms=900, created_at=world.now)
        db.add(sound)
        db.flush()
        db.scalars(select(Utterance).where(Utterance.text == "下半晌儿")).one().audio_id = sound.id
        notes.add_note(db, seeded.elder.person.public_id, ("听力差，请大声说", call.public_id), pair[0], world.now)
    with session.read() as db:
        seen = pop.pop(db, call.public_id, world.day(0))
    assert seen is not None
    assert seen.elder is not None
    assert (seen.elder.name, seen.elder.age, seen.elder.pace, seen.elder.volume) == ("王桂兰", 83, "slow", "loud")
    assert seen.elder.dialect["zh-CN"] == "山东话"
    assert seen.elder.area == ("道里区", "尚志社区", "第三网格")
    assert [other.name for other in seen.elder.household] == ["赵德福"]
    assert {tie.who.name for tie in seen.elder.contacts} == {"王小梅", "孙管家", "赵德福"}
    assert [note.text for note in seen.elder.notes] == ["听力差，请大声说"]
    assert task.public_id in {line.public_id for line in seen.elder.tasks}
    assert dict(seen.slots) == {"service": "bathing", "day": world.day(1).isoformat()}
    assert [turn.heard.text if turn.heard else turn.key for turn in seen.spoken] == ["洗澡", "2", "下半晌儿"]
    # What was not clear she hears for herself, until it is erased.
    assert [turn.audio for turn in seen.spoken] == [None, None, sound.public_id]
    assert (seen.reason, seen.waiting, seen.number) == ("not_understood", True, "045110000101")
    # Her last orders and calls, the newest first, this call among them; nobody else's.
    with session.read() as db:
        orders = db.scalars(select(Order).where(Order.elder_id == seeded.elder.id).order_by(Order.id.desc())).all()
        calls = db.scalars(select(Call).where(Call.elder_id == seeded.elder.id).order_by(Call.id.desc())).all()
    assert [one.public_id for one in seen.elder.orders] == [one.public_id for one in orders[: pop.ORDERS]]
    assert [one.public_id for one in seen.elder.calls] == [one.public_id for one in calls[: pop.CALLS]]
    assert (len(seen.elder.orders), seen.elder.orders[-1].public_id) == (2, seeded.order_id)
    assert {call.public_id, seeded.call_id} <= {one.public_id for one in seen.elder.calls}
    with world.rows() as db:
        db.get_one(Audio, sound.id).erased_at = world.now
    with session.read() as db:
        erased = pop.pop(db, call.public_id, world.day(0))
    assert erased is not None and [turn.audio for turn in erased.spoken] == [None] * 3


def test_an_unknown_number_is_shown_with_what_is_open_for_it(world: World) -> None:
    call = desk_town.stranger(world, "13800001234")
    with session.read() as db:
        number_id = db.get_one(Call, call.id).number_id
    world.task(TaskKind.RING_BACK, number_id=number_id)
    with session.read() as db:
        seen = pop.pop(db, call.public_id, world.day(0))
    assert seen is not None
    assert (seen.elder, seen.number, [line.kind for line in seen.tasks]) == (None, "13800001234", ["ring_back"])


def test_whoever_rings_for_an_elder_brings_her_to_the_screen(world: World, pair: tuple[User, User]) -> None:
    """A telephone that two contacts share: the elders of both are offered, and nobody who was let go."""
    elders = [world.elder(name, landline(at)) for name, at in (("王桂兰", 101), ("李淑珍", 102), ("赵德福", 103))]
    home = normalise(landline(301))
    with world.rows() as db:
        for elder, name in zip(elders, ("王小梅", "李强", "赵刚"), strict=True):
            new = NewContact(name, [home], Relation.CHILD)
            row = add_contact(db, db.get_one(Elder, elder.id), new, world.now)
            row.ended_at = world.now if name == "赵刚" else None
        number_id = number_row(db, home).id
    call = world.call(None, number_id=number_id, state=CallState.WAITING)
    with session.read() as db:
        seen = pop.pop(db, call.public_id, world.day(0))
    assert seen is not None
    assert [one.name for one in seen.candidates] == ["王桂兰", "李淑珍"]
