"""The errands of a text message: send it once, and find out what became of it.

At most one is delivered: "sending" is committed before the carrier is asked, so
a message that was asked for is never simply asked for again. Where the answer
was lost, the carrier is asked what it has (`ask_sms`); only if it lists its
messages and this one is not among them, minutes after the request ended, is it
sent again. Reports of the carrier (web/twilio.py) and its answers meet in `heard`,
so that late, doubled, lost or disordered ones make one state.
"""

from __future__ import annotations

import hashlib
import logging
import time
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import reminders, sms, sms_text, tasks
from dispatch.gateways import GatewayUnavailable, OutcomeUnknown
from dispatch.outbox import post, transaction
from dispatch.sms_gateways import CarrierSms, OutboundSms, SmsRefused, sms_gateway
from models import clock, windows
from models.session import read
from models.settings import settings
from models.sms import FINAL, SmsMessage, SmsStatus, move_sms
from models.tasks import TaskKind

log = logging.getLogger(__name__)

# A process that stood still for so long between its commit and its request does not make the request (s): less than
# `sms_settle_s`, after which the carrier is asked.
STOOD_STILL_S = 10
# How many messages one round of the sweep has asked after.
_A_ROUND = 100


def send_sms(message_id: int) -> None:
    """Send the message if it is still queued, still true, and the hour is right.

    Raises:
        GatewayUnavailable: nothing was sent; the errand stays due.
    """
    gateway = sms_gateway() if sms.is_on() else None
    began, now = time.monotonic(), clock.now()
    with transaction() as session:
        message = _locked(session, message_id)
        if message is None or message.status != SmsStatus.QUEUED or not _may_go(session, message, now):
            return
        text = sms_text.render(session, message)
        message.text_digest, message.segments = _digest(text), sms_text.segments(text)
        move_sms(message, SmsStatus.SENDING, now)
        message.look_at = now + timedelta(seconds=settings().sms_settle_s)
        outbound = OutboundSms(message.public_id, message.number.value, text)
    assert gateway is not None  # noqa: S101 (switched off, nothing goes)
    if time.monotonic() - began > STOOD_STILL_S:
        log.warning("text message %s was written too long ago to be sent", outbound.public_id)
        return
    try:
        taken = gateway.send(outbound)
    except SmsRefused as error:
        log.warning("text message %s: %s", outbound.public_id, error)
        with transaction() as session:
            refused(session, message_id, error, clock.now())
    except GatewayUnavailable:
        with transaction() as session:
            message = _locked(session, message_id)
            if message is not None and message.status == SmsStatus.SENDING:
                move_sms(message, SmsStatus.QUEUED, clock.now())
                # It was not taken: that was no attempt.
                message.attempts, message.look_at = message.attempts - 1, None
        raise
    except OutcomeUnknown as error:
        log.warning("text message %s may have been sent: %s", outbound.public_id, error)
        with transaction() as session:
            message = _locked(session, message_id)
            if message is not None and message.status == SmsStatus.SENDING:
                move_sms(message, SmsStatus.UNKNOWN, clock.now())
    else:
        with transaction() as session:
            heard(session, message_id, taken, clock.now())


def _may_go(session: Session, message: SmsMessage, now: datetime) -> bool:
    """Return whether it is to be sent now; put off or ended what is not."""
    if not sms.is_on() or message.order.status not in sms.HOLDS[message.template] or _somebody_else_has_it(message):
        move_sms(message, SmsStatus.WITHDRAWN, now)
        return False
    if message.template == "reminder" and windows.reminder_of(message.order.wanted_on) > now:
        # The day was changed since: the new one has a reminder of its own.
        move_sms(message, SmsStatus.WITHDRAWN, now)
        return False
    if (reason := sms.barred(message.number)) is not None:
        move_sms(message, SmsStatus.FAILED, now, reason)
        _tell_a_person(session, message, now)
        return False
    later = now if message.urgent else sms.after_quiet_hours(now)
    if max(later, message.due_at) > now:
        message.due_at = max(later, message.due_at)
        post(session, "send_sms", message.id, message.due_at)
        return False
    return True


def _somebody_else_has_it(message: SmsMessage) -> bool:
    return message.provider_id is not None and message.order.provider_id != message.provider_id


def ask_sms(message_id: int) -> None:
    """Ask the carrier what became of the message, and write it; safe to repeat.

    Raises:
        GatewayUnavailable: the carrier cannot be asked; the errand stays due.
    """
    with read() as session:
        message = session.get_one(SmsMessage, message_id)
    if message.status in FINAL or message.status == SmsStatus.QUEUED:
        return
    if clock.now() - (message.sending_at or message.created_at) > timedelta(hours=settings().sms_give_up_h):
        _give_up(message_id)
        return
    asked_at = clock.now()
    told = sms_gateway().look_up(message.carrier_id) if message.carrier_id else _among_the_sent(message)
    now = clock.now()
    with transaction() as session:
        if told is not None:
            heard(session, message_id, told, now)
        else:
            _not_at_the_carrier(session, message_id, asked_at, now)


