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

from dispatch import callbacks, escalation, offers, reminders, waiting
from dispatch.attempts import attempt_of_channel, close_attempt, mark_answered
from dispatch.calls import close_call
from dispatch.outbox import transaction
from ivr import endings, handover, outbound_turns, recording
from ivr.agi import Line
from ivr.listening import ALWAYS_KEYS, Listener
from ivr.outbound_turns import CALLBACK_KEYS, DECLINE_KEYS, LOOK_IN_KEYS, OFFER_KEYS, Answer, Gone, Notice
from ivr.prompts import words
from ivr.prompts.words import Line as Prompt
from ivr.prompts.words import line as prompt
from ivr.turns import Ask, GoodBye, Key, ToPerson
from models import clock, vocabulary
from models.calls import Call, CallEnd, CallState
from models.dialing import Attempt, AttemptStatus, CallbackStatus, DeclineReason, OfferStatus, Outcome
from models.followups import ReminderStatus
from models.journal import Entry, note
from models.orders import Order
from models.prepared import Prepared
from models.providers import Provider
from models.rows import tell
from models.settings import settings

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
    _lead(line, _offer_notice, _settle_offer)


def callback(line: Line) -> None:
    """The elder has answered: tell her who comes."""
    _lead(line, _callback_notice, _settle_callback)


def reminder(line: Line) -> None:
    """The elder has answered: remind her who comes tomorrow."""
    _lead(line, _reminder_notice, _settle_reminder)


def look_in(line: Line) -> None:
    """A contact or a butler has answered: she was not reached, will somebody look in?"""
    _lead(line, _look_in_notice, _settle_look_in)


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
            handover.on_the_way(line, move, language, answered.public_id)
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


def _matter(order: Order, language: str, aloud: bool) -> dict[str, words.Value]:
    """Return what all calls say of an order: service and time."""
    today = clock.local_date(clock.now())
    return {
        "service": words.service(order.service, language, aloud=aloud),
        "day": words.day(order.wanted_on, today, language),
        "part": words.time_of_day(order.wanted_part, order.wanted_at, language),
    }


def _in_all_languages(
    first: str, say: Callable[[str], tuple[Prompt, ...]]
) -> tuple[tuple[str, tuple[Prompt, ...]], ...]:
    """Return the lines in every language, beginning with `first`, in the order in which `#` goes through them."""
    order = vocabulary.LANGUAGES
    start = order.index(first)
    return tuple((language, say(language)) for language in (*order[start:], *order[:start]))


def _offer_notice(attempt: Attempt) -> Notice | Gone:
    assert attempt.offer is not None  # noqa: S101 (the dialplan's context and the attempt agree)
    order, language = attempt.offer.order, attempt.offer.provider.language
    if attempt.offer.status != OfferStatus.OPEN:
        taken_by_another = order.provider_id not in (None, attempt.offer.provider_id)
        return Gone((prompt("offer_too_late" if taken_by_another else "offer_gone"),), language)
    name = words.name(order.area.district.name if order.area else settings().district_unknown)

    def say(language: str) -> tuple[Prompt, ...]:
        matter = prompt("offer", district=name, **_matter(order, language, aloud=True))
        return prompt("offer_hello"), matter, prompt("offer_keys")

    return Notice(_in_all_languages(language, say), OFFER_KEYS)


def _callback_notice(attempt: Attempt) -> Notice | Gone:
    assert attempt.callback is not None  # noqa: S101
    if attempt.callback.status != CallbackStatus.OPEN:
        return Gone((), attempt.callback.order.language)
    return _who_comes(attempt.callback.order, attempt.callback.provider, "callback_hello")


def _reminder_notice(attempt: Attempt) -> Notice | Gone:
    assert attempt.reminder is not None  # noqa: S101
    if attempt.reminder.status != ReminderStatus.OPEN or not reminders.still_true(attempt.reminder):
        return Gone((), attempt.reminder.order.language)
    return _who_comes(attempt.reminder.order, attempt.reminder.provider, "reminder_hello")


def _who_comes(order: Order, provider: Provider, hello: str) -> Notice:
    name = words.name(provider.name)

    def say(language: str) -> tuple[Prompt, ...]:
        who = words.form_of_address(order.elder.person, language)
        matter = prompt("callback", provider=name, **_matter(order, language, aloud=False))
        return prompt(hello, who=who), matter, prompt("callback_keys")

    return Notice(_in_all_languages(order.language, say), CALLBACK_KEYS)


def _look_in_notice(attempt: Attempt) -> Notice | Gone:
    step = attempt.escalation_step
    assert step is not None and step.person is not None  # noqa: S101 (the dialplan's context and the attempt agree)
    if step.ended_at is not None:
        return Gone((), step.person.language)
    elder = step.escalation.elder.person

    def say(language: str) -> tuple[Prompt, ...]:
        who = words.form_of_address(elder, language)
        return prompt("look_in_hello"), prompt("look_in", who=who), prompt("look_in_keys")

    return Notice(_in_all_languages(step.person.language, say), LOOK_IN_KEYS)


def _settle_look_in(session: Session, attempt: Attempt, code: str, language: str) -> tuple[Prompt, ...]:
    if code == "promise":
        escalation.promise(session, attempt, clock.now())
        return (prompt("look_in_thanks"),)
    escalation.refuse(session, attempt, clock.now())
    return (prompt("look_in_cannot"),)


def _settle_offer(session: Session, attempt: Attempt, code: str, language: str) -> tuple[Prompt, ...] | Notice:
    assert attempt.offer is not None  # noqa: S101
    now = clock.now()
    if code == "decline":
        offers.decline_offer(session, attempt, now)
        # One silence ends it: the decline stands already, and the next provider is being asked.
        why = _in_all_languages(language, lambda _language: (prompt("offer_why"),))
        return Notice(why, DECLINE_KEYS, silences=outbound_turns.REPEATS - 1)
    if code != "accept":
        offers.decline_because(session, attempt.offer.id, DeclineReason(code), now)
        return (prompt("offer_declined"),)
    if not offers.accept_offer(session, attempt, now):
        return (prompt("offer_too_late"),)
    order = attempt.offer.order
    accepted = prompt("offer_accepted", number=words.digits(order.number, language))
    # What she needs is told to whoever goes there, and to nobody before.
    needs = (prompt("offer_needs", needs=words.name(order.elder.needs)),) if order.elder.needs else ()
    return accepted, *needs


def _settle_callback(session: Session, attempt: Attempt, code: str, language: str) -> tuple[Prompt, ...]:
    callbacks.confirm(session, attempt, clock.now())
    return (prompt("callback_confirmed"),)


def _settle_reminder(session: Session, attempt: Attempt, code: str, language: str) -> tuple[Prompt, ...]:
    reminders.confirm(session, attempt, clock.now())
    return (prompt("callback_confirmed"),)


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
