"""A month of care visits over many elders: `python -m tests.support.month --elders 10000 --charts docs/charts`.

The real functions on a real database, with a clock that is moved and a gateway
that rings elders whose habits are drawn from seeded distributions. On the way the
worker is killed in the middle of errands, and Redis with all it knew. At the end the
oracle counts: every duty proved or in somebody's hands, nobody rung twice at
once, nobody outside the window.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from dispatch import campaign_round, campaign_rules, campaigns, care, dial, duties, events, jobs, offers, outbox, sweep
from dispatch import escalation as escalations
from dispatch.attempts import close_attempt, mark_answered
from dispatch.calls import close_call
from dispatch.campaigns import NewCampaign
from dispatch.duties import Evidence
from dispatch.duty_rules import month_span
from dispatch.gateways import ConsoleGateway, OutboundCall
from dispatch.outbox import transaction
from models import clock, schema
from models import session as sessions
from models.calls import Call, CallEnd, CallState
from models.campaigns import CampaignStatus, CareVisit, Escalation
from models.contacts import Contact, Relation
from models.dialing import Attempt, Outcome
from models.duties import AreaButler, CareProof, Duty, ElderGroup, Group, ProofKind
from models.people import Area, Elder, Person, PersonNumber, PhoneNumber
from models.session import read, write
from models.tasks import Task, TaskKind
from tests.support.fresh import forget
from tests.support.month_wires import RedisWires, Wires
from tests.support.oracle import care_problems

# What happens when an elder's telephone rings: shares of all calls (domain.md: 24 % answer and stay silent).
HABITS = {
    "well": 0.36, "silent": 0.24, "no_answer": 0.17, "machine": 0.12, "busy": 0.05, "hung_up": 0.03, "person": 0.02,
    "help": 0.005, "switched_off": 0.005,
}  # fmt: skip
CAUSES = {"no_answer": 19, "busy": 17, "switched_off": 20, "invalid": 1}
GROUPS = {Group.ALONE: 0.55, Group.HIGH: 0.03, Group.KEY: 0.12, Group.GENERAL: 0.30}
TICK = timedelta(seconds=60)
NIGHT_TICK = timedelta(minutes=10)
STARTS = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)  # 7:00 on November 1st in Harbin


class WorkerDied(BaseException):
    """kill -9, as far as rows can see it."""


@dataclass
class Figures:
    """What a month came to."""

    elders: int
    duties: int = 0
    proved: int = 0
    decided: int = 0
    in_hand: int = 0  # in front of a person or escalated, at the end of the month
    lost: int = 0  # neither: must be none
    calls: int = 0
    double_calls: int = 0
    outside_window: int = 0
    killed: int = 0
    emptied: int = 0
    problems: list[str] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    proofs: dict[str, int] = field(default_factory=dict)
    by_hour: dict[int, int] = field(default_factory=dict)
    by_day: dict[str, int] = field(default_factory=dict)
    attempts_per_proof: float = 0.0
    wall_s: float = 0.0

    @property
    def sound(self) -> bool:
        """Whether the month kept every promise."""
        return not (self.lost or self.double_calls or self.outside_window or self.problems)


class Box(ConsoleGateway):
    """Rings elders, contacts and butlers of the month; a call lives until its party has done with it."""

    def __init__(self, month: Month) -> None:
        super().__init__()
        self._month, self.alive = month, set[str]()

    def ring(self, call: OutboundCall) -> None:
        self._month.maybe_dies()
        self.alive.add(call.channel_id)
        self._month.rung += 1
        self._month.rings(call)
        self._month.maybe_dies()

    def living(self) -> Iterable[str]:
        return set(self.alive)

    def free_agents(self) -> int:
        return self._month.agents


class Month:
    """The month itself. `kills`: the share of errands in which the worker is killed."""

    def __init__(self, elders: int, seed: int = 1, days: int = 30, kills: float = 0.002) -> None:
        self.dice, self.agents, self.days, self.kills = random.Random(seed), max(4, elders // 700), days, kills
        self.now = STARTS
        self.figures = Figures(elders)
        self.box = Box(self)
        self.wires: Wires = Wires()
        self._happenings: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._seen_task = 0
        self.rung = 0

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Have something happen so much later."""
        heapq.heappush(self._happenings, (self.now + timedelta(seconds=seconds), next(self._count), do))

    def maybe_dies(self) -> None:
        if self.dice.random() < self.kills:
            self.figures.killed += 1
            raise WorkerDied

    # The town.

    def founded(self) -> None:
        """Register everybody: elders with groups, households, contacts who may look in, butlers of communities."""
        n, dice = self.figures.elders, self.dice
        with write() as session:
            duties.settle_rules(session, self.now)
            for place in range(1, 11):
                area = {"id": place, "public_id": f"a{place}", "kind": "community", "name": f"社区{place}"}
                session.execute(insert(Area), area)
            people, elders, numbers, links, groups, contacts = [], [], [], [], [], []
            home = 0
            for one in range(1, n + 1):
                people.append(_person(one, self.now))
                elders.append({"id": one, "area_id": dice.randint(1, 10), "address": "", "needs": ""})
                # Some share a household's telephone.
                home = home if one > 1 and dice.random() < 0.05 else one
                if home == one:
                    numbers.append(_number(one))
                links.append(_link(one, home))
                [group] = dice.choices(list(GROUPS), list(GROUPS.values()))
                groups.append({"elder_id": one, "group": group.value, "since": self.now - timedelta(days=60)})
                if dice.random() < 0.4:
                    people.append(_person(n + one, self.now))
                    numbers.append(_number(n + one))
                    links.append(_link(n + one, n + one))
                    contacts.append({
                        "person_id": n + one, "elder_id": one, "relation": Relation.CHILD.value, "position": 0,
                        "may_look_in": dice.random() < 0.8, "since": self.now,
                    })  # fmt: skip
            for place in range(1, 11):
                who = 2 * n + place
                people.append(_person(who, self.now))
                numbers.append(_number(who))
                links.append(_link(who, who))
            for kind, rows in ((Person, people), (Elder, elders), (PhoneNumber, numbers), (PersonNumber, links)):
                session.execute(insert(kind), rows)
            session.execute(insert(ElderGroup), groups)
            if contacts:
                session.execute(insert(Contact), contacts)
            butlers = [{"area_id": place, "person_id": 2 * n + place, "since": self.now} for place in range(1, 11)]
            session.execute(insert(AreaButler), butlers)
            pace = {"at_once": 100, "per_second": 50, "per_free_agent": 4}
            row = campaigns.create(session, NewCampaign("十一月", pace=pace), self.now)
            campaigns.move(session, row.id, CampaignStatus.RUNNING, self.now)

    # Telephones.

    def rings(self, call: OutboundCall) -> None:
        """A telephone rings: what its people do is drawn when it happens."""
        if call.context == "look_in":
            [how] = self.dice.choices(["promise", "cannot", "no_answer"], [0.6, 0.1, 0.3])
            self.later(15, lambda: self._contact(call.channel_id, how))
            return
        # A few numbers do not exist, whenever they are rung.
        dead = sum(map(ord, call.number)) % 211 == 0
        [how] = ["invalid"] if dead else self.dice.choices(list(HABITS), list(HABITS.values()))
        wait = 35.0 if how == "no_answer" else self.dice.uniform(3, 20)
        self.later(wait, lambda: self._elder(call.channel_id, how))

    def _elder(self, channel: str, how: str) -> None:
        if how in CAUSES:
            self._gone(channel)
            events.handle({"Event": "Hangup", "Uniqueid": channel, "Cause": str(CAUSES[how])})
            return
        with transaction() as session:
            attempt = session.scalars(select(Attempt).where(Attempt.channel_id == channel)).one()
            if not mark_answered(attempt, self.now):
                return
            call = session.get_one(Call, attempt.call_id)
            call.answered_at, call.state = self.now, CallState.TALKING
            if how in ("well", "person", "help"):
                assert attempt.elder_id is not None
                care.reached(session, attempt.elder_id, Evidence(ProofKind.KEY, self.now, call.id), self.now)
        talks = {"well": 45.0, "silent": 25.0, "machine": 20.0, "hung_up": 2.0}.get(how, 120.0)
        self.later(talks, lambda: self._talked(channel, how))

    def _talked(self, channel: str, how: str) -> None:
        outcome = {
            "silent": Outcome.SILENT, "machine": Outcome.MACHINE, "hung_up": Outcome.HUNG_UP, "person": Outcome.PROVED,
        }.get(how, Outcome.PROVED)  # fmt: skip
        self._close(channel, lambda session, attempt: close_attempt(session, attempt, outcome, self.now))

    def _contact(self, channel: str, how: str) -> None:
        if how == "no_answer":
            self._gone(channel)
            events.handle({"Event": "Hangup", "Uniqueid": channel, "Cause": "19"})
            return
        do = escalations.promise if how == "promise" else escalations.refuse
        self._close(channel, lambda session, attempt: do(session, attempt, self.now))

    def _close(self, channel: str, do: Callable[[Session, Attempt], None]) -> None:
        with transaction() as session:
            attempt = session.scalars(select(Attempt).where(Attempt.channel_id == channel)).one()
            mark_answered(attempt, self.now)
            do(session, attempt)
            close_call(session, session.get_one(Call, attempt.call_id), CallEnd.GOODBYE, self.now)
        self._gone(channel)

    def _gone(self, channel: str) -> None:
        self.box.alive.discard(channel)

    # People at the desk.

    def agents_work(self) -> None:
        """New tasks are taken up: an agent rings within the hour, somebody is at the door within the deadline."""
        with read() as session:
            new = select(Task.id, Task.kind).where(Task.closed_at.is_(None), Task.id > self._seen_task)
            for task_id, kind in session.execute(new.order_by(Task.id)).all():
                self._seen_task = task_id
                after = self.dice.uniform(300, 3600) if kind == TaskKind.CARE else self.dice.uniform(3600, 20 * 3600)
                self.later(after, lambda task_id=task_id: self._settles(task_id))  # type: ignore[misc]

    def _settles(self, task_id: int) -> None:
        with transaction() as session:
            task = session.get_one(Task, task_id)
            if task.closed_at is not None:
                return
            results = ["told", "not_reached", "not_needed"]
            [task.result] = self.dice.choices(results, [0.85, 0.13, 0.02])
            task.closed_at = self.now
            if task.kind == TaskKind.CARE and task.result == "told":
                # The agent's own call is the evidence; here nobody logs in, so it is the elder's newest one.
                newest = select(Call.id).where(Call.elder_id == task.elder_id).order_by(Call.id.desc()).limit(1)
                evidence = Evidence(ProofKind.AGENT, self.now, call_id=session.scalar(newest))
                care.reached(session, task.elder_id or 0, evidence, self.now)
            elif task.kind == TaskKind.GO_THERE and task.result == "told":
                evidence = Evidence(ProofKind.VISIT, self.now, by_person_id=2 * self.figures.elders + 1)
                care.reached(session, task.elder_id or 0, evidence, self.now)
            else:
                care.task_closed(session, task, self.now)

    # Machines.

    def works(self) -> None:
        """The worker does its jobs; now and then it is killed in one, and now and then Redis is, with all it knew."""
        if self.dice.random() < self.kills:
            self.wires.emptied()
            self.figures.emptied += 1
        outbox.relay(self.now)
        while errands := self.wires.next_job():
            with suppress(WorkerDied):
                jobs.run(*errands)
        with suppress(WorkerDied):
            # The dispatcher does what no worker does while Redis is away.
            sweep.take_up()

    def tick(self, rounds: campaign_round.Rounds, sweeper: int) -> None:
        """Everything that happens between one look at the clock and the next."""
        while self._happenings and self._happenings[0][0] <= self.now:
            heapq.heappop(self._happenings)[2]()
        rounds.round(self.now)
        self.works()
        if sweeper % 3 == 0:
            sweep.reconcile(set(self.box.living()))
            self.agents_work()

    def passes(self, report: Callable[[str], None] = lambda text: None) -> Figures:
        """Let the month pass and count."""
        began = time.monotonic()
        rounds, end, day = campaign_round.Rounds(), STARTS + timedelta(days=self.days), ""
        for step in itertools.count():
            self.tick(rounds, step)
            today = clock.local_date(self.now).isoformat()
            if today != day:
                day = today
                campaign_round.keep_ledger(self.now)
                report(f"{day}: {self.rung} calls, {time.monotonic() - began:.0f} s")
            if self.now >= end and not self.box.alive:
                break
            # With everybody's receiver down the clock goes faster.
            self.now += TICK if self.box.alive else NIGHT_TICK
        self._count_up()
        self.figures.wall_s = time.monotonic() - began
        return self.figures

    def _count_up(self) -> None:
        figures = self.figures
        with read() as session:
            begin, end = month_span(clock.local_date(STARTS))
            in_hand = {
                elder_id
                for elder_id, status in session.execute(select(CareVisit.elder_id, CareVisit.status))
                if status in ("agent", "escalated")
            }
            escalated_again = {
                one.elder_id for one in session.scalars(select(CareVisit).where(CareVisit.status == "waiting"))
                if session.scalar(select(Escalation.id).where(Escalation.visit_id == one.id))
            }  # fmt: skip
            for duty in session.scalars(select(Duty).where(Duty.deadline >= begin, Duty.deadline < min(end, self.now))):
                figures.duties += 1
                if duty.status == "proved":
                    figures.proved += 1
                elif duty.status == "decided":
                    figures.decided += 1
                elif duty.elder_id in in_hand | escalated_again:
                    figures.in_hand += 1
                else:
                    figures.lost += 1
            figures.problems = care_problems(session)
            self._count_calls(session)

    def _count_calls(self, session: Session) -> None:
        figures, window = self.figures, campaign_rules.Window()
        last: dict[int, datetime] = {}
        outcomes: Counter[str] = Counter()
        rows = session.execute(
            select(Call.elder_id, Call.started_at, Call.ended_at, Attempt.outcome)
            .join(Attempt, Attempt.call_id == Call.id)
            .where(Call.purpose == "care")
            .order_by(Call.started_at)
        )
        hours: Counter[int] = Counter()
        days: Counter[str] = Counter()
        for elder_id, started, ended, outcome in rows:
            assert elder_id is not None
            figures.calls += 1
            outcomes[outcome or "open"] += 1
            hours[clock.local(started).hour] += 1
            figures.outside_window += not window.is_open(started)
            figures.double_calls += elder_id in last and started < last[elder_id]
            last[elder_id] = ended or self.now
        proofs: Counter[str] = Counter()
        for kind, at in session.execute(select(CareProof.kind, CareProof.at)):
            proofs[kind] += 1
            days[clock.local_date(at).isoformat()] += 1
        figures.outcomes, figures.proofs = dict(outcomes.most_common()), dict(proofs.most_common())
        figures.by_hour, figures.by_day = dict(sorted(hours.items())), dict(sorted(days.items()))
        figures.attempts_per_proof = round(figures.calls / max(1, sum(proofs.values())), 2)


