"""What understanding hands to the conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time


@dataclass(frozen=True)
class When:
    """A spoken time, local. What was not said is None; nothing here ever lies before the moment she spoke.
    An hour of the night, at which nobody comes (from 22, before 5), leaves `at` None; before 5 `part` too.

    `week`: the Monday of a week that she named without a day ("next week").
    `every`: she wants it again and again, each day, week or month ("week": a weekday is the first of them), or on
    `several` days at once: one order would be less than she asked for.
    `past`: she named a time that is over; the conversation says so and asks again.
    """

    day: date | None = None
    part: str | None = None  # models.vocabulary.PART
    at: time | None = None  # to the minute, within `part`
    week: date | None = None
    every: str | None = None
    past: bool = False

    def __bool__(self) -> bool:
        """Whether anything about time was said."""
        return self != When()


@dataclass(frozen=True)
class Meaning:
    """What she means; empty (`NOTHING`, false) below the threshold: ask once more, differently.

    `intent` is one of
    emergency, person, repeat: whatever was asked;
    order: a service, a time or both were named, without another intent;
    yes, no: only where the question takes them (a lone "yes" elsewhere means nothing); "no" may come
    with slots ("no, the day after tomorrow"); a refused service ("no bath") is never in `service`.
    At "readback" and "confirm" a "yes" may come with slots too, filled as she said them ("yes, a bath tomorrow
    morning"; at the read-back also "yes, but make it the day after"): it is a plain yes only if they are what
    she was asked about, so compare them. "no" also for an intent that she denies, in any grammar ("don't
    cancel", 취소 안 해요); then without slots;
    status, change, cancel, rate, message, usual, behalf, more, goodbye: with the slots that came along;
    answer: `code` answers the question (a score, who, which order, which slot), nothing else was meant.

    `code` is the concept of the question's own grammar: a service for "service", a day for "day", a part for
    "part", yes or no for "confirm", service, day or part for "change", "1"–"5" for "score", grandmother … for
    "who" (and for intent behalf in any grammar), "1"–"4", yes or no for "orders"; else None.
    `others`: further services named in the same sentence, in their order.
    `note`: her words that fit nothing, when the rest was understood. Personal: rows only, never logs.
    `score`: 0–100, how much of what she said is understood, and how exactly.
    """

    intent: str | None = None
    code: str | None = None
    service: str | None = None
    others: tuple[str, ...] = ()
    when: When = field(default_factory=When)
    note: str = ""
    score: int = 0

    @property
    def emergency(self) -> bool:
        """Whether an emergency word was in it."""
        return self.intent == "emergency"

    def __bool__(self) -> bool:
        """Whether she was understood."""
        return self.intent is not None


NOTHING = Meaning()
