"""Our own calls as pure turns: an offer to a provider, a callback to an elder. Keys only.

A key proves a person. A voicemail greeting can contain any word, so no word
ever accepts an order or confirms that she has heard.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ivr.prompts.words import Line, line
from ivr.turns import Ask, GoodBye, Heard, Key, ToPerson
from models.dialing import DeclineReason

# A voicemail is not talked to for ever.
REPEATS = 2


@dataclass(frozen=True)
class Notice:
    """What is said, and which keys answer it.

    `spoken` has the lines in each language, the first one's are said first;
    `answers` maps a key to the answer's code.
    """

    spoken: tuple[tuple[str, tuple[Line, ...]], ...]
    answers: tuple[tuple[str, str], ...]
    silences: int = 0
    dialect: str = ""  # of the elder who is rung

    @property
    def language(self) -> str:
        """The language in which it is said now."""
        return self.spoken[0][0]

    @property
    def ask(self) -> Ask:
        """Say it, and take a key."""
        return Ask(self.spoken[0][1], "none")


@dataclass(frozen=True)
class Answer:
    """The key that was pressed meant this."""

    code: str


@dataclass(frozen=True)
class Gone:
    """The matter is settled already: what is still to be said of it."""

    lines: tuple[Line, ...]
    language: str


Move = Ask | ToPerson | Answer | GoodBye

OFFER_KEYS = (("1", "accept"), ("2", "decline"))
# Asked after a decline, which stands whether it is answered or not.
DECLINE_KEYS = tuple((str(key), reason.value) for key, reason in enumerate(DeclineReason, start=1))
# What she wants changed, a person hears: somebody has accepted it as it is.
CHANGE = "change"
# A contact or a butler: will look in, or cannot.
LOOK_IN_KEYS = (("1", "promise"), ("2", "cannot"))
CALLBACK_KEYS = (("1", "confirm"), ("2", CHANGE))
# An offer also repeats on 3: that is what the offer says.
REPEAT_KEYS = frozenset({"*", "3"})


def hear(notice: Notice, heard: Heard) -> tuple[Notice, Move]:
    """Return the next state and move after what was heard."""
    if isinstance(heard, Key):
        code = dict(notice.answers).get(heard.key)
        if code == CHANGE:
            return notice, ToPerson(CHANGE, (line("to_person"),))
        if code is not None:
            return notice, Answer(code)
        if heard.key == "9":
            return notice, ToPerson("emergency", (line("emergency"),))
        if heard.key == "0":
            return notice, ToPerson("asked", (line("to_person"),))
        if heard.key in REPEAT_KEYS:
            return notice, notice.ask
        if heard.key == "#":
            notice = replace(notice, spoken=(*notice.spoken[1:], notice.spoken[0]))
            return notice, notice.ask
    if notice.silences >= REPEATS:
        return notice, GoodBye()
    return replace(notice, silences=notice.silences + 1), notice.ask
