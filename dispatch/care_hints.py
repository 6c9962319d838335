"""What her answers tell over time: a change is a hint for staff, explained in words. The machine never acts on one.

`history` reads rows, `hints` is pure: the same rows give the same hints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.calls import Call
from models.campaigns import CareAnswer
from models.dialing import Attempt

# So many of her last visits are looked at.
LOOKS_AT = 12
# So often well, and then not, is a change.
WELL_BEFORE = 3
# A later pick-up, or a shorter word, must come so many times in a row, and by so much altogether.
STEPS = 3
LATER_BY_S = 8.0
SHORTER_TO = 0.5


@dataclass(frozen=True)
class Visit:
    """One visit that reached her: what she answered, how long her word was, how soon she picked up."""

    call_id: int
    at: datetime
    answers: dict[str, str] = field(default_factory=dict)
    word_ms: int | None = None
    pick_up_s: float | None = None


@dataclass(frozen=True)
class Hint:
    """A change, by its code, with the figures behind it and the calls they come from."""

    code: str  # mood, meals, medicine, home, shorter, later
    values: dict[str, str]
    call_ids: tuple[int, ...]


def history(session: Session, elder_id: int) -> list[Visit]:
    """Return her last visits that brought answers, the oldest first."""
    query = (
        select(CareAnswer, Call.started_at, Attempt.dialed_at, Attempt.answered_at)
        .join(Call, Call.id == CareAnswer.call_id)
        .outerjoin(Attempt, Attempt.call_id == Call.id)
        .where(CareAnswer.elder_id == elder_id)
        .order_by(Call.started_at, CareAnswer.id)
    )
    visits: dict[int, Visit] = {}
    for answer, at, dialed, answered in session.execute(query):
        waited = (answered - dialed).total_seconds() if dialed is not None and answered is not None else None
        known = visits.get(answer.call_id) or Visit(answer.call_id, at, {}, None, waited)
        word = answer.amount if answer.question == "word" else known.word_ms
        visits[answer.call_id] = Visit(
            known.call_id, at, {**known.answers, answer.question: answer.answer}, word, waited
        )
    return list(visits.values())[-LOOKS_AT:]


def hints(visits: Sequence[Visit]) -> list[Hint]:
    """Return what has changed, by the last of `visits` (the oldest first)."""
    found = [_mood(visits), _twice(visits, "eaten", "meals"), _twice(visits, "medicine", "medicine")]
    found += [_home(visits), _shorter(visits), _later(visits)]
    return [hint for hint in found if hint is not None]


def _mood(visits: Sequence[Visit]) -> Hint | None:
    told = [visit for visit in visits if "feel" in visit.answers]
    if len(told) <= WELL_BEFORE or told[-1].answers["feel"] == "well":
        return None
    before = told[-1 - WELL_BEFORE : -1]
    if any(visit.answers["feel"] != "well" for visit in before):
        return None
    return Hint("mood", {"times": str(WELL_BEFORE), "now": told[-1].answers["feel"]}, _ids([*before, told[-1]]))


def _twice(visits: Sequence[Visit], question: str, code: str) -> Hint | None:
    """Once may be forgotten; twice in a row somebody should ask."""
    told = [visit for visit in visits if question in visit.answers][-2:]
    if len(told) < 2 or any(visit.answers[question] != "no" for visit in told):
        return None
    return Hint(code, {"times": "2"}, _ids(told))


def _home(visits: Sequence[Visit]) -> Hint | None:
    """A cold flat, or one too hot, is said once."""
    told = [visit for visit in visits if visit.answers.keys() & {"warm", "cool"}][-1:]
    cold = [visit for visit in told if "no" in (visit.answers.get("warm"), visit.answers.get("cool"))]
    return Hint("home", {"what": "warm" if "warm" in cold[0].answers else "cool"}, _ids(cold)) if cold else None


def _shorter(visits: Sequence[Visit]) -> Hint | None:
    said = [visit for visit in visits if visit.word_ms][-STEPS:]
    lengths = [visit.word_ms or 0 for visit in said]
    if len(said) < STEPS or not _falls(lengths) or lengths[-1] > lengths[0] * SHORTER_TO:
        return None
    return Hint("shorter", {"from": f"{lengths[0] / 1000:.0f}", "to": f"{lengths[-1] / 1000:.0f}"}, _ids(said))


def _later(visits: Sequence[Visit]) -> Hint | None:
    rung = [visit for visit in visits if visit.pick_up_s is not None][-STEPS:]
    waits = [visit.pick_up_s or 0.0 for visit in rung]
    if len(rung) < STEPS or not _falls([-one for one in waits]) or waits[-1] - waits[0] < LATER_BY_S:
        return None
    return Hint("later", {"from": f"{waits[0]:.0f}", "to": f"{waits[-1]:.0f}"}, _ids(rung))


def _falls(values: Sequence[float]) -> bool:
    return all(after < before for before, after in pairwise(values))


def _ids(visits: Sequence[Visit]) -> tuple[int, ...]:
    return tuple(visit.call_id for visit in visits)


_WORDS = {
    "mood": {
        "zh-CN": "连续{times}次说好，这次说{now}。",
        "ko": "{times}번 좋다고 하셨는데 이번에는 {now}.",
        "en": "She said {times} times that she is well, and now: {now}.",
    },
    "meals": {
        "zh-CN": "连续{times}次说没吃饭。", "ko": "{times}번 연속 식사를 못 하셨습니다.",
        "en": "{times} times in a row she had not eaten.",
    },
    "medicine": {
        "zh-CN": "连续{times}次说没吃药。", "ko": "{times}번 연속 약을 못 드셨습니다.",
        "en": "{times} times in a row she had not taken her medicine.",
    },
    "home": {"zh-CN": "家里{what}。", "ko": "집이 {what}.", "en": "At home it is {what}."},
    "shorter": {
        "zh-CN": "她的话越来越短：从{from}秒到{to}秒。", "ko": "말씀이 점점 짧아집니다: {from}초에서 {to}초로.",
        "en": "What she says grows shorter: from {from} s to {to} s.",
    },
    "later": {
        "zh-CN": "接电话越来越慢：从{from}秒到{to}秒。", "ko": "전화를 점점 늦게 받으십니다: {from}초에서 {to}초로.",
        "en": "She picks up later and later: from {from} s to {to} s.",
    },
}  # fmt: skip
_VALUES = {
    "need": {"zh-CN": "有事", "ko": "부탁이 있다고 하셨습니다", "en": "she needs something"},
    "help": {"zh-CN": "要帮助", "ko": "도움이 필요하다고 하셨습니다", "en": "she needs help"},
    "warm": {"zh-CN": "冷", "ko": "춥습니다", "en": "cold"},
    "cool": {"zh-CN": "太热", "ko": "너무 덥습니다", "en": "too hot"},
}


def explained(hint: Hint, language: str) -> str:
    """Return the hint as a sentence.

    Raises:
        KeyError: no such hint or language.
    """
    values = {name: _VALUES[value][language] if value in _VALUES else value for name, value in hint.values.items()}
    return _WORDS[hint.code][language].format(**values)
