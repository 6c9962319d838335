"""The inbound conversation as pure turns: (state, heard) → (state, what to do next).

Nothing here touches a line, a row or a clock, so a test can walk the whole
graph. In every turn, whatever was asked: 9 and emergency words first, then 0
and the wish for a person, `*` repeats, `#` changes the language.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from ivr.prompts import words
from ivr.prompts.words import Line, Value, line
from models import vocabulary

# After so many turns in a row without an answer, a person takes over.
MISSES_BEFORE_PERSON = 3
# Nobody is sent out the same day after this hour, local time; a setting of the service later.
LAST_HOUR_TODAY = 17
NOON = 12


@dataclass(frozen=True)
class Key:
    """She pressed a key: 0–9, `*`, `#`, A–D."""

    key: str


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


Heard = Key | Said | Silence | Unknown


@dataclass(frozen=True)
class Slots:
    """What is understood so far, as codes of the vocabulary."""

    service: str | None = None
    day: str | None = None
    part: str | None = None

    def as_data(self) -> dict[str, str]:
        """Return the filled slots for the journal."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class State:
    """Where the conversation stands. `step` is the question that was asked last."""

    who: Value
    language: str
    today: date
    hour: int  # local hour of the day, 0..23
    listens: bool = False  # whether an engine listens for her language now
    step: str = "service"
    slots: Slots = field(default_factory=Slots)
    misses: int = 0
    lines: tuple[Line, ...] = ()  # what was said last, for repeating

    @property
    def wanted_on(self) -> date:
        """The wanted day in the calendar."""
        days = [day.code for day in vocabulary.DAYS]
        return self.today + timedelta(days=days.index(self.slots.day or "today"))


@dataclass(frozen=True)
class Ask:
    """Say the lines and listen. `grammar` names the phrases; keys always work.

    `extra`: phrases of this turn alone, as the names of a household; they hold no `|`.
    """

    lines: tuple[Line, ...]
    grammar: str
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class ToPerson:
    """The call goes on to a person. `reason`: asked, emergency, not_understood, government, …"""

    reason: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class PlaceOrder:
    """Everything is confirmed: write the order, then call `order_placed`."""


@dataclass(frozen=True)
class GoodBye:
    """The conversation has come to its end; say the lines and hang up."""

    lines: tuple[Line, ...] = ()


Move = Ask | ToPerson | PlaceOrder | GoodBye


def begin(state: State) -> tuple[State, Move]:
    """Greet her by name and ask the one open question."""
    return _ask(state, "service", line("greeting", who=state.who))


def hear(state: State, heard: Heard) -> tuple[State, Move]:
    """Return the next state and move after what was heard."""
    grammar = GRAMMAR[state.step]
    match heard:
        case Said(phrase=phrase):
            concept = vocabulary.concept_said(state.language, grammar, phrase)
        case Key(key="#"):
            return _next_language(state)
        case Key(key=key):
            if state.step in ("service", "more") and key == "8":
                return _ask(replace(state, misses=0), "more" if state.step == "service" else "service")
            concept = next((c for c in (*vocabulary.ALWAYS, *vocabulary.GRAMMARS[grammar]) if c.key == key), None)
        case _:
            concept = None
    if concept is None:
        return _missed(state, silent=isinstance(heard, Silence))
    match concept.code:
        case "emergency":
            return state, ToPerson("emergency", (line("emergency"),))
        case "person":
            return state, ToPerson("asked", (line("to_person"),))
        case "repeat":
            return state, Ask(state.lines, grammar)
    return _understood(replace(state, misses=0), concept.code)


def order_placed(state: State, number: int, created: bool) -> tuple[State, Move]:
    """The order stands on disk: only now is it said to be done."""
    said = line("order_done" if created else "order_known", number=words.digits(number, state.language))
    return _say_last(state, said, line("order_next"), line("order_end"))


# Which phrases answer the question of a step.
GRAMMAR = {
    "service": "service",
    "more": "service",
    "day": "day",
    "part": "part",
    "confirm": "confirm",
    "done": "none",
}


def _understood(state: State, code: str) -> tuple[State, Move]:
    slots = state.slots
    match state.step:
        case "service" | "more":
            if vocabulary.SERVICE[code].person_only:
                return replace(state, slots=replace(slots, service=code)), ToPerson(code, (line("to_person"),))
            return _next_question(replace(state, slots=replace(slots, service=code)))
        case "day":
            if code == "today" and state.hour >= LAST_HOUR_TODAY:
                return _ask(state, "day", line("too_late_today"))
            # This morning is past by noon: what is left of today is the afternoon.
            part = "afternoon" if code == "today" and state.hour >= NOON else slots.part
            return _next_question(replace(state, slots=replace(slots, day=code, part=part)))
        case "part":
            return _next_question(replace(state, slots=replace(slots, part=code)))
        case _ if code == "yes":
            return state, PlaceOrder()
        case _:
            return _ask(replace(state, slots=Slots()), "service")


def _next_question(state: State) -> tuple[State, Move]:
    """Ask for what is still missing; with everything there, read it back."""
    for step in ("service", "day", "part"):
        if getattr(state.slots, step) is None:
            return _ask(state, step)
    return _ask(state, "confirm")


def _question(state: State, step: str) -> Line:
    if step == "confirm":
        slots, language = state.slots, state.language
        return line(
            "readback",
            service=words.service(slots.service or "", language),
            day=words.day(state.wanted_on, state.today, language),
            part=words.part(slots.part or "", language),
        )
    if step == "service" and state.listens:
        return line("ask_service_spoken")
    return line({"service": "ask_service", "more": "ask_service_more"}.get(step, f"ask_{step}"))


def _ask(state: State, step: str, *before: Line) -> tuple[State, Move]:
    question = _question(state, step)
    lines = (*before, question)
    # A repetition repeats the question, not the greeting.
    return replace(state, step=step, lines=(question,)), Ask(lines, GRAMMAR[step])


def _say_last(state: State, *said: Line) -> tuple[State, Move]:
    return replace(state, step="done", lines=said, misses=0), Ask(said, GRAMMAR["done"])


def _missed(state: State, silent: bool) -> tuple[State, Move]:
    if state.step == "done":
        return state, GoodBye((line("goodbye"),))
    misses = state.misses + 1
    if misses >= MISSES_BEFORE_PERSON:
        return state, ToPerson("not_heard" if silent else "not_understood", (line("to_person"),))
    sorry = line("not_heard" if silent else "not_understood")
    # The open question did not help: now the keys are named.
    lines = tuple(line("ask_service") if said.key == "ask_service_spoken" else said for said in state.lines)
    return replace(state, misses=misses, lines=lines), Ask((sorry, *lines), GRAMMAR[state.step])


def language_after(state: State, heard: Heard) -> str:
    """Return the language in which the next turn will be: `#` goes on to the next one."""
    order = vocabulary.LANGUAGES
    return order[(order.index(state.language) + (heard == Key("#"))) % len(order)]


def _next_language(state: State) -> tuple[State, Move]:
    state = replace(state, language=language_after(state, Key("#")))
    if state.step == "done":
        return _say_last(state, *(words.said_in(said, state.language) for said in state.lines))
    return _ask(state, state.step)