def _among_the_sent(message: SmsMessage) -> CarrierSms | None:
    """Find a message whose answer was lost in the carrier's list: same number, same words, nobody else's."""
    listed = [one for one in sms_gateway().sent_to(message.number.value) if _digest(one.text) == message.text_digest]
    with read() as session:
        ids = SmsMessage.carrier_id.in_([one.carrier_id for one in listed])
        taken = set(session.scalars(select(SmsMessage.carrier_id).where(ids)))
    return next((one for one in listed if one.carrier_id not in taken), None)


def _not_at_the_carrier(session: Session, message_id: int, asked_at: datetime, now: datetime) -> None:
    message = _locked(session, message_id)
    if message is None or message.carrier_id or message.status not in (SmsStatus.SENDING, SmsStatus.UNKNOWN):
        return
    if asked_at - (message.sending_at or now) < timedelta(seconds=settings().sms_settle_s):
        return  # Another question came first, and the message is on its way anew.
    if message.status == SmsStatus.SENDING:
        # Whoever was sending it is dead, or has lost the answer.
        move_sms(message, SmsStatus.UNKNOWN, now)
    if message.attempts < settings().sms_attempts:
        move_sms(message, SmsStatus.QUEUED, now)
        message.look_at = None
        post(session, "send_sms", message.id, now)
    else:
        move_sms(message, SmsStatus.FAILED, now, "lost")
        _tell_a_person(session, message, now)


def _give_up(message_id: int) -> None:
    now = clock.now()
    with transaction() as session:
        message = _locked(session, message_id)
        if message is None or message.status in FINAL:
            return
        message.look_at = None
        if message.status != SmsStatus.SENT:
            # Nobody will know any more: it stays unknown, and a person sees to it.
            if message.status == SmsStatus.SENDING:
                move_sms(message, SmsStatus.UNKNOWN, now)
            _tell_a_person(session, message, now)


def heard(session: Session, message_id: int, told: CarrierSms, now: datetime) -> None:
    """Write what the carrier says. Late, doubled and disordered words change nothing: an end is the end."""
    message = _locked(session, message_id)
    if message is None or message.status in FINAL:
        return
    if message.carrier_id not in (None, told.carrier_id):
        log.warning("text message %s is another one at the carrier", message.public_id)
        return
    message.carrier_id = told.carrier_id
    if told.status != message.status:
        move_sms(message, told.status, now, told.error)
    if message.status not in FINAL:
        message.look_at = now + timedelta(seconds=settings().sms_poll_s)
    elif message.status != SmsStatus.DELIVERED:
        from dispatch.twilio_sms import NEVER_AGAIN

        message.number.no_sms = NEVER_AGAIN.get(told.error or "", message.number.no_sms)
        _tell_a_person(session, message, now)


def refused(session: Session, message_id: int, error: SmsRefused, now: datetime) -> None:
    """The carrier will not send it."""
    message = _locked(session, message_id)
    if message is None or message.status in FINAL:
        return
    move_sms(message, SmsStatus.FAILED, now, error.code[:32])
    message.number.no_sms = error.for_good or message.number.no_sms
    _tell_a_person(session, message, now)


def _tell_a_person(session: Session, message: SmsMessage, now: datetime) -> None:
    """Somebody does not know what she is to know: the provider where to go, the others when nobody can tell.

    Whom a reminder has not reached is rung; that needs no person.
    """
    if message.template == "reminder":
        reminders.text_failed(session, message.order, now)
        return
    if message.template == "hand_over" or message.status == SmsStatus.UNKNOWN:
        new = tasks.NewTask(
            TaskKind.SMS, f"sms:{message.id}", order_id=message.order_id, elder_id=message.order.elder_id,
            number_id=message.number_id, provider_id=message.provider_id, data={"template": message.template},
        )  # fmt: skip
        tasks.open_task(session, new, now)


def ask_after(now: datetime) -> int:
    """Post an errand for each message of which nothing was heard for too long. Returns how many."""
    with read() as session:
        due = select(SmsMessage.id).where(SmsMessage.look_at <= now).order_by(SmsMessage.look_at).limit(_A_ROUND)
        ids = list(session.scalars(due))
    for message_id in ids:
        with transaction() as session:
            message = _locked(session, message_id)
            if message is not None and message.look_at is not None and message.look_at <= now:
                # The older, the less often.
                age = (now - (message.sending_at or now)).total_seconds()
                message.look_at = now + timedelta(seconds=max(settings().sms_poll_s, age / 2))
                post(session, "ask_sms", message.id, now)
    return len(ids)


def _locked(session: Session, message_id: int) -> SmsMessage | None:
    query = select(SmsMessage).where(SmsMessage.id == message_id).with_for_update(of=SmsMessage)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
