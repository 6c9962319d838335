"""By what an elder is found: terms, and the index on both databases."""

from __future__ import annotations

import unicodedata

import pytest

from models import search


@pytest.mark.parametrize(
    ("name", "found_by"),
    [
        ("王桂兰", {"n王桂兰", "n桂兰", "n兰", "pwangguilan", "pguilan", "plan", "iwgl", "igl"}),
        ("单秀英", {"pshanxiuying", "pdanxiuying", "isxy", "idxy"}),
        ("吕淑芬", {"plvshufen", "ilsf"}),
        ("김순자", {"n김순자", "n순자", "iㄱㅅㅈ", "iㅅㅈ"}),
        ("Mary Li", {"nmaryli", "nmary", "nli", "iml"}),
    ],
)
def test_a_name_is_found_by_its_parts_its_sound_and_its_initials(name: str, found_by: set[str]) -> None:
    assert {unicodedata.normalize("NFKC", term) for term in found_by} <= search.terms_of_name(name)


def test_a_number_is_found_from_both_ends() -> None:
    assert search.terms_of_number("+8645110000101") == {"t45110000101", "r10100001154"}


def test_an_address_is_found_from_each_of_its_words() -> None:
    terms = search.terms_of("王", (), "H-000-101", "道里区尚志大街1号院2单元301")
    assert {"a道里区尚志大街1号院2单元301", "a尚志大街1号院2单元301", "a2单元301", "a301"} <= terms
    assert {"ch000101", "c000101"} <= terms


def test_no_term_is_longer_than_its_column() -> None:
    assert max(len(term) for term in search.terms_of("欧" * 60, (), None, "长" * 150)) == search.TERM_MAX
