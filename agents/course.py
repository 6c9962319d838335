"""An order's whole course: the call, every move, every offer and dialled attempt, the callback, in time order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload

from agents.lines import OrderLine, TaskLine, order_lines, orders_query, task_lines, tasks_query
from agents.parties import area_path
from agents.texts import sms_lines
from agents.why import Why, whys
from dispatch import returns
from models.audio import Audio
from models.calls import Call
from models.dialing import Attempt, Callback, CallbackStatus, Offer, OfferStatus
from models.followups import Reminder, ReturnVisitQuestion
from models.orders import ORDER_MOVES, Order, OrderEvent, OrderStatus
from models.phone import mask
from models.providers import Provider, Worker
from models.ratings import OrderRating
from models.sms import SmsMessage
from models.tasks import Task
from models.users import User
from models.visits import OrderVisit


@dataclass(frozen=True)
class Moment:
    """One point of the course.

    `kind`: call, move, offer, offer_closed, attempt, callback, callback_closed, reminder,
    reminder_closed, return_visit, return_visit_closed, sms, task. `code` is the status or outcome that
    belongs to the kind; `sentence` is the move's own, in English, from the table of moves.
    """

    at: datetime
    kind: str
    code: str = ""
    sentence: str = ""
    name: str = ""
    actor: str = ""
    number: str = ""
    call: str | None = None
    task: str | None = None
    rang_s: int | None = None
    talked_s: int | None = None
    template: str = ""  # of a text message: which one, and the carrier's or our code of what went wrong
    error: str = ""
    score: int | None = None  # of a return visit: 1 (bad) to 5 (very good)
    again: str = ""  # of a text message that did not arrive: its public id, where it may be sent once more
    proof: str = ""  # of a visit: what the worker's telephone proves of the place


@dataclass(frozen=True)
class OrderCourse:
    """An order and everything that has happened with it."""

    line: OrderLine
    area: tuple[str, ...]
    channel: str
    language: str
    note: str
    call: str | None
    tasks: tuple[TaskLine, ...]
    whys: tuple[Why, ...]
    moments: tuple[Moment, ...]
    score: int | None  # her rating, 1 (bad) to 5 (very good)
    word: str | None  # what she said of it in the return visit: a recording

    @property
    def done(self) -> bool:
        """Whether it can be done again, or closed."""
        return self.line.status in returns.DONE


def order_course(session: Session, public_id: str) -> OrderCourse | None:
    """Return the course of the order of `public_id`, or None."""
    order = session.scalar(orders_query().where(Order.public_id == public_id))
    if order is None:
        return None
    tasks = session.scalars(tasks_query().where(Task.order_id == order.id).order_by(Task.id)).all()
    call = session.get(Call, order.call_id) if order.call_id else None
    moments = [*_call(call), *_moves(session, order), *_offers(session, order), *_callbacks(session, order)]
    moments += _texts(session, order)
    moments += _reminders(session, order)
    questions = _questions(session, order)
    moments += _return_visits(session, order, questions)
    moments += [Moment(task.created_at, "task", task.kind, task=task.public_id) for task in tasks]
    return OrderCourse(
        line=order_lines(session, [order])[0],
        area=area_path(session, order.area_id),
        channel=order.channel,
        language=order.language,
        note=order.note,
        call=call.public_id if call else None,
        tasks=task_lines(tasks),
        whys=whys(session, order.id),
        # A stable sort: what has the same time stays in the order of cause and effect above.
        moments=tuple(sorted(moments, key=lambda moment: moment.at)),
        score=session.scalar(select(OrderRating.score).where(OrderRating.order_id == order.id)),
        word=_word(session, questions),
    )


def _call(call: Call | None) -> Iterator[Moment]:
    if call is not None:
        yield Moment(call.started_at, "call", call.purpose, call=call.public_id)


def _moves(session: Session, order: Order) -> Iterator[Moment]:
    events = session.scalars(
        select(OrderEvent).where(OrderEvent.order_id == order.id).order_by(OrderEvent.at, OrderEvent.id)
    ).all()
    if not any(event.from_status is None for event in events):
        yield Moment(order.created_at, "move", OrderStatus.CONFIRMED, actor="elder")
    for event in events:
        yield Moment(
            at=event.at,
            kind="move",
            code=event.to_status,
            sentence=_sentence(event.from_status, event.to_status),
            actor=event.actor,
            name=_actor_name(session, event),
            call=_call_id(session, event.call_id),
            proof=_proof(session, event),
        )


def _sentence(from_status: str | None, to_status: str) -> str:
    if from_status is None:
        return ""
    try:
        return ORDER_MOVES.get((OrderStatus(from_status), OrderStatus(to_status)), "")
    except ValueError:
        # A newer hotline wrote a status that this console does not know yet.
        return ""


def _actor_name(session: Session, event: OrderEvent) -> str:
    if event.actor_id is None:
        return ""
    if event.actor == "provider":
        provider = session.get(Provider, event.actor_id)
        return provider.name if provider else ""
    if event.actor == "worker":
        worker = session.get(Worker, event.actor_id)
        return worker.person.name if worker else ""
    if event.actor == "agent":
        user = session.get(User, event.actor_id)
        return user.name if user else ""
    return ""


def _proof(session: Session, event: OrderEvent) -> str:
    if event.actor != "worker":
        return ""
    reported = OrderVisit.order_id == event.order_id
    arrived = select(OrderVisit.arrived_proof).where(reported, OrderVisit.arrived_call_id == event.call_id)
    done = select(OrderVisit.done_proof).where(reported, OrderVisit.done_call_id == event.call_id)
    found = session.scalar(done if event.to_status == OrderStatus.COMPLETED else arrived)
    return found or ""


def _call_id(session: Session, call_id: int | None) -> str | None:
    call = session.get(Call, call_id) if call_id else None
    return call.public_id if call else None


def _offers(session: Session, order: Order) -> Iterator[Moment]:
    offers = session.scalars(
        select(Offer).where(Offer.order_id == order.id).options(selectinload(Offer.provider)).order_by(Offer.id)
    ).all()
    for offer in offers:
        yield Moment(offer.created_at, "offer", name=offer.provider.name)
        yield from _attempts(session, Attempt.offer_id == offer.id, offer.provider.name)
        # An acceptance has its own move; the other ends of an offer would be missing without this line.
        if offer.closed_at is not None and offer.status != OfferStatus.ACCEPTED:
            yield Moment(offer.closed_at, "offer_closed", offer.status, name=offer.provider.name)


def _callbacks(session: Session, order: Order) -> Iterator[Moment]:
    callbacks = session.scalars(
        select(Callback)
        .where(Callback.order_id == order.id)
        .options(selectinload(Callback.provider))
        .order_by(Callback.id)
    ).all()
    for callback in callbacks:
        yield Moment(callback.created_at, "callback", CallbackStatus.OPEN, name=callback.provider.name)
        yield from _attempts(session, Attempt.callback_id == callback.id, order.elder.person.name)
        if callback.closed_at is not None:
            yield Moment(callback.closed_at, "callback_closed", callback.status, name=callback.provider.name)


def _reminders(session: Session, order: Order) -> Iterator[Moment]:
    for reminder in session.scalars(select(Reminder).where(Reminder.order_id == order.id).order_by(Reminder.id)):
        yield Moment(reminder.created_at, "reminder", name=reminder.provider.name)
        yield from _attempts(session, _dialled(Attempt.reminder_id == reminder.id), order.elder.person.name)
        if reminder.closed_at is not None:
            yield Moment(reminder.closed_at, "reminder_closed", reminder.status)


def _questions(session: Session, order: Order) -> list[ReturnVisitQuestion]:
    mine = select(ReturnVisitQuestion).where(ReturnVisitQuestion.order_id == order.id)
    return list(session.scalars(mine.options(selectinload(ReturnVisitQuestion.visit)).order_by(ReturnVisitQuestion.id)))


def _return_visits(session: Session, order: Order, questions: list[ReturnVisitQuestion]) -> Iterator[Moment]:
    for question in questions:
        visit = question.visit
        yield Moment(visit.created_at, "return_visit")
        yield from _attempts(session, _dialled(Attempt.return_visit_id == visit.id), order.elder.person.name)
        closed_at = question.closed_at or visit.closed_at
        if closed_at is not None:
            code = "done" if question.score else "withdrawn" if question.closed_at else visit.status
            call = _call_id(session, question.call_id)
            yield Moment(closed_at, "return_visit_closed", code, score=question.score, call=call)


def _word(session: Session, questions: list[ReturnVisitQuestion]) -> str | None:
    """Return the newest word of her own that is not erased."""
    kept = [question.visit.audio_id for question in questions if question.visit.audio_id is not None]
    audio = session.get(Audio, kept[-1]) if kept else None
    return audio.public_id if audio is not None and audio.erased_at is None else None


def _dialled(of: ColumnElement[bool]) -> ColumnElement[bool]:
    """Leave out what is still to be dialled: on another day it has not happened."""
    return of & Attempt.dialed_at.is_not(None)


def _attempts(session: Session, of: ColumnElement[bool], name: str) -> Iterator[Moment]:
    attempts = session.scalars(
        select(Attempt).where(of).options(selectinload(Attempt.number), selectinload(Attempt.call)).order_by(Attempt.id)
    ).all()
    for attempt in attempts:
        yield Moment(
            at=attempt.dialed_at or attempt.due_at,
            kind="attempt",
            code=attempt.outcome or attempt.status,
            name=name,
            number=mask(attempt.number.value),
            call=attempt.call.public_id if attempt.call else None,
            rang_s=_seconds(attempt.dialed_at, attempt.answered_at or attempt.closed_at),
            talked_s=_seconds(attempt.answered_at, attempt.closed_at),
        )


def _texts(session: Session, order: Order) -> Iterator[Moment]:
    for line in sms_lines(session, SmsMessage.order_id == order.id):
        yield Moment(
            line.at, "sms", line.status, name=line.to.name, number=line.to.number, template=line.template,
            error=line.error, again=line.public_id if line.again else "",
        )  # fmt: skip


def _seconds(start: datetime | None, end: datetime | None) -> int | None:
    return None if start is None or end is None else max(0, round((end - start).total_seconds()))
