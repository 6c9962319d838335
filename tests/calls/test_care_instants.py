"""Each fault at a random instant of a care visit, and then the oracle: she is proved or in front of a person, once.

`make test` takes one seeded instant of each, `make faults N=20` twenty random ones on both databases.
"""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from dispatch import campaigns
from models.calls import Call
from models.campaigns import Campaign, CampaignEvent, CampaignStatus, CareVisit
from models.dialing import Attempt
from models.duties import CareProof
from tests.calls.conftest import DATABASES, Town
from tests.calls.test_care import a_campaign_runs
from tests.calls.test_fault_instants import (
    INSTANTS,
    RECOVERS_S,
    Fault,
    ami_cut,
    asterisk_killed,
    calls_at_once,
    case,
    dispatcher_killed,
    redis_emptied,
    worker_killed,
)
from tests.support import faults_table
from tests.support.call import Call as CarrierCall
from tests.support.call_state import StoryError
from tests.support.oracle import problems
from tests.support.world import AGENT, WANG

pytestmark = [pytest.mark.call, pytest.mark.fault, pytest.mark.timeout(180)]

# From the campaign's begin to her second key it takes about so long (s).
COURSE_S = 7.0
# Whatever a fault makes of a call, she is rung again soon.
SOON = {name: {"pauses": [2]} for name in ("lost", "congestion", "hung_up", "no_key", "no_answer", "silent", "busy")}
# So long a campaign stands still (s).
PAUSE_S = 3.0


def agi_killed(town: Town) -> None:
    town.hotline.kill("agi")


def paused_and_resumed(town: Town) -> None:
    moves(town, CampaignStatus.PAUSED)
    time.sleep(PAUSE_S)
    moves(town, CampaignStatus.RUNNING)


def stopped(town: Town) -> None:
    moves(town, CampaignStatus.STOPPED)


FAULTS: list[Fault] = [worker_killed, agi_killed, asterisk_killed, redis_emptied, paused_and_resumed, stopped]
# Of these the course of an order has its instants in `make test`; here they cost too long for every day.
RARE: list[Fault] = [dispatcher_killed, ami_cut]


def moves(town: Town, to: CampaignStatus) -> None:
    """Somebody pauses, resumes or stops the one campaign."""
    with town.rows.writing() as session:
        campaigns.move(session, session.scalars(select(Campaign.id)).one(), to, town.now())


def cases() -> list[object]:
    """One seeded instant of each fault, on one database after the other; or as many random ones as were asked for."""
    if not INSTANTS:
        return [case(fault, 31 + number, DATABASES[number % 2]) for number, fault in enumerate(FAULTS)]
    base = int(os.environ.get("HOTLINE_FAULT_SEED", "1"))
    return [
        case(fault, base + number, database)
        for database in DATABASES
        for fault in FAULTS + RARE
        for number in range(INSTANTS)
    ]


@pytest.mark.parametrize(("fault", "seed", "shaken_town"), cases(), indirect=["shaken_town"])
def test_a_fault_at_any_instant_of_a_care_visit_rings_her_no_twice_and_loses_her_never(
    shaken_town: Town, fault: Fault, seed: int
) -> None:
    town = shaken_town
    town.network.phone(AGENT).does_not_answer()
    town.network.phone(WANG, lines=2).when_called(says_that_she_is_well)
    instant = random.Random(seed).uniform(0, COURSE_S)
    a_campaign_runs(town, attempts=9, retry=SOON)
    time.sleep(instant)
    struck = time.monotonic()
    fault(town)
    town.rows.wait_for(lambda: at_rest(town), RECOVERS_S + 30, "end of the visit")
    recovered = time.monotonic() - struck
    faults_table.note(f"care: {fault.__name__}", town.rows.dialect, instant, recovered)
    with town.rows.session() as session:
        found = problems(session)
    assert not found, f"seed {seed}, {instant:.2f} s: {'; '.join(found)}"
    if not town.rows.all(CareVisit):
        return  # Stopped before her duty was in the campaign.
    [visit] = town.rows.all(CareVisit)
    # Whoever was put through to a person when our part broke is that person's, until somebody has talked to her.
    fine = {"proved", "stopped"} if fault is stopped else {"proved", "agent"}
    assert visit.status in fine, f"seed {seed}, {instant:.2f} s: {town.rows.summary()}"
    assert len(town.rows.all(CareProof)) == (visit.status == "proved")
    # A killed Asterisk tells the network nothing: the call that it left behind stands there, with nobody in it.
    assert calls_at_once(town, WANG) <= 1 + (fault is asterisk_killed), "one call at a time"
    assert not rung_while_it_stood_still(town)
    assert recovered <= RECOVERS_S, f"seed {seed}: {recovered:.0f} s"


def says_that_she_is_well(call: CarrierCall) -> None:
    """A habit: she presses 1 to the first question, again to the second, and hangs up."""
    try:
        call.rings_for(0.3).answers().hears("care_feel", within=12)
        call.waits_for_end_of_speech(within=20).presses("1").hears("care_eaten")
        call.waits_for_end_of_speech(within=20).presses("1").hears("care_medicine").hangs_up()
    except StoryError:
        call.hangs_up()


def at_rest(town: Town) -> bool:
    """The visit has come to its end or to a person, and nothing is under way any more."""
    visits = town.rows.all(CareVisit)
    if [one.status in ("proved", "agent", "stopped") for one in visits] != [True]:
        # Stopped before her duty was brought into the campaign: there is nobody to be rung.
        return not visits and town.rows.all(Campaign)[0].status == "stopped"
    under_way = [one for one in town.rows.all(Attempt) if one.status != "closed"]
    return not under_way and all(call.ended_at for call in town.rows.all(Call))


def rung_while_it_stood_still(town: Town) -> list[Attempt]:
    """Attempts that were dialled while the campaign was paused, or after it was stopped."""
    events = town.rows.all(CampaignEvent)
    ends = [*(one.at for one in events[1:]), datetime.max.replace(tzinfo=UTC)]
    still = [(one.at, end) for one, end in zip(events, ends, strict=True) if one.to_status in ("paused", "stopped")]
    dialled = [one for one in town.rows.all(Attempt) if one.dialed_at is not None]
    return [one for one in dialled for begin, end in still if one.dialed_at and begin < one.dialed_at < end]
