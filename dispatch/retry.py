"""What each outcome of an attempt leads to, and what a trunk's cause means: data, changed by settings.

A rule says whether the attempt counts against the person called, which number
comes next, after what pause, and how often. Nothing here touches rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from models.dialing import Outcome
from models.settings import settings

# The one trunk of today; `HOTLINE_TRUNK_CAUSES` names it.
TRUNK = "trunk"
# So often a fault of ours or of the network is tried again on one occasion.
FAULTS_ALLOWED = 5
# What an unknown cause means: nobody was reached, and trying again later does no harm.
UNKNOWN_CAUSE = Outcome.NO_ANSWER

# We ended it ourselves.
_OURS = 26
# In front of a code: as it comes after an announcement. Carriers tell 空号 in a voice, and then say 480 or 487.
EARLY = "early "
_CODE = re.compile(r"(early )?[0-9]{1,3}")

Purpose = Literal["offer", "callback", "reminder", "return_visit"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


@dataclass(frozen=True)
class RetryRule:
    """What follows one outcome."""

    # Whether it uses up one of the attempts. A fault of ours or of the network does not: nobody's telephone rang.
    counts: bool = True
    # The number tried next: the same, the next of the person's numbers, or none (the next provider; a person).
    number: Literal["same", "next", "none"] = "next"
    pause_s: int = 0
    # How often it is tried again for this outcome on one occasion; None: while attempts are left.
    times: int | None = None

    def __post_init__(self) -> None:
        if self.number not in ("same", "next", "none") or self.pause_s < 0 or (self.times or 0) < 0:
            raise ValueError(f"not a retry rule: {self}")


# Nobody's telephone has rung, or nobody can know.
NOT_COUNTED = frozenset({Outcome.CONGESTION, Outcome.LOST})
# This number will not do the next time either.
USELESS = frozenset({Outcome.INVALID, Outcome.REFUSED})


def _defaults() -> dict[str, RetryRule]:
    now = settings()
    fault = RetryRule(counts=False, number="same", pause_s=now.transient_retry_s, times=FAULTS_ALLOWED)
    later = RetryRule(pause_s=now.callback_retry_s)
    return {
        # An order waits: who is not reached is followed by the next at once.
        "offer.busy": RetryRule(),
        "offer.no_answer": RetryRule(),
        "offer.no_key": RetryRule(number="none"),
        "offer.invalid": RetryRule(),
        "offer.refused": RetryRule(),
        "offer.congestion": fault,
        "offer.lost": fault,
        "offer.declined": RetryRule(number="none"),
        # She is rung again at the number that was engaged; somebody is at home.
        "callback.busy": RetryRule(number="same", pause_s=min(now.callback_busy_s, now.callback_retry_s)),
        "callback.no_answer": later,
        "callback.no_key": later,
        "callback.invalid": RetryRule(),
        "callback.refused": RetryRule(),
        "callback.congestion": fault,
        "callback.lost": fault,
        **_for_her("reminder", now.reminder_retry_s, fault),
        **_for_her("return_visit", now.return_visit_retry_s, fault),
    }


def _for_her(purpose: Purpose, pause_s: int, fault: RetryRule) -> dict[str, RetryRule]:
    """Return the rules of a call that she does not wait for: whatever kept her from it, later again."""
    later, other_number = RetryRule(pause_s=pause_s), RetryRule()
    of_outcome = {
        Outcome.BUSY: later, Outcome.NO_ANSWER: later, Outcome.NO_KEY: later,
        Outcome.INVALID: other_number, Outcome.REFUSED: other_number,
        Outcome.CONGESTION: fault, Outcome.LOST: fault,
    }  # fmt: skip
    return {f"{purpose}.{outcome}": rule for outcome, rule in of_outcome.items()}


def rule(purpose: Purpose, outcome: str) -> RetryRule:
    """Return the rule of an outcome: the default with what `HOTLINE_RETRY_RULES` changes in it.

    Raises:
        ValueError: the setting is not a rule.
    """
    name = f"{purpose}.{outcome}"
    known = _defaults().get(name, RetryRule(number="none" if purpose == "offer" else "next"))
    return _changed(known, settings().retry_rules.get(name, {}))


def _changed(known: RetryRule, changes: Mapping[str, Any]) -> RetryRule:
    try:
        return replace(known, **changes)
    except TypeError as error:
        raise ValueError(f"a retry rule has counts, number, pause_s, times; not {sorted(changes)}") from error


def rules() -> dict[str, RetryRule]:
    """Return every rule as it holds now.

    Raises:
        ValueError: a setting names no outcome, or is not a rule.
    """
    names = {f"{purpose}.{outcome}" for purpose in PURPOSES for outcome in Outcome}
    if strange := sorted(set(settings().retry_rules) - names):
        raise ValueError(f"no outcome is called {', '.join(strange)}")
    return {**_defaults(), **{n: rule(*n.split(".")) for n in settings().retry_rules}}  # type: ignore[arg-type]


# Q.850 causes as Asterisk reports them. What a trunk does differently stands in HOTLINE_TRUNK_CAUSES.
CAUSES: Mapping[int, Outcome] = {
    1: Outcome.INVALID,  # unallocated number (404)
    2: Outcome.INVALID,
    3: Outcome.INVALID,
    16: Outcome.NO_ANSWER,  # our own ring time ran out
    17: Outcome.BUSY,  # 486
    18: Outcome.NO_ANSWER,
    19: Outcome.NO_ANSWER,
    20: Outcome.NO_ANSWER,  # switched off (480)
    21: Outcome.NO_ANSWER,  # rejected by hand (603)
    22: Outcome.INVALID,
    _OURS: Outcome.TOO_LATE,  # we ended it: somebody else has the order
    28: Outcome.INVALID,
    27: Outcome.CONGESTION,
    34: Outcome.CONGESTION,  # 503
    38: Outcome.CONGESTION,
    41: Outcome.CONGESTION,
    42: Outcome.CONGESTION,
    44: Outcome.CONGESTION,
    47: Outcome.CONGESTION,
    127: Outcome.NO_ANSWER,
}


@dataclass(frozen=True)
class End:
    """How a call that nobody answered came to its end."""

    cause: int  # Q.850
    sip: int | None = None  # the network's last answer, 300-699
    early: bool = False  # the network spoke before it (183 and early media): an announcement, or a ringing melody


def outcome_of(end: End, trunk: str = TRUNK) -> Outcome:
    """Return what a hang-up before an answer means on `trunk`.

    The trunk's own table is asked for the SIP answer and then for the Q.850 cause, first as they come after an
    announcement, if there was one; then the common table; then `UNKNOWN_CAUSE`.
    """
    if end.cause == _OURS:
        return CAUSES[_OURS]  # The network only says that it has heard us.
    own = trunk_causes(trunk)
    codes = [str(code) for code in (end.sip, end.cause) if code is not None]
    for name in (*(f"{EARLY}{code}" for code in codes if end.early), *codes):
        if name in own:
            return own[name]
    return CAUSES.get(end.cause, own.get("0", UNKNOWN_CAUSE))


def trunk_causes(trunk: str = TRUNK) -> dict[str, Outcome]:
    """Return the trunk's own table; 0 stands for every cause that no table knows, `early 480` for 480 after a voice.

    Raises:
        ValueError: the setting names no code, or no outcome that an unanswered call can have.
    """
    possible = {Outcome.BUSY, Outcome.NO_ANSWER, Outcome.INVALID, Outcome.CONGESTION}
    table = {}
    for code, name in settings().trunk_causes.get(trunk, {}).items():
        if not _CODE.fullmatch(code):
            raise ValueError(f"HOTLINE_TRUNK_CAUSES: {code!r} is no Q.850 cause, no SIP answer, nor early and one")
        if name not in possible:
            raise ValueError(f"HOTLINE_TRUNK_CAUSES: {name!r} for {code} is not one of {', '.join(sorted(possible))}")
        table[code] = Outcome(name)
    return table
