"""Our own calls, once answered: an offer to a provider, a callback to an elder."""

from __future__ import annotations

import logging
from collections.abc import Callable

from asterisk.agi import AGIHangup
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from dispatch import callbacks, offers, waiting
from dispatch.attempts import attempt_of_channel, close_attempt, mark_answered
from dispatch.calls import close_call
from dispatch.outbox import transaction
from ivr import handover, outbound_turns
from ivr.agi import Line
from ivr.listening import Listener
from ivr.outbound_turns import CALLBACK_KEYS, OFFER_KEYS, Answer, Notice
from ivr.prompts import words
from ivr.prompts.words import Line as Prompt
from ivr.prompts.words import line as prompt
from ivr.turns import Ask, GoodBye, Key, ToPerson
from models import clock, vocabulary
from models.calls import Call, CallEnd, CallState
from models.dialing import Attempt, AttemptStatus, CallbackStatus, OfferStatus, Outcome
from models.journal import Entry, note
from models.orders import Order
from models.settings import settings

log = logging.getLogger(__name__)

# What to do and say when a key was pressed: writes the answer's code, returns the last words in the language.
Settle = Callable[[Session, Attempt, str, str], tuple[Prompt, ...]]


def offer(line: Line) -> None:
    """A provider has answered: put the order, take 1 or 2."""
    _lead(line, _offer_notice, _settle_offer)


def callback(line: Line) -> None:
    """The elder has answered: tell her who comes."""
    _lead(line, _callback_notice, _settle_callback)


def _lead(line: Line, make_notice: Callable[[Attempt], Notice | None], settle: Settle) -> None:
    channel_id = line.env["agi_uniqueid"]
    answered = _answered(channel_id, make_notice)
    if answered is None:
        handover.hang_up(line)
        return
    notice, call_id = answered
    listener = Listener(line, speech=False)
    try:
        move: outbound_turns.Move = notice.ask
        while isinstance(move, Ask):
            heard = listener.ask(move, notice.language)
            notice, move = outbound_turns.hear(notice, heard)
            _journal(call_id, heard)
        match move:
            case Answer(code=code):
                with transaction() as session:
                    attempt = _attempt(session, channel_id)
                    last = settle(session, attempt, code, notice.language)
                handover.hang_up(line)
                listener.say(last, notice.language)
            case ToPerson():
                _person(channel_id, move)
                handover.to_person(line, listener, move, notice.language)
                return
            case GoodBye(lines=lines):
                handover.hang_up(line)
                _end(channel_id, Outcome.NO_KEY, CallEnd.GOODBYE)
                listener.say(lines, notice.language)
        _end(channel_id, Outcome.NO_KEY, CallEnd.GOODBYE)
    except AGIHangup:
        _end(channel_id, Outcome.NO_KEY, CallEnd.HUNG_UP)
        raise
    except Exception:
        # A fault of ours: whoever was rung is not blamed for it, and is rung again. The call itself goes on to a
        # person, which is the dialplan's default.
        _give_up(channel_id)
        raise
    finally:
        listener.close()


def _answered(channel_id: str, make_notice: Callable[[Attempt], Notice | None]) -> tuple[Notice, int] | None:
    now = clock.now()
    with transaction() as session:
        attempt = _attempt(session, channel_id)
        call = session.get_one(Call, attempt.call_id)
        if not mark_answered(attempt, now):
            # The sweep gave this call up a moment ago and another may be on its way: this one must not count.
            log.warning("attempt %s was answered after it had been given up", attempt.public_id)
            close_call(session, call, CallEnd.LOST, now)
            return None
        call.answered_at, call.state = now, CallState.TALKING
        note(session, call.id, Entry.ANSWERED, now)
        notice = make_notice(attempt)
        if notice is None:
            close_attempt(session, attempt, Outcome.TOO_LATE, now)
            close_call(session, call, CallEnd.GOODBYE, now)
            return None
        return notice, call.id


def _attempt(session: Session, channel_id: str) -> Attempt:
    attempt = attempt_of_channel(session, channel_id)
    if attempt is None:
        raise LookupError(f"no attempt has the channel {channel_id}")
    return attempt


