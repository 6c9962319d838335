"""What the board knows: who is on the line, what waits, what has changed."""

from __future__ import annotations

from datetime import timedelta

from agents import board
from agents.lines import slots_of
from models import session
from models.calls import CallEnd, CallState
from models.dialing import CallbackStatus, OfferStatus
from models.orders import OrderStatus
from models.tasks import TaskKind
from tests.web import town
from tests.web.world import World, landline, mobile


def seen() -> board.Board:
    """The board now."""
    with session.read() as db:
        return board.snapshot(db)


def version() -> object:
    """The cheap sign of change."""
    with session.read() as db:
        return board.version(db)


def test_an_empty_hotline(world: World) -> None:
    now = seen()
    assert (now.calls, now.tasks, now.orders_open, now.alarms) == ((), (), 0, 0)
    assert all(not group.orders for group in now.groups)


def test_callers_are_named_if_known_and_numbers_are_masked(world: World) -> None:
    wang = world.elder("王桂兰", landline(101))
    provider = world.provider("康乐助浴服务站", mobile(201))
    world.call(wang, world.ago(40))
    world.call(None, world.ago(30), number_id=wang.person.numbers[0].number_id)
    world.call(None, world.ago(20))
    world.call(None, world.ago(10), provider_id=provider.id, purpose="offer", direction="out")
    parties = [(line.party.kind, line.party.name, line.party.number) for line in seen().calls]
    masked = "+86" + "*" * 9 + "01"
    assert parties == [
        ("provider", "康乐助浴服务站", ""),
        ("withheld", "", ""),
        ("number", "", masked),
        ("elder", "王桂兰", masked),
    ]


def test_who_waits_for_a_person_comes_first_and_longest_first(world: World) -> None:
    names = {}
    for seconds, state in ((90, CallState.WAITING), (20, CallState.TALKING), (50, CallState.WAITING)):
        names[world.call(None, world.ago(seconds), state=state).public_id] = seconds
    now = seen()
    assert [names[line.public_id] for line in now.calls] == [90, 50, 20]
    assert (now.calls_open, now.calls_waiting) == (3, 2)


def test_orders_stand_where_they_wait(world: World) -> None:
    wang = world.elder("王桂兰", landline(101))
    provider = world.provider("康乐助浴服务站", mobile(201))
    confirmed, offered, stuck, accepted, cancelled = (world.order(wang, "bathing") for _ in range(5))
    for order in (offered, stuck, accepted):
        world.move(order, OrderStatus.OFFERED)
    world.offer(offered, provider, world.now)
    world.offer(accepted, provider, world.now, status=OfferStatus.ACCEPTED)
    world.move(stuck, OrderStatus.NEEDS_AGENT)
    world.move(accepted, OrderStatus.ACCEPTED, actor="provider", actor_id=provider.id)
    world.callback(accepted, provider, world.now, status=CallbackStatus.CONFIRMED)
    world.move(cancelled, OrderStatus.CANCELLED)
    now = seen()
    numbers = {group.code: [line.number for line in group.orders] for group in now.groups}
    assert numbers == {
        "agent": [stuck.number],
        "dispatch": [offered.number, confirmed.number],
        "provider": [accepted.number],
    }
    assert [line.number for line in now.recent_orders] == [cancelled.number]
    line = now.groups[1].orders[0]
    assert (line.provider, line.offers, line.callback) == ("康乐助浴服务站", 1, None)
    assert now.groups[2].orders[0].callback == CallbackStatus.CONFIRMED
    assert now.orders_open == 4


def test_tasks_come_by_priority_then_by_age(world: World) -> None:
    for seconds, kind in ((10, TaskKind.PARTIAL), (99, TaskKind.FAULT), (50, TaskKind.PARTIAL), (1, TaskKind.ALARM)):
        world.task(kind, world.ago(seconds))
    now = seen()
    ages = [round((world.now - line.created_at).total_seconds()) for line in now.tasks]
    assert ages == [1, 50, 10, 99]
    assert (now.tasks_open, now.alarms) == (4, 1)


def test_only_codes_of_a_request_are_shown() -> None:
    assert slots_of({"part": "morning", "service": "meals", "note": "x", "day": None}) == (
        ("service", "meals"),
        ("part", "morning"),
    )
    assert slots_of({"slots": {"day": "today"}}) == (("day", "today"),)


def test_more_than_a_screen_is_counted(world: World) -> None:
    for _ in range(board.CALLS_SHOWN + 5):
        world.call()
    now = seen()
    assert (len(now.calls), now.calls_open) == (board.CALLS_SHOWN, board.CALLS_SHOWN + 5)


def test_the_version_changes_with_everything_that_the_board_shows(world: World) -> None:
    wang = world.elder("王桂兰", landline(101))
    provider = world.provider("康乐助浴服务站", mobile(201))
    number_id = wang.person.numbers[0].number_id
    versions = [version()]

    def changed() -> bool:
        versions.append(version())
        return versions[-1] != versions[-2] and version() == versions[-1]

    assert version() == versions[0]
    call = world.call(wang)
    assert changed()
    with world.rows() as db:
        db.merge(call).state = CallState.WAITING
    assert changed()
    world.end(call, CallEnd.GOODBYE)
    assert changed()
    order = world.order(wang)
    assert changed()
    world.move(order, OrderStatus.OFFERED)
    assert changed()
    offer = world.offer(order, provider, world.now)
    assert changed()
    attempt = world.attempt(offer, number_id, world.now, status="dialing")
    assert changed()
    with world.rows() as db:
        db.merge(attempt).status = "answered"
    assert changed()
    world.callback(order, provider, world.now)
    assert changed()
    task = world.task(TaskKind.MESSAGE)
    assert changed()
    with world.rows() as db:
        db.merge(task).closed_at = world.now + timedelta(seconds=1)
    assert changed()


def test_equal_states_make_equal_boards(world: World) -> None:
    town.build(world)
    assert seen() == seen()
