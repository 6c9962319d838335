"""The only place that names the dialplan's channel variables: what happens to the call after AGI."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from ivr.agi import Line
from ivr.listening import Listener
from ivr.prompts import voice, words
from ivr.prompts.words import Line as Prompt
from ivr.prompts.words import line as prompt
from ivr.turns import ToPerson
from models import clock
from models.hours import read_hours
from models.session import read
from models.settings import settings

log = logging.getLogger(__name__)


def somebody_is_there(line: Line) -> bool:
    """Return whether anybody could answer at all, free or not, in whatever language: the queues know it."""
    return any(line.get_variable(f"QUEUE_MEMBER(person-{one},logged)") not in ("", "0") for one in settings().languages)


def on_the_way(line: Line, move: ToPerson, language: str, call: str = "", dialect: str = "") -> None:
    """Tell the dialplan why the call goes to a person: before any row is written, which may fail or take its time.

    `call` is the public id by which the agent's screen finds the call at its first ring; `dialect` what she speaks
    who is on the line.
    """
    if call:
        line.set_variable("HOTLINE_CALL", call)
    if dialect:
        line.set_variable("HOTLINE_DIALECT", dialect)
    line.set_variable("HOTLINE_WHY", move.reason)
    line.set_variable("HOTLINE_LANGUAGE", language)
    line.set_variable("HOTLINE_NEXT", "person")


def to_person(line: Line, listener: Listener, move: ToPerson, language: str) -> None:
    """Tell her what comes; the dialplan has been told (`on_the_way`). A person is its default in any case."""
    lines = move.lines if move.reason == "emergency" else _honest(line, move.lines, language)
    # She is passed on without the sentence rather than not at all.
    with suppress(voice.VoiceFailed):
        listener.say(lines, language)


def _honest(line: Line, lines: tuple[Prompt, ...], language: str) -> tuple[Prompt, ...]:
    """Nobody is promised whom there is not: say when people are back, and nothing of being put through to them."""
    closed = _closed(language)
    if closed is None and somebody_is_there(line):
        return lines
    if closed is not None:
        line.set_variable("HOTLINE_CLOSED", "1")
    return (*(said for said in lines if said.key != "to_person"), *(closed or ()))


def _closed(language: str) -> tuple[Prompt, ...] | None:
    """Return what is said outside the hours, None within them. Without a database the hotline counts as open."""
    now = clock.now()
    try:
        with read() as session:
            hours = read_hours(session, clock.local_date(now))
    except SQLAlchemyError:
        log.warning("the opening hours could not be read: open")
        return None
    if hours.is_open(now):
        return None
    opening = hours.next_opening(now)
    if opening is None:
        return ()
    day = words.day(opening.date(), clock.local_date(now), language)
    return (prompt("closed", day=day, time=words.clock_time(opening.time(), language)),)


def hang_up(line: Line) -> None:
    """The conversation came to its designed end: the dialplan may hang up."""
    line.set_variable("HOTLINE_NEXT", "hangup")


@dataclass(frozen=True)
class Waiting:
    """What the dialplan tells of a caller who waits."""

    step: str  # place, ring_back
    language: str
    agents: int
    why: str


def waiting(line: Line) -> Waiting:
    """Read what the dialplan tells (dialplans/person.conf, context waiting)."""
    told = [line.env.get(f"agi_arg_{number}", "") for number in range(1, 5)]
    return Waiting(told[0], told[1], int(told[2]) if told[2].isdigit() else 0, told[3])


def wait_on(line: Line, language: str) -> None:
    """She has been told and goes on waiting."""
    line.set_variable("HOTLINE_LANGUAGE", language)
    line.set_variable("HOTLINE_NEXT", "wait")


def emergency(line: Line, language: str) -> None:
    """She goes to the front, with an alarm."""
    line.set_variable("HOTLINE_LANGUAGE", language)
    line.set_variable("HOTLINE_NEXT", "emergency")
