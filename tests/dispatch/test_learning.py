"""What her calls teach: the rules on their own, and a round of the dispatcher on the journal; on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from dispatch import processes
from dispatch.learning import CallSeen, Learner, learn, lessons
from dispatch.sweep import Sweeper
from models.calls import Call, CallEnd, CallState, Direction
from models.journal import Entry, note
from models.people import Elder
from models.preferences import Because, ElderSetting, Origin, Preferences, Setting, history, preferences, put, undo
from models.session import read, write
from tests.dispatch.town import Town

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
SILENT = ("key", "silence", "silence", "key")


def calls(*seen: tuple[str, str] | tuple[str, ...]) -> list[CallSeen]:
    """Her calls, told from the oldest on: (end, reason) or what was heard; returned the newest first."""
    rows = []
    for number, one in enumerate(seen, start=1):
        at = NOW - timedelta(days=1) + timedelta(minutes=number)
        if one and one[0] in set(CallEnd):
            rows.append(CallSeen(number, at, one[0], reason=one[1]))
        else:
            rows.append(CallSeen(number, at, CallEnd.GOODBYE, heard=tuple(one)))
    return rows[::-1]


def learnt(seen: Sequence[CallSeen], rows: Sequence[ElderSetting] = (), now: datetime = NOW) -> dict[str, object]:
    return {lesson.name.value: (lesson.value, lesson.call_ids) for lesson in lessons(seen, rows, now)}


ASKED, GOODBYE = (CallEnd.PERSON, "asked"), (CallEnd.GOODBYE, "")


@pytest.mark.parametrize(
    ("seen", "result"),
    [
        (calls(SILENT, SILENT), {"pace": ("slow", (1, 2))}),
        (calls(SILENT), {}),
        (calls(SILENT, ("key",), ("said",), SILENT), {"pace": ("slow", (1, 4))}),
        (calls(("silence", "key", "silence"), ("silence",), ("silence", "unknown", "silence")), {}),
        (calls(("silence",) * 3, ("key", "silence", "silence")), {"pace": ("slow", (1, 2))}),
        (calls(ASKED, ASKED, ASKED), {"person_first": ("yes", (1, 2, 3))}),
        (calls(ASKED, ASKED), {}),
        (calls(ASKED, ASKED, GOODBYE, ASKED), {}),
        (calls(GOODBYE, ASKED, (CallEnd.PERSON, "not_heard"), (CallEnd.PERSON, "not_understood")),
         {"person_first": ("yes", (2, 3, 4))}),
        # An emergency, a service of persons, a fault of ours neither count nor break the row.
        (calls(ASKED, (CallEnd.PERSON, "emergency"), ASKED, (CallEnd.PERSON, "government"), (CallEnd.LOST, ""), ASKED),
         {"person_first": ("yes", (1, 3, 6))}),
        (calls(*[(CallEnd.PERSON, "emergency")] * 3), {}),
        # She hung up on the machine: that ended without a person.
        (calls(ASKED, ASKED, (CallEnd.HUNG_UP, ""), ASKED), {}),
        ([], {}),
    ],
)  # fmt: skip
def test_what_calls_teach(seen: list[CallSeen], result: dict[str, object]) -> None:
    assert learnt(seen) == result


def test_who_ordered_by_key_and_then_wanted_a_word_can_use_the_machine() -> None:
    ordered = [CallSeen(n, NOW, CallEnd.PERSON, reason="asked", served=True) for n in (3, 2, 1)]
    assert learnt(ordered) == {}


def test_the_thresholds_are_settings(monkeypatch: pytest.MonkeyPatch, hotline_dir: object) -> None:
    monkeypatch.setenv("HOTLINE_LEARN_SLOW_CALLS", "1")
    monkeypatch.setenv("HOTLINE_LEARN_SLOW_TIMEOUTS", "3")
    monkeypatch.setenv("HOTLINE_LEARN_PERSON_CALLS", "2")
    assert learnt(calls(SILENT)) == {}
    assert learnt(calls(("silence",) * 3)) == {"pace": ("slow", (1,))}
    assert learnt(calls(ASKED, ASKED)) == {"person_first": ("yes", (1, 2))}


def row(origin: Origin, undone_at: datetime | None = None, value: str = "slow") -> ElderSetting:
    return ElderSetting(name=Setting.PACE, value=value, origin=origin, at=NOW, undone_at=undone_at)


@pytest.mark.parametrize("origin", list(Origin))
def test_what_anybody_has_set_is_never_overridden(origin: Origin) -> None:
    assert learnt(calls(SILENT, SILENT), [row(origin, value="normal")]) == {}


def test_after_an_undo_the_same_is_not_learnt_for_a_month_and_never_from_the_same_calls() -> None:
    undone = row(Origin.LEARNT, undone_at=NOW)
    before = calls(SILENT, SILENT)
    after = [CallSeen(9 + n, NOW + timedelta(days=n), CallEnd.GOODBYE, heard=SILENT) for n in (2, 1)]
    later = NOW + timedelta(days=31)
    assert learnt([*after, *before], [undone], NOW + timedelta(days=29)) == {}
    assert learnt(before, [undone], later) == {}
    assert learnt([*after, *before], [undone], later) == {"pace": ("slow", (10, 11))}
    # An agent's value that was taken back is no lesson that was taken back.
    assert learnt(before, [row(Origin.AGENT, undone_at=NOW)]) == {"pace": ("slow", (1, 2))}


def rang(town: Town, heard: Sequence[str] = (), *, reason: str = "", by: int | None = None) -> int:
    """王秀英 has rung, and this is what her journal says."""
    with write() as session:
        elder_id = session.scalars(select(Elder.id).order_by(Elder.id)).first()
        assert elder_id
        end = CallEnd.PERSON if reason else CallEnd.GOODBYE
        call = Call(
            channel_id=f"1763766000.{town.now.timestamp()}", direction=Direction.IN, purpose="inbound",
            state=CallState.ENDED, end=end, elder_id=elder_id, caller_person_id=by, started_at=town.now,
            ended_at=town.now + timedelta(seconds=30),
        )  # fmt: skip
        session.add(call)
        session.flush()
        for how in heard:
            note(session, call.id, Entry.TURN, town.now, step="service", heard=how)
        if reason:
            note(session, call.id, Entry.TO_PERSON, town.now, reason=reason)
    town.passes(60)
    return elder_id


def now_set(elder_id: int) -> Preferences:
    with read() as session:
        return preferences(session, elder_id)


@pytest.mark.parametrize("fixture", ["town", "postgres_town"])
def test_mrs_wang_is_slow_with_the_keys_twice_and_from_then_on_is_given_time(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    town: Town = request.getfixturevalue(fixture)
    learner = Learner()
    wang = rang(town, SILENT)
    learner.round(town.now)
    assert now_set(wang).pace == "normal"
    rang(town, SILENT)
    learner.round(town.now)
    assert now_set(wang).pace == "slow"
    with read() as session:
        (how,) = history(session, wang)
        assert (how.origin, how.why, how.data["call_ids"]) == ("learnt", "timeouts", [1, 2])
    # Another dispatcher, started anew, looks at the same calls.
    Learner().round(town.now)
    learn(wang, town.now)
    assert len(town.all(ElderSetting)) == 1
    for _ in range(3):
        rang(town, reason="asked")
    learner.round(town.now)
    assert now_set(wang) == Preferences("slow", "normal", True)


def test_an_undo_holds_although_she_goes_on_as_before(town: Town) -> None:
    wang = rang(town, SILENT)
    rang(town, SILENT)
    assert learn(wang, town.now)
    with write() as session:
        undo(session, wang, Setting.PACE, None, town.now)
    rang(town, SILENT)
    rang(town, SILENT)
    assert learn(wang, town.now) == [] and now_set(wang).pace == "normal"
    town.passes(31 * 86400)
    assert [lesson.call_ids for lesson in learn(wang, town.now)] == [(3, 4)]


def test_an_agent_who_was_faster_is_not_overridden(town: Town) -> None:
    wang = rang(town, SILENT)
    with write() as session:
        put(session, wang, (Setting.PACE, "normal"), Because(Origin.AGENT), town.now)
        assert put(session, wang, (Setting.PACE, "slow"), Because(Origin.LEARNT), town.now) is None
    assert now_set(wang).pace == "normal"


def test_a_daughters_calls_teach_nothing_about_her_mother(town: Town) -> None:
    with read() as session:
        other = session.scalars(select(Elder.id).order_by(Elder.id.desc())).first()
    for _ in range(3):
        wang = rang(town, SILENT, reason="asked", by=other)
    Learner().round(town.now)
    assert learn(wang, town.now) == [] and town.all(ElderSetting) == []


def test_rounds_come_no_closer_than_the_setting_says(town: Town) -> None:
    learner = Learner()
    learner.round(town.now)
    rang(town, SILENT)
    rang(town, SILENT)
    learner.round(town.now - timedelta(seconds=100))
    assert town.all(ElderSetting) == []
    learner.round(town.now)
    assert len(town.all(ElderSetting)) == 1


@pytest.fixture
def dispatcher(town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """One round of the dispatcher's process, without Asterisk."""
    monkeypatch.setattr(processes, "_stop", threading.Event())
    monkeypatch.setattr(processes, "_stop_on_signals", lambda: None)
    monkeypatch.setattr(processes, "_listen", lambda: None)
    monkeypatch.setattr(Sweeper, "round", lambda _sweeper: processes._stop.set())
    yield processes.dispatch


def test_the_dispatcher_learns(town: Town, dispatcher: Callable[[], None]) -> None:
    rang(town, SILENT)
    wang = rang(town, SILENT)
    dispatcher()
    assert now_set(wang).pace == "slow"


def test_a_fault_in_learning_does_not_end_the_dispatcher(
    town: Town, dispatcher: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_learner: Learner, _now: datetime) -> None:
        raise KeyError("heard")

    monkeypatch.setattr(Learner, "round", breaks)
    dispatcher()
