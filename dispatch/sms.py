"""Who is sent which text message, and when: written as rows, with the errand to send it.

What a text may hold depends on who reads it: address, name and needs go to the
provider that has accepted, to nobody before; a contact reads what the elder's
consent lets her hear.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal, cast

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from dispatch import limits
from dispatch.outbox import post
from models import clock, vocabulary
from models.contacts import Contact
from models.deadlines import Slot, span
from models.orders import Order, OrderStatus
from models.people import PersonNumber, PhoneNumber
from models.phone import NumberKind
from models.preferences import wants_sms
from models.providers import Provider, ProviderNumber
from models.settings import settings
from models.sms import SmsMessage, SmsStatus

Template = Literal["hand_over", "comes", "confirmed", "reminder"]

# In which statuses of the order a text still says the truth.
HOLDS: dict[str, frozenset[OrderStatus]] = {
    "hand_over": frozenset({OrderStatus.ACCEPTED, OrderStatus.ARRIVED}),
    "comes": frozenset({OrderStatus.ACCEPTED, OrderStatus.ARRIVED}),
    "reminder": frozenset({OrderStatus.ACCEPTED}),
    "confirmed": frozenset({OrderStatus.CONFIRMED, OrderStatus.OFFERED, OrderStatus.ACCEPTED, OrderStatus.NEEDS_AGENT}),
}


@dataclass(frozen=True)
class NewSms:
    """A text message to write. `key` names the occasion: the same occasion never makes two messages."""

    template: Template
    key: str
    order: Order
    to: PhoneNumber
    language: str
    person_id: int | None = None
    provider_id: int | None = None
    urgent: bool = False  # sent in the quiet hours too


def is_on() -> bool:
    """Return whether text messages are sent at all."""
    return settings().sms != "off"


def queue(session: Session, new: NewSms, now: datetime, due_at: datetime | None = None) -> SmsMessage | None:
    """Write the message and the errand to send it, into the open transaction; safe to repeat.

    None where text messages are off, or none may go to that number. Sent at `due_at` (at once), or after the
    quiet hours.
    """
    if not is_on() or barred(new.to):
        return None
    key = f"{new.template}:{new.key}"[:80]
    known = session.scalar(select(SmsMessage).where(SmsMessage.dedupe_key == key))
    if known is not None:
        return known
    due_at = max(due_at or now, now)
    message = SmsMessage(
        dedupe_key=key,
        template=new.template,
        language=new.language if new.language in vocabulary.LANGUAGES else vocabulary.LANGUAGES[0],
        number_id=new.to.id,
        person_id=new.person_id,
        provider_id=new.provider_id,
        order_id=new.order.id,
        urgent=new.urgent,
        created_at=now,
        due_at=due_at if new.urgent else after_quiet_hours(due_at),
    )
    session.add(message)
    session.flush()
    post(session, "send_sms", message.id, message.due_at)
    return message


class NotAgain(ValueError):
    """The message cannot be sent once more. `code`: state (it may still arrive, or has), told (it does not hold
    any more), barred (the number takes none)."""

    def __init__(self, code: str) -> None:
        super().__init__(f"not sent again: {code}")
        self.code = code


def may_again(message: SmsMessage) -> bool:
    """Return whether the message has come to an end without arriving, so that a person may have it sent once more."""
    # What the carrier was asked about in vain, for as long as it is asked at all, stays unknown for ever.
    given_up = message.status == SmsStatus.UNKNOWN and message.look_at is None
    return given_up or message.status in (SmsStatus.FAILED, SmsStatus.UNDELIVERED)


def again_key(message: SmsMessage) -> str:
    """Return the key of the message that repeats this one: there is one at most."""
    return f"{message.template}:again:{message.id}"


def send_again(session: Session, public_id: str, now: datetime) -> SmsMessage:
    """Write a message that says the same to the same number; pressed twice, it is the same message.

    Raises:
        KeyError: there is no such message.
        NotAgain: it cannot be.
    """
    message = session.scalar(select(SmsMessage).where(SmsMessage.public_id == public_id).with_for_update(of=SmsMessage))
    if message is None:
        raise KeyError(public_id)
    if not may_again(message):
        raise NotAgain("state")
    if message.order.status not in HOLDS[message.template]:
        raise NotAgain("told")
    new = NewSms(
        cast(Template, message.template), f"again:{message.id}", message.order, message.number, message.language,
        message.person_id, message.provider_id, message.urgent,
    )  # fmt: skip
    sent = queue(session, new, now)
    if sent is None:
        raise NotAgain("barred")
    return sent


def barred(number: PhoneNumber) -> str | None:
    """Return why no text message may go to this number, None if one may."""
    if number.no_sms is not None:
        return number.no_sms
    if number.kind not in (NumberKind.MOBILE, NumberKind.FOREIGN):
        return "no_mobile"
    return None if limits.may_be_dialled(number) else "forbidden"


def after_quiet_hours(moment: datetime) -> datetime:
    """Return `moment`, or the end of the quiet hours in which it lies."""
    begins, ends = settings().sms_quiet
    local = clock.local(moment)
    quiet = begins <= local.hour < ends if begins < ends else local.hour >= begins or local.hour < ends
    if begins == ends or not quiet:
        return moment
    morning = datetime.combine(local.date(), time(ends % 24), local.tzinfo)
    if morning <= local:
        morning += timedelta(days=1)
    return morning.astimezone(moment.tzinfo)


def accepted(session: Session, order: Order, now: datetime, turn: int = 1) -> None:
    """A provider has accepted: it gets the order in writing where it wishes, contacts read who comes.

    `turn`: how often this provider was asked. Who had it, lost it and has it again is told again.
    """
    if not is_on() or order.provider_id is None:
        return
    provider = session.get_one(Provider, order.provider_id)
    # A rebooked order that the same provider accepts again is another occasion.
    occasion = f"{order.id}:{provider.id}:{order.wanted_on:%y%m%d}{order.wanted_part[:2]}"
    if turn > 1:
        occasion += f":{turn}"
    if provider.wants_sms and (number := _mobile_of_provider(session, provider.id)) is not None:
        new = NewSms(
            "hand_over",
            occasion,
            order,
            number,
            provider.language,
            provider_id=provider.id,
            urgent=_is_soon(order, now),
        )
        queue(session, new, now)
    consents = Contact.may_hear_orders, Contact.wants_sms, Contact.ended_at.is_(None)
    contacts = select(Contact).where(Contact.elder_id == order.elder_id, *consents).order_by(Contact.position)
    for contact in session.scalars(contacts):
        if (number := mobile_of(session, contact.person_id)) is not None:
            key = f"{occasion}:{contact.person_id}"
            queue(session, NewSms("comes", key, order, number, contact.person.language, contact.person_id), now)


def tell_elder(
    session: Session,
    order: Order,
    template: Literal["confirmed", "reminder"],
    now: datetime,
    due_at: datetime | None = None,
) -> SmsMessage | None:
    """Send the elder a text about her order, if she wishes texts and has a mobile; None where she does not."""
    if not is_on() or not wants_sms(session, order.elder_id):
        return None
    number = mobile_of(session, order.elder_id)
    if number is None:
        return None
    key = f"{order.id}:{order.wanted_on:%y%m%d}{order.wanted_part[:2]}"
    new = NewSms(template, key, order, number, order.language, order.elder_id)
    return queue(session, new, now, due_at)


def mobile_of(session: Session, person_id: int) -> PhoneNumber | None:
    """Return the person's first number of her own that takes text messages."""
    hers = select(PhoneNumber).join(PersonNumber, PersonNumber.number_id == PhoneNumber.id)
    # On somebody else's telephone somebody else reads it.
    own = (PersonNumber.person_id == person_id, PersonNumber.role == "own")
    return _first_mobile(session, hers.where(*own).order_by(PersonNumber.position))


def _mobile_of_provider(session: Session, provider_id: int) -> PhoneNumber | None:
    its = select(PhoneNumber).join(ProviderNumber, ProviderNumber.number_id == PhoneNumber.id)
    return _first_mobile(
        session, its.where(ProviderNumber.provider_id == provider_id).order_by(ProviderNumber.position)
    )


def _first_mobile(session: Session, query: Select[PhoneNumber]) -> PhoneNumber | None:
    return next((number for number in session.scalars(query) if barred(number) is None), None)


def _is_soon(order: Order, now: datetime) -> bool:
    """Whoever accepts in the night for the early morning must not get the address at eight."""
    begins, _ends = span(Slot(order.service, order.wanted_on, order.wanted_part))
    return begins < after_quiet_hours(now) + timedelta(hours=1)
