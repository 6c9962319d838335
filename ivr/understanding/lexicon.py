"""The vocabulary arranged for looking up: which phrases may stand at a place of a text, exactly or by sound."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from ivr.understanding import chinese_time, sounds, text, time_words
from ivr.understanding.time_words import Said
from models import vocabulary
from models.vocabulary import DAYS, PARTS, Concept

# Where a phrase is in two groups, the one that answers the question comes first.
GROUPS: Mapping[str, tuple[Concept, ...]] = {
    "feel": vocabulary.FEEL,
    "ate": vocabulary.ATE,
    "dose": vocabulary.DOSE,
    "company": vocabulary.COMPANY,
    "need": vocabulary.NEED,
    "slot": vocabulary.SLOTS,
    "answer": vocabulary.ANSWERS,
    "score": vocabulary.SCORES,
    "who": vocabulary.WHO,
    "ordinal": vocabulary.ORDINALS,
    "always": vocabulary.ALWAYS[1:],
    "behalf": tuple(intent for intent in vocabulary.INTENTS if intent.code == "behalf"),
    "intent": tuple(intent for intent in vocabulary.INTENTS if intent.code != "behalf"),
    "service": vocabulary.SERVICES,
}
# Understood whatever was asked; a relative's name is an answer to "who", and a wish on somebody's behalf elsewhere.
_EVERYWHERE = ("always", "behalf", "intent", "service", "time", "deny", "little")
# Answers of a care visit: they stand for themselves.
CARE = ("feel", "ate", "dose", "company", "need")
_OWN = (*CARE, "answer", "slot", "score", "who", "ordinal")


@cache
def active(grammar: str) -> tuple[str, ...]:
    """Return the groups of words that are understood as an answer to the question `grammar`.

    Raises:
        KeyError: no such grammar.
    """
    asked = vocabulary.GRAMMARS[grammar]
    own = [group for group in _OWN if GROUPS[group][0] in asked]
    if "slot" in own:  # "what is to be changed?" "no, leave it"
        own.append("answer")
    return (*own, *(group for group in _EVERYWHERE if group != "behalf" or "who" not in own))


EMERGENCY = vocabulary.ALWAYS[0]
# By sound alone a short cry would be heard in anything; these two have no everyday homophones.
_SHORT_CRIES = ("救命", "摔倒")
# Known by their letters only: gas for the kitchen (煤气了), bad legs (腿脚不行), a knock (敲门) sound the same.
_BY_LETTERS = ("没气了", "叫不醒", "撬门", "有人撬门")
# What stands beside a short cry that is known by its sound alone: 就命啊, but not 就明天.
_BESIDE_CRIES = frozenset("啊呀哎哟快来人哪呐我了呜")
# A "no" that corrects, and refuses nothing: "no, the day after".
_CORRECTS = {"不是", "不", "没有", "没", "no", "not", "아니"}


# Measures between a verb and its object: 洗个澡, 送点饭, 去趟医院; with one of them a word is a little less sure.
_BETWEEN = re.compile("一下|[两三四五][个份盒]|一个|一顿|一份|一次|一趟|[点个顿份趟次口碗些回]")
GAPPED = 0.98
_LONGEST_WORD = 8


@dataclass(frozen=True)
class Word:
    """A phrase as it is compared: `group` says what it may answer; `code` within the group ("" for little words)."""

    letters: str
    group: str
    code: str = ""
    time: tuple[Said, ...] = ()


@cache
def words(language: str) -> tuple[Word, ...]:
    """Return every phrase of the language but the emergency's."""
    found = [
        Word(_letters(form, language), group, concept.code)
        for group, concepts in GROUPS.items()
        for concept in concepts
        for form in concept.forms(language)
    ]
    found += [Word(letters, "deny") for letters in _denials(language)]
    for group, table in (
        ("little", vocabulary.LITTLE),
        ("little", vocabulary.LITTLE_ALSO),
        ("decoy", vocabulary.DECOYS),
    ):
        found += [Word(_letters(form, language), group) for form in table[language]]
    if language == "zh-CN":
        found += _time_words()
    return tuple(dict.fromkeys(found))


def _time_words() -> list[Word]:
    """Return the time words as phrases, so that they are known by sound too."""
    forms = [*vocabulary.TIMES["zh-CN"], *(form for one in (*DAYS, *PARTS) for form in one.forms("zh-CN"))]
    found = []
    for letters in (_letters(form, "zh-CN") for form in forms):
        if len(letters) == 2 and letters[1] in "号点":
            continue  # "the fifth" sounds like "my room": every syllable is some date or hour
        whole = [
            said for start, end, said in time_words.find(letters, chinese_time.RULES) if end - start == len(letters)
        ]
        found += [Word(letters, "time", time=said) for said in whole[:1]]
    return found


