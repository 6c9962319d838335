"""P12: inbound P5 figures while a campaign rings 1,000 elders an hour and 20 a minute ring us ÷ without the campaign.

The whole hotline as `hotline up` runs it, against the network in a box. The
called telephones do what those of a town do (MIX: 24 % are answered and stay
silent, 12 % are machines …); telephones that measure (tests/bench/telephone.py)
ring us all the while, each from its own elder's number, and order by key. A
call of theirs that comes to nothing is told and counted, and the others go on;
beyond LOST of them there is no figure. BENCH_MINUTES shortens it for a try.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
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
from tests.bench.telephone import TooQuiet
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
# The campaign begins faster than that: some of the chosen are put off, and while a caller waits for a person it rests.
PER_SECOND = 0.36
# All of it, with start and end (minutes); of what is left, calls are counted so long without and with the campaign.
MINUTES = float(os.environ.get("BENCH_MINUTES", "10.5"))
ROUNDS, RAMP_S, AROUND_S = 2, 20, 400
WITHOUT_S, WITH_S = (max(24.0, (MINUTES * 60 - AROUND_S) * share / ROUNDS) for share in (0.35, 0.65))
# Of the telephones that ring us so many may come to nothing.
LOST = 0.02
REST_S = 90
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
    "machine": habits.has_voicemail("您好，现在家里没有人，请在提示音以后留下您的姓名和电话", "cmn", seconds=90),
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
        self.rang, self.lost = 0, 0  # telephones that rang us; of them, those that came to nothing
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
        before, self.rang = self.orders(), self.rang + count
        ringing: list[Future[list[float]]] = [
            self._threads.submit(call, self._hotline.sip_port, journey.NUMBER, number, n * every)
            for n, number in enumerate(numbers)
        ]
        found, lost = [], 0
        for number, one in zip(numbers, ringing, strict=True):
            try:
                found += one.result()
            except (TooQuiet, OSError) as error:
                lost += 1
                _say(f"{number} has not come to an end: {str(error).splitlines()[0]}")
        self.lost += lost
        placed = self.orders() - before
        if not count - lost <= placed <= count:
            raise AssertionError(f"{count} callers, of whom {lost} came to nothing, left {placed} orders")
        return found

    def orders(self) -> int:
        """How many orders are on disk."""
        with self.rows.session() as session:
            return session.scalar(select(func.count(Order.id))) or 0

    def rests(self) -> None:
        """Wait until nobody is in a call of ours any more."""
        deadline = time.monotonic() + REST_S
        while going := [one for one in list(self._network.calls) if one.ended_at is None]:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(going)} calls never end: {going[0].story()}")
            time.sleep(0.2)


def measure() -> tuple[Measured, Town]:
    """Measure both ways, in turns (without, with, with, without); print what goes on."""
    measured = Measured()
    _say(f"each side {ROUNDS} rounds, {WITHOUT_S:.0f} s without and {WITH_S:.0f} s with the campaign")
    with Town() as town:
        _say("the town is up")
        campaign_id = town.campaign(round(ROUNDS * (WITH_S + RAMP_S + 40) * PER_SECOND) + 20)
        town.callers(6)  # Warms caches, connections, statements, prompts.
        took = 0.0
        for number in range(ROUNDS):
            for loaded in (False, True) if number % 2 == 0 else (True, False):
                if loaded:
                    took += _with(town, campaign_id, measured)
                else:
                    measured.without.append(_heard(town, "without", WITHOUT_S))
        _tell(town, campaign_id, took)
    return measured, town


def _with(town: Town, campaign_id: int, measured: Measured) -> float:
    """One round beside the campaign; return for how long that rang (s)."""
    town.move(campaign_id, CampaignStatus.RUNNING)
    began = time.monotonic()
    time.sleep(RAMP_S)
    measured.loaded.append(_heard(town, "with", WITH_S))
    town.move(campaign_id, CampaignStatus.PAUSED)
    took = time.monotonic() - began
    town.rests()
    _say("nobody is in a call any more")
    return took


def _heard(town: Town, how: str, seconds: float) -> list[float]:
    found = town.callers(seconds)
    _say(f"{how}: {len(found)} keys, median {median(found):.1f} ms by the wire")
    return found


def _say(what: str) -> None:
    print(f"  {clock.local(clock.now()):%H:%M:%S} {what}", flush=True)  # noqa: T201


def _tell(town: Town, campaign_id: int, took: float) -> None:
    """Print and check what the campaign did in `took` seconds."""
    with town.rows.session() as session:
        found = care_problems(session)
        mine = select(Attempt).join(CareVisit, CareVisit.id == Attempt.care_visit_id)
        attempts = list(session.scalars(mine.where(CareVisit.campaign_id == campaign_id)))
    dialled = [one for one in attempts if one.dialed_at is not None]
    outcomes = Counter(str(one.outcome) for one in dialled)
    rate = len(dialled) / took * 3600
    _say(f"{len(dialled)} calls in {took:.0f} s, {rate:.0f} an hour: {dict(outcomes.most_common())}")
    _say(f"{town.lost} of {town.rang} telephones that rang us came to nothing")
    if found:
        raise AssertionError("; ".join(found))
    if town.lost > LOST * town.rang:
        raise AssertionError(f"{town.lost} of {town.rang} who rang us came to nothing")
    if rate < CALLS_AN_HOUR:
        raise AssertionError(f"{rate:.0f} calls an hour are no load")


def run() -> Figure:
    """Run P12; return the figure at the ear, as P5's."""
    measured, town = measure()
    every = {name: [ms for one in rounds for ms in one] for name, rounds in vars(measured).items()}
    print(table(HEAD, [line(name, values) for name, values in every.items()]))  # noqa: T201
    wire = median(every["loaded"]) / median(every["without"])
    print(f"  by the wire: {wire:.2f}, a telephone's packet lasts 20 ms", flush=True)  # noqa: T201
    ours, other = ([median(map(at_the_ear, one)) for one in rounds] for rounds in (measured.loaded, measured.without))
    figure = compare(ours, other, GOAL, "ms")
    return replace(figure, spread=f"{figure.spread}; {town.lost} of {town.rang} callers came to nothing")
