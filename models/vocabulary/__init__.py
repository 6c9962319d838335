"""The one vocabulary: it drives keys, speech phrase lists, the matcher, prompts, the console's words and forms.

Data, not code. A concept has a code (stored in rows), a key on the telephone, a
name in each language and the phrases by which people say it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from models.vocabulary.care import ATE, COMPANY, DOSE, FEEL, NEED
from models.vocabulary.concept import LANGUAGES, Concept, Phrases, Service, Words
from models.vocabulary.services import SERVICES
from models.vocabulary.talk import (
    ALWAYS,
    ANSWERS,
    DECOYS,
    DENY,
    DENY_ALSO,
    INTENTS,
    LITTLE,
    LITTLE_ALSO,
    ORDINALS,
    SCORES,
    SLOTS,
    WHO,
)
from models.vocabulary.times import DAYS, PARTS, TIMES

__all__ = [
    "ALWAYS", "ANSWERS", "ATE", "COMPANY", "DAY", "DAYS", "DECOYS", "DENY", "DENY_ALSO", "DOSE", "FEEL", "GRAMMARS", "INTENTS", "LANGUAGES", "LITTLE", "LITTLE_ALSO", "NEED", "ORDINALS", "PART", "PARTS", "SCORES",
    "SERVICE", "SERVICES", "SLOTS", "TIMES", "WHO", "Concept", "Phrases", "Service", "Words", "concept_said", "name_of",
    "phrases", "services_on_page",
]  # fmt: skip

_CHANGE, _CANCEL, _MORE = (
    next(intent for intent in INTENTS if intent.code == code) for code in ("change", "cancel", "more")
)
_SLOTS_OF_AN_ORDER = (*SERVICES, *DAYS, *PARTS)
# To "what is to be changed?", "another day" names the slot.
_SLOT_PHRASES = {phrase for slot in SLOTS for language in LANGUAGES for phrase in slot.forms(language)}
_CHANGE_ELSE = replace(
    _CHANGE,
    phrases={language: tuple(p for p in _CHANGE.phrases[language] if p not in _SLOT_PHRASES) for language in LANGUAGES},
)

# What may be answered to which question: what the conversation takes there, so that it can be heard, too.
GRAMMARS: Mapping[str, tuple[Concept, ...]] = {
    "open": (*SERVICES, *INTENTS, *DAYS, *PARTS),
    "service": SERVICES,
    "when": (*DAYS, *PARTS),
    "day": DAYS,
    "part": PARTS,
    "confirm": (*ANSWERS, _CANCEL),
    "readback": (*ANSWERS, _CHANGE, _CANCEL, *_SLOTS_OF_AN_ORDER),
    "anything": (*ANSWERS, *SERVICES, *INTENTS, *DAYS, *PARTS),
    "change": (*SLOTS, _CHANGE_ELSE, _CANCEL, *_SLOTS_OF_AN_ORDER),
    "score": SCORES,
    "who": WHO,
    "orders": (*ORDINALS, *ANSWERS, _CHANGE, _CANCEL, *_SLOTS_OF_AN_ORDER),
    "feel": (*FEEL, _MORE, *SERVICES),
    "care_yes_no": ATE,
    "medicine": (*ATE, *DOSE),
    "company": (*COMPANY, *SERVICES),
    "care_need": (*NEED, *SERVICES),
    "message": (),
    "none": (),
}

# Questions whose answer may be a sentence: the little words between the phrases are listed too.
_SENTENCES = {
    "feel",
    "care_yes_no",
    "medicine",
    "company",
    "care_need",
    "open",
    "service",
    "when",
    "readback",
    "anything",
    "change",
    "orders",
}
# … and the time words without a code.
_TIMED = {"open", "when", "day", "part", "readback", "anything", "change", "confirm", "orders"}
# Where an intent is listed, so is what denies it: "don't cancel" is never to be heard as "cancel".
_DENIED = _SENTENCES | {"confirm"}

SERVICE: Mapping[str, Service] = {service.code: service for service in SERVICES}
DAY: Mapping[str, Concept] = {day.code: day for day in DAYS}
PART: Mapping[str, Concept] = {part.code: part for part in PARTS}


def phrases(language: str, grammar: str) -> tuple[str, ...]:
    """Return every phrase that may be said to the question `grammar`, the ones always understood included.

    Raises:
        KeyError: no such grammar.
    """
    listed = [phrase for concept in (*ALWAYS, *GRAMMARS[grammar]) for phrase in concept.phrases[language]]
    listed += TIMES[language] if grammar in _TIMED else ()
    listed += LITTLE[language] if grammar in _SENTENCES else ()
    listed += DENY[language] if grammar in _DENIED else ()
    return tuple(dict.fromkeys(listed))


def concept_said(language: str, grammar: str, text: str) -> Concept | None:
    """Return the concept whose phrase is exactly `text`; emergency first, then the question, then the rest."""
    order: Iterable[Concept] = (ALWAYS[0], *GRAMMARS[grammar], *ALWAYS[1:])
    return next((concept for concept in order if text in concept.forms(language)), None)


def services_on_page(page: int) -> tuple[Service, ...]:
    """Return the services of a page of the menu, by key 1–4; past the last page there are none."""
    return tuple(service for service in SERVICES if service.page == page)


def name_of(concept: Concept, language: str) -> str:
    """Return the concept's name in `language`."""
    return concept.name[language]
