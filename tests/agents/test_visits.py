"""The staff's run: one elder is one agent's, a result does what its row says, and what proves nothing is refused."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents import telephony, visit_holds, visit_view, visits
from agents.presence import PresenceRefused
from agents.telephony import Whom
from agents.visits import Draft, VisitError
from dispatch import campaign_calls, campaign_round, campaigns, care
from models import clock
from models.campaigns import Campaign, CampaignStatus, CareAnswer, CareVisit, Escalation, VisitStatus
from models.care_runs import CareHold, VisitCall
from models.duties import CareProof, Duty, DutyStatus
from models.presence import AgentLine
from models.results import CallOutcome, CallResult, Scope
from models.session import read, write
from models.settings import settings
from models.tasks import Task, TaskKind
from models.users import User
from tests.support import once
from tests.web import care_town
from tests.web.care_town import Quarter
from tests.web.world import World

# A Monday morning: campaigns may ring.
MORNING = datetime.fromisoformat("2026-11-23T09:30+08:00")


@pytest.fixture
def quarter(world: World) -> Quarter:
    world.now = MORNING

    def write_quarter() -> Quarter:
        world.user("陈静")
        world.user("刘洋")
        return care_town.build(world)

    return once.written("quarter", write_quarter)


def user(name: str) -> User:
    with read() as db:
        return db.scalars(select(User).where(User.name == name)).one()


def take(quarter: Quarter, name: str, now: datetime = MORNING, public_id: str = "") -> str | None:
    with write() as db:
        campaign = db.scalars(select(Campaign).where(Campaign.public_id == (public_id or quarter.staff))).one()
        visit = visit_holds.take(db, campaign, db.get_one(User, user(name).id), now)
        return visit.public_id if visit else None


def finish(visit: str, name: str, result: str, note: str = "", now: datetime = MORNING, **answers: str) -> None:
    with write() as db:
        visits.finish(db, visit, Draft(answers, result, note), db.get_one(User, user(name).id), now)


def stands(visit: str) -> CareVisit:
    with read() as db:
        return db.scalars(select(CareVisit).where(CareVisit.public_id == visit)).one()


def test_high_risk_comes_first_and_two_colleagues_never_have_the_same_elder(world: World, quarter: Quarter) -> None:
    first, second = take(quarter, "陈静"), take(quarter, "刘洋")
    assert first and second and first != second
    assert stands(first).elder_id == quarter.elders[0].id  # high risk
    assert take(quarter, "陈静", MORNING + timedelta(minutes=5)) == first  # a reload finds the same one
    with write() as db, pytest.raises(VisitError, match="gone"):
        visits.open_one(db, first, db.get_one(User, user("刘洋").id), MORNING)


def test_an_elder_is_free_again_when_her_agent_gives_no_sign(world: World, quarter: Quarter) -> None:
    first = take(quarter, "陈静")
    later = MORNING + timedelta(seconds=settings().care_hold_s + 1)
    assert take(quarter, "刘洋", later) == first
    # Whoever comes back from lunch is told so, and writes nothing over it.
    with pytest.raises(VisitError, match="gone"):
        finish(first or "", "陈静", "visit_no_answer", now=later)


def test_what_was_entered_survives_a_reload(world: World, quarter: Quarter) -> None:
    visit = take(quarter, "陈静") or ""
    with write() as db:
        draft = Draft.of({"q_feel": "well", "q_eaten": "nonsense", "result": "visit_well", "note": "很好\x07"})
        visits.draft(db, visit, draft, db.get_one(User, user("陈静").id), MORNING)
    with read() as db:
        row = db.scalars(select(CareVisit).where(CareVisit.public_id == visit)).one()
        seen = visit_view.view(db, row, user("陈静").id, MORNING)
    assert (seen.result, seen.note) == ("visit_well", "很好")
    assert {one.code: one.chosen for one in seen.asked if one.chosen} == {"feel": "well"}
    assert seen.standing.total == 4


def test_a_conversation_proves_and_meets_the_duty(world: World, quarter: Quarter) -> None:
    visit = take(quarter, "陈静") or ""
    call = care_town.called(world, visit, user("陈静").id)

    finish(visit, "陈静", "visit_well", feel="well", eaten="no")

    with read() as db:
        proof = db.scalars(select(CareProof)).one()
        answers = {row.question: (row.answer, row.how) for row in db.scalars(select(CareAnswer))}
        met = select(Duty.proof_id).where(Duty.elder_id == quarter.elders[0].id, Duty.status == DutyStatus.PROVED)
        proofs = list(db.scalars(met))
        outcome = db.scalars(select(CallOutcome)).one()
        holds = db.scalars(select(CareHold)).all()
    assert (proof.kind, proof.call_id, proof.by_user_id) == ("agent", call.id, user("陈静").id)
    assert answers == {"feel": ("well", "agent"), "eaten": ("no", "agent")}
    assert proofs == [proof.id]
    assert (outcome.code, outcome.call_id, outcome.visit_id) == ("visit_well", call.id, stands(visit).id)
    assert (stands(visit).status, holds) == (VisitStatus.PROVED, [])


@pytest.mark.parametrize(
    ("answered", "over", "result", "note", "problem"),
    [
        (False, True, "visit_well", "", "not_answered"),  # nobody answered: it proves nothing
        (True, False, "visit_well", "", "in_call"),
        (None, True, "visit_well", "", "no_call"),
        (None, True, "", "", "result"),
        (True, True, "visit_urgent", "", "note_missing"),
        (True, True, "visit_well", "长" * 501, "note_long"),
        (True, True, "done", "", "result"),  # a result of tasks is none of visits
        (True, True, "skip_later", "", "result"),
    ],
)
def test_what_is_refused(
    world: World, quarter: Quarter, answered: bool | None, over: bool, result: str, note: str, problem: str
) -> None:
    visit = take(quarter, "陈静") or ""
    if answered is not None:
        care_town.called(world, visit, user("陈静").id, answered, over)
    with pytest.raises(VisitError, match=problem):
        finish(visit, "陈静", result, note)
    with read() as db:
        assert db.scalars(select(CareProof)).all() == []
        assert db.scalars(select(CareHold)).one().visit_id == stands(visit).id


def test_no_answer_three_times_and_others_are_asked_to_look_in(world: World, quarter: Quarter) -> None:
    now, visit = MORNING, ""
    for number in range(3):
        visit = take(quarter, "陈静", now) or ""
        assert stands(visit).elder_id == quarter.elders[0].id
        care_town.called(world, visit, user("陈静").id, answered=False)
        finish(visit, "陈静", "visit_no_answer", now=now)
        if number < 2:
            assert (stands(visit).status, stands(visit).due_at) == (VisitStatus.WAITING, now + timedelta(minutes=10))
        now = now + timedelta(minutes=11)
    assert stands(visit).status == VisitStatus.ESCALATED
    with read() as db:
        escalation = db.scalars(select(Escalation)).one()
    assert escalation.visit_id == stands(visit).id


def test_a_number_that_is_none_leads_to_her_next_one_and_then_to_others(world: World, quarter: Quarter) -> None:
    visit = take(quarter, "陈静") or ""
    care_town.called(world, visit, user("陈静").id, answered=False)
    finish(visit, "陈静", "visit_invalid")
    # It was her only one.
    assert stands(visit).status == VisitStatus.ESCALATED


@pytest.mark.parametrize(
    ("result", "kind"), [("visit_follow_up", TaskKind.FOLLOW_UP), ("visit_urgent", TaskKind.ALARM)]
)
def test_what_she_needs_is_a_task_with_the_note(world: World, quarter: Quarter, result: str, kind: TaskKind) -> None:
    visit = take(quarter, "陈静") or ""
    care_town.called(world, visit, user("陈静").id)
    finish(visit, "陈静", result, "药快没了")
    with read() as db:
        task = db.scalars(select(Task)).one()
        outcome = db.scalars(select(CallOutcome)).one()
    assert (task.kind, task.elder_id, outcome.task_id, outcome.note) == (
        kind, quarter.elders[0].id, task.id, "药快没了",
    )  # fmt: skip
    assert stands(visit).status == VisitStatus.PROVED


@pytest.mark.parametrize(
    ("result", "answered", "again"),
    [
        ("visit_busy", False, "09:35"),
        ("visit_suspended", False, "Tuesday"),  # her only number; a day later it may be paid for again
        ("visit_family", True, "14:30"),  # four hours later is in the noon rest; her daughter is no proof
    ],
)
def test_a_result_to_be_tried_again_brings_her_back_and_proves_nothing(
    world: World, quarter: Quarter, result: str, answered: bool, again: str
) -> None:
    visit = take(quarter, "陈静") or ""
    care_town.called(world, visit, user("陈静").id, answered=answered)
    finish(visit, "陈静", result)
    row, due = stands(visit), clock.local(stands(visit).due_at)
    assert (row.status, f"{due:%A}" if again.isalpha() else f"{due:%H:%M}") == (VisitStatus.WAITING, again)
    with read() as db:
        assert db.scalars(select(CareProof)).all() == []


def test_the_nine_results_are_each_marked_final_or_to_be_tried_again(world: World, quarter: Quarter) -> None:
    with read() as db:
        marked = {row.names["zh-CN"]: row.is_final for row in visits.results(db, Scope.VISIT)}
        reasons = {row.code: row.needs_note for row in visits.results(db, Scope.SKIP)}
    final = ("平安", "需跟进", "需紧急处置", "空号", "拒访")
    assert marked == dict.fromkeys(final, True) | dict.fromkeys(("未接", "忙", "停机", "家属代接"), False)
    assert reasons == {"skip_later": False, "skip_away": False, "skip_other": True}


def test_a_refusal_is_a_persons_decision_and_ends_her_duties(world: World, quarter: Quarter) -> None:
    visit = take(quarter, "陈静") or ""
    care_town.called(world, visit, user("陈静").id)
    finish(visit, "陈静", "visit_refused", "不愿意接电话")
    assert (stands(visit).status, stands(visit).decision) == (VisitStatus.DECIDED, "refuses")
    with read() as db:
        duties = db.scalars(select(Duty).where(Duty.elder_id == quarter.elders[0].id)).all()
        assert {(one.status, one.decided_by_id) for one in duties} == {(DutyStatus.DECIDED, user("陈静").id)}


def test_a_result_that_its_row_makes_final_ends_the_tries(world: World, quarter: Quarter) -> None:
    with write() as db:
        row = db.scalars(select(CallResult).where(CallResult.code == "visit_family")).one()
        row.is_final, row.retry_s, row.effect = True, None, "reached"
    visit = take(quarter, "陈静") or ""
    care_town.called(world, visit, user("陈静").id)
    finish(visit, "陈静", "visit_family")
    assert stands(visit).status == VisitStatus.PROVED


def test_a_warning_ends_by_its_own_conversation_even_without_a_call_from_here(world: World, quarter: Quarter) -> None:
    with write() as db:
        new = campaigns.NewCampaign("大雪", "storm", "filter", mode="staff")
        storm = campaigns.create(db, new, MORNING)
        campaigns.add_elders(db, storm, [quarter.elders[5].id], MORNING)
        campaigns.move(db, storm.id, CampaignStatus.RUNNING, MORNING)
        public_id = storm.public_id
    visit = take(quarter, "陈静", public_id=public_id) or ""
    finish(visit, "陈静", "visit_well", "在楼下遇到，已当面告知")
    assert stands(visit).status == VisitStatus.PROVED


def test_skipped_with_a_reason_she_comes_later_and_no_try_is_used_up(world: World, quarter: Quarter) -> None:
    visit = take(quarter, "陈静") or ""
    with write() as db:
        me = db.get_one(User, user("陈静").id)
        with pytest.raises(VisitError, match="note_missing"):
            visits.skip(db, visit, Draft(result="skip_other"), me, MORNING)
        visits.skip(db, visit, Draft(result="skip_later"), me, MORNING)
    assert stands(visit).due_at == MORNING + timedelta(hours=1)
    assert take(quarter, "陈静") != visit
    with read() as db:
        row = db.scalars(select(CareVisit).where(CareVisit.public_id == visit)).one()
        assert visit_view.standing(db, row.campaign, user("陈静").id, MORNING).later == 1


def test_a_call_wants_its_result_before_she_is_passed_over(world: World, quarter: Quarter) -> None:
    visit = take(quarter, "陈静") or ""
    care_town.called(world, visit, user("陈静").id, answered=False)
    with write() as db, pytest.raises(VisitError, match="result"):
        visits.skip(db, visit, Draft(result="skip_later"), db.get_one(User, user("陈静").id), MORNING)


def test_handed_over_with_what_was_entered(world: World, quarter: Quarter) -> None:
    visit = take(quarter, "陈静") or ""
    with write() as db:
        me = db.get_one(User, user("陈静").id)
        visits.draft(db, visit, Draft({"feel": "need"}, "", "说朝鲜语"), me, MORNING)
        with pytest.raises(VisitError, match="nobody"):
            visits.hand_over(db, visit, me.public_id, me, MORNING)
        visits.hand_over(db, visit, user("刘洋").public_id, me, MORNING)
    much_later = MORNING + timedelta(hours=2)
    assert take(quarter, "陈静", much_later) != visit
    with read() as db:
        (hold,) = visit_holds.holds_of(db, user("刘洋").id, much_later)
        assert (hold.from_user_id, hold.note, hold.answers) == (user("陈静").id, "说朝鲜语", {"feel": "need"})
    assert take(quarter, "刘洋", much_later) == visit


def test_what_the_machine_could_not_settle_is_worked_in_the_run_and_its_task_is_closed(
    world: World, quarter: Quarter
) -> None:
    visit = care_town.to_a_person(quarter, MORNING)
    assert take(quarter, "陈静", public_id=quarter.machine) == visit
    with read() as db:
        task = db.scalars(select(Task)).one()
        # On the desk the task is seen to be worked on.
        assert (task.locked_by_id, task.closed_at) == (user("陈静").id, None)
    care_town.called(world, visit, user("陈静").id)
    finish(visit, "陈静", "visit_well")
    with read() as db:
        task = db.scalars(select(Task)).one()
        assert (task.result, task.closed_by_id) == ("visit_well", user("陈静").id)
    # Who waits for the machine's call is the machine's.
    assert take(quarter, "陈静", public_id=quarter.machine) is None


def test_the_machine_rings_nobody_of_the_staffs_list_nor_whom_somebody_works_on(world: World, quarter: Quarter) -> None:
    with write() as db:
        assert campaign_calls.begin_calls(db, quarter.staff_id, 9, MORNING) == 0
        machine = db.get_one(Campaign, quarter.machine_id)
        elders = [quarter.elders[0].id, quarter.elders[5].id]
        campaigns.add_elders(db, machine, elders, MORNING)
    assert take(quarter, "陈静")  # the first elder
    with write() as db:
        chosen = campaign_calls.choose(db, db.get_one(Campaign, quarter.machine_id), 9, MORNING)
        assert quarter.elders[0].id not in {one.elder_id for one in chosen}
        assert quarter.elders[5].id in {one.elder_id for one in chosen}


def test_a_stopped_list_gives_nobody_more(world: World, quarter: Quarter) -> None:
    with write() as db:
        campaigns.move(db, quarter.staff_id, CampaignStatus.PAUSED, MORNING)
    assert take(quarter, "陈静") is None
    with write() as db:
        campaigns.move(db, quarter.staff_id, CampaignStatus.STOPPED, MORNING)
    assert take(quarter, "陈静") is None


def test_her_call_belongs_to_the_visit_and_opens_no_task(world: World, quarter: Quarter) -> None:
    visit = take(quarter, "陈静") or ""
    with write() as db:
        me = with_line(db, "陈静")
        with pytest.raises(PresenceRefused, match="not_yours"):
            telephony.dial(db, with_line(db, "刘洋"), Whom(visit=visit), MORNING)
        ask = telephony.dial(db, me, Whom(visit=visit), MORNING)
        link = db.scalars(select(VisitCall)).one()
        assert (link.call_id, link.user_id) == (ask.call_id, me.id)
        assert db.scalars(select(Task)).all() == []
        assert visit_view.view(db, link.visit, me.id, MORNING).line is not None


def with_line(db: Session, name: str) -> User:
    """An agent with a telephone in her browser."""
    found = db.get_one(User, user(name).id)
    line = AgentLine(
        user_id=found.id, digest="", session_version=found.session_version, issued_at=MORNING,
        expires_at=MORNING + timedelta(hours=1), registered_at=MORNING,
    )  # fmt: skip
    db.add(line)
    db.flush()
    return found


def test_she_rings_back_after_a_persons_try_and_her_visit_goes_on(world: World, quarter: Quarter) -> None:
    visit = take(quarter, "陈静") or ""
    elder_id = stands(visit).elder_id
    with read() as db:
        assert care.missed_visit(db, elder_id, MORNING) is None
    care_town.called(world, visit, user("陈静").id, answered=False)
    finish(visit, "陈静", "visit_no_answer")
    with read() as db:
        found = care.missed_visit(db, elder_id, MORNING + timedelta(hours=1))
        assert found is not None and found.public_id == visit
        assert care.missed_visit(db, elder_id, MORNING + timedelta(days=4)) is None


def test_groups_without_rules_bring_the_default_ones(world: World) -> None:
    from models.duties import DutyRule, ElderGroup

    world.now = MORNING
    elder = world.elder("郑玉兰", "+8645110000119")
    with write() as db:
        db.add(ElderGroup(elder_id=elder.id, group="alone", since=MORNING))
    campaign_round.keep_ledger(MORNING)
    with read() as db:
        assert db.scalars(select(DutyRule)).first() is not None
        assert db.scalars(select(Duty)).one().elder_id == elder.id
