"""The one vocabulary is whole in every language, unambiguous, and known to the model that has to hear it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ivr.speech.models import missing_words
from models import vocabulary
from models.vocabulary import ALWAYS, GRAMMARS, LANGUAGES, SERVICES, concept_said, phrases

QUESTIONS = [(language, grammar) for language in LANGUAGES for grammar in GRAMMARS]
EVERYTHING = (*ALWAYS, *(concept for group in GRAMMARS.values() for concept in group))


@pytest.mark.parametrize("concept", EVERYTHING, ids=lambda concept: concept.code)
def test_every_concept_is_whole_in_every_language(concept: vocabulary.Concept) -> None:
    assert set(concept.name) == set(concept.phrases) == set(LANGUAGES)
    for language in LANGUAGES:
        assert concept.name[language].strip()
        assert concept.phrases[language]
        assert all(phrase == phrase.strip() and phrase for phrase in concept.phrases[language])


@pytest.mark.parametrize(("language", "grammar"), QUESTIONS)
def test_no_phrase_of_a_question_means_two_things(language: str, grammar: str) -> None:
    said = Counter(phrase for concept in (*ALWAYS, *GRAMMARS[grammar]) for phrase in concept.phrases[language])
    assert [phrase for phrase, times in said.items() if times > 1] == []


@pytest.mark.parametrize(("language", "grammar"), QUESTIONS)
def test_every_phrase_is_understood_as_its_concept(language: str, grammar: str) -> None:
    for concept in (*ALWAYS, *GRAMMARS[grammar]):
        for phrase in concept.phrases[language]:
            assert concept_said(language, grammar, phrase) is concept
    assert concept_said(language, grammar, "no such words") is None
    assert set(ALWAYS[0].phrases[language]) <= set(phrases(language, grammar))


# A question that takes a sentence mixes groups: its keys are those of the menu that is read out with it.
MENUS = [name for name, group in GRAMMARS.items() if len({concept.key for concept in group}) == len(group)]


def test_services_are_in_pages_of_four() -> None:
    pages = [vocabulary.services_on_page(page) for page in range(1, 5)]
    assert [service for page in pages for service in page] == list(SERVICES)
    assert [[service.key for service in page] for page in pages] == [[*"1234"]] * 3 + [["1"]]
    assert vocabulary.services_on_page(5) == ()


@pytest.mark.parametrize("grammar", sorted({*MENUS, "day", "part", "confirm", "score", "who"}))
def test_keys_are_unique_and_leave_0_9_star_and_hash_alone(grammar: str) -> None:
    keys = [concept.key for concept in GRAMMARS[grammar]]
    assert len(set(keys)) == len(keys)
    # 8 turns the page of services.
    assert set(keys) <= set("1234567")
    assert [concept.key for concept in ALWAYS] == ["9", "0", "*"]


def test_an_emergency_is_heard_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ALWAYS[0].code == "emergency"
    cry = ALWAYS[0].phrases["ko"][0]
    clash = vocabulary.Concept("x", "1", {"ko": "x"}, {"ko": (cry,)})
    monkeypatch.setattr(vocabulary, "GRAMMARS", {"service": (clash,)})
    assert concept_said("ko", "service", cry) is ALWAYS[0]


def test_codes_are_unique_and_what_the_issue_asks_for_is_there() -> None:
    assert len({service.code for service in SERVICES}) == len(SERVICES)
    assert {service.code for service in SERVICES if service.person_only} == {"government", "legal_aid"}
    assert {service.code for service in SERVICES if service.sensitive} == {
        "accompaniment", "health", "rehabilitation",
    }  # fmt: skip


@pytest.mark.speech
def test_the_korean_model_knows_every_korean_phrase() -> None:
    every = {phrase for grammar in GRAMMARS for phrase in phrases("ko", grammar)}
    assert missing_words("ko", sorted(every), Path("/nonexistent")) == ()
