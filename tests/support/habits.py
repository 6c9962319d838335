"""What people and telephones do when they are rung. A habit is a function of the call.

It runs on a thread of its own. When the caller gives up, `CallEnded` ends the
habit quietly; any other exception is a problem of the test and is raised at
its end.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.support.call import Call
from tests.support.sound import beep, spoken

Habit = Callable[[Call], None]

# Long enough for every limit of the hotline; the habit ends with the call.
_FOR_EVER = 3600.0


def answers_and_presses(keys: str, *, ring: float = 0.3, offer: str | None = None) -> Habit:
    """Answers, hears the offer to its end (or the prompt `offer`), presses the keys, listens on."""

    def habit(call: Call) -> None:
        call.rings_for(ring).answers()
        if offer is None:
            call.waits_for_end_of_speech(within=30)
        else:
            call.hears(offer, within=30)
        call.presses(keys)
        call.is_silent(_FOR_EVER)

    return habit


def accepts(*, ring: float = 0.3, offer: str | None = None) -> Habit:
    """Hears the offer and presses 1."""
    return answers_and_presses("1", ring=ring, offer=offer)


def declines(*, ring: float = 0.3, offer: str | None = None) -> Habit:
    """Hears the offer and presses 2."""
    return answers_and_presses("2", ring=ring, offer=offer)


def listens(*, ring: float = 0.3) -> Habit:
    """Answers and listens until the other side hangs up, without a word or a key."""

    def habit(call: Call) -> None:
        call.rings_for(ring).answers().is_silent(_FOR_EVER)

    return habit


def hangs_up_at_once(*, ring: float = 0.3) -> Habit:
    """Answers and puts the receiver down."""

    def habit(call: Call) -> None:
        call.rings_for(ring).answers().hangs_up()

    return habit


def hangs_up_after(seconds: float, *, ring: float = 0.3) -> Habit:
    """Listens for a while and puts the receiver down without a key."""

    def habit(call: Call) -> None:
        call.rings_for(ring).answers().is_silent(seconds).hangs_up()

    return habit


def does_not_answer() -> Habit:
    """It rings until the caller gives up."""

    def habit(call: Call) -> None:
        call.rings_for(_FOR_EVER)

    return habit


def rejects(sip_code: int, *, ring: float = 0.0) -> Habit:
    """The network (or a finger on the red key) ends it with a SIP answer."""

    def habit(call: Call) -> None:
        if ring:
            call.rings_for(ring)
        call.rejects(sip_code)

    return habit


def is_switched_off(
    announcement: str = "The number you dialled is switched off", language: str = "en", sip_code: int = 480
) -> Habit:
    """The network says so in early media, then refuses: nobody has answered, but a voice was heard."""

    def habit(call: Call) -> None:
        call.announces(spoken(announcement, language)).rejects(sip_code)

    return habit


def has_voicemail(greeting: str = "Please leave a message", language: str = "en", *, seconds: float = 20) -> Habit:
    """A machine answers: a greeting, a beep, then it records and never presses a key."""

    def habit(call: Call) -> None:
        call.rings_for(0.3).answers().plays(spoken(greeting, language)).plays(beep())
        call.is_silent(seconds).hangs_up()

    return habit
