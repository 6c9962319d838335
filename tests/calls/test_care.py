"""Journeys of care visits over SIP: every outcome, the main branches, and who looks in where nobody answers."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from dispatch import campaigns, duties
from dispatch.campaigns import NewCampaign
from models import clock, register
from models.audio import Audio
from models.calls import Call as CallRow
from models.campaigns import CampaignStatus, CareAnswer, CareVisit, Escalation, EscalationStep
from models.contacts import Relation
from models.dialing import Attempt
from models.duties import CareProof, Duty, Group
from models.orders import Order
from models.people import Elder
from models.phone import normalise
from models.register import NewContact
from models.tasks import Task
from tests.calls.conftest import Town, hotline_now
from tests.support import habits
from tests.support.call import Call
from tests.support.oracle import care_problems
from tests.support.sound import beep
from tests.support.world import AGENT, KIM, WANG

pytestmark = pytest.mark.call

DAUGHTER = "+8645110000201"
# The journeys are told at any hour of any day.
ALWAYS = {"spans": [[0, 1440]], "days_off": True}


def a_campaign_runs(town: Town, group: Group = Group.ALONE, who: int = 0, **more: object) -> int:
    """The elder of this place in the register has a duty, and the ledger's campaign begins; returns its id."""
    now = hotline_now(town)
    with town.rows.writing() as session:
        duties.settle_rules(session, now)
        elder_id = session.scalars(select(Elder.id).order_by(Elder.id)).all()[who]
        duties.join(session, elder_id, group, now)
        # The first duty of a group has a week; it is not waited for.
        for duty in session.scalars(select(Duty)):
            duty.deadline = now
        values: dict[str, object] = {"window": ALWAYS, "retry": {"silent": {"pauses": [2]}}, **more}
        row = campaigns.create(session, NewCampaign("探访", **values), now)  # type: ignore[arg-type]
        campaigns.move(session, row.id, CampaignStatus.RUNNING, now)
        return row.id


def the_visit(town: Town, status: str, within: float = 15) -> CareVisit:
    """The one visit, once it has the status; nothing is wrong then."""
    visit = town.rows.wait_for(
        lambda: next((one for one in town.rows.all(CareVisit) if one.status == status), None), within, f"visit {status}"
    )
    with town.rows.session() as session:
        assert care_problems(session) == []
    return visit


def answers(town: Town) -> dict[str, str]:
    return {one.question: one.answer for one in town.rows.all(CareAnswer)}


def test_she_is_well_and_says_so_by_key(town: Town) -> None:
    town.network.phone(WANG)
    a_campaign_runs(town)
    call = town.network.phone(WANG).when_called(habits.listens()).is_rung()
    call.hears("care_hello", "care_feel").presses("1")
    town.rows.wait_for(lambda: town.rows.all(CareProof), 5, "proof, at her first key")
    call.hears("care_eaten").presses("1").hears("care_medicine").presses("3")
    for question in _season(town):
        call.hears(question).presses("1")
    call.hears("care_company").presses("3").hears("care_word").presses("2").hears("care_thanks").is_hung_up_by_hotline()

    the_visit(town, "proved")
    [proof] = town.rows.all(CareProof)
    [row] = town.rows.ended_calls()
    assert (proof.kind, proof.call_id, row.end) == ("key", row.id, "goodbye")
    assert {duty.status for duty in town.rows.all(Duty)} == {"proved"} and town.rows.outcomes() == ["proved"]
    assert {"feel": "well", "eaten": "yes", "medicine": "none", "company": "no"}.items() <= answers(town).items()
    assert town.rows.all(Task) == []


def _season(town: Town) -> list[str]:
    from models.care_scripts import questions

    asked = questions("care", clock.local_date(hotline_now(town)))
    return [f"care_{one}" for one in asked if one in ("warm", "cool")]


