"""Our own calls, once answered: an offer to a provider, a callback or a reminder to an elder."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from dispatch import waiting
from dispatch.attempts import attempt_of_channel, close_attempt, mark_answered
from dispatch.calls import close_call
from dispatch.outbox import transaction
from ivr import endings, handover, outbound_matters, outbound_turns, recording
from ivr.agi import Line
from ivr.listening import ALWAYS_KEYS, Listener
from ivr.outbound_turns import Answer, Gone, Notice
from ivr.prompts.words import Line as Prompt
from ivr.prompts.words import line as prompt
from ivr.turns import Ask, GoodBye, Key, ToPerson
from models import clock
from models.calls import Call, CallEnd, CallState
from models.dialing import Attempt, AttemptStatus, OfferStatus, Outcome
from models.journal import Entry, note
from models.orders import Order
from models.prepared import Prepared
from models.rows import tell

log = logging.getLogger(__name__)

T = TypeVar("T")
_calls = cast(Table, Call.__table__)
_TALKING = Prepared(
    update(_calls)
    .where(_calls.c.id == bindparam("of_call"))
    .values(answered_at=bindparam("at"), state=CallState.TALKING.value)
)
# What to do and say when a key was pressed: writes the answer's code, returns the last words in the language,
# or one more question.
Settle = Callable[[Session, Attempt, str, str], tuple[Prompt, ...] | Notice]


def offer(line: Line) -> None:
    """A provider has answered: put the order, take 1 or 2."""
    _lead(line, outbound_matters.offer_notice, outbound_matters.settle_offer)


def callback(line: Line) -> None:
    """The elder has answered: tell her who comes."""
    _lead(line, outbound_matters.callback_notice, outbound_matters.settle_callback)


def reminder(line: Line) -> None:
    """The elder has answered: remind her who comes tomorrow."""
    _lead(line, outbound_matters.reminder_notice, outbound_matters.settle_reminder)


def look_in(line: Line) -> None:
    """A contact or a butler has answered: she was not reached, will somebody look in?"""
    _lead(line, outbound_matters.look_in_notice, outbound_matters.settle_look_in)


def taken(line: Line) -> None:
    """Somebody else has accepted while this provider was being asked: the gateway has led the call here."""
    channel_id = line.env["agi_uniqueid"]
    now = clock.now()
    with transaction() as session:
        attempt = attempt_of(session, channel_id)
        call = session.get_one(Call, attempt.call_id)
        if call.ended_at is None:
            note(session, call.id, Entry.OFFER_TOO_LATE, now, offer_id=attempt.offer_id)
        close_attempt(session, attempt, Outcome.TOO_LATE, now)
        language = call.language
    listener = Listener(line, speech=False)
    try:
        listener.say((prompt("offer_too_late"),), language)
    finally:
        listener.close()
        end(channel_id, Outcome.TOO_LATE, CallEnd.GOODBYE)


def _lead(line: Line, make_notice: Callable[[Attempt], Notice | Gone], settle: Settle) -> None:
    channel_id = line.env["agi_uniqueid"]
    answered = answer(channel_id, make_notice)
    if answered is None:
        handover.hang_up(line)
        return
    notice = answered.notice
    listener = Listener(line, speech=False)
    with closing(listener), endings.written(channel_id, hung_up=hung_up, broken=give_up):
        if isinstance(notice, Gone):
            handover.hang_up(line)
            listener.say(notice.lines, notice.language)
            end(channel_id, Outcome.TOO_LATE, CallEnd.GOODBYE)
            return
        early = recording.begin(line, listener, answered.call_id, notice.language)
        # Nobody accepts or confirms what was not said yet; a person is one key away all the same.
        early = early if early in ALWAYS_KEYS else None
        move, language = _converse(
            listener, notice, answered.call_id, lambda code, language: _settle(line, settle, code, language), early
        )
        if isinstance(move, ToPerson):
            handover.on_the_way(line, move, language, answered.public_id, notice.dialect)
            go_to_person(channel_id, move.reason)
            handover.to_person(line, listener, move, language)
            return
        handover.hang_up(line)
        end(channel_id, Outcome.NO_KEY, CallEnd.GOODBYE)


def _converse(
    listener: Listener,
    notice: Notice,
    call_id: int,
    settle: Callable[[str, str], tuple[Prompt, ...] | Notice],
    early: str | None = None,
) -> tuple[ToPerson | GoodBye, str]:
    """Ask until it comes to an end, in whatever language; every answer is written before the next word is said."""
    move: outbound_turns.Move = notice.ask
    while True:
        match move:
            case Ask():
                heard, early = listener.ask(move, notice.language, early), None
                notice, move = outbound_turns.hear(notice, heard)
                _journal(call_id, heard)
            case Answer(code=code):
                last = settle(code, notice.language)
                if isinstance(last, tuple):
                    listener.say(last, notice.language)
                    return GoodBye(), notice.language
                notice, move = last, last.ask
            case _:
                return move, notice.language


def _settle(line: Line, settle: Settle, code: str, language: str) -> tuple[Prompt, ...] | Notice:
    with transaction() as session:
        last = settle(session, attempt_of(session, line.env["agi_uniqueid"]), code, language)
    handover.hang_up(line)
    return last


@dataclass(frozen=True)
class Answered(Generic[T]):
    """Somebody has answered: what is to be said, and the call's row by its ids."""

    notice: T
    call_id: int
    public_id: str


