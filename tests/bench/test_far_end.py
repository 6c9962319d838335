"""The arithmetic of what is measured at the far end: sound, the telephone's clock, the search for a rate."""

from __future__ import annotations

import pytest

from tests.bench import memory, p5, usual
from tests.bench.journey import scenario
from tests.bench.p1b import BY_HEART, Search
from tests.bench.telephone import is_sound, linear
from tests.bench.usual import Ordered


def carried_up_to(limit: float, search: Search) -> Search:
    while search.rate:
        search.tell(search.rate <= limit)
    return search


@pytest.mark.parametrize("limit", [3.0, 11.0, 29.0, 60.0])
def test_the_search_finds_the_rate_in_few_steps(limit: float) -> None:
    search = carried_up_to(limit, Search(BY_HEART))
    assert search.carried <= limit < search.failed
    assert search.failed / search.carried <= BY_HEART.near
    assert len(search.tried) <= 14


def test_one_failure_alone_is_not_believed() -> None:
    search = Search(BY_HEART)
    for carried in (True, False, True):
        search.tell(carried)
    assert (search.carried, search.failed) == (18.0, 0.0)


def test_a_search_without_end_ends() -> None:
    assert carried_up_to(1000, Search(BY_HEART)).failed == 0
    assert carried_up_to(0, Search(BY_HEART)).carried == 0


def test_a_telephone_tells_speech_from_silence_in_a_law() -> None:
    assert [linear(byte) for byte in (0xD5, 0x55, 0xAA, 0x2A)] == [8, 8, 32256, 32256]
    assert not is_sound(bytes([0xD5, 0x55]) * 80)
    assert is_sound(bytes([0xD5, 0xAA]) * 80)


def test_what_came_is_heard_with_the_next_tick() -> None:
    assert [p5.at_the_ear(ms) for ms in (-0.1, 0.4, 19.9, 20.0, 20.1, 59.0)] == [20, 20, 20, 20, 40, 60]
    assert p5.p95(range(1, 101)) == 95
    assert p5.p95([7]) == 7


def test_her_usual_in_three_questions_is_not_met_however_fast() -> None:
    assert usual.judge([Ordered(1, 24.0), Ordered(2, 20.0)]).met is True
    assert usual.judge([Ordered(3, 10.0)]).met is False
    assert usual.judge([Ordered(1, 26.0)]).met is False


def test_who_holds_the_line_presses_nothing() -> None:
    text = scenario(memory.parked(25))
    assert "Signal=" not in text
    assert '<pause milliseconds="25000"/>' in text