def test_silence_is_a_class_of_its_own_and_silent_twice_is_a_persons(sqlite_town: Town) -> None:
    town = sqlite_town
    town.network.phone(AGENT).does_not_answer()
    town.network.phone(WANG).answers_and_stays_silent()
    a_campaign_runs(town, pace={"per_free_agent": 4})
    town.network.phone(WANG).is_rung().hears("care_feel", "care_again", "care_machine", within=20)
    # The second time she is put through at once, if somebody is free: nobody answers here, and she is not lost.
    town.network.phone(WANG).is_rung(within=20).hears("care_feel", "care_again", "care_stay", within=20).hangs_up()

    the_visit(town, "agent")
    assert town.rows.outcomes() == ["silent", "person"] and town.rows.all(CareProof) == []
    assert town.rows.the_task("care").data["why"] == "person"
    assert {duty.status for duty in town.rows.all(Duty)} == {"open"}


def test_a_machine_hears_the_number_and_proves_nothing(sqlite_town: Town) -> None:
    town = sqlite_town
    greeting = "Hello, this is the answering machine of the Wang family, nobody is at home now, please leave a message"
    town.network.phone(WANG).when_called(habits.has_voicemail(greeting))
    a_campaign_runs(town)
    town.network.phone(WANG).is_rung().hears("care_machine", within=25)

    town.rows.wait_for(lambda: town.rows.outcomes() == ["machine"], 10, "machine")
    visit = the_visit(town, "waiting")
    assert visit.status == "waiting" and town.rows.all(CareProof) == []


def test_whoever_hangs_up_in_the_first_seconds_has_proved_nothing(sqlite_town: Town) -> None:
    town = sqlite_town
    town.network.phone(WANG).when_called(habits.hangs_up_after(2.5))
    a_campaign_runs(town)
    town.rows.wait_for(lambda: town.rows.outcomes() == ["hung_up"], 15, "attempt hung up")
    the_visit(town, "waiting")
    assert town.rows.all(CareProof) == []


@pytest.mark.parametrize(
    ("habit", "outcome"), [("is_busy", "busy"), ("does_not_answer", "no_answer"), ("number_is_dead", "invalid")]
)
def test_nobody_is_there(sqlite_town: Town, habit: str, outcome: str) -> None:
    town = sqlite_town
    getattr(town.network.phone(WANG), habit)()
    a_campaign_runs(town)
    town.rows.wait_for(lambda: town.rows.outcomes() == [outcome], 15, f"attempt {outcome}")
    the_visit(town, "escalated" if outcome == "invalid" else "waiting")


def test_need_help_is_an_emergency_in_the_same_call(town: Town) -> None:
    town.network.phone(AGENT).when_called(_talks)
    town.network.phone(WANG).when_called(habits.listens())
    a_campaign_runs(town)
    call = town.network.phone(WANG).is_rung().hears("care_feel")
    call.presses("3").hears("emergency")
    town.rows.an_agent_talks(within=15)
    call.hangs_up()

    alarm = town.rows.the_task("alarm")
    assert alarm.priority == 0 and answers(town) == {"feel": "help"}
    # Her key has proved that she lives; the alarm is the agent's.
    the_visit(town, "proved")


def _talks(call: Call) -> None:
    call.rings_for(0.2).answers().is_silent(30)


def test_silence_at_high_risk_goes_to_a_person_at_once(sqlite_town: Town) -> None:
    town = sqlite_town
    town.network.phone(AGENT).when_called(_talks)
    town.network.phone(WANG).answers_and_stays_silent()
    a_campaign_runs(town, Group.HIGH)
    call = town.network.phone(WANG).is_rung().hears("care_feel", "care_again", "care_stay", within=25)
    town.rows.an_agent_talks(within=15)
    call.hangs_up()

    visit = the_visit(town, "agent")
    assert visit.rank == 0 and town.rows.the_task("care").priority == 0
    assert town.rows.all(CareProof) == []


