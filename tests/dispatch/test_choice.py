"""Which provider is asked: whom it may never be, what decides among the others, and that everybody gets a share."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dispatch.choice import Bar, Candidate, Points, Wanted, explain, rank

POINTS = Points(30, 30, 10, 3, 25, 50, frozenset({"companionship"}))
MONDAY_MORNING = Wanted("bathing", frozenset({1, 2}), 0, (480, 660))
WORKS = frozenset({(0, (480, 1020))})

spans = st.tuples(st.integers(0, 1380), st.integers(1, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))
wanted = st.builds(
    Wanted,
    service=st.sampled_from(["bathing", "companionship"]),
    areas=st.frozensets(st.integers(1, 4)),
    weekday=st.integers(0, 6),
    span=spans,
)
ratings = st.lists(st.integers(1, 5), max_size=20)
one = st.builds(
    Candidate,
    provider_id=st.just(0),
    services=st.frozensets(st.sampled_from(["bathing", "companionship", "meals"])),
    areas=st.frozensets(st.integers(1, 4), max_size=2),
    hours=st.none() | st.frozensets(st.tuples(st.integers(0, 6), spans), max_size=5),
    position=st.integers(0, 3),
    volunteers=st.booleans(),
    reachable=st.booleans(),
    paused=st.booleans(),
    asked=st.booleans(),
    capacity=st.none() | st.integers(0, 3),
    taken=st.integers(0, 4),
    doubted=st.booleans(),
    lately=st.integers(0, 9),
    her_rating=st.none() | st.integers(1, 5),
)
rated = st.tuples(one, ratings).map(lambda pair: replace(pair[0], ratings=len(pair[1]), rating_sum=sum(pair[1])))
many = st.lists(rated, max_size=8).map(
    lambda found: [replace(candidate, provider_id=at) for at, candidate in enumerate(found)]
)


@given(wanted, many)
def test_nobody_is_asked_who_cannot_or_may_not_come(order: Wanted, candidates: list[Candidate]) -> None:
    by_id = {candidate.provider_id: candidate for candidate in candidates}
    verdicts = rank(order, candidates, POINTS)
    assert sorted(verdict.provider_id for verdict in verdicts) == sorted(by_id), "everybody is accounted for"
    assert [verdict.fit for verdict in verdicts] == sorted((verdict.fit for verdict in verdicts), reverse=True)
    for verdict in verdicts:
        who = by_id[verdict.provider_id]
        may = (
            order.service in who.services
            and (not who.areas or bool(who.areas & order.areas))
            and not (who.paused or who.asked)
            and who.reachable
            and (who.capacity is None or who.taken < who.capacity)
            and who.her_rating not in (1, 2)
            and (who.hours is None or any(day == order.weekday for day, _ in who.hours))
        )
        assert not verdict.fit or may
        if may and who.hours is None:
            assert verdict.fit


@given(wanted, many, st.randoms())
def test_the_same_question_has_the_same_answer_in_whatever_order_it_is_put(
    order: Wanted, candidates: list[Candidate], dice: Any
) -> None:
    shuffled = list(candidates)
    dice.shuffle(shuffled)
    assert rank(order, candidates, POINTS) == rank(order, shuffled, POINTS)


@given(wanted, many, st.data())
def test_a_better_rating_never_costs_a_place(order: Wanted, candidates: list[Candidate], data: st.DataObject) -> None:
    if not candidates:
        return
    chosen = data.draw(st.sampled_from(candidates))
    better = replace(chosen, ratings=chosen.ratings + 1, rating_sum=chosen.rating_sum + 5)

    def place(others: list[Candidate]) -> int:
        return [verdict.provider_id for verdict in rank(order, others, POINTS)].index(chosen.provider_id)

    improved = [better if candidate is chosen else candidate for candidate in candidates]
    assert place(improved) <= place(candidates)


@given(st.integers(2, 6), st.integers(1, 60))
def test_equals_share_the_orders_equally(providers: int, orders: int) -> None:
    had: Counter[int] = Counter()
    for _ in range(orders):
        candidates = [Candidate(at, frozenset({"bathing"}), lately=had[at]) for at in range(providers)]
        had[rank(MONDAY_MORNING, candidates, POINTS)[0].provider_id] += 1
    counts = [had[at] for at in range(providers)]
    assert max(counts) - min(counts) <= 1


@given(ratings, ratings, st.integers(50, 120))
def test_the_best_one_leads_but_never_takes_everything(good: list[int], bad: list[int], orders: int) -> None:
    had: Counter[int] = Counter()
    for _ in range(orders):
        candidates = [
            Candidate(at, frozenset({"bathing"}), ratings=len(marks), rating_sum=sum(marks), lately=had[at])
            for at, marks in enumerate((good, bad))
        ]
        had[rank(MONDAY_MORNING, candidates, POINTS)[0].provider_id] += 1
    # 30 points between the worst and the best are ten orders.
    assert abs(had[0] - had[1]) <= POINTS.score / POINTS.lately + 1


def test_her_favourite_comes_first_and_the_one_she_did_not_like_never() -> None:
    plain, liked, disliked = (
        Candidate(at, frozenset({"bathing"}), her_rating=rating) for at, rating in ((1, None), (2, 5), (3, 2))
    )
    first, second, last = rank(MONDAY_MORNING, [plain, disliked, liked], POINTS)
    assert (first.provider_id, dict(first.why)["favourite"]) == (2, 30)
    assert second.provider_id == 1 and last.bars == (Bar.REFUSED,)
    kept = explain((first, second, last), 2)
    assert (kept["place"], kept["fit"]) == (1, 2)
    assert [(other["provider_id"], other["bars"]) for other in kept["others"]] == [(1, []), (3, ["refused"])]


def test_volunteers_come_first_where_they_fit() -> None:
    both = frozenset({"bathing", "companionship"})
    business, volunteers = Candidate(1, both), Candidate(2, both, volunteers=True)
    talk = replace(MONDAY_MORNING, service="companionship")
    assert rank(talk, [business, volunteers], POINTS)[0].provider_id == 2
    assert rank(MONDAY_MORNING, [business, volunteers], POINTS)[0].provider_id == 1


def test_an_hour_of_the_wanted_part_must_lie_in_the_providers_hours() -> None:
    def fits(*span: int, weekday: int = 0) -> bool:
        candidate = Candidate(1, frozenset({"bathing"}), hours=frozenset({(weekday, (span[0], span[1]))}))
        return rank(MONDAY_MORNING, [candidate], POINTS)[0].fit

    assert fits(480, 1020) and fits(600, 1020) and not fits(601, 1020)
    assert not fits(480, 1020, weekday=1)
