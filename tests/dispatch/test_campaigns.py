"""Campaigns: whom they ring, when, how fast, what follows each outcome, and who looks in where nobody answers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from dispatch import campaign_calls, campaign_round, campaign_rules, campaigns, care, duties, escalation
from dispatch.attempts import close_attempt
from dispatch.campaign_progress import behind, progress
from dispatch.campaign_rules import Load, Pace, Tried, Window
from dispatch.campaigns import Filter, IllegalMove, NewCampaign
from dispatch.duties import Evidence
from dispatch.outbox import transaction
from models import register
from models.calling_hours import Hours
from models.campaigns import CallRule, Campaign, CampaignStatus, CareVisit, Escalation, EscalationStep, VisitStatus
from models.contacts import Contact, Relation
from models.dialing import Attempt, Outcome
from models.duties import Duty, Group
from models.people import Elder
from models.phone import normalise
from models.register import NewContact
from models.session import read, write
from models.tasks import Task
from tests.dispatch.town import Town
from tests.support import world
from tests.support.oracle import care_problems

MONDAY = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)  # 9:30 in Harbin
DAUGHTER = "+8645110000201"
BUTLER = "+8645110000202"


def harbin(text: str) -> datetime:
    return datetime.fromisoformat(text + "+08:00")


# The window.


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-23T09:00", "2026-11-23T09:00"),
        ("2026-11-23T11:30", "2026-11-23T14:30"),  # the noon rest
        ("2026-11-20T18:00", "2026-11-23T09:00"),  # Friday evening
        ("2026-02-17T09:30", "2026-02-24T09:00"),  # the Spring Festival, its swapped days too
        ("2026-02-14T09:00", "2026-02-14T09:00"),  # a Saturday that is worked
    ],
)
def test_elders_are_rung_on_workdays_and_not_at_noon(moment: str, opens: str) -> None:
    assert Window().next_open(harbin(moment)) == harbin(opens)
    assert Window().is_open(harbin(moment)) == (moment == opens)


@pytest.mark.parametrize(
    ("tried", "again"),
    [
        ("2026-11-23T09:30", "2026-11-23T14:30"),
        ("2026-11-23T15:00", "2026-11-24T09:00"),
        ("2026-11-27T17:50", "2026-11-30T09:00"),
    ],
)
def test_another_hour_is_the_other_half_of_the_day(tried: str, again: str) -> None:
    assert Window().another_hour(harbin(tried)) == harbin(again)


def test_her_own_hours_narrow_the_window_and_hold_where_they_lie_outside_of_it() -> None:
    monday, saturday = date(2026, 11, 23), date(2026, 11, 28)
    assert Window().only(Hours(((600, 700),))).on(monday) == ((600, 690),)
    assert Window().only(Hours(((1140, 1200),))).on(monday) == ((1140, 1200),)
    assert Window().only(Hours(not_on=frozenset({1}))).on(monday) == ()
    weekend = Window().only(Hours(not_on=frozenset({1, 2, 3, 4, 5})))
    assert weekend.on(monday) == () and weekend.on(saturday) == Window().spans, "no workday is left to ring her"


def test_a_setting_that_is_none_is_named() -> None:
    wrongs: list[dict[str, object]] = [{"span": []}, {"spans": [[700, 600]]}]
    for wrong in wrongs:
        with pytest.raises(ValueError):
            campaign_rules.window_of(wrong)
    with pytest.raises(ValueError, match="at_once"):
        campaign_rules.pace_of({"speed": 3})
    with pytest.raises(ValueError):
        campaign_rules.steps_of({"order": ["contact"]})
    with pytest.raises(ValueError):
        campaign_rules.rule_of("busy", {"busy": {"pauses": ["tomorrow"]}})


# The pace.


def test_no_more_calls_than_free_agents_can_take_over_and_whoever_rings_us_comes_first() -> None:
    pace = Pace(at_once=20, inbound_share=0.4)
    idle = Load(outbound=0, inbound=0, waiting=0, free_agents=2, channels=30)
    assert campaign_rules.room(pace, idle, 0, 0) == 8  # one answer in four is silence
    assert campaign_rules.room(pace, idle, 5, 8) == 0
    assert campaign_rules.room(pace, Load(0, 0, 0, 9, 30), 0, 0) == 18  # the trunk's share
    assert campaign_rules.room(pace, Load(10, 20, 0, 9, 30), 0, 0) == 0  # twenty ring us
    assert campaign_rules.room(pace, Load(0, 5, 1, 9, 30), 0, 0) == 0  # somebody waits for a person
    assert campaign_rules.room(pace, Load(0, 0, 0, 0, 30), 0, 0) == 0  # nobody could take over


# What follows each outcome.


@pytest.mark.parametrize(
    ("outcomes", "what", "minutes"),
    [
        (["no_answer"], "again", 10),
        (["no_answer", "no_answer"], "again", 5 * 60),
        (["no_answer"] * 3, "escalate", None),
        (["busy"], "again", 3),
        (["busy", "busy"], "again", 15),
        (["machine"], "again", 5 * 60),
        (["silent"], "again", 10),
        (["silent", "silent"], "agent", None),
        (["silent", "no_answer", "silent"], "agent", None),
        (["congestion"] * 3, "again", 5 * 60),
        (["invalid"], "again", 0),
        (["person"], "agent", None),
        (["too_late"], "again", 0),
    ],
)
def test_each_outcome_has_its_own_rule(outcomes: list[str], what: str, minutes: int | None) -> None:
    now = harbin("2026-11-23T09:30")
    found = campaign_rules.follows(Tried(tuple(outcomes), 1), 3, Window(), now)
    assert found == (what, None if minutes is None else now + timedelta(minutes=minutes))


def test_a_silent_elder_at_high_risk_is_not_rung_again_first() -> None:
    assert campaign_rules.follows(Tried(("silent",), 1, high=True), 3, Window(), MONDAY) == ("agent", None)


def test_without_a_number_that_exists_others_are_asked() -> None:
    assert campaign_rules.follows(Tried(("invalid",), 0), 3, Window(), MONDAY) == ("escalate", None)


# The rows.


@pytest.fixture
def monday(town: Town) -> Town:
    """Monday morning; the three elders who have telephones of different households live alone."""
    town.now = MONDAY
    with write() as session:
        duties.settle_rules(session, MONDAY)
        for elder_id in elders(town)[:3]:
            duties.join(session, elder_id, Group.ALONE, MONDAY - timedelta(days=3))
    return town


def elders(town: Town) -> list[int]:
    with read() as session:
        return list(session.scalars(select(Elder.id).order_by(Elder.id)))


def begins(town: Town, **more: object) -> int:
    """A campaign of the ledger runs; returns its id."""
    pace = {"per_second": 100, **more.pop("pace", {})}  # type: ignore[dict-item]
    with transaction() as session:
        row = campaigns.create(session, NewCampaign("十一月", pace=pace, **more), town.now)  # type: ignore[arg-type]
        campaigns.move(session, row.id, CampaignStatus.RUNNING, town.now)
    return row.id


def round_of(town: Town, agents: int = 5) -> None:
    """The dispatcher's round, and the worker's errands."""
    campaign_round.keep_ledger(town.now)
    with read() as session:
        running = campaigns.running(session)
    for campaign_id, _ in running:
        with transaction() as session:
            campaign_calls.begin_calls(session, campaign_id, agents, town.now)
    town.works()
    with read() as session:
        assert care_problems(session) == []


def ends(town: Town, outcome: Outcome, answered: bool = False, which: int = -1) -> None:
    """The newest call comes to its end."""
    attempt = town.all(Attempt)[which]
    if answered:
        town.answers(lambda session, row: None, attempt)
    with transaction() as session:
        close_attempt(session, session.get_one(Attempt, attempt.id), outcome, town.now)
    town.over(attempt.channel_id)


def presses_a_key(town: Town, which: int = -1) -> None:
    """She answers and presses 1: a proof, and the end of the call."""
    attempt = town.all(Attempt)[which]
    town.answers(lambda session, row: None, attempt)
    with transaction() as session:
        row = session.get_one(Attempt, attempt.id)
        assert row.elder_id is not None
        care.reached(session, row.elder_id, Evidence("key", town.now, row.call_id), town.now)
        close_attempt(session, row, Outcome.PROVED, town.now)
    town.over(attempt.channel_id)


def visits(town: Town) -> list[str]:
    return [visit.status for visit in town.all(CareVisit)]


def test_a_duty_is_rung_for_proved_and_not_rung_again(monday: Town) -> None:
    begins(monday)
    round_of(monday)
    assert sorted(monday.rung()) == sorted([world.WANG, world.KIM, world.HOUSEHOLD])

    monday.passes(30)
    for which in range(3):
        presses_a_key(monday, which)
    monday.passes(600)
    round_of(monday)

    assert visits(monday) == ["proved"] * 3 and {duty.status for duty in monday.all(Duty)} == {"proved"}
    assert len(monday.rung()) == 3


def test_nobody_is_rung_outside_the_window_nor_while_paused(monday: Town) -> None:
    campaign = begins(monday, pace={"at_once": 1})
    monday.now = harbin("2026-11-23T11:29")
    round_of(monday)
    monday.now = harbin("2026-11-23T11:31")
    ends(monday, Outcome.NO_ANSWER)
    round_of(monday)
    assert len(monday.rung()) == 1
    monday.now = harbin("2026-11-23T14:31")
    with write() as session:
        campaigns.move(session, campaign, CampaignStatus.PAUSED, monday.now)
    round_of(monday)
    assert len(monday.rung()) == 1
    with write() as session:
        campaigns.move(session, campaign, CampaignStatus.RUNNING, monday.now)
    round_of(monday)
    assert len(monday.rung()) == 2


def test_nobody_is_asked_and_nothing_is_locked_while_there_is_nothing_to_do(
    monday: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins(monday)
    monday.now = harbin("2026-11-23T11:31")

    def must_not(*_: object) -> None:
        raise AssertionError("whoever is on the telephone would wait for this")

    rounds = campaign_round.Rounds()
    with read() as session:
        lacking = duties.lacking(session, monday.now)
    assert rounds.round(monday.now) == 0 and len(lacking) == 0 and len(monday.all(CareVisit)) == 3
    monkeypatch.setattr(campaign_round, "gateway", must_not)
    assert rounds.round(monday.now) == 0  # At noon nobody asks Asterisk who is free.
    monkeypatch.setattr(duties, "refresh", must_not)
    monkeypatch.setattr(campaigns, "top_up", must_not)
    campaign_round.keep_ledger(monday.now)


def test_duties_of_many_come_in_by_portions(monday: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_round, "_AT_ONCE", 1)
    campaign = begins(monday)
    with write() as session:
        session.execute(delete(Duty))
    campaign_round.keep_ledger(monday.now)
    assert len(monday.all(Duty)) == 3
    assert [visit.campaign_id for visit in monday.all(CareVisit)] == [campaign] * 3


def test_a_call_that_was_chosen_and_not_dialled_is_taken_back_when_the_campaign_is_paused(monday: Town) -> None:
    campaign = begins(monday)
    campaign_round.keep_ledger(monday.now)
    with transaction() as session:
        assert campaign_calls.begin_calls(session, campaign, 5, monday.now) == 3
        campaigns.move(session, campaign, CampaignStatus.PAUSED, monday.now)
    monday.works()
    assert monday.rung() == [] and visits(monday) == ["waiting"] * 3
    with read() as session:
        assert care_problems(session) == []


def test_stopped_is_for_good_and_lets_go_who_waits(monday: Town) -> None:
    campaign = begins(monday, pace={"at_once": 1})
    round_of(monday)
    with write() as session:
        campaigns.move(session, campaign, CampaignStatus.STOPPED, monday.now)
    ends(monday, Outcome.NO_ANSWER)
    assert visits(monday) == ["stopped"] * 3
    with write() as session, pytest.raises(IllegalMove):
        campaigns.move(session, campaign, CampaignStatus.RUNNING, monday.now)


def test_no_one_is_rung_by_two_campaigns_nor_while_she_is_on_the_hotline(monday: Town) -> None:
    begins(monday)
    with transaction() as session:
        storm = campaigns.create(session, NewCampaign("暴雪", "storm", "filter", pace={"per_second": 100}), monday.now)
        campaigns.add_elders(session, storm, campaigns.filtered(session, Filter()), monday.now)
        campaigns.move(session, storm.id, CampaignStatus.RUNNING, monday.now)
    call = monday.inbound(world.WANG)
    round_of(monday)
    assert sorted(monday.rung()) == sorted([world.KIM, world.HOUSEHOLD])
    round_of(monday)
    assert len(monday.rung()) == 2

    monday.over(call.channel_id)
    monday.passes(60)
    round_of(monday)
    assert len(monday.rung()) == 3
    # Two elders of one household have one telephone: they are never both rung at once.
    presses_a_key(monday, 2)
    assert visits(monday).count("calling") == 2


def test_who_must_not_be_rung_is_seen_to_by_a_person_and_own_hours_are_kept(monday: Town) -> None:
    wang, kim, li = elders(monday)[:3]
    with write() as session:
        session.add(CallRule(elder_id=wang, never=True, since=MONDAY))
        session.add(CallRule(elder_id=kim, spans={"spans": [[16 * 60, 17 * 60]]}, since=MONDAY))
    begins(monday)
    round_of(monday)
    assert monday.rung() == [world.HOUSEHOLD]
    by_elder = {visit.elder_id: visit for visit in monday.all(CareVisit)}
    assert by_elder[wang].status == "agent" and monday.tasks() == ["care"]
    assert by_elder[kim].due_at == harbin("2026-11-23T16:00")
    del li


def test_silent_twice_is_in_front_of_a_person_who_decides(monday: Town) -> None:
    wang, kim, li = elders(monday)[:3]
    with write() as session:
        for other in (kim, li):
            care.reached(session, other, Evidence("visit", monday.now, by_person_id=other), monday.now)
    begins(monday)
    for _ in range(2):
        round_of(monday)
        ends(monday, Outcome.SILENT, answered=True)
        monday.passes(601)
    assert monday.rung() == [world.WANG] * 2 and visits(monday) == ["agent"]
    assert {duty.status for duty in monday.all(Duty) if duty.elder_id == wang} == {"open"}  # silence proves nothing

    [task] = monday.all(Task)
    with write() as session:
        row = session.get_one(Task, task.id)
        row.result, row.closed_at = "told", monday.now
        row.closed_by_id = None
        call = session.scalars(select(Attempt).order_by(Attempt.id.desc())).first()
        assert call is not None
        care.reached(session, wang, Evidence("agent", monday.now, call_id=call.call_id), monday.now)
    assert visits(monday) == ["proved"]


def not_reached(town: Town) -> None:
    """Wang is rung three times in vain."""
    _, kim, li = elders(town)[:3]
    with write() as session:
        for other in (kim, li):
            care.reached(session, other, Evidence("visit", town.now, by_person_id=other), town.now)
        wang = session.scalars(select(Elder).order_by(Elder.id)).first()
        assert wang is not None
        register.add_contact(
            session, wang, NewContact("王小梅", [normalise(DAUGHTER)], Relation.CHILD, may_look_in=True), town.now
        )
        register.add_contact(
            session, wang, NewContact("王大伟", [normalise("+8645110000203")], Relation.CHILD), town.now
        )
        register.add_contact(session, wang, NewContact("马丽", [normalise(BUTLER)], Relation.BUTLER), town.now)
    begins(town)
    for wait in (601, 6 * 3600, 0):
        round_of(town)
        ends(town, Outcome.NO_ANSWER)
        town.passes(wait)
    round_of(town)


def test_not_reached_family_then_butler_then_somebody_goes_there(monday: Town) -> None:
    not_reached(monday)
    assert monday.rung()[3:] == [DAUGHTER]
    ends(monday, Outcome.NO_ANSWER)
    monday.passes(601)
    monday.works()
    assert monday.rung()[3:] == [DAUGHTER] * 2
    with transaction() as session:
        attempt = session.get_one(Attempt, monday.attempt().id)
        escalation.refuse(session, attempt, monday.now)
    monday.over(attempt.channel_id)
    monday.works()
    # The son has not agreed, and is never rung.
    assert monday.rung()[5:] == [BUTLER]
    ends(monday, Outcome.INVALID)
    monday.works()

    steps = [(one.kind, one.outcome) for one in monday.all(EscalationStep)]
    assert steps == [("contact", "cannot"), ("butler", "not_reached"), ("go_there", None)]
    [task] = monday.all(Task)
    assert task.kind == "go_there" and task.data["deadline"]
    with read() as session:
        assert care_problems(session) == []

    # In vain: somebody goes again; found at home: proved.
    with write() as session:
        row = session.get_one(Task, task.id)
        row.result, row.closed_at = "not_reached", monday.now
        care.task_closed(session, row, monday.now)
    with write() as session:
        second = session.scalars(select(Task).where(Task.closed_at.is_(None))).one()
        person = session.scalars(select(Contact).where(Contact.relation == "butler")).unique().one().person_id
        care.reached(session, second.elder_id or 0, Evidence("visit", monday.now, by_person_id=person), monday.now)
    assert [one.status for one in monday.all(Escalation)] == ["proved"] and visits(monday) == ["proved"]
    assert all(task.closed_at for task in monday.all(Task))


def test_who_promises_to_look_in_has_time_and_then_she_is_rung_again(monday: Town) -> None:
    not_reached(monday)
    monday.answers(lambda session, row: escalation.promise(session, row, monday.now))
    monday.over(monday.attempt().channel_id)
    assert visits(monday) == ["waiting"]
    round_of(monday)
    assert monday.rung()[3:] == [DAUGHTER]
    monday.now = harbin("2026-11-24T09:30")
    round_of(monday)
    assert monday.rung()[4:] == [world.WANG]
    presses_a_key(monday)
    assert visits(monday) == ["proved"] and monday.all(Escalation)[0].status == "proved"


def test_a_person_ends_it_without_a_proof(monday: Town) -> None:
    not_reached(monday)
    with write() as session:
        assert care.decide(session, elders(monday)[0], "hospital", monday.now, None) == 1
    assert visits(monday) == ["decided"] and monday.all(Escalation)[0].status == "decided"
    with read() as session:
        assert care_problems(session, at_rest=True) == []


def test_a_number_of_nobody_is_escalated_and_others_are_told(monday: Town) -> None:
    begins(monday)
    round_of(monday)
    ends(monday, Outcome.INVALID, which=0)
    assert [one.why for one in monday.all(Escalation)] == ["invalid"]


def test_the_pace_a_second_is_kept(monday: Town) -> None:
    begins(monday, pace={"per_second": 1})
    round_of(monday)
    assert len(monday.rung()) == 1
    monday.passes(0.5)
    round_of(monday)
    assert len(monday.rung()) == 1
    monday.passes(0.6)
    round_of(monday)
    assert len(monday.rung()) == 2


def test_progress_tells_reached_proved_queued_and_when_it_ends(monday: Town) -> None:
    monday.now = harbin("2026-11-23T11:28")
    campaign = begins(monday, pace={"at_once": 2})
    round_of(monday)
    monday.passes(120)
    presses_a_key(monday, 0)
    ends(monday, Outcome.NO_ANSWER, which=1)
    with read() as session:
        stands = progress(session, campaign, monday.now)
        assert {status: len(ids) for status, ids in behind(session, campaign).items()} == stands.counts
    assert (stands.total, stands.done, stands.queued, stands.attempts) == (3, 1, 2, 2)
    assert (stands.reached_share, stands.proved_share) == (1 / 3, 1 / 3)
    # Two calls in its first two minutes, and two are left: two minutes more, after the noon rest.
    assert stands.ends_at == harbin("2026-11-23T14:32")


def test_rounds_that_come_late_do_not_slow_a_campaign_down(monday: Town) -> None:
    begins(monday, pace={"per_second": 1})
    round_of(monday)
    # The next round comes late, and what it had left over counts for the one after it.
    for seconds, rung in ((1.6, 2), (0.5, 3)):
        monday.passes(seconds)
        round_of(monday)
        assert len(monday.rung()) == rung


def test_a_visit_without_an_attempt_waits_again(monday: Town) -> None:
    begins(monday)
    round_of(monday)
    with write() as session:
        for attempt in session.scalars(select(Attempt)):
            session.delete(attempt)
    monday.ended()
    monday.passes(120)
    assert campaign_round.take_up(monday.now) == 3
    assert visits(monday) == ["waiting"] * 3


def test_a_campaign_that_has_reached_everybody_is_done(monday: Town) -> None:
    with transaction() as session:
        row = campaigns.create(session, NewCampaign("国庆", "holiday", "filter"), monday.now)
        campaigns.add_elders(session, row, elders(monday)[:1], monday.now)
        campaigns.move(session, row.id, CampaignStatus.RUNNING, monday.now)
    round_of(monday)
    presses_a_key(monday)
    round_of(monday)
    assert monday.all(Campaign)[0].status == "done"


def test_postgres_chooses_the_same(postgres_town: Town) -> None:
    town = postgres_town
    town.now = MONDAY
    with write() as session:
        duties.settle_rules(session, MONDAY)
        first = session.scalars(select(Elder.id).order_by(Elder.id)).first() or 0
        duties.join(session, first, Group.HIGH, MONDAY)
    begins(town)
    round_of(town)
    assert town.rung() == [world.WANG]
    town.passes(30)
    presses_a_key(town)
    assert visits(town) == ["proved"]
    assert [one.status for one in town.all(Duty)] == ["proved", "open"]
    assert visits(town)[0] == VisitStatus.PROVED