def test_she_orders_a_bath_in_the_same_call(sqlite_town: Town) -> None:
    town = sqlite_town
    town.network.phone(WANG).when_called(habits.listens())
    a_campaign_runs(town)
    call = town.network.phone(WANG).is_rung().hears("care_feel").presses("2")
    call.hears("care_need").presses("1").hears("ask_service").presses("2").hears("ask_day").presses("2")
    call.hears("ask_part").presses("1").hears("readback").presses("1").hears("order_done")
    call.hears("ask_anything_else").presses("2").is_hung_up_by_hotline()
    [order] = town.rows.all(Order)
    assert order.service == "bathing" and answers(town) == {"feel": "need"}
    the_visit(town, "proved")
    assert "ring_back" not in [task.kind for task in town.rows.all(Task)]


def test_a_free_word_is_recorded_and_a_wish_for_a_visit_is_a_persons(sqlite_town: Town) -> None:
    town = sqlite_town
    town.network.phone(WANG).when_called(habits.listens())
    a_campaign_runs(town)
    call = town.network.phone(WANG).is_rung().hears("care_feel").presses("1").hears("care_eaten").presses("1")
    call.hears("care_medicine").presses("1")
    for question in _season(town):
        call.hears(question).presses("1")
    call.hears("care_company").presses("1").hears("care_visit_noted", "care_word").presses("1")
    call.hears("ask_care_word").waits_for_end_of_speech().plays(beep(2.0)).presses("#")
    call.hears("care_thanks").is_hung_up_by_hotline()

    the_visit(town, "proved")
    [word] = [one for one in town.rows.all(CareAnswer) if one.question == "word"]
    [audio] = town.rows.all(Audio)
    assert audio.kind == "care_word" and word.amount == audio.duration_ms
    assert town.rows.the_task("ring_back").data["answers"] == ["company:visit"]


def test_she_rings_back_and_her_visit_goes_on(town: Town) -> None:
    town.network.phone(WANG).does_not_answer()
    a_campaign_runs(town)
    town.rows.wait_for(lambda: town.rows.outcomes() == ["no_answer"], 15, "attempt in vain")
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("greeting", "care_back", "care_feel").presses("1").hears("care_eaten").presses("2")
    # The next question shows that her answer was kept: her first key alone has proved the visit.
    call.hears("care_medicine").hangs_up()

    the_visit(town, "proved")
    assert answers(town) == {"feel": "well", "eaten": "no"}
    [proof] = town.rows.all(CareProof)
    with town.rows.session() as session:
        assert session.get_one(CallRow, proof.call_id).direction == "in"
    assert len(town.rows.all(Attempt)) == 1


def test_her_daughter_looks_in_and_presses_1(sqlite_town: Town) -> None:
    town = sqlite_town
    town.network.phone(WANG).does_not_answer()
    town.network.phone(DAUGHTER).when_called(habits.listens())
    with town.rows.writing() as session:
        wang = session.scalars(select(Elder).order_by(Elder.id)).first()
        assert wang is not None
        daughter = NewContact("王小梅", [normalise(DAUGHTER)], Relation.CHILD, may_look_in=True)
        register.add_contact(session, wang, daughter, hotline_now(town))
    a_campaign_runs(town, attempts=1)
    call = town.network.phone(DAUGHTER).is_rung(within=20)
    call.hears("look_in_hello", "look_in", "look_in_keys").presses("1").hears("look_in_thanks").is_hung_up_by_hotline()

    town.rows.wait_for(lambda: len(town.rows.all(EscalationStep)) == 2, 5, "second step")
    steps = [(one.kind, one.outcome, one.call_id is not None) for one in town.rows.all(EscalationStep)]
    assert steps == [("contact", "promised", True), ("again", None, False)]
    assert town.rows.all(Escalation)[0].status == "open"
    the_visit(town, "waiting")


