"""What a conversation knows and does: what was heard, what is understood so far, what comes next. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from ivr.prompts.words import Line

if TYPE_CHECKING:
    from dataclasses import replace as replace
else:

    def replace(one: Any, /, **changes: Any) -> Any:
        """Do as `dataclasses.replace`, which asks for each field by its name: a call does it some thirty times.

        Raises:
            TypeError: there is no such field.
        """
        made = object.__new__(type(one))
        made.__dict__.update(one.__dict__)
        made.__dict__.update(changes)
        if len(made.__dict__) != len(one.__dict__):
            raise TypeError(f"{type(one).__name__} has not all of {', '.join(changes)}")
        return made


# Of `State.how`: whoever talks is somebody else. A card keyed at a strange telephone is her own.
_NOT_HERSELF = frozenset({"contact", "provider", "worker"})


@dataclass(frozen=True)
class Key:
    """She pressed a key: 0–9, `*`, `#`, A–D."""

    key: str


@dataclass(frozen=True)
class Digits:
    """She keyed a number, ended with `#` or a pause."""

    digits: str


@dataclass(frozen=True)
class Said:
    """She said phrases of the vocabulary and nothing else, or a cry for help among other words."""

    phrase: str
    score: int  # 0..100, the least sure word
    audio: str = ""  # content key of what was kept of her voice


@dataclass(frozen=True)
class Silence:
    """Nothing came before the time-out."""


@dataclass(frozen=True)
class Unknown:
    """Something was said that is no phrase of the vocabulary."""

    text: str = ""  # what a phrase list made of it: a hint for an agent, never an answer
    audio: str = ""  # content key of what was kept of her voice


Heard = Key | Digits | Said | Silence | Unknown


@dataclass(frozen=True)
class Slots:
    """What is understood of a request so far, as codes of the vocabulary and a day of her calendar."""

    service: str | None = None
    day: date | None = None
    part: str | None = None
    at: time | None = None  # the clock time within the part, where she named one
    note: str = ""  # words of hers that fit no slot; personal: the order's row only

    def as_data(self) -> dict[str, str]:
        """Return the filled slots for the journal: codes, the day as ISO date, the time as HH:MM."""
        told = {"service": self.service, "day": self.day, "part": self.part, "at": self.at and f"{self.at:%H:%M}"}
        return {name: str(value) for name, value in told.items() if value is not None}


@dataclass(frozen=True)
class Her:
    """An elder who may be meant: all of her that caller ID alone may have spoken, and how she likes to be spoken to."""

    elder_id: int
    family_name: str
    sex: str | None
    language: str
    pace: str = "normal"  # normal, slow
    volume: str = "normal"  # normal, loud
    person_first: bool = False
    dialect: str = ""  # a code of models.dialects; empty: her language's usual speech
    may_hear: bool = True  # whether the caller may be told of her orders; a contact only with her consent


@dataclass(frozen=True)
class KnownOrder:
    """An order of hers as the conversation needs it."""

    order_id: int
    number: int
    service: str
    day: date
    part: str
    status: str
    at: time | None = None

    @property
    def slots(self) -> Slots:
        """What was ordered, as slots."""
        return Slots(self.service, self.day, self.part, self.at)


@dataclass(frozen=True)
class Care:
    """A care visit as the conversation needs it. `answers`: (question, code, how: key, word (exact), heard)."""

    visit_id: int
    questions: tuple[str, ...]  # still to be asked, the next one first (models/care_scripts.py)
    notice: str = ""  # a prompt that is said first
    word: bool = True  # whether a free word of hers is taken at the end
    insist: bool = False  # whether silence goes to a person, if one is free
    back: bool = False  # whether it was she who rang
    answers: tuple[tuple[str, str, str], ...] = ()
    slow: bool = False
    silent: bool = False  # nothing came, asked twice
    worded: bool = False
    over: bool = False  # all was asked


@dataclass(frozen=True)
class Matters:
    """What awaits her: read when it is known who she is."""

    usual: Slots | None = None  # what she orders again and again, with the next day it would fall on
    missed: Missed | None = None  # a call of ours that she missed
    asked: ReturnDue | None = None  # a return visit that missed her
    visit_due: bool = False  # whether a worker is to come to her, or is with her, today
    care: Care | None = None  # a care visit for which we rang her in vain
    to_rate: int | None = None  # the order done last that she was not asked about yet


@dataclass(frozen=True)
class Missed:
    """A callback or a reminder that did not reach her: who comes, when."""

    notice_id: int
    order: KnownOrder
    provider: str
    reminder: bool = False


@dataclass(frozen=True)
class ReturnDue:
    """A return visit that she has not answered: the orders about which she is still to be asked."""

    visit_id: int
    orders: tuple[KnownOrder, ...]


@dataclass(frozen=True)
class OpenOffer:
    """An order that a provider has been asked for and has not answered."""

    offer_id: int
    district: str
    service: str
    day: date
    part: str
    number: int
    at: time | None = None


@dataclass(frozen=True)
class WorkerHere:
    """Whose code was keyed, the language in which she works, and the orders for which she may be here."""

    worker_id: int
    language: str
    orders: tuple[KnownOrder, ...] = ()


@dataclass(frozen=True)
class State:
    """Where the conversation stands. `step` names the question that was asked last."""

    moment: datetime  # local time at which the call began
    language: str
    how: str = "one"  # one, household, contact, provider, unknown, withheld, worker, return_visit
    people: tuple[Her, ...] = ()  # who may be meant, before one is chosen
    her: Her | None = None
    number: str | None = None  # the number the call comes from, E.164; None where it is withheld
    matters: Matters = field(default_factory=Matters)
    listens: bool = False  # whether an engine listens for her language now
    step: str = ""
    at_door: bool = True  # nothing was answered yet: `*` and digits are a worker's code
    worker_id: int | None = None  # who keyed it
    spoken: bool = False  # whether the last answer came by voice
    slots: Slots = field(default_factory=Slots)
    unnamed: bool = False  # whether the service comes from our rows and was not named by her in this call
    ours: bool = False  # whether the request began as her usual
    agreed: str | None = None  # the service that she named by key, or while it stood in the request already
    week: date | None = None  # the Monday of a week that she named without a day
    every: str = ""  # she wants it again and again: day, week, month; or on "several" days
    off: frozenset[str] = frozenset()  # services that are not offered at present
    others: tuple[str, ...] = ()  # further services of the same sentence, asked for one after another
    orders: tuple[KnownOrder, ...] = ()
    offers: tuple[OpenOffer, ...] = ()
    chosen: int | None = None  # the order that is being changed or cancelled
    asked: tuple[KnownOrder, ...] = ()  # how these were: the first one now
    visit_id: int | None = None  # the return visit in which that is asked
    care: Care | None = None
    wish: str = ""  # what she wants of her orders: status, change, cancel
    keyed: str = ""  # digits that wait to be confirmed
    turns: int = 0  # answers since the call began or since something was achieved
    misses: int = 0  # times in a row that nothing was understood
    lines: tuple[Line, ...] = ()  # what was asked last, for repeating

    @property
    def dialect(self) -> str:
        """The dialect of whoever is on the line, as far as it is she herself; empty where none is known."""
        one = self.her or (self.people[0] if len(self.people) == 1 else None)
        return one.dialect if one is not None and self.how not in _NOT_HERSELF else ""

    @property
    def today(self) -> date:
        """The day of the call, in her calendar."""
        return self.moment.date()

    @property
    def usual(self) -> Slots | None:
        """What she orders again and again, while it is offered."""
        usual = self.matters.usual
        return None if usual is None or usual.service in self.off else usual

    def request(self) -> dict[str, str]:
        """Return what is understood of a request so far, for the journal: codes, days and ids only."""
        told = self.slots.as_data()
        if self.every:
            told["every"] = self.every
        if self.others:
            told["others"] = ",".join(self.others)
        if self.wish in ("change", "cancel"):
            told["wish"] = self.wish
        return told

    def fresh(self) -> State:
        """Return the state without a request: something was achieved, or she begins anew."""
        nothing = State(self.moment, self.language)
        begun = (
            "slots", "unnamed", "ours", "agreed", "week", "every", "others", "orders", "chosen", "asked", "visit_id",
            "wish", "keyed", "turns", "misses",
        )  # fmt: skip
        return replace(self, **{name: getattr(nothing, name) for name in begun})


@dataclass(frozen=True)
class Ask:
    """Say the lines and listen. `grammar` names the phrases; keys always work.

    `extra`: phrases of this turn alone, as the names of a household; they hold no `|`.
    `first`: said before, while nobody listens for words: keys only.
    `news`: so many of the lines stand in front of the question: a greeting, what was just done.
    `deaf`: the question as it is asked where the engine is lost in this very turn, so that the keys are named.
    """

    lines: tuple[Line, ...]
    grammar: str
    extra: tuple[str, ...] = ()
    news: int = 0
    deaf: tuple[Line, ...] = ()
    digits: int = 1  # how many keys make an answer; more than one: `#` or a pause ends it
    first: tuple[Line, ...] = ()
    patience_ms: int | None = None  # how long she may think; None: as long as her pace allows
    star: bool = False  # whether digits right behind a `*` are a worker's code, heard as Digits("*…")

    def after(self, *said: Line) -> Ask:
        """Return the same with something said in front of it."""
        return self if not said else replace(self, lines=(*said, *self.lines), news=self.news + len(said))

    def by_keys(self, interrupted: bool) -> tuple[Line, ...]:
        """Return what is said where the engine is lost. What she `interrupted`, she need not hear again."""
        return self.deaf if interrupted else (*self.lines[: self.news], *self.deaf)


@dataclass(frozen=True)
class Do:
    """Have something done that is not talk: `verb` is a function of ivr.deeds, whose result comes to `after`."""

    verb: str
    value: object = None


@dataclass(frozen=True)
class ToPerson:
    """The call goes on to a person. `reason`: asked, emergency, not_understood, government, …"""

    reason: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class GoodBye:
    """The conversation has come to its end; say the lines and hang up."""

    lines: tuple[Line, ...] = ()


Move = Ask | Do | ToPerson | GoodBye
Next = tuple[State, Move]
