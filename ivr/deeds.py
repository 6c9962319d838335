"""What a conversation has done beside talk: each a transaction, committed before its result is spoken of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import callbacks, changes, offers, recordings, reminders, returns, tasks, visits, waiting
from dispatch.outbox import transaction
from dispatch.visits import Report
from ivr import care_rows, matters
from ivr.turns import Her, State, WorkerHere
from ivr.turns.manage import MOST_ORDERS
from models import clock, phone
from models.callers import elder_by_card
from models.calls import Call, IdentifiedBy
from models.contacts import Contact
from models.dialing import DeclineReason, Offer
from models.journal import Entry, note
from models.orders import OrderEvent
from models.people import PersonNumber
from models.preferences import preferences
from models.providers import Worker
from models.settings import settings


@dataclass(frozen=True)
class Doing:
    """In which call something is done, for whom, and on which value."""

    call_id: int
    state: State
    value: Any

    @property
    def elder_id(self) -> int:
        """The elder whose matter it is."""
        assert self.state.her is not None  # noqa: S101 (the turns saw to it)
        return self.state.her.elder_id

    def by_her(self) -> OrderEvent:
        """Return the entry that an order's history has of it."""
        actor = "contact" if self.state.how == "contact" else "elder"
        return OrderEvent(actor=actor, actor_id=self.elder_id, call_id=self.call_id)


def _as_she_likes_it(session: Session, one: Her) -> Her:
    way = preferences(session, one.elder_id)
    return replace(one, pace=way.pace, volume=way.volume, person_first=way.person_first, dialect=way.dialect)


def take(session: Session, doing: Doing) -> object:
    """It is said whose matter it is: write it, and read what awaits her."""
    elder_id, by = doing.value
    one = next(person for person in doing.state.people if person.elder_id == elder_id)
    return _identified(session, doing, _as_she_likes_it(session, one), IdentifiedBy(by))


def card(session: Session, doing: Doing) -> object:
    """Find the elder whose service card was keyed; None if it is nobody's, or the caller may not order for her."""
    found = elder_by_card(session, doing.value)
    if found is None:
        return None
    one = Her(found.person_id, found.family_name, found.sex, found.language)
    wards = _wards(session, doing.call_id, one.elder_id)
    # At the telephone of contacts who may order for nobody (unknown) it is theirs as well.
    if doing.state.how == "contact" or (wards and doing.state.how == "unknown"):
        # A card does not give a contact more than the elder has consented to.
        if not wards or not all(ward.may_order for ward in wards):
            return None
        may_hear = all(ward.may_hear_orders for ward in wards)
        return _identified(session, doing, replace(one, may_hear=may_hear), IdentifiedBy.CONTACT)
    return _identified(session, doing, _as_she_likes_it(session, one), IdentifiedBy.CARD)


def _wards(session: Session, call_id: int, elder_id: int) -> Sequence[Contact]:
    """Return who on the line stands by the elder: the caller, or all at the telephone where it is not known who rings.

    Of several the lesser consent counts, as it does where the elder is named by key (ivr/callers.py).
    """
    call = session.get_one(Call, call_id)
    ours = (Contact.elder_id == elder_id, Contact.ended_at.is_(None))
    if call.caller_person_id is not None:
        return session.scalars(select(Contact).where(Contact.person_id == call.caller_person_id, *ours)).all()
    here = select(PersonNumber.person_id).where(PersonNumber.number_id == call.number_id)
    return session.scalars(select(Contact).where(Contact.person_id.in_(here), *ours)).all()


def _identified(session: Session, doing: Doing, one: Her, by: IdentifiedBy) -> object:
    call = session.get_one(Call, doing.call_id)
    call.elder_id, call.identified_by = one.elder_id, by
    note(session, call.id, Entry.IDENTIFIED_AS, clock.now(), how=by)
    return one, matters.matters(session, one.elder_id, clock.now())


def orders(session: Session, doing: Doing) -> object:
    """Read her open orders."""
    found = matters.open_orders(session, doing.elder_id)
    if doing.state.wish == "status" and len(found) <= MOST_ORDERS:
        note(session, doing.call_id, Entry.ORDERS_TOLD, clock.now(), count=len(found))
    return found


def cancel(session: Session, doing: Doing) -> object:
    """Cancel an order; False where it is too late."""
    return changes.cancel_order(session, doing.value, doing.by_her(), clock.now())


def change(session: Session, doing: Doing) -> object:
    """Give an order another time; False where somebody has taken it for the old one meanwhile."""
    slots = doing.state.slots
    assert slots.day is not None and slots.part is not None  # noqa: S101 (the turns saw to it)
    wanted = changes.Wanted(slots.day, slots.part, slots.at)
    return changes.change_order(session, doing.value, wanted, doing.by_her(), clock.now())