def test_an_agents_telephone_is_not_flooded_and_a_paused_campaign_rings_nobody(sqlite_town: Town) -> None:
    town = sqlite_town
    town.network.phone(WANG).when_called(habits.listens())
    campaign = a_campaign_runs(town)
    call = town.network.phone(WANG).is_rung().hears("care_feel")
    with town.rows.writing() as session:
        campaigns.move(session, campaign, CampaignStatus.PAUSED, hotline_now(town))
        for elder_id in session.scalars(select(Elder.id).order_by(Elder.id)).all()[1:2]:
            duties.join(session, elder_id, Group.HIGH, hotline_now(town))
    # Whoever is on the line is talked to.
    call.presses("1").hears("care_eaten").hangs_up()
    the_visit(town, "proved")
    town.network.phone(KIM).was_not_rung()
    town.network.phone(KIM).when_called(habits.hangs_up_at_once())
    with town.rows.writing() as session:
        campaigns.move(session, campaign, CampaignStatus.RUNNING, hotline_now(town))
    town.network.phone(KIM).is_rung(within=10)


def test_while_a_caller_waits_for_a_person_no_machine_rings_anybody(sqlite_town: Town) -> None:
    town = sqlite_town
    town.network.phone(AGENT).does_not_answer()
    caller = town.network.phone(WANG).rings("12349").answered().hears("greeting").presses("0").hears("to_person")
    town.rows.wait_for(lambda: any(one.state == "waiting" for one in town.rows.all(CallRow)), 5, "caller who waits")
    a_campaign_runs(town, who=1, pace={"per_free_agent": 1000})
    town.network.phone(KIM).when_called(habits.listens())
    # Her visit is in the campaign, and its round has looked at it some times since.
    the_visit(town, "waiting")
    caller.is_silent(1.5)
    town.network.phone(KIM).was_not_rung()
    caller.hangs_up()
    town.network.phone(KIM).is_rung(within=10).hears("care_feel").presses("1").hears("care_eaten").hangs_up()
    the_visit(town, "proved")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_not_all_is_well_in_her_language(sqlite_town: Town, language: str) -> None:
    town = sqlite_town
    with town.rows.writing() as session:
        kim = session.scalars(select(Elder).order_by(Elder.id)).all()[1]
        kim.person.language = language
    town.network.phone(KIM).when_called(habits.listens())
    a_campaign_runs(town, who=1)
    call = town.network.phone(KIM).is_rung().hears("care_feel").presses("2").hears("care_need").presses("3")
    call.hears("care_eaten").presses("2").hears("care_medicine").presses("2")
    for question in _season(town):
        call.hears(question).presses("2")
    call.hears("care_company").presses("1").hears("care_visit_noted", "care_word").presses("2")
    call.hears("care_thanks").is_hung_up_by_hotline()

    the_visit(town, "proved")
    [row] = town.rows.ended_calls()
    assert row.language == language and row.end == "goodbye"
    assert {"feel": "need", "eaten": "no", "medicine": "no", "company": "visit"}.items() <= answers(town).items()
    assert town.rows.the_task("ring_back").data["answers"] == ["company:visit", "feel:need"]


@pytest.mark.speech
def test_two_exact_korean_answers_prove_and_one_does_not(speaking_town: Town) -> None:
    town = speaking_town
    town.network.phone(KIM).when_called(habits.listens())
    a_campaign_runs(town, who=1)
    call = town.network.phone(KIM).is_rung().hears("care_hello", "care_feel").waits_for_end_of_speech()
    call.says("네").hears("care_eaten")
    assert town.rows.all(CareProof) == []
    call.waits_for_end_of_speech().says("네").hears("care_medicine")
    town.rows.wait_for(lambda: town.rows.all(CareProof), 5, "proof by two answers")
    assert town.rows.all(CareProof)[0].kind == "answers"
    call.hangs_up()
    the_visit(town, "proved")