def _matter(order: Order, language: str, aloud: bool) -> dict[str, words.Value]:
    """Return what both calls say of an order: service and time."""
    today = clock.local_date(clock.now())
    return {
        "service": words.service(order.service, language, aloud=aloud),
        "day": words.day(order.wanted_on, today, language),
        "part": words.part(order.wanted_part, language),
    }


def _in_all_languages(
    first: str, say: Callable[[str], tuple[Prompt, ...]]
) -> tuple[tuple[str, tuple[Prompt, ...]], ...]:
    """Return the lines in every language, beginning with `first`, in the order in which `#` goes through them."""
    order = vocabulary.LANGUAGES
    start = order.index(first)
    return tuple((language, say(language)) for language in (*order[start:], *order[:start]))


def _offer_notice(attempt: Attempt) -> Notice | None:
    assert attempt.offer is not None  # noqa: S101 (the dialplan's context and the attempt agree)
    if attempt.offer.status != OfferStatus.OPEN:
        return None
    order = attempt.offer.order
    name = words.name(order.area.district.name if order.area else settings().district_unknown)

    def say(language: str) -> tuple[Prompt, ...]:
        matter = prompt("offer", district=name, **_matter(order, language, aloud=True))
        return prompt("offer_hello"), matter, prompt("offer_keys")

    return Notice(_in_all_languages(attempt.offer.provider.language, say), OFFER_KEYS)


def _callback_notice(attempt: Attempt) -> Notice | None:
    assert attempt.callback is not None  # noqa: S101
    if attempt.callback.status != CallbackStatus.OPEN:
        return None
    order = attempt.callback.order
    provider = words.name(attempt.callback.provider.name)

    def say(language: str) -> tuple[Prompt, ...]:
        who = words.form_of_address(order.elder.person, language)
        matter = prompt("callback", provider=provider, **_matter(order, language, aloud=False))
        return prompt("callback_hello", who=who), matter, prompt("callback_keys")

    return Notice(_in_all_languages(order.language, say), CALLBACK_KEYS)


def _settle_offer(session: Session, attempt: Attempt, code: str, language: str) -> tuple[Prompt, ...]:
    assert attempt.offer is not None  # noqa: S101
    now = clock.now()
    if code == "decline":
        offers.decline_offer(session, attempt, now)
        return (prompt("offer_declined"),)
    if offers.accept_offer(session, attempt, now):
        return (prompt("offer_accepted", number=words.digits(attempt.offer.order.number, language)),)
    return (prompt("offer_too_late"),)


def _settle_callback(session: Session, attempt: Attempt, code: str, language: str) -> tuple[Prompt, ...]:
    callbacks.confirm(session, attempt, clock.now())
    return (prompt("callback_confirmed"),)


def _journal(call_id: int, heard: object) -> None:
    data = {"key": heard.key} if isinstance(heard, Key) else {}
    with transaction() as session:
        note(session, call_id, Entry.TURN, clock.now(), step="notice", heard=type(heard).__name__.lower(), **data)


def _person(channel_id: str, move: ToPerson) -> None:
    now = clock.now()
    with transaction() as session:
        attempt = _attempt(session, channel_id)
        call = session.get_one(Call, attempt.call_id)
        waiting.begin(session, call, move.reason, now)
        close_attempt(session, attempt, Outcome.PERSON, now)


def _end(channel_id: str, outcome: Outcome, end: CallEnd) -> None:
    now = clock.now()
    with transaction() as session:
        attempt = _attempt(session, channel_id)
        if attempt.status != AttemptStatus.CLOSED:
            close_attempt(session, attempt, outcome, now)
        call = session.get_one(Call, attempt.call_id)
        if end == CallEnd.HUNG_UP and call.ended_at is None:
            note(session, call.id, Entry.HUNG_UP, now)
        close_call(session, call, end, now)


def _give_up(channel_id: str) -> None:
    try:
        with transaction() as session:
            attempt = _attempt(session, channel_id)
            close_attempt(session, attempt, Outcome.LOST, clock.now())
            if attempt.call_id is not None:
                note(session, attempt.call_id, Entry.FAULT, clock.now(), where="conversation")
    except SQLAlchemyError:
        log.warning("the fault could not be written; the sweep will find the attempt of %s", channel_id)
