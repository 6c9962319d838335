"""A telephone of the public network: it rings others, and has habits for being rung."""

from __future__ import annotations

import re
import time
from threading import Lock, get_ident
from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.support import habits
from tests.support.call import Call
from tests.support.call_state import CallEnded, StoryError
from tests.support.habits import Habit

if TYPE_CHECKING:
    from tests.support.carrier import Carrier

# The end of the last call may still be under way when the next one comes.
_LINE_CLEARS_S = 0.3


class Phone:
    """One line. While it is in a call it is busy for others, as a telephone without call waiting."""

    def __init__(self, carrier: Carrier, number: str, lines: int = 1) -> None:
        self._carrier = carrier
        self.number = number
        self.lines = lines
        # All calls of this telephone, to and from it, oldest first.
        self.calls: list[Call] = []
        self._habits: list[Habit] = [habits.does_not_answer()]
        self._lock = Lock()

    # It rings somebody.

    def rings(
        self,
        number: str,
        *,
        as_number: str | None = None,
        display_name: str = "",
        withheld: bool = False,
        identity: str | None = None,
    ) -> Call:
        """Sends a real INVITE and returns the call at once.

        `as_number` and `display_name` are what is shown, in any form (a raw line break
        makes an INVITE that the hotline's SIP parser drops). P-Asserted-Identity shows
        the same, unless `identity` says otherwise: a number, a whole header value, or ""
        for none. A withheld number is in neither header, unless `identity` is given.
        """
        call = Call(self, self._carrier, number, incoming=False)
        self._add(call)
        shown = self.number if as_number is None else as_number
        if identity is None:
            identity = "" if withheld else shown
        if identity and ":" not in identity:
            name = re.sub(r'(["\\])', r"\\\1", display_name)
            identity = f'"{name}" <sip:{quote(identity, safe="+")}@carrier.invalid>'.removeprefix('"" ')
        self._carrier.dial(
            call,
            {
                "number": shown,
                "name": display_name,
                "presentation": "prohib_not_screened" if withheld else "allowed_not_screened",
                "identity": identity,
                "privacy": "id" if withheld else "",
            },
        )
        return call

    # It is rung.

    def when_called(self, *habit: Habit) -> Phone:
        """One habit a call, in this order; the last is kept for all further calls."""
        with self._lock:
            self._habits = list(habit) or [habits.does_not_answer()]
        return self

    def accepts(self, *, ring: float = 0.3, offer: str | None = None) -> Phone:
        return self.when_called(habits.accepts(ring=ring, offer=offer))

    def declines(self, *, ring: float = 0.3, offer: str | None = None) -> Phone:
        return self.when_called(habits.declines(ring=ring, offer=offer))

    def listens(self, *, ring: float = 0.3) -> Phone:
        return self.when_called(habits.listens(ring=ring))

    def is_busy(self) -> Phone:
        return self.when_called(habits.rejects(486))

    def rejects(self) -> Phone:
        """A finger on the red key (603)."""
        return self.when_called(habits.rejects(603, ring=0.3))

    def does_not_answer(self) -> Phone:
        return self.when_called(habits.does_not_answer())

    def is_unreachable(self) -> Phone:
        return self.when_called(habits.rejects(503))

    def number_is_dead(self) -> Phone:
        return self.when_called(habits.rejects(404))

    def is_switched_off(self) -> Phone:
        return self.when_called(habits.is_switched_off())

    def has_voicemail(self) -> Phone:
        return self.when_called(habits.has_voicemail())

    def answers_and_stays_silent(self) -> Phone:
        return self.when_called(habits.listens())

    def hangs_up_at_once(self) -> Phone:
        return self.when_called(habits.hangs_up_at_once())

    def receive(self, call: Call) -> None:
        """Does what this telephone does with a call that has come in."""
        call.wait_for(self._has_free_line, _LINE_CLEARS_S)
        with self._lock:
            busy = not self._has_free_line()
            self.calls.append(call)
            if busy:
                habit = habits.rejects(486)
            else:
                habit = self._habits.pop(0) if len(self._habits) > 1 else self._habits[0]
        try:
            habit(call)
        except CallEnded:
            pass
        except Exception as error:
            ended_by_test = isinstance(error, StoryError) and call.hung_up_on not in (0, get_ident())
            if not self._carrier.is_closing and not ended_by_test:
                error.add_note(call.story())
                self._carrier.problems.append(error)
        finally:
            # A habit that ends without hanging up has put the receiver down.
            call.hangs_up()

    # What a story asks.

    @property
    def calls_received(self) -> list[Call]:
        with self._lock:
            return [call for call in self.calls if call.incoming]

    def is_rung(self, within: float = 10) -> Call:
        """Waits for the next call that has not been asked about, and returns it."""
        deadline = time.monotonic() + within * self._carrier.patience
        while True:
            for call in self.calls_received:
                if not call.asked_about:
                    call.asked_about = True
                    return call
            if time.monotonic() > deadline:
                raise StoryError(f"expected {self.number} to be rung within {within} s\n{self._carrier.story()}")
            time.sleep(0.02)

    def was_rung(self, times: int | None = None) -> Phone:
        """It has been rung (so many times) until now."""
        count = len(self.calls_received)
        if count != times if times is not None else not count:
            wanted = "at least once" if times is None else f"{times} times"
            raise StoryError(f"{self.number} was rung {count} times, not {wanted}\n{self._carrier.story()}")
        return self

    def was_not_rung(self) -> Phone:
        return self.was_rung(times=0)

    def _has_free_line(self) -> bool:
        return sum(one.ended_at is None for one in self.calls) < self.lines

    def _add(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)
