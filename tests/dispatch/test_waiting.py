"""Waiting: the honest time, the place, the promise to ring back, from rows alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dispatch import spool, waiting
from dispatch.waiting import about_minutes, gaps
from models.calls import Call, CallEnd
from models.journal import Entry, note
from models.people import PhoneNumber
from models.phone import normalise
from models.session import write
from models.tasks import Task
from tests.dispatch.test_spool import CHANNEL, spool_dir, write_note
from tests.dispatch.town import Town
from tests.support import world

__all__ = ["spool_dir"]


@pytest.mark.parametrize(
    ("place", "gaps_s", "agents", "minutes"),
    [
        (1, [60, 60, 60], 1, 1),
        (1, [61, 61, 61], 1, 2),  # rounded up, never down
        (3, [60, 120, 180], 2, 6),
        (1, [1, 1, 1], 1, 1),  # no time is no time that could be said
        (1, [60, 60], 1, None),  # two gaps are no measure
        (1, [], 5, None),
        (1, [60, 60, 60], 0, None),  # nobody is there: no number of minutes would be true
    ],
)
def test_the_minutes_are_rounded_up_and_unsaid_where_nothing_is_known(
    place: int, gaps_s: list[float], agents: int, minutes: int | None
) -> None:
    assert about_minutes(place, gaps_s, agents) == minutes


def test_a_gap_in_which_nobody_waited_says_nothing_about_the_queue(town: Town) -> None:
    start = town.now

    def at(minute: int) -> object:
        return start + timedelta(minutes=minute)

    answers = [(at(0), at(2)), (at(1), at(5)), (at(30), at(31)), (at(30), at(33))]
    assert gaps(answers) == [180, 120]  # type: ignore[arg-type]
    assert gaps(answers[:1]) == []  # type: ignore[arg-type]


def test_places_go_by_arrival_and_every_emergency_comes_first(town: Town) -> None:
    ids = [town.inbound(channel=f"c{number}").id for number in range(4)]
    with write() as session:
        early, late, alarm, talking = (session.get_one(Call, id_) for id_ in ids)
        waiting.begin(session, early, "asked", town.now)
        waiting.begin(session, late, "asked", town.now + timedelta(seconds=5))
        waiting.begin(session, alarm, "emergency", town.now + timedelta(seconds=9))
        # Asked again, she keeps the place that she has.
        waiting.wait_from(early, town.now + timedelta(seconds=30))
        session.flush()
        places = [waiting.place_of(session, one, 1, town.now).number for one in (early, late)]
    assert places == [2, 3] and talking.waiting_since is None
    assert town.tasks() == ["alarm"]


def test_a_ring_back_ends_the_call_and_is_written_once(town: Town) -> None:
    call_id = town.inbound().id
    for _ in range(2):
        with write() as session:
            call = session.get_one(Call, call_id)
            note(session, call_id, Entry.SLOT, town.now, slots={"service": "bathing"})
            waiting.ring_back(session, call, normalise("13800000000"), town.now)
    (task,) = town.all(Task)
    assert (task.kind, task.priority, task.data["slots"]) == ("ring_back", 1, {"service": "bathing"})
    assert {row.id: row.value for row in town.all(PhoneNumber)}[task.number_id or 0] == "+8613800000000"
    assert town.all(Call)[0].end == CallEnd.RING_BACK


def test_without_any_number_nothing_is_promised(town: Town) -> None:
    call_id = town.inbound().id
    with write() as session:
        call = session.get_one(Call, call_id)
        call.number_id = None
        assert waiting.ring_back(session, call, None, town.now) is None
        assert call.ended_at is None
    assert town.tasks() == []


def test_the_dialplans_own_promise_becomes_the_task(town: Town, spool_dir: object) -> None:
    write_note(spool_dir, f"number={world.WANG}", "why=asked", "ring_back=shown", "end=caller")  # type: ignore[arg-type]
    assert spool.collect(set()) == 1
    assert town.tasks() == ["ring_back"] and town.all(Call)[0].end == CallEnd.RING_BACK


def test_whoever_is_on_call_and_presses_1_is_a_person(town: Town, spool_dir: object) -> None:
    town.inbound()
    path = write_note(spool_dir, f"number={world.WANG}", "why=asked", "person=on_call")  # type: ignore[arg-type]
    for _ in range(2):
        assert spool.collect({CHANNEL}) == 0
        assert town.all(Call)[0].state == "agent"
    with path.open("a") as file:
        file.write("end=caller\n")
    assert spool.collect(set()) == 1
    assert town.all(Call)[0].end == CallEnd.PERSON and town.tasks() == []
