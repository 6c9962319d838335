"""P12: inbound P5 figures while a campaign rings 1,000 elders an hour and 20 a minute ring us ÷ without the campaign.

The whole hotline as `hotline up` runs it, against the network in a box. The
called telephones do what those of a town do (MIX: 24 % are answered and stay
silent, 12 % are machines …); telephones that measure (tests/bench/telephone.py)
ring us all the while, each from its own elder's number, and order by key.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import campaigns
from dispatch.campaigns import NewCampaign
from models import clock, register
from models.campaigns import CampaignStatus, CareVisit
from models.dialing import Attempt
from models.orders import Order
from models.phone import normalise
from models.register import NewElder
from tests.bench import journey
from tests.bench.care_call import KEYS
from tests.bench.p5 import HEAD, at_the_ear, call, line
from tests.bench.report import Figure, compare, table
from tests.support import habits
from tests.support.call import Call as CarrierCall
from tests.support.call_state import StoryError
from tests.support.carrier import Carrier
from tests.support.habits import Habit
from tests.support.hotline_process import HotlineProcess
from tests.support.oracle import care_problems
from tests.support.world import Rows

GOAL = 1.2
CALLS_AN_HOUR, INBOUND_A_MINUTE = 1000, 20
# The campaign begins a little faster than that: its round looks only every half second.
PER_SECOND = 0.31
# How long calls are counted, without the campaign and with it (s).
ROUNDS, WITHOUT_S, WITH_S, RAMP_S = 2, 70, 150, 20
ALWAYS = {"spans": [[0, 1440]], "days_off": True}
AGENTS = [f"+86451{n:08d}" for n in range(90000001, 90000007)]
# domain.md: of all calls so many are silent, machines, …
MIX = {"well": 37, "silent": 24, "no_answer": 16, "machine": 12, "busy": 5, "hung_up": 3, "person": 2, "invalid": 1}


def well(phone: CarrierCall) -> None:
    """She hears each question out and answers it by key."""
    try:
        phone.rings_for(2).answers()
        for key in (*KEYS.values(),):
            phone.waits_for_end_of_speech(within=20).presses(key)
        phone.waits_until_it_ends(60)
    except StoryError:
        phone.hangs_up()


def wants_a_person(phone: CarrierCall) -> None:
    """She presses 0 at the first question, talks for a while, and hangs up."""
    try:
        phone.rings_for(2).answers().waits_for_end_of_speech().presses("0").is_silent(25).hangs_up()
    except StoryError:
        phone.hangs_up()


def an_agent(phone: CarrierCall) -> None:
    """An agent's telephone: answered soon, hung up after a talk."""
    phone.rings_for(1).answers().is_silent(15).hangs_up()


HABITS: dict[str, Habit] = {
    "well": well, "silent": habits.listens(ring=3), "no_answer": habits.does_not_answer(),
    "machine": habits.has_voicemail("您好，现在家里没有人，请在提示音以后留下您的姓名和电话", "cmn"),
    "busy": habits.rejects(486), "hung_up": habits.hangs_up_after(2.5, ring=3), "person": wants_a_person,
    "invalid": habits.rejects(404),
}  # fmt: skip


@dataclass
class Measured:
    """Keys of inbound calls: from the key's end to the next sound (ms), of each stretch of time."""

    without: list[list[float]] = field(default_factory=list)
    loaded: list[list[float]] = field(default_factory=list)


