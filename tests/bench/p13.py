"""P13: CPU of one automatic care call, speech off ÷ Asterisk that rings, plays and reads the same by itself.

Ours is everything from the campaign's choice to the proof on disk: dispatcher
(campaign, events, sweep), worker, Redis, FastAGI server, Asterisk, less what
they use when nothing is to be rung. The other side is one Asterisk, told by AMI to ring
the same telephones, with the same files, keys and pauses in its dialplan. Both
ring at the same time, and change places each round. BENCH_CALLS shortens it
for a try.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sqlalchemy import func, select

from dispatch import campaigns
from dispatch.ami import Ami
from dispatch.campaigns import NewCampaign
from models import clock
from models.campaigns import CampaignStatus, CareAnswer, CareVisit, VisitStatus
from models.people import PersonNumber, PhoneNumber
from models.session import read, write
from models.settings import settings
from tests.bench import care_call
from tests.bench.care_call import CareCall, Telephones
from tests.bench.cpu import Meter, resting_ms
from tests.bench.p1 import IDLE_S, OURS, PLAIN, Measured
from tests.bench.p1s import SILENCE
from tests.bench.report import Figure, compare
from tests.bench.room import Exchange, Room

GOAL = 1.3
ROUNDS, RATE = 1, 4.0  # at each place; begun a second and side
CALLS = int(os.environ.get("BENCH_CALLS", "100"))  # a round and side
ALWAYS = {"spans": [[0, 1440]], "days_off": True}
# Somebody is there to take over; how many calls that allows is not what is measured.
_AGENTS = {"per_free_agent": 1000, "at_once": 1000}
WARM_UP = 4
ELDER, PLAIN_ELDER = "+8645120000001", "+8645130000001"


def run() -> Figure:
    """Run P13 on lines that send sound, as a telephone does; so that Asterisk has something to listen to."""
    walked: list[CareCall] = []

    def plain() -> str:
        walked.append(care_call.walk())
        return care_call.dialplan(walked[0])

    room = Room(
        plain, SPEECH="false", VOICE="espeak", TRUNK_CHANNELS=1000, TRUNK_CALLS_PER_S=100,
        AGENT_PHONES=json.dumps([ELDER]),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, room:
        audio = Path(folder) / "line.alaw"
        audio.write_bytes(SILENCE)
        [call] = walked
        print(f"P13: each side {2 * ROUNDS} × {CALLS} calls of {call.seconds:.0f} s, {RATE:.0f} begun a second")  # noqa: T201
        bench = _Bench(room, call, str(audio))
        measured = bench.measure(places=2, rounds=ROUNDS)
        print(measured.table())  # noqa: T201
    return compare(measured.ours(), measured.plain(), GOAL, "ms CPU a call")


class _Bench:
    """Rounds, and what they cost a call."""

    def __init__(self, room: Room, call: CareCall, audio: str) -> None:
        self._room, self._call, self._audio = room, call, audio

    def measure(self, places: int, rounds: int) -> Measured:
        """Measure so many rounds on the one exchange, and as many on the other; every call must come to its end."""
        measured = Measured()
        for place in range(places):
            ours, plain = self._room.exchanges[:: 1 if place % 2 == 0 else -1]
            with self._room.dispatching(ours) as dispatch:
                pids = {**self._room.pids, **dispatch, OURS: ours.pid, PLAIN: plain.pid}
                _say(f"place {place + 1} of {places}: {WARM_UP} calls to warm up")
                self._round(plain, pids, WARM_UP)  # Caches, connections, statements, prompts.
                idle = _idle(pids)
                for number in range(rounds):
                    _say(f"round {number + 1} of {rounds}: {CALLS} calls")
                    used, seconds = self._round(plain, pids, CALLS)
                    one = {name: (ms - idle[name] * seconds) / CALLS for name, ms in used.items()}
                    measured.rounds.append(one)
                    print(f"  round: { {name: round(ms, 2) for name, ms in one.items()} }", flush=True)  # noqa: T201
        return measured

    def _round(self, plain: Exchange, pids: dict[str, int], calls: int) -> tuple[dict[str, float], float]:
        """Ring on both sides at the same time; return CPU by process (ms), and the seconds it took."""
        room = self._room
        campaign_id, done = _campaign(room.new_elders(calls)), _marks(plain.log)
        telephones = Telephones(self._call, room.trunk_port, room.media_port, self._audio)
        running = telephones.begin(Path(tempfile.mkdtemp(dir=room.folder)), 2 * calls, calls / RATE + 10)
        meter, began = Meter(pids), time.monotonic()
        _begin(campaign_id)
        _ring(plain, calls)
        running.wait()
        room.wait_for_the_last()
        used, took = meter.lap(), time.monotonic() - began
        _over(campaign_id, calls, self._call.answers)
        if _marks(plain.log) - done != calls:
            raise AssertionError(f"{_marks(plain.log) - done} of {calls} plain calls came to their end")
        return used, took


def _say(what: str) -> None:
    print(f"  {clock.local(clock.now()):%H:%M:%S} {what}", flush=True)  # noqa: T201


def _idle(pids: dict[str, int]) -> dict[str, float]:
    """Milliseconds of CPU a second while nobody is rung."""
    meter = Meter(pids, resting_ms)
    time.sleep(IDLE_S)
    return {name: ms / IDLE_S for name, ms in meter.lap().items()}


def _campaign(numbers: Sequence[str]) -> int:
    """A campaign over these elders, not yet begun."""
    with write() as session:
        mine = select(PersonNumber.person_id).join(PhoneNumber).where(PhoneNumber.value.in_(numbers))
        pace = {"per_second": RATE, **_AGENTS}
        new = NewCampaign("P13", care_call.SCRIPT, "filter", window=ALWAYS, pace=pace)
        row = campaigns.create(session, new, clock.now())
        campaigns.add_elders(session, row, session.scalars(mine), clock.now())
        return row.id


def _begin(campaign_id: int) -> None:
    with write() as session:
        campaigns.move(session, campaign_id, CampaignStatus.RUNNING, clock.now())


def _over(campaign_id: int, calls: int, answers: int) -> None:
    """Every visit is proved by her keys, and each of her answers is on disk."""
    with write() as session:
        campaigns.move(session, campaign_id, CampaignStatus.STOPPED, clock.now())
    with read() as session:
        mine = CareVisit.campaign_id == campaign_id
        proved = session.scalar(
            select(func.count()).select_from(CareVisit).where(mine, CareVisit.status == VisitStatus.PROVED)
        )
        said = session.scalar(select(func.count(CareAnswer.id)).join(CareVisit).where(mine))
    if (proved, said) != (calls, calls * answers):
        raise AssertionError(f"{calls} elders were rung: {proved} proved, {said} answers")


def _ring(exchange: Exchange, calls: int) -> None:
    """Have the plain side ring, evenly."""
    ami = Ami()
    ami.connect(settings().host, exchange.ami_port)
    try:
        ami.login(settings().ami_user, settings().ami_secret)
        for number in range(calls):
            ami.send_action({
                "Action": "Originate", "Channel": f"PJSIP/{PLAIN_ELDER}@trunk", "Context": care_call.CONTEXT,
                "Exten": "s", "Priority": "1", "Timeout": "30000", "CallerID": settings().hotline_number,
                "Async": "true",
            })  # fmt: skip
            if number < calls - 1:
                time.sleep(1 / RATE)
    finally:
        ami.close()


def _marks(log: Path) -> int:
    with suppress(FileNotFoundError):
        return log.read_text(errors="replace").count(care_call.MARK)
    return 0
