"""Her calls teach how she wants to be served; the journals are those that the real conversation writes."""

from __future__ import annotations

import pytest

from models import clock
from models.calls import Call as CallRow
from models.preferences import Because, ElderSetting, Origin, Setting, put
from tests.calls.conftest import Town
from tests.support import habits
from tests.support.world import AGENT, WANG

pytestmark = pytest.mark.call


def test_mrs_wang_wants_a_person_three_times_and_gets_one_at_once_the_fourth_time(sqlite_town: Town) -> None:
    town = sqlite_town
    agent = town.network.phone(AGENT).when_called(habits.listens())
    for _ in range(3):
        call = town.network.phone(WANG).rings("12349").answered()
        call.hears("ask_service").presses("0").hears("to_person")
        agent.is_rung().answered()
        town.rows.an_agent_talks()
        call.hangs_up()
        town.rows.wait_for(lambda: all(c.end == "person" for c in town.rows.all(CallRow)), 10, "call that ended")

    learnt = town.rows.wait_for(lambda: town.rows.all(ElderSetting), 10, "lesson")
    assert [(row.name, row.value, row.origin, row.data["call_ids"]) for row in learnt] == [
        ("person_first", "yes", "learnt", [call.id for call in town.rows.all(CallRow)])
    ]
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("to_person").did_not_hear("ask_service")
    call.hangs_up()


def test_mrs_wang_lets_the_time_run_out_twice_in_two_calls_and_is_given_more_of_it(sqlite_town: Town) -> None:
    town = sqlite_town
    with town.rows.writing() as session:
        wang = town.rows.elder("王秀英").id
        put(session, wang, (Setting.VOLUME, "loud"), Because(Origin.AGENT), clock.now())
    # The two calls lie over each other: what is learnt counts calls, and silence takes as long as it takes.
    phone = town.network.phone(WANG, lines=2)
    for call in [phone.rings("12349").answered() for _ in range(2)]:
        call.hears("ask_service", "zh-CN", "loud").hears("not_heard", within=10).hears("not_heard", within=10)
        call.did_not_hear("slow").hangs_up()

    town.rows.wait_for(lambda: len(town.rows.all(ElderSetting)) > 1, 15, "lesson")
    _, learnt = town.rows.all(ElderSetting)
    assert (learnt.name, learnt.value, learnt.why) == ("pace", "slow", "timeouts")

    # From now on: slower speech, a longer time-out, and a third repeat where there was a person.
    call = phone.rings("12349").answered()
    call.hears("ask_service", "zh-CN", "slow", "loud")
    for _ in range(3):
        call.hears("not_heard", "zh-CN", "slow", "loud", within=15)
    call.did_not_hear("to_person").hangs_up()
    asked, again = [ms for ms, what in call.heard if what in ("ask_service", "not_heard")][:2]
    assert again - asked > 5900, "she had no more time than the 4 s of the others, and the rest of the question"
