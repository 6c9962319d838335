"""What a care call asks: scripts and questions as data, by season. The words lie in ivr/prompts/texts/care.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

# The municipal heating of Harbin runs from October 20th to April 20th; the hot weeks. (month, day)
HEATING = ((10, 20), (4, 20))
HOT = ((6, 15), (8, 31))


@dataclass(frozen=True)
class Question:
    """One question: `answers` maps a key to the answer's code, `worry` are answers that staff should see."""

    code: str
    answers: Mapping[str, str]
    grammar: str
    worry: frozenset[str] = frozenset()
    season: tuple[tuple[int, int], tuple[int, int]] | None = None

    def asked_on(self, day: date) -> bool:
        """Return whether it is asked at this time of the year."""
        if self.season is None:
            return True
        first, last = self.season
        today = (day.month, day.day)
        return first <= today <= last if first <= last else today >= first or today <= last


@dataclass(frozen=True)
class Script:
    """A kind of call. `notice` is a prompt said first; `word`: a free word of hers is taken at the end.

    `escalates`: who is not reached is looked after by others (Campaign.escalate may switch it off).
    """

    code: str
    questions: tuple[str, ...]
    notice: str = ""
    word: bool = True
    escalates: bool = True


_YES_NO = {"1": "yes", "2": "no"}
QUESTIONS: Mapping[str, Question] = {
    question.code: question
    for question in (
        # The first question is answered by whoever takes the receiver: it is where a living person shows.
        Question("feel", {"1": "well", "2": "need", "3": "help"}, "feel", frozenset({"need", "help"})),
        Question("eaten", _YES_NO, "care_yes_no", frozenset({"no"})),
        Question("medicine", {"1": "yes", "2": "no", "3": "none"}, "medicine", frozenset({"no"})),
        Question("warm", _YES_NO, "care_yes_no", frozenset({"no"}), HEATING),
        Question("cool", _YES_NO, "care_yes_no", frozenset({"no"}), HOT),
        Question("company", {"1": "visit", "2": "chat", "3": "no"}, "company", frozenset({"visit", "chat"})),
    )
}
SCRIPTS: Mapping[str, Script] = {
    script.code: script
    for script in (
        Script("care", ("feel", "eaten", "medicine", "warm", "cool", "company")),
        Script("short", ("feel",), word=False),
        Script("cold", ("feel", "warm"), notice="care_notice_cold", word=False),
        Script("heat", ("feel", "cool"), notice="care_notice_heat", word=False),
        Script("storm", ("feel",), notice="care_notice_storm", word=False),
        Script("holiday", ("feel", "company"), notice="care_notice_holiday", word=False, escalates=False),
    )
}


def questions(script: str, day: date) -> tuple[str, ...]:
    """Return the questions of a script on this day: three to five for the full one, whatever the season.

    Raises:
        KeyError: no such script.
    """
    return tuple(code for code in SCRIPTS[script].questions if QUESTIONS[code].asked_on(day))
