"""What our own calls say, and what the key that answers does: offer, callback, reminder, "will you look in?"."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session, object_session

from dispatch import callbacks, escalation, offers, reminders
from ivr import outbound_turns
from ivr.outbound_turns import CALLBACK_KEYS, DECLINE_KEYS, LOOK_IN_KEYS, OFFER_KEYS, Gone, Notice
from ivr.prompts import words
from ivr.prompts.words import Line as Prompt
from ivr.prompts.words import line as prompt
from models import clock, vocabulary
from models.dialing import Attempt, CallbackStatus, DeclineReason, OfferStatus
from models.followups import ReminderStatus
from models.orders import Order
from models.preferences import preferences
from models.providers import Provider
from models.settings import settings


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


def offer_notice(attempt: Attempt) -> Notice | Gone:
    """Put the order to the provider: district, service and time, no name and no address."""
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


def callback_notice(attempt: Attempt) -> Notice | Gone:
    """Tell her who comes."""
    assert attempt.callback is not None  # noqa: S101
    if attempt.callback.status != CallbackStatus.OPEN:
        return Gone((), attempt.callback.order.language)
    return _who_comes(attempt.callback.order, attempt.callback.provider, "callback_hello")


def reminder_notice(attempt: Attempt) -> Notice | Gone:
    """Remind her who comes tomorrow."""
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

    session = object_session(order)
    assert session is not None  # noqa: S101 (it was read a moment ago)
    return Notice(
        _in_all_languages(order.language, say), CALLBACK_KEYS, dialect=preferences(session, order.elder_id).dialect
    )


def look_in_notice(attempt: Attempt) -> Notice | Gone:
    """Ask a contact or a butler to look in on her."""
    step = attempt.escalation_step
    assert step is not None and step.person is not None  # noqa: S101 (the dialplan's context and the attempt agree)
    if step.ended_at is not None:
        return Gone((), step.person.language)
    elder = step.escalation.elder.person

    def say(language: str) -> tuple[Prompt, ...]:
        who = words.form_of_address(elder, language)
        return prompt("look_in_hello"), prompt("look_in", who=who), prompt("look_in_keys")

    return Notice(_in_all_languages(step.person.language, say), LOOK_IN_KEYS)


def settle_look_in(session: Session, attempt: Attempt, code: str, language: str) -> tuple[Prompt, ...]:
    """Whoever was asked will look in, or cannot."""
    if code == "promise":
        escalation.promise(session, attempt, clock.now())
        return (prompt("look_in_thanks"),)
    escalation.refuse(session, attempt, clock.now())
    return (prompt("look_in_cannot"),)


def settle_offer(session: Session, attempt: Attempt, code: str, language: str) -> tuple[Prompt, ...] | Notice:
    """The provider accepts, declines, or says why she does."""
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


def settle_callback(session: Session, attempt: Attempt, code: str, language: str) -> tuple[Prompt, ...]:
    """She has heard who comes."""
    callbacks.confirm(session, attempt, clock.now())
    return (prompt("callback_confirmed"),)


def settle_reminder(session: Session, attempt: Attempt, code: str, language: str) -> tuple[Prompt, ...]:
    """She has heard who comes tomorrow."""
    reminders.confirm(session, attempt, clock.now())
    return (prompt("callback_confirmed"),)