def _letters(phrase: str, language: str) -> str:
    return text.read(phrase, language).letters


@cache
def _by_first_letter(language: str) -> Mapping[str, tuple[Word, ...]]:
    index: dict[str, list[Word]] = defaultdict(list)
    for word in words(language):
        if word.group != "time":  # exactly, the rules of time find them
            index[word.letters[0]].append(word)
    return {first: tuple(group) for first, group in index.items()}


@cache
def _by_first_sound() -> Mapping[str, tuple[Word, ...]]:
    """Return the phrases of two syllables and more by what their first one sounds like."""
    index: dict[str, list[Word]] = defaultdict(list)
    for word in words("zh-CN"):
        if len(word.letters) > 1 and word.group not in ("little", "decoy"):
            for sound in sounds.near(word.letters[0]):
                index[sound].append(word)
    return {first: tuple(group) for first, group in index.items()}


def at(letters: str, start: int, language: str) -> Iterator[tuple[Word, int, float]]:
    """Yield the words that stand at a place, where they end, and how exactly: 1 the same letters, less by sound."""
    for word in _by_first_letter(language).get(letters[start], ()):
        if letters.startswith(word.letters, start):
            yield word, start + len(word.letters), 1.0
    if language == "zh-CN":
        yield from _sounding(letters, start)
        if between := _BETWEEN.match(letters, start + 1):
            # 送点饭, 洗洗澡: what stands between the verb and its object is taken out.
            gap = between.end() - start - 1
            closed = letters[start] + letters[between.end() : between.end() + _LONGEST_WORD]
            found = (one for one in at(closed, 0, language) if one[0].group == "service" and one[1] > 1)
            yield from ((word, start + end + gap, quality * GAPPED) for word, end, quality in found)


def _sounding(letters: str, start: int) -> Iterator[tuple[Word, int, float]]:
    for sound in sounds.near(letters[start]):
        for word in _by_first_sound().get(sound, ()):
            said = letters[start : start + len(word.letters)]
            if len(said) < len(word.letters) or said == word.letters:
                continue
            quality = sounds.alike(said, word.letters)
            # Two characters that only resemble "换到" or "改天" are far more often something else.
            if quality and not (len(said) == 2 and word.group == "intent" and quality < sounds.HOMOPHONE):
                yield word, start + len(said), quality


@cache
def _cries(language: str) -> tuple[str, ...]:
    return tuple(_letters(form, language) for form in EMERGENCY.forms(language))


@cache
def _denials(language: str) -> frozenset[str]:
    forms = (*vocabulary.DENY[language], *vocabulary.DENY_ALSO[language])
    return frozenset(_letters(form, language) for form in forms)


def denies(letters: str, language: str) -> bool:
    """Whether an answer also refuses what follows it: 不要洗澡, but not 不是，后天."""
    return letters in _denials(language) - _CORRECTS


def denies_intent(letters: str, language: str) -> bool:
    """Whether it denies an intent beside it: 别取消, 不取消, "no cancel"; but not 不对，改成明天."""
    return letters in _denials(language)


def corrects(letters: str) -> bool:
    """Whether it may also be a mere "no" to what was read back: 不是，改成后天."""
    return letters in _CORRECTS


def emergency(said: text.Text, language: str) -> bool:
    """Whether an emergency word stands anywhere; in Chinese also one that sounds the same."""
    letters = said.letters
    for cry in _cries(language):
        start = letters.find(cry)
        while start >= 0:
            if language == "zh-CN" or (start in said.edges and (language == "ko" or start + len(cry) in said.edges)):
                return True
            start = letters.find(cry, start + 1)
    return language == "zh-CN" and any(_cries_out(letters, start) for start in range(len(letters) - 1))


@cache
def _cries_by_sound() -> Mapping[str, tuple[str, ...]]:
    """Return the cries that are known by sound, by what their first character sounds like."""
    known = [cry for cry in _cries("zh-CN") if (len(cry) > 2 and cry not in _BY_LETTERS) or cry in _SHORT_CRIES]
    index: dict[str, list[str]] = defaultdict(list)
    for cry in known:
        for sound in sounds.near(cry[0]):
            index[sound].append(cry)
    return {first: tuple(group) for first, group in index.items()}


def _cries_out(letters: str, start: int) -> bool:
    """Whether something that sounds like a cry begins at a place; short ones with nothing but sighs around them."""
    for cry in (cry for sound in sounds.near(letters[start]) for cry in _cries_by_sound().get(sound, ())):
        end = start + len(cry)
        least = sounds.NEIGHBOUR if len(cry) > 3 else sounds.HOMOPHONE
        if end > len(letters) or sounds.alike(letters[start:end], cry) < least:
            continue
        if len(cry) > 2 or not set(letters[:start] + letters[end:]) - _BESIDE_CRIES:
            return True
    return False
