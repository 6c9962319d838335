"""The sweep: finds what a lost job, a lost event or a lost call has left, and takes it up again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import bindparam, or_, select
from sqlalchemy.exc import OperationalError

from dispatch import call_audio, care, heard_audio, jobs, lateness, orphans, outbox, retention, send_sms, spool, tasks
from dispatch.attempts import close_attempt
from dispatch.calls import close_call
from dispatch.events import end_unanswered
from dispatch.gateways import GatewayUnavailable, gateway
from models import clock, search
from models.calls import Call, CallEnd, CallState
from models.dialing import Attempt, AttemptStatus, Outcome
from models.people import Elder
from models.prepared import Prepared
from models.session import read, read_rows
from models.settings import settings

log = logging.getLogger(__name__)

# After Asterisk could not be asked it may still have to work off what it was told meanwhile: a call that it
# does not have yet is not lost for so long (s).
SETTLES_S = 3.0
# Errands are done here for so long at most, before calls are looked at again (s).
TAKES_UP_S = 5.0
# A list of all channels costs both sides by its length: it is asked for so many of them a second, and not less often
# than every so many seconds.
LISTED_PER_S, LISTED_S = 40, 10.0
# What should never be is looked for this often (s).
ORPHANS_EVERY_S = 20.0
# What has minutes is looked at in one of so many rounds, the first of them.
SELDOM = 5
# What Asterisk should have. Every call of a busy hour is looked at here again and again.
_ATTEMPTS = Prepared(
    select(Attempt.id, Attempt.channel_id).where(
        or_(Attempt.status == AttemptStatus.DIALING, Attempt.status == AttemptStatus.ANSWERED),
        or_(Attempt.dialed_at < bindparam("long_ago"), Attempt.dialed_at > bindparam("ahead")),
    )
)
_CALLS = Prepared(
    select(Call.id, Call.channel_id).where(
        Call.ended_at.is_(None), or_(Call.started_at < bindparam("long_ago"), Call.started_at > bindparam("ahead"))
    )
)

Failed = Callable[[str, Exception], None]


class Sweeper:
    """Does one round after another. `failed` is told of a part that broke: one broken part stops no other."""

    def __init__(self, failed: Failed = lambda part, error: None) -> None:
        self._failed = failed
        self._trusted_from = 0.0
        self._next_orphans = self._next_list = 0.0
        self._rounds = 0

    def doubt(self) -> None:
        """What Asterisk has may not be all that it was asked for: declare nothing lost for a while."""
        self._trusted_from = time.monotonic() + SETTLES_S

    def round(self) -> None:
        """Relay due errands, take up what nobody does, work off the spool, reconcile calls with what Asterisk knows.

        Raises:
            OperationalError: the database is away; no other part would fare better.
        """
        self._part("clock", lambda: outbox.after_a_clock_set_back(clock.now()))
        self._part("relay", lambda: outbox.relay(clock.now()))
        self._part("errands", take_up)
        self._part("search", index_elders)
        self._part("calls", self._calls)
        if self._rounds % SELDOM == 0:
            self._seldom()
        self._rounds += 1
        if time.monotonic() >= self._next_orphans:
            self._next_orphans = time.monotonic() + ORPHANS_EVERY_S
            self._part("orphans", lambda: orphans.adopt(clock.now()))

    def _seldom(self) -> None:
        """Do what has minutes or days."""
        self._part("lateness", lambda: lateness.escalate(clock.now()))
        self._part("tasks", lambda: tasks.age(clock.now()))
        self._part("sms", lambda: send_sms.ask_after(clock.now()))
        self._part("audio", heard_audio.delete_unclaimed)
        self._part("retention", lambda: retention.erase_expired(clock.now()))

    def _part(self, name: str, do: Callable[[], object]) -> None:
        try:
            do()
        except OperationalError:
            raise
        except Exception as error:
            log.exception("sweep: %s broke; the others go on", name)
            self._failed(name, error)

    def _calls(self) -> None:
        if time.monotonic() < self._next_list:
            return
        try:
            living = set(gateway().living())
        except GatewayUnavailable as error:
            # Without Asterisk's word nothing is declared lost, but finished notes can be worked off.
            log.warning("calls are not reconciled: %s", error)
            self.doubt()
            spool.collect(None)
            call_audio.collect(None)
            return
        self._next_list = time.monotonic() + min(len(living) / LISTED_PER_S, LISTED_S)
        spool.collect(living)
        # After the notes: one of them may have written the row of the call.
        call_audio.collect(living)
        if time.monotonic() >= self._trusted_from:
            reconcile(living)


def sweep() -> None:
    """Do one round by itself."""
    Sweeper().round()


def index_elders() -> None:
    """Let search know elders who came by an import; a few hundred at a time, so that nobody waits for the lock."""
    with read() as session:
        if session.scalar(select(Elder.id).where(Elder.indexed_at.is_(None)).limit(1)) is None:
            return
    with outbox.transaction() as session:
        search.index_missing(session.connection(), clock.now())


def take_up() -> int:
    """Do what is due and no worker does: Redis is away or full, or the workers are. Returns how many."""
    done, until = 0, time.monotonic() + TAKES_UP_S
    for entry_id in outbox.left_behind(clock.now()):
        jobs.run(entry_id)
        done += 1
        if time.monotonic() > until:
            break
    return done


def reconcile(living: set[str]) -> None:
    """Close attempts and calls that Asterisk no longer has and whose end nobody wrote."""
    now = clock.now()
    # Longer ago than a call needs to appear; or in the future, which only a clock that was set back can bring.
    between = {
        "long_ago": now - timedelta(seconds=settings().lost_call_s),
        "ahead": now + timedelta(seconds=outbox.CLOCKS_DIFFER_S),
    }
    with read_rows() as rows:
        attempts, calls = _ATTEMPTS.all(rows, between), _CALLS.all(rows, between)
    for attempt_id, channel_id in attempts:
        if channel_id not in living:
            _end_attempt(attempt_id)
    for call_id, channel_id in calls:
        if channel_id not in living:
            _end_call(call_id)


def _end_attempt(attempt_id: int) -> None:
    with outbox.transaction() as session:
        query = select(Attempt).where(Attempt.id == attempt_id).with_for_update(of=Attempt)
        attempt = session.scalars(query).one()
        log.warning("attempt %s: Asterisk does not have it any more", attempt.public_id)
        if attempt.status == AttemptStatus.ANSWERED:
            # Whoever hangs up, or presses nothing, is written by the conversation. Nobody wrote: it died, alone or with
            # Asterisk, and nobody is blamed for that.
            close_attempt(session, attempt, care.proved_or(session, attempt, Outcome.LOST), clock.now())
        elif attempt.status == AttemptStatus.DIALING:
            end_unanswered(session, attempt, Outcome.LOST, None)


def _end_call(call_id: int) -> None:
    with outbox.transaction() as session:
        call = session.get_one(Call, call_id)
        if spool.has(call.channel_id):
            return  # The spool knows better how it ended.
        end = CallEnd.PERSON if call.state == CallState.AGENT else CallEnd.LOST
        close_call(session, call, end, clock.now())
