"""The life of orders under everything that can happen, as a machine of states: hypothesis looks for the worst story.

The real functions on SQLite, with a gateway that obeys the story and a queue
that can be emptied. `HOTLINE_LIFE_CYCLE_STORIES=2000` looks deeper.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dispatch import jobs, outbox, returns
from dispatch.changes import Wanted
from dispatch.gateways import GatewayRefused, GatewayUnavailable, OutboundCall, OutcomeUnknown
from dispatch.outbox import transaction
from dispatch.sweep import Sweeper
from models.calls import Call
from models.dialing import Attempt, AttemptStatus
from models.orders import Order, OrderEvent
from models.outbox import OutboxEntry
from models.session import read
from tests.dispatch.town import Town
from tests.support.fresh import forget
from tests.support.oracle import problems

STORIES = int(os.environ.get("HOTLINE_LIFE_CYCLE_STORIES", "10"))
STEPS = 25
CAUSES = st.sampled_from([1, 16, 17, 20, 34, 127])
SERVICES = st.sampled_from(["bathing", "meals", "repairs"])
HOW = st.sampled_from(["accepts", "declines", "confirms", "is silent", "accepts twice"])
# What she presses in the return visit.
SCORES = {"accepts": 5, "accepts twice": 4, "declines": 1, "confirms": 3}
# Where a worker can be killed in the middle of an errand.
DEATHS = st.sampled_from(["before", "written", "rung", "after"])


class WorkerDied(BaseException):
    """kill -9, as far as rows can see it: nothing after it is done."""


class Life(RuleBasedStateMachine):
    """What people, telephones, workers, Redis, Asterisk and the clock do, in any order."""

    empty: bytes
    folder: Path

    @initialize(service=SERVICES)
    def begin(self, service: str) -> None:
        self.patch = pytest.MonkeyPatch()
        (self.folder / "hotline.db").unlink(missing_ok=True)
        for old in self.folder.glob("hotline.db-*"):
            old.unlink()
        # A repair is put to three providers at once.
        self.patch.setenv("HOTLINE_URGENT_CATEGORIES", '["repairs"]')
        forget()
        (self.folder / "hotline.db").write_bytes(self.empty)
        self.queue: list[int] = []
        self.redis = True
        self.patch.setattr(outbox, "wake", self.wake)
        self.town = Town(self.patch)
        self.sweeper = Sweeper(self.broke)
        # Every story begins with one: most of what can happen needs it.
        self.orders = int(self.town.orders(key="k0", service=service).created)

    def broke(self, part: str, error: Exception) -> None:
        raise AssertionError(f"the sweep's {part} broke") from error

    def wake(self, ids: list[int]) -> int:
        if self.redis:
            self.queue += ids
            return len(ids)
        return 0

    # People.

    @precondition(lambda self: self.orders < 3)
    @rule(service=SERVICES)
    def orders_something(self, service: str) -> None:
        self.orders += self.town.orders(key=f"k{self.orders}", service=service).created

    @precondition(lambda self: self.orders)
    @rule()
    def confirms_the_same_again(self) -> None:
        assert not self.town.orders(key="k0").created

    @rule(
        which=st.integers(0, 3), how=st.sampled_from(["accepts", "declines", "confirms", "is silent", "accepts twice"])
    )
    def answers(self, which: int, how: str) -> None:
        for attempt in self.ringing(which):
            if how.startswith("accepts") and attempt.offer_id:
                self.town.accepts(attempt)
                if how == "accepts twice":
                    # The line is cut in the answer, and the key arrives again.
                    self.town.accepts_again(attempt)
            elif how == "declines" and attempt.offer_id:
                self.town.declines(attempt)
            elif how == "confirms" and attempt.callback_id:
                self.town.confirms(attempt)
            elif how == "confirms" and attempt.reminder_id:
                self.town.reminded(attempt)
            elif how != "is silent" and attempt.return_visit_id:
                self.town.says_how_it_was(
                    {"accepts": 5, "accepts twice": 4, "declines": 1, "confirms": 3}[how], attempt
                )
            else:
                self.town.answers(lambda session, row: None, attempt)

    @rule(what=st.sampled_from(["arrived", "done", "done", "done"]), twice=st.booleans())
    def a_worker_reports(self, what: str, twice: bool) -> None:
        due = [order for order in self.town.all(Order) if order.status in ("accepted", "arrived")]
        for order in due[:1]:
            for _ in range(1 + twice):
                self.town.reports(order.id, what)

    @rule(score=st.integers(1, 5), herself=st.booleans())
    def somebody_rates_it_by_telephone(self, score: int, herself: bool) -> None:
        done = [order for order in self.town.all(Order) if order.status in ("completed", "return_visited")]
        if done:
            call = self.town.inbound(channel=f"rates-{len(self.town.all(Call))}")
            with transaction() as session:
                returns.hear(session, returns.Said(done[0].id, score, call.id, herself), self.town.now)
            self.town.over(call.channel_id)

    @rule(again=st.booleans())
    def an_agent_has_it_done_again_or_closes_it(self, again: bool) -> None:
        done = [order for order in self.town.all(Order) if order.status in ("completed", "return_visited")]
        for order in done[:1]:
            by = OrderEvent(actor="agent")
            with transaction() as session:
                if again:
                    wanted = Wanted(self.town.now.date() + timedelta(days=2 + order.id), "morning")
                    assert returns.reopen(session, order.id, wanted, by, self.town.now)
                else:
                    assert returns.conclude(session, order.id, by, self.town.now)

    @rule()
    def the_next_call_of_ours_is_due(self) -> None:
        """The evening comes, or the next day: whatever waits longest away from now is due."""
        self.town.now = max([self.town.now, *(a.due_at for a in self.town.all(Attempt) if a.status == "due")])

    @rule(how=st.sampled_from(["accepts", "confirms", "declines"]))
    def a_step_of_the_course_goes_well(self, how: str) -> None:
        self.everybody_answers(how)

    @rule(how=st.sampled_from(["accepts", "confirms", "declines"]))
    def it_goes_its_whole_way(self, how: str) -> None:
        """As it should be, up to the day after: without it few stories would come so far."""
        for _ in range(4):
            self.everybody_answers(how)
            for order in [order for order in self.town.all(Order) if order.status in ("accepted", "arrived")]:
                self.town.reports(order.id)
        self.town.now = max([self.town.now, *(a.due_at for a in self.town.all(Attempt) if a.return_visit_id)])
        self.everybody_answers(how)

    def everybody_answers(self, how: str) -> None:
        """Whoever is rung takes the call, and does what is hoped for; `how` good it was, she says."""
        self.town.passes(2)
        self.sweeper.round()
        while self.queue:
            jobs.run(self.queue.pop(0))
        for attempt in self.ringing(0, all_of_them=True):
            if attempt.offer_id:
                self.town.accepts(attempt)
            elif attempt.callback_id:
                self.town.confirms(attempt)
            elif attempt.reminder_id:
                self.town.reminded(attempt)
            else:
                self.town.says_how_it_was(SCORES[how], attempt)
            self.town.over(attempt.channel_id)

    @rule(which=st.integers(0, 3), cause=CAUSES, doubled=st.booleans())
    def hangs_up(self, which: int, cause: int, doubled: bool) -> None:
        for attempt in self.ringing(which):
            for _ in range(1 + doubled):
                self.town.hangs_up(cause, attempt)

    @rule(cause=CAUSES)
    def an_event_comes_late(self, cause: int) -> None:
        closed = [one for one in self.town.all(Attempt) if one.status == AttemptStatus.CLOSED]
        for attempt in closed[:1]:
            self.town.hangs_up(cause, attempt)

    @rule(which=st.integers(0, 3))
    def an_event_is_lost(self, which: int) -> None:
        for attempt in self.ringing(which):
            self.town.gateway.gone.add(attempt.channel_id)

    # Machines.

    @rule(count=st.integers(1, 4), last_first=st.booleans())
    def a_worker_works(self, count: int, last_first: bool) -> None:
        for _ in range(min(count, len(self.queue))):
            jobs.run(self.queue.pop(-1 if last_first else 0))

    @precondition(lambda self: self.queue)
    @rule(where=DEATHS)
    def a_worker_is_killed_in_the_middle(self, where: str) -> None:
        entry_id = self.queue.pop(0)
        with suppress(WorkerDied), pytest.MonkeyPatch.context() as patch:
            if where == "before":
                return
            if where == "written":
                patch.setattr(self.town.gateway, "ring", self.die)
            elif where == "rung":
                ring = self.town.gateway.ring

                def ring_and_die(call: OutboundCall) -> None:
                    ring(call)
                    self.die()

                patch.setattr(self.town.gateway, "ring", ring_and_die)
            else:
                patch.setattr(jobs, "write", self.die)
            jobs.run(entry_id)

    def die(self, *_: object) -> None:
        raise WorkerDied

    @precondition(lambda self: self.queue)
    @rule()
    def a_job_is_done_twice(self) -> None:
        jobs.run(self.queue[0])
        jobs.run(self.queue[0])

    @rule()
    def redis_is_emptied(self) -> None:
        self.queue.clear()

    @rule()
    def redis_goes_or_comes(self) -> None:
        self.redis = not self.redis
        self.queue.clear()

    @rule(how=st.sampled_from([None, None, GatewayUnavailable("away"), GatewayRefused("no"), OutcomeUnknown("cut")]))
    def asterisk_is(self, how: Exception | None) -> None:
        self.town.gateway.not_ready = how if isinstance(how, GatewayUnavailable) else None
        self.town.gateway.ringing_fails = how  # type: ignore[assignment]

    @rule(seconds=st.sampled_from([1, 7, 20, 50, 700]))
    def time_passes(self, seconds: float) -> None:
        self.town.passes(seconds)

    @rule(hours=st.sampled_from([-24, -1, 1, 24]))
    def the_clock_is_moved(self, hours: int) -> None:
        self.town.passes(hours * 3600)

    @rule()
    def the_dispatcher_sweeps(self) -> None:
        self.sweeper.round()

    @rule()
    def the_dispatcher_is_killed(self) -> None:
        self.sweeper = Sweeper(self.broke)

    def ringing(self, which: int, all_of_them: bool = False) -> list[Attempt]:
        """The call of that number among those that live; none, if there is none."""
        living = {call.channel_id for call in self.town.gateway.rung} - self.town.gateway.gone
        open_ones = [one for one in self.town.all(Attempt) if one.channel_id in living]
        found = [one for one in open_ones if one.status in ("dialing", "answered")]
        return found if all_of_them else found[which : which + 1]

    # What holds.

    @invariant()
    def nothing_is_wrong(self) -> None:
        if self.orders:
            with read() as session:
                assert problems(session) == []
            rung = [call.channel_id for call in self.town.gateway.rung]
            assert len(rung) == len(set(rung)), "one attempt, one call"

    def teardown(self) -> None:
        """When everything is well again and nobody answers any more, every order comes to its end by itself."""
        if not hasattr(self, "town"):
            return
        try:
            if self.orders:
                self.comes_to_its_end()
        finally:
            self.patch.undo()
            forget()

    def comes_to_its_end(self) -> None:
        self.redis, self.town.gateway.not_ready, self.town.gateway.ringing_fails = False, None, None
        self.queue.clear()
        for _ in range(300):
            # Without Redis and without a worker: the dispatcher alone takes everything up.
            for attempt in self.ringing(0, all_of_them=True):
                self.town.hangs_up(19, attempt)
            # Whoever has said or heard what there was puts the receiver down, too.
            self.town.gateway.gone |= {call.channel_id for call in self.town.gateway.rung}
            self.sweeper = Sweeper(self.broke)
            self.sweeper.round()
            # On to what is due next, at least five minutes: it may be the evening, or the morning after days off.
            due = [entry.due_at for entry in self.town.all(OutboxEntry) if entry.done_at is None]
            self.town.now = max(self.town.now + timedelta(seconds=301), min(due, default=self.town.now))
            if not any(entry.done_at is None for entry in self.town.all(OutboxEntry)) and not self.town.open_attempts():
                break
        with read() as session:
            found = problems(session, at_rest=True)
        assert not found, "; ".join(found)


@pytest.mark.slow
def test_whatever_happens_every_order_has_one_winner_or_a_person(hotline_dir: Path, _empty_sqlite: Path) -> None:
    Life.empty, Life.folder = _empty_sqlite.read_bytes(), hotline_dir
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=STORIES, stateful_step_count=STEPS, deadline=None,
            # A failure is told at once; looking for its shortest story is left to the deeper search.
            phases=list(Phase) if STORIES > 50 else [Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck), print_blob=True,
        ),
    )  # fmt: skip