def _person(one: int, now: datetime) -> dict[str, object]:
    return {
        "id": one, "public_id": f"p{one}", "name": f"虚构{one}", "family_name": "虚", "sex": "f", "language": "zh-CN",
        "created_at": now,
    }  # fmt: skip


def _number(one: int) -> dict[str, object]:
    # No local number begins with 1: nobody is ever rung by these.
    return {"id": one, "public_id": f"n{one}", "value": f"+864511{one:07d}", "kind": "landline"}


def _link(person_id: int, number_id: int) -> dict[str, object]:
    return {"person_id": person_id, "number_id": number_id, "role": "own", "position": 0}


def simulate(
    elders: int, folder: Path, *, seed: int = 1, days: int = 30, kills: float = 0.002, redis: bool = False,
    report: Callable[[str], None] = lambda text: None,
) -> Figures:  # fmt: skip
    """Let a month pass in a fresh SQLite database in `folder`, and return what it came to.

    `redis`: jobs go through a real Redis, which is killed; else through a list, which is emptied.
    """
    values = {
        "HOTLINE_VAR_DIR": str(folder), "HOTLINE_DATABASE_URL": "", "HOTLINE_TRUNK_CHANNELS": "150",
        "HOTLINE_TRUNK_CALLS_PER_S": "100", "HOTLINE_LEDGER_S": "1000000", "HOTLINE_GATEWAY": "console",
    }  # fmt: skip
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, values))
        forget()
        stack.callback(forget)
        schema.upgrade(sessions.engine())
        month = Month(elders, seed, days, kills)
        if redis:
            month.wires = RedisWires(folder)
        stack.callback(month.wires.close)
        stack.enter_context(mock.patch.object(clock, "now", lambda: month.now))
        stack.enter_context(mock.patch.object(outbox, "wake", month.wires.wake))
        for module in (dial, offers, sweep, campaign_round):
            stack.enter_context(mock.patch.object(module, "gateway", lambda: month.box))
        month.founded()
        return month.passes(report)


def main() -> None:
    """Print the month's figures; with --charts write them as SVG too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--elders", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--charts", type=Path)
    chosen = parser.parse_args()
    # In memory, where there is such a folder: what is measured is what becomes of the duties, not the disk.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        figures = simulate(
            chosen.elders, Path(folder), seed=chosen.seed, days=chosen.days, redis=True,
            report=lambda text: print(text, flush=True),  # noqa: T201
        )  # fmt: skip
    print(json.dumps({**vars(figures), "sound": figures.sound}, ensure_ascii=False, indent=1))  # noqa: T201
    if chosen.charts:
        from tests.support.month_charts import draw

        draw(vars(figures), chosen.charts)
    raise SystemExit(0 if figures.sound else 1)


if __name__ == "__main__":
    main()
