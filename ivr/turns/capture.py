"""What she needs: service, day and part of the day, in any order; read back; only then an order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta

from ivr.prompts import words
from ivr.prompts.words import line
from ivr.turns.state import Do, Next, Slots, State, replace
from ivr.turns.steps import Keys, Lines, Step, ask, miss, person, step
from ivr.understanding import Meaning, When
from models import vocabulary

# Nobody is sent out the same day after this hour, local time; the last hour at which each part has not begun to end.
LAST_HOUR_TODAY = 17
LAST_HOUR: Mapping[str, int] = {"morning": 12, "noon": 13, "afternoon": 17, "evening": 17}
LONGEST_NOTE = 200  # characters, as the order's row has them
# How far ahead a day may be named (days).
HORIZON_DAYS = 31
MORE = Meaning(intent="more", score=100)


def meaning_of(**what: object) -> Meaning:
    """Return what a key means: as sure as a key is."""
    return Meaning(score=100, **what)  # type: ignore[arg-type]


def slot_values(state: State, slots: Slots, aloud: bool = True) -> dict[str, words.Value]:
    """Return what is said of a request: service, day and part of the day. A matter of health only `aloud`."""
    assert slots.service and slots.day and slots.part  # noqa: S101 (the turns saw to it)
    return {
        "service": words.service(slots.service, state.language, aloud=aloud),
        "day": words.day(slots.day, state.today, state.language),
        "part": words.time_of_day(slots.part, slots.at, state.language),
    }


def yes_no(_state: State) -> Keys:
    """1 is yes, 2 is no."""
    return {"1": meaning_of(intent="yes"), "2": meaning_of(intent="no")}


# The open question, and the pages of the menu behind it.


def _open_lines(state: State) -> Lines:
    # With an engine that listens, the one open question; the menu is read where only keys are left.
    return (line("ask_service_spoken" if state.listens else "ask_service"),)


def _page_keys(page: int) -> Keys:
    services = [item for item in vocabulary.SERVICES if item.page == page]
    return {item.key: meaning_of(service=item.code) for item in services} | {"8": MORE}


def _other_keys(_state: State) -> Keys:
    return {
        "1": meaning_of(code="services"),
        "2": meaning_of(intent="status"),
        "3": meaning_of(intent="rate"),
        "4": meaning_of(intent="message"),
        "8": meaning_of(code="back"),
    }


def hear_open(state: State, meaning: Meaning) -> Next:
    """Take whatever she said to an open question: a request, a part of it, or something else she wants."""
    if meaning.when.every:
        named = meaning.service or meaning.when.day or state.slots.service
        if meaning.intent == "order" and not named and state.turns == 1:
            return miss(state)  # "every month" and nothing else is more often a word misheard: asked once more
        return repeated(state, meaning)
    match meaning.intent:
        case "more":
            return ask(state, "others")
        case "status" | "change" | "cancel" | "rate" if state.her is not None and not state.her.may_hear:
            return state, person(state, "no_consent")
        case "status" | "change" | "cancel":
            when = meaning.when
            said = Slots(meaning.service, when.day, when.part, when.at)
            return replace(state, wish=meaning.intent, slots=said), Do("orders")
        case "rate":
            return state, Do("to_rate")
        case "message":
            return state, Do("message")
        case "usual" if state.usual is not None:
            return usual_then(state, state.usual, meaning) if meaning.when else ask(state, "usual")
        case "goodbye" | "no" if meaning.service is None and not meaning.when:
            return ask(state, "done")
        case "behalf" if state.how != "contact":
            return state, person(state, "behalf")
    if meaning.service is None and not meaning.when:
        return miss(state)
    return fill(state, meaning)


def usual_then(state: State, usual: Slots, meaning: Meaning) -> Next:
    """Her usual, at the time that she has just named."""
    return fill(replace(state, slots=usual, unnamed=True, ours=True), meaning)


def repeated(state: State, meaning: Meaning) -> Next:
    """Every Wednesday, tomorrow and on Friday: an order is for one day, and one would be less than she asked for.

    A person writes the others; what was understood goes along, with how often.
    """
    wish = meaning.intent if meaning.intent in ("change", "cancel") else state.wish
    when, had = meaning.when, state.slots
    slots = Slots(meaning.service or had.service, when.day or had.day, when.part or had.part, when.at or had.at)
    state = replace(state, slots=slots, others=meaning.others, wish=wish, every=when.every or "")
    return state, person(state, "repeated")


def fill(state: State, meaning: Meaning) -> Next:
    """Put what was understood into the slots and ask for what is still missing."""
    if meaning.when.every:
        return repeated(state, meaning)
    slots = state.slots
    if meaning.service is not None:
        if changing(state) and meaning.service != slots.service:
            # Another service is another order: a person sorts out what is to become of this one.
            return state, person(state, "change")
        sure = meaning.service == slots.service or not state.spoken
        agreed = meaning.service if sure else state.agreed
        slots = replace(slots, service=meaning.service)
        state = replace(state, others=meaning.others or state.others, unnamed=False, agreed=agreed)
        if vocabulary.SERVICE[meaning.service].person_only:
            return replace(state, slots=slots), person(state, meaning.service)
        if meaning.service in state.off and not changing(state):
            return replace(state, slots=slots), person(state, "not_offered")
    when = meaning.when
    if when.week is not None:
        state = replace(state, week=when.week)
    if when.day is not None:
        slots = replace(slots, day=when.day)
    if when.part is not None:
        # Another part of the day has another hour.
        slots = replace(slots, part=when.part, at=when.at)
    if meaning.note:
        slots = replace(slots, note=meaning.note[:LONGEST_NOTE])
    if when.past:
        return _over(replace(state, slots=replace(slots, part=None)))
    return next_question(replace(state, slots=slots))


def changing(state: State) -> bool:
    """Return whether an order that stands is being changed, rather than a new one made."""
    return state.wish == "change" and state.chosen is not None


def next_question(state: State) -> Next:
    """Ask for what is still missing; with everything there, read it back."""
    slots = state.slots
    if slots.day is not None and not possible(state, slots.day, slots.part, slots.at):
        return _over(state)
    for name, question in (("service", "service"), ("day", "day"), ("part", "part")):
        if getattr(slots, name) is None:
            return ask(state, question)
    return ask(state, "readback")


def possible(state: State, day: date, part: str | None, at: time | None = None) -> bool:
    """Return whether somebody can still come on that day, in that part of it, at that clock time."""
    if day > state.today:
        return True
    last = LAST_HOUR_TODAY if part is None else LAST_HOUR[part]
    passed = at is not None and at <= state.moment.time()
    return day == state.today and state.moment.hour < last and not passed


def _over(state: State) -> Next:
    """The time she named is over, or too near: the day is asked again, the rest is kept."""
    part = state.slots.part
    too_late = state.moment.hour >= LAST_HOUR_TODAY or part is None
    sorry = line("too_late_today" if too_late else "part_is_over")
    slots = replace(state.slots, day=None, part=part if too_late else None)
    slots = slots if slots.part else replace(slots, at=None)
    return ask(replace(state, slots=slots), "day" if slots.service else "service", sorry)


def dropped(state: State) -> Next:
    """She does not want it after all: it is said that nothing was ordered, or changed."""
    said = line("nothing_changed" if changing(state) else "nothing_ordered")
    return ask(state.fresh(), "done", said)


def _hear_slot(state: State, meaning: Meaning) -> Next:
    if meaning.intent in ("cancel", "goodbye") and meaning.service is None and not meaning.when:
        return dropped(state)  # "Never mind": what is being asked for, not an order that stands.
    if meaning.intent in ("status", "change", "cancel", "goodbye"):
        return hear_open(state, meaning)
    if meaning.service is None and not meaning.when:
        return miss(state)
    return fill(state, meaning)


def _page(number: int) -> Step:
    """Return the question that reads a page of the services; 8 turns the page."""
    last = number == max(item.page for item in vocabulary.SERVICES)

    def hear(state: State, meaning: Meaning) -> Next:
        if meaning.intent == "more":
            return ask(state, "open" if last else f"menu{number + 1}")
        return hear_open(state, meaning)

    return Step(
        f"menu{number}",
        say=lambda _state: (line("ask_service" if number == 1 else f"ask_service_{number}"),),
        hear=hear,
        keys=lambda _state: _page_keys(number),
        grammar="open",
    )


step(
    Step(
        "open",
        say=_open_lines,
        hear=hear_open,
        keys=lambda _state: _page_keys(1),
        grammar="open",
        again=lambda _state: (line("ask_service"),),
    )
)


def _hear_others(state: State, meaning: Meaning) -> Next:
    if meaning.code == "services" or meaning.intent == "more":
        return ask(state, "menu2")
    if meaning.code == "back":
        return ask(state, "open")
    return hear_open(state, meaning)


step(Step("others", lambda _state: (line("ask_others"),), _hear_others, _other_keys, "open"))
for _number in range(2, max(item.page for item in vocabulary.SERVICES) + 1):
    step(_page(_number))


# Only the service is missing: the same pages, asked as a question of its own.


def _hear_service(state: State, meaning: Meaning) -> Next:
    return ask(state, "menu2") if meaning.intent == "more" else _hear_slot(state, meaning)


step(
    Step(
        "service",
        lambda _state: (line("ask_service"),),
        _hear_service,
        lambda _state: _page_keys(1),
        "open",
    )
)


# When.


def _day_keys(state: State) -> Keys:
    ahead = {str(n + 1): meaning_of(when=When(day=state.today + timedelta(days=n))) for n in range(3)}
    return ahead | {"4": meaning_of(code="date")}


def _hear_day(state: State, meaning: Meaning) -> Next:
    if meaning.code == "date":
        return ask(state, "date")
    return _hear_slot(state, meaning)


def _take_date(state: State, keyed: str) -> Next:
    """Take the day of the month as two digits: the next such day within the horizon."""
    ahead = (state.today + timedelta(days=n) for n in range(HORIZON_DAYS))
    day = next((one for one in ahead if keyed.isdigit() and one.day == int(keyed)), None)
    if day is None:
        return miss(state)
    return next_question(replace(state, slots=replace(state.slots, day=day)))


def _part_keys(_state: State) -> Keys:
    return {part.key: meaning_of(when=When(part=part.code)) for part in vocabulary.PARTS}


step(Step("day", lambda _state: (line("ask_day"), line("day_keys")), _hear_day, _day_keys, "when"))
step(Step("date", lambda _state: (line("ask_date"),), _hear_slot, grammar="when", digits=2, take=_take_date))
step(Step("part", lambda _state: (line("ask_part"),), _hear_slot, _part_keys, "when"))
