"""Phrase lists: what is left out, what is put beside, what counts as heard."""

from __future__ import annotations

import logging

import pytest

from ivr.speech import grammar
from ivr.speech.fillers import FILLERS
from ivr.speech.grammar import Grammar, Knows, Wanted


def everything(word: str) -> bool:
    return True


def build(
    *phrases: str, language: str = "ko", knows: Knows = everything, private: tuple[str, ...] = (), urgent: str = ""
) -> Grammar:
    return grammar.build(Wanted("x", phrases, private, (urgent,)), language, knows)


def test_only_what_is_wholly_phrases_counts() -> None:
    made = build("병원", "병원 동행", "네", "내일")
    assert made.match(["병원"]) == "병원"
    assert made.match(["병원", "동행"]) == "병원 동행"
    assert made.match(["동행"]) is None
    assert made.match(["어머니", "병원"]) is None
    assert made.match(["병원", "어머니", "내일"]) is None
    assert made.match([]) is None


def test_several_phrases_in_one_breath_are_all_heard() -> None:
    made = build("병원", "병원 동행", "네", "내일", "오후")
    assert made.entries[:2] == ["병원", "병원 동행"]
    assert made.match(["내일", "오후", "병원", "동행"]) == "내일 오후 병원 동행"
    assert made.match(["네", "네", "병원"]) == "네 병원"
    assert made.match(["내일", "오후"] * 20) is None, "nobody asks for twenty things in one breath"
    chinese = build("明天", "上午", "洗澡", language="zh-CN")
    assert chinese.match(["明天", "上午", "洗澡"]) == "明天上午洗澡"


def test_phrases_that_are_heard_in_everything_are_not_listed() -> None:
    made = build("뭐", "또 뭐", "네", "밥", "불이 났", "내일", "김", private=("김 할머니",))
    assert list(made.phrases.values()) == ["네", "밥", "내일", "김 할머니"]
    assert made.missing == ()
    assert build("对", "洗澡", language="zh-CN").phrases == {"对": "对", "洗澡": "洗澡"}


def test_a_cry_for_help_is_heard_among_other_words() -> None:
    made = build("살려 주세요", "네", urgent="살려 주세요")
    assert made.match(["어머니", "살려", "주세요", "빨리"]) == "살려 주세요"
    assert made.match(["어머니", "살려", "주세요"], [0.2, 0.9, 0.9]) == "살려 주세요"
    assert made.match(["어머니", "살려", "주세요"], [1.0, 0.9, 0.3]) is None, "a phrase list hears it in a yawn"
    assert made.match(["살려", "주세요"], [0.3, 0.3]) == "살려 주세요", "nothing else was said"
    assert made.match(["네", "살려", "주세요"]) == "네 살려 주세요"
    assert made.match(["어머니", "주세요"]) is None
    assert build("살려 주세요", "네").match(["어머니", "살려", "주세요"]) is None


def test_names_of_a_household_are_phrases_and_stay_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        made = build("네", private=("김 할머니", "무명씨"), knows=lambda word: word != "무명씨")
    assert made.match(["김", "할머니"]) == "김 할머니"
    assert made.missing == ("무명씨",)
    assert "무명씨" not in caplog.text


def test_the_same_phrase_twice_is_that_phrase() -> None:
    made = build("네", "병원 동행")
    assert made.match(["네", "네"]) == "네"
    assert made.match(["네", "네", "네"]) == "네"
    assert made.match(["병원", "동행", "병원", "동행"]) == "병원 동행"


def test_fillers_that_are_or_sound_like_a_phrase_are_left_out() -> None:
    made = build("전화", "가슴")
    assert "전화" not in made.fillers
    assert "전화기" not in made.fillers
    assert "텔레비전" in made.fillers
    assert made.entries[:2] == ["전화", "가슴"]


def test_a_phrase_with_an_unknown_word_is_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        made = build("네", "도와주세요", knows=lambda word: word != "도와주세요")
    assert made.missing == ("도와주세요",)
    assert list(made.phrases) == ["네"]
    assert "도와주세요" in caplog.text


def test_chinese_is_cut_into_the_fewest_known_words() -> None:
    known = {"我", "要", "洗", "洗澡", "澡", "打扫", "卫生"}
    assert grammar.split_words("我要洗澡", known.__contains__) == ["我", "要", "洗澡"]
    made = build("打扫卫生", "摔倒了", language="zh-CN", knows=known.__contains__)
    assert made.phrases == {"打扫 卫生": "打扫卫生"}
    assert made.match(["打扫", "卫生"]) == "打扫卫生"
    assert made.missing == ("摔倒了",)


def test_korean_is_not_cut_into_syllables() -> None:
    assert grammar.split_words("넘어졌어요", lambda word: len(word) == 1) is None


def test_likeness_is_by_sounds() -> None:
    assert grammar.similarity("모레", "모레") == 1
    assert grammar.similarity("모레", "머리") >= 0.5
    assert grammar.similarity("모레", "텔레비전") < 0.5
    assert grammar.similarity("", "") == 1


@pytest.mark.parametrize("language", sorted(FILLERS))
def test_no_filler_is_listed_twice(language: str) -> None:
    assert len(set(FILLERS[language])) == len(FILLERS[language])