def answer(channel_id: str, make_notice: Callable[[Attempt], T]) -> Answered[T] | None:
    """Somebody has answered: write it; return what is to be said, by `make_notice`.

    None: the sweep has given this call up meanwhile.
    """
    now = clock.now()
    with transaction() as session:
        attempt = attempt_of(session, channel_id)
        call = session.get_one(Call, attempt.call_id)
        if not mark_answered(attempt, now):
            # The sweep gave this call up a moment ago and another may be on its way: this one must not count.
            log.warning("attempt %s was answered after it had been given up", attempt.public_id)
            close_call(session, call, CallEnd.LOST, now)
            return None
        _TALKING.run(session, {"of_call": call.id, "at": now})
        tell(call, answered_at=now, state=CallState.TALKING)
        note(session, call.id, Entry.ANSWERED, now)
        notice = make_notice(attempt)
        if isinstance(notice, Gone):
            close_attempt(session, attempt, Outcome.TOO_LATE, now)
        return Answered(notice, call.id, call.public_id)


def attempt_of(session: Session, channel_id: str) -> Attempt:
    """Return the attempt of this channel, locked.

    Raises:
        LookupError: there is none.
    """
    attempt = attempt_of_channel(session, channel_id)
    if attempt is None:
        raise LookupError(f"no attempt has the channel {channel_id}")
    return attempt


def _journal(call_id: int, heard: object) -> None:
    data = {"key": heard.key} if isinstance(heard, Key) else {}
    with transaction() as session:
        note(session, call_id, Entry.TURN, clock.now(), step="notice", heard=type(heard).__name__.lower(), **data)


def go_to_person(channel_id: str, reason: str) -> None:
    """Whoever was rung wants a person: write it before the call goes."""
    now = clock.now()
    with transaction() as session:
        attempt = attempt_of(session, channel_id)
        call = session.get_one(Call, attempt.call_id)
        order = attempt.order
        if attempt.offer is None and order is not None:
            # Whoever takes the call, or rings her because nobody did, sees which order it is about.
            note(session, call.id, Entry.SLOT, now, slots=_slots(order))
        waiting.begin(session, call, reason, now)
        close_attempt(session, attempt, Outcome.PERSON, now)


def _slots(order: Order) -> dict[str, str]:
    told = {"service": order.service, "day": order.wanted_on.isoformat(), "part": order.wanted_part}
    return told | ({"at": f"{order.wanted_at:%H:%M}"} if order.wanted_at else {})


def end(channel_id: str, outcome: Outcome, how: CallEnd) -> None:
    """The call is over: write its outcome, if it has none yet, and its end."""
    now = clock.now()
    with transaction() as session:
        attempt = attempt_of(session, channel_id)
        if attempt.status != AttemptStatus.CLOSED:
            close_attempt(session, attempt, outcome, now)
        call = session.get_one(Call, attempt.call_id)
        if how == CallEnd.HUNG_UP and call.ended_at is None:
            note(session, call.id, Entry.HUNG_UP, now)
        close_call(session, call, how, now)


def hung_up(channel_id: str) -> None:
    """Whoever was rung has put the receiver down before the end."""
    with transaction() as session:
        attempt = attempt_of(session, channel_id)
        if attempt.offer is not None and attempt.offer.status == OfferStatus.WITHDRAWN:
            # The call was led away to hear that somebody else has it (`taken`); the call ends there, or by its event.
            close_attempt(session, attempt, Outcome.TOO_LATE, clock.now())
            return
    end(channel_id, Outcome.NO_KEY, CallEnd.HUNG_UP)


def give_up(channel_id: str, outcome_of: Callable[[Session, Attempt, Outcome], Outcome] | None = None) -> None:
    """A fault of ours cut the call short: it does not count against whoever was rung.

    `outcome_of` says what the call came to nevertheless.
    """
    try:
        with transaction() as session:
            attempt = attempt_of(session, channel_id)
            came_to = outcome_of(session, attempt, Outcome.LOST) if outcome_of else Outcome.LOST
            close_attempt(session, attempt, came_to, clock.now())
            if attempt.call_id is not None:
                note(session, attempt.call_id, Entry.FAULT, clock.now(), where="conversation")
    except SQLAlchemyError:
        log.warning("the fault could not be written; the sweep will find the attempt of %s", channel_id)
