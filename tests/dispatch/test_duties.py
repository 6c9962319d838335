"""The duty ledger: who is due by when, what proves it, and the month as figures that open their calls."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from dispatch import duties, duty_month, duty_rules
from dispatch.duties import Evidence, NoProof
from dispatch.duty_rules import Member, Obligation, Proved, Rule
from models import clock, register
from models.calls import Call, CallState, Direction
from models.contacts import Relation
from models.duties import ANY_PROOF, Duty, DutyRule, Group, Period, ProofKind
from models.people import Elder
from models.phone import normalise
from models.register import NewContact, NewElder
from models.session import read, write
from models.tables import metadata
from tests.support import world
from tests.support.oracle import duty_problems

NOVEMBER = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)  # Monday morning in Harbin
HOUR = timedelta(hours=1)
WEEKLY = Rule(1, "high", Period.WEEK, timedelta(hours=24), frozenset(ANY_PROOF), date(2026, 1, 1))
MONTHLY = Rule(2, "alone", Period.MONTH, timedelta(days=7), frozenset(ANY_PROOF), date(2026, 1, 1))
QUARTERLY = Rule(3, "disabled", Period.QUARTER, timedelta(days=30), frozenset({"visit"}), date(2026, 1, 1))


def test_high_risk_within_a_day_of_the_change_and_then_weekly_from_each_proof() -> None:
    member = Member("high", NOVEMBER)
    proof = Proved(NOVEMBER + 20 * HOUR, "key")

    first, second = duty_rules.obligations([WEEKLY], [member], [proof], NOVEMBER + timedelta(days=30))

    assert (first.deadline, first.proved_at) == (NOVEMBER + 24 * HOUR, proof.at)
    assert (second.opens, second.deadline, second.proved_at) == (proof.at, proof.at + timedelta(days=7), None)


def test_a_month_is_the_calendars_and_who_comes_late_has_a_week() -> None:
    member = Member("alone", datetime(2026, 11, 28, 2, 0, tzinfo=UTC))

    first, second = duty_rules.obligations([MONTHLY], [member], [], datetime(2026, 12, 5, tzinfo=UTC))

    assert first.deadline == member.since + timedelta(days=7)
    assert clock.local(second.opens).isoformat() == "2026-12-01T00:00:00+08:00"
    assert clock.local(second.deadline).isoformat() == "2026-12-31T23:59:59+08:00"


def test_a_proof_of_a_kind_that_does_not_count_meets_nothing() -> None:
    member = Member("disabled", NOVEMBER)
    [one] = duty_rules.obligations([QUARTERLY], [member], [Proved(NOVEMBER + HOUR, "key")], NOVEMBER + 2 * HOUR)
    assert one.proved_at is None
    [one] = duty_rules.obligations([QUARTERLY], [member], [Proved(NOVEMBER + HOUR, "visit")], NOVEMBER + 2 * HOUR)
    assert one.proved_at == NOVEMBER + HOUR


# Rules with dates: the old one ends, the new one begins, and nobody is due twice for one day.


def test_a_rule_ends_on_its_last_day() -> None:
    old = Rule(1, "key", Period.MONTH, None, frozenset(ANY_PROOF), date(2026, 1, 1), date(2026, 10, 31))
    new = Rule(2, "key", Period.MONTH, None, frozenset({"visit"}), date(2026, 11, 1))
    found = duty_rules.obligations([old, new], [Member("key", datetime(2026, 9, 1, tzinfo=UTC))], [], NOVEMBER)
    assert [(one.rule_id, clock.local_date(one.opens).month) for one in found] == [(1, 9), (1, 10), (2, 11)]


hours = st.integers(0, 24 * 70)
kinds = st.sampled_from(list(ProofKind))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    groups=st.sets(st.sampled_from([Group.HIGH, Group.ALONE, Group.DISABLED]), min_size=1),
    proofs=st.lists(st.tuples(hours, kinds), max_size=8),
    looks=st.lists(hours, max_size=5),
)
def test_whenever_the_ledger_is_kept_it_holds_what_the_rules_say(
    database: Engine, groups: set[Group], proofs: list[tuple[int, ProofKind]], looks: list[int]
) -> None:
    """The rows, made in any rhythm, are the obligations of the pure rules: none is missing, none is twice."""
    with write() as session:
        _forget(session)
        elder_id = _elder(session)
        session.add_all(
            DutyRule(group=rule.group, period=rule.period, proof=sorted(rule.proof), valid_from=rule.valid_from,
                     first_within_h=int((rule.first_within or timedelta()).total_seconds() // 3600))
            for rule in (WEEKLY, MONTHLY, QUARTERLY)
        )  # fmt: skip
        session.flush()
        for group in groups:
            duties.join(session, elder_id, group, NOVEMBER)
        moments = sorted([*((hour, kind) for hour, kind in proofs), *((hour, "") for hour in looks)])
        for hour, kind in moments:
            now = NOVEMBER + hour * HOUR
            duties.refresh(session, now)
            if kind:
                by = _call(session, elder_id, now) if kind != ProofKind.VISIT else None
                duties.prove(session, elder_id, Evidence(kind, now, by, elder_id), now)
        end = NOVEMBER + timedelta(days=71)
        duties.refresh(session, end)
        rules = duties.rules(session)
        said = [Proved(NOVEMBER + hour * HOUR, kind) for hour, kind in sorted(proofs)]
        wanted = duty_rules.obligations(rules, [Member(group, NOVEMBER) for group in groups], said, end)
        assert sorted(map(_short, _stored(session))) == sorted(map(_short, wanted))
        assert duty_problems(session) == []


def _short(one: Obligation) -> tuple[object, ...]:
    return one.group, one.opens, one.deadline, one.proved_at or NOVEMBER - HOUR


def _stored(session: Session) -> list[Obligation]:
    return [
        Obligation(row.rule_id, row.group, row.opens_at, row.deadline, row.proof.at if row.proof else None)
        for row in session.scalars(select(Duty))
    ]


def _forget(session: Session) -> None:
    for table in reversed(metadata.sorted_tables):
        session.execute(table.delete())


def _elder(session: Session) -> int:
    return register.add_elder(session, NewElder("王秀英", [normalise(world.WANG)]), NOVEMBER).id


def _call(session: Session, elder_id: int, now: datetime) -> int:
    call = Call(
        channel_id=f"hotline-{now.timestamp()}-{session.query(Call).count()}", direction=Direction.OUT, purpose="care",
        state=CallState.ENDED, elder_id=elder_id, started_at=now, ended_at=now,
    )  # fmt: skip
    session.add(call)
    session.flush()
    return call.id


@pytest.fixture
def elder_id(database: Engine) -> int:
    with write() as session:
        world.settle(session)
        duties.settle_rules(session, NOVEMBER)
        return session.scalars(select(Elder.id).order_by(Elder.id)).first() or 0


def test_what_lacks_a_call_or_a_name_is_no_proof(elder_id: int) -> None:
    for kind in ProofKind:
        with write() as session, pytest.raises(NoProof):
            duties.prove(session, elder_id, Evidence(kind, NOVEMBER), NOVEMBER)
    with write() as session, pytest.raises(NoProof, match="future"):
        duties.prove(session, elder_id, Evidence("visit", NOVEMBER + HOUR, by_person_id=elder_id), NOVEMBER)


def test_a_change_of_risk_ends_the_old_duty_and_is_due_within_a_day(elder_id: int) -> None:
    with write() as session:
        duties.join(session, elder_id, Group.GENERAL, NOVEMBER)
        duties.join(session, elder_id, Group.HIGH, NOVEMBER + 5 * HOUR)
        duties.join(session, elder_id, Group.HIGH, NOVEMBER + 6 * HOUR)
    with read() as session:
        due = duties.next_due(session, [elder_id], NOVEMBER + 30 * HOUR)[elder_id]
        assert (due.group, due.deadline, due.overdue) == ("high", NOVEMBER + 29 * HOUR, True)
        states = {(row.group, row.status, row.decision) for row in session.scalars(select(Duty))}
        assert states == {("general", "decided", "regrouped"), ("high", "open", None)}


def test_the_month_counts_by_group_community_and_butler_and_opens_its_calls(elder_id: int) -> None:
    late = datetime(2026, 12, 3, 2, 0, tzinfo=UTC)
    with write() as session:
        wang, kim, li = session.scalars(select(Elder).order_by(Elder.id).limit(3)).unique()
        butler = register.add_contact(session, wang, NewContact("马丽", [], Relation.BUTLER), NOVEMBER).person_id
        for one in (wang, kim, li):
            duties.join(session, one.id, Group.ALONE, NOVEMBER)
        call_id = _call(session, wang.id, NOVEMBER)
        duties.prove(session, wang.id, Evidence("key", NOVEMBER + HOUR, call_id), NOVEMBER + HOUR)
        duties.refresh(session, late)
        duties.prove(session, kim.id, Evidence("visit", late, by_person_id=butler), late)
    with read() as session:
        view = duty_month.month_view(session, date(2026, 11, 15), late)
    assert {state: len(figure) for state, figure in view.total.states.items()} == {
        "in_time": 1,
        "late": 1,
        "overdue": 1,
    }
    assert view.total.proofs["key"].call_ids == (call_id,)
    assert view.total.rate == pytest.approx(2 / 3)
    assert [(line.name, line.count()) for line in view.groups] == [("alone", 3)]
    assert [(line.name, line.count()) for line in view.communities] == [("河畔社区", 3)]
    assert [(line.name, line.count("in_time")) for line in view.butlers] == [("", 0), ("马丽", 1)]