class Town:
    """The hotline, the network, elders to be rung and elders who ring us. A context manager."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._callers = iter(range(10**7))
        self._threads = ThreadPoolExecutor(60)

    def __enter__(self) -> Town:
        with self._stack as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hotline-bench-")))
            self._network = stack.enter_context(Carrier())
            chosen: dict[str, object] = {
                "VOICE": "espeak", "SPEECH": "false", "AGENT_PHONES": json.dumps(AGENTS), "TRUNK_CHANNELS": 80,
                # The telephones that measure ring from ports of their own.
                "TRUNK_HOSTS": '["127.0.0.1"]',
            }  # fmt: skip
            self._hotline = stack.enter_context(HotlineProcess(folder, self._network.address, chosen))
            self.rows = Rows(f"sqlite:///{folder / 'hotline.db'}")
            stack.callback(self.rows.close)
            for one in AGENTS:
                self._network.phone(one).when_called(an_agent)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._stack.close()

    def campaign(self, elders: int) -> int:
        """Elders whose telephones do what the mix says, and a campaign over them, not begun. Returns its id."""
        dice, now = random.Random(12), clock.now()
        hows = dice.choices(list(MIX), list(MIX.values()), k=elders)
        ids = []
        with self.rows.writing() as session:
            for number, how in zip(self._numbers("3", elders), hows, strict=True):
                self._network.phone(number).when_called(HABITS[how])
                ids.append(self._elder(session, number, now))
            pace = {"at_once": 60, "per_second": PER_SECOND, "inbound_share": 0.3}
            retry = {"silent": {"pauses": [60]}, "busy": {"pauses": [60]}}
            new = NewCampaign("P12", "care", "filter", window=ALWAYS, pace=pace, retry=retry)
            row = campaigns.create(session, new, now)
            campaigns.add_elders(session, row, ids, now)
            return row.id

    @staticmethod
    def _elder(session: Session, number: str, now: datetime) -> int:
        new = NewElder(f"{journey.FAMILY_NAME}某", [normalise(number)], journey.FAMILY_NAME, journey.SEX)
        return register.add_elder(session, new, now).id

    def _numbers(self, first: str, count: int) -> list[str]:
        return [f"+86451{first}{next(self._callers):07d}" for _ in range(count)]

    def move(self, campaign_id: int, to: CampaignStatus) -> None:
        """Begin, pause, stop."""
        with self.rows.writing() as session:
            campaigns.move(session, campaign_id, to, clock.now())

    def callers(self, seconds: float) -> list[float]:
        """Have elders ring us evenly for so long; return every key's figure once the last has hung up."""
        every = 60 / INBOUND_A_MINUTE
        count = round(seconds / every)
        with self.rows.writing() as session:
            numbers = self._numbers("5", count)
            for number in numbers:
                self._elder(session, number, clock.now())
        before = self.orders()
        ringing: list[Future[list[float]]] = [
            self._threads.submit(call, self._hotline.sip_port, journey.NUMBER, number, n * every)
            for n, number in enumerate(numbers)
        ]
        found = [ms for one in ringing for ms in one.result()]
        if self.orders() - before != count:
            raise AssertionError(f"{count} callers left {self.orders() - before} orders")
        return found

    def orders(self) -> int:
        """How many orders are on disk."""
        with self.rows.session() as session:
            return session.scalar(select(func.count(Order.id))) or 0

    def rests(self) -> None:
        """Wait until nobody is in a call of ours any more."""
        deadline = time.monotonic() + 90
        while any(one.ended_at is None for one in list(self._network.calls)):
            if time.monotonic() > deadline:
                raise AssertionError("calls never end")
            time.sleep(0.2)


def measure() -> Measured:
    """Measure both ways, one after the other; print what the campaign did."""
    measured = Measured()
    with Town() as town:
        campaign_id = town.campaign(round(ROUNDS * (WITH_S + RAMP_S + 30) * PER_SECOND) + 20)
        town.callers(6)  # Warms caches, connections, statements, prompts.
        took = 0.0
        for _ in range(ROUNDS):
            measured.without.append(town.callers(WITHOUT_S))
            print(f"  without: median {median(measured.without[-1]):.1f} ms by the wire", flush=True)  # noqa: T201
            town.move(campaign_id, CampaignStatus.RUNNING)
            began = time.monotonic()
            time.sleep(RAMP_S)
            measured.loaded.append(town.callers(WITH_S))
            print(f"  with: median {median(measured.loaded[-1]):.1f} ms by the wire", flush=True)  # noqa: T201
            town.move(campaign_id, CampaignStatus.PAUSED)
            took += time.monotonic() - began
            town.rests()
        _tell(town, campaign_id, took)
    return measured


def _tell(town: Town, campaign_id: int, took: float) -> None:
    """Print and check what the campaign did in `took` seconds."""
    with town.rows.session() as session:
        found = care_problems(session)
        mine = select(Attempt).join(CareVisit, CareVisit.id == Attempt.care_visit_id)
        attempts = list(session.scalars(mine.where(CareVisit.campaign_id == campaign_id)))
    dialled = [one for one in attempts if one.dialed_at is not None]
    outcomes = Counter(str(one.outcome) for one in dialled)
    rate = len(dialled) / took * 3600
    print(f"P12: {len(dialled)} calls in {took:.0f} s, {rate:.0f} an hour: {dict(outcomes.most_common())}")  # noqa: T201
    if found:
        raise AssertionError("; ".join(found))
    if rate < CALLS_AN_HOUR:
        raise AssertionError(f"{rate:.0f} calls an hour are no load")


def run() -> Figure:
    """Run P12; return the figure at the ear, as P5's."""
    measured = measure()
    every = {name: [ms for one in rounds for ms in one] for name, rounds in vars(measured).items()}
    print(table(HEAD, [line(name, values) for name, values in every.items()]))  # noqa: T201
    wire = median(every["loaded"]) / median(every["without"])
    print(f"  by the wire: {wire:.2f}, a telephone's packet lasts 20 ms", flush=True)  # noqa: T201
    ours, other = ([median(map(at_the_ear, one)) for one in rounds] for rounds in (measured.loaded, measured.without))
    return compare(ours, other, GOAL, "ms")