def to_rate(session: Session, doing: Doing) -> object:
    """Find the order that she can rate; None if there is none."""
    return matters.to_rate(session, doing.elder_id, doing.state.today)


def rate_order(session: Session, doing: Doing) -> object:
    """Write the score; a low one is a task for an agent. Returns low or well."""
    order_id, score = doing.value
    said = returns.Said(order_id, score, doing.call_id, herself=doing.state.how != "contact")
    return returns.hear(session, said, clock.now())


def heard_callback(session: Session, doing: Doing) -> object:
    """She rang back and has heard who comes."""
    callbacks.heard(session, doing.value, doing.call_id, clock.now())
    return None


def heard_reminder(session: Session, doing: Doing) -> object:
    """She rang us and has heard the reminder that missed her."""
    reminders.heard(session, doing.value, doing.call_id, clock.now())
    return None


def ring_back(session: Session, doing: Doing) -> object:
    """Somebody nobody knows wants to be rung back at a number: a person completes the card."""
    call = session.get_one(Call, doing.call_id)
    keyed = None if doing.value == doing.state.number else phone.normalise(doing.value, settings().area_code)
    task = waiting.ring_back(session, call, keyed, clock.now())
    if task is not None:
        # Her name, as she said it after the tone.
        task.audio_id = recordings.newest(session, call.id)
    return None


def keep_recording(session: Session, doing: Doing) -> object:
    """Keep what she said after the tone; a message is a task for an agent. Returns whether anything was said."""
    kind, recording = doing.value
    call = session.get_one(Call, doing.call_id)
    audio = recordings.keep(session, call, recording, clock.now(), kind)
    if audio is not None and kind == "care_word":
        care_rows.keep_word(session, doing.state, call.id, audio.duration_ms)
    if audio is not None and kind == "message":
        tasks.open_task(session, tasks.for_message(call, audio.id), clock.now())
    if audio is not None and kind == "word" and doing.state.visit_id is not None:
        returns.keep_word(session, doing.state.visit_id, audio.id, clock.now())
    return audio is not None


def answer_offer(session: Session, doing: Doing) -> object:
    """A provider rang us and answers an offer: accepted, declined, or too_late."""
    offer_id, answer = doing.value
    offer = session.scalars(select(Offer).where(Offer.id == offer_id)).one()
    if answer == "decline":
        offers.decline(session, offer, doing.call_id, clock.now())
        return "declined"
    return "accepted" if offers.accept(session, offer, doing.call_id, clock.now()) else "too_late"


def decline_because(session: Session, doing: Doing) -> object:
    """A provider who rang us says why it declines."""
    offer_id, reason = doing.value
    offers.decline_because(session, offer_id, DeclineReason(reason), clock.now())
    return None


def worker(session: Session, doing: Doing) -> object:
    """Find whose code was keyed, and for which orders she may be at this telephone; None if it is nobody's."""
    found = visits.identify(session, doing.call_id, doing.value, clock.now())
    if found is None:
        return None
    call = session.get_one(Call, doing.call_id)
    here = visits.expected(session, found, call.number_id, doing.state.today)
    return WorkerHere(found.id, found.person.language, tuple(map(matters.known, here)))


def visit_number(session: Session, doing: Doing) -> object:
    """Find the worker's order by the number that was keyed; None if it is none of hers."""
    order = visits.by_number(session, session.get_one(Worker, doing.state.worker_id), doing.value)
    return matters.known(order) if order else None


def visit(session: Session, doing: Doing) -> object:
    """Write that the worker has come, or that it is done. Returns arrived, done, known or gone."""
    order_id, what = doing.value
    assert doing.state.worker_id is not None  # noqa: S101 (the turns saw to it)
    return visits.report(session, Report(order_id, doing.state.worker_id, what, doing.call_id), clock.now())


DEEDS: dict[str, Callable[[Session, Doing], object]] = {
    "take": take,
    "card": card,
    "orders": orders,
    "cancel": cancel,
    "change": change,
    "to_rate": to_rate,
    "rate": rate_order,
    "heard_callback": heard_callback,
    "heard_reminder": heard_reminder,
    "ring_back": ring_back,
    "answer_offer": answer_offer,
    "decline_because": decline_because,
    "worker": worker,
    "visit_number": visit_number,
    "visit": visit,
    "keep_recording": keep_recording,
}


def do(verb: str, doing: Doing) -> object:
    """Do it in a transaction of its own, and return what came of it."""
    with transaction() as session:
        return DEEDS[verb](session, doing)
