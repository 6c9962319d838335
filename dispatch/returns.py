"""Return visits: she is asked how it was, and what follows from what she says.

Whoever writes "completed" begins one in the same transaction (`begin`). It is
one call for all that was done for her on one day. Locks are taken in one
order everywhere: attempt, order, person, return visit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

from dispatch import tasks
from dispatch.attempts import call_off, close_attempt, fail_return_visit, new_attempt
from dispatch.changes import Wanted
from dispatch.offers import lock_order
from dispatch.outbox import post
from models import windows
from models.clock import local_date
from models.dialing import Attempt, Outcome
from models.followups import ReturnVisit, ReturnVisitQuestion, ReturnVisitStatus
from models.journal import Entry, note
from models.lookup import numbers_of_elder
from models.orders import Order, OrderEvent, OrderStatus, move_order
from models.people import Person
from models.ratings import OrderRating, rate
from models.tasks import Task, TaskKind

# Whoever gives less than this was not content: an agent rings her.
CONTENT = 3
# What was completed longer ago is not asked about any more, should nobody have begun to (days).
_FRESH = timedelta(days=7)
# Of a task: what it is about has not been done again since.
_PRESENT = ~exists().where(
    OrderEvent.order_id == Task.order_id,
    OrderEvent.to_status == OrderStatus.REOPENED,
    OrderEvent.at >= Task.created_at,
)
# What can be done again.
DONE = frozenset({OrderStatus.COMPLETED, OrderStatus.RETURN_VISITED})


@dataclass(frozen=True)
class Said:
    """Her score of an order, 1 (bad) to 5 (very good), and in which call. `herself`: not somebody who rings for her.

    `agent_id`: she has said it to this user, who writes it down.
    """

    order_id: int
    score: int
    call_id: int | None
    herself: bool = True
    agent_id: int | None = None


def begin(session: Session, order: Order, now: datetime) -> None:
    """Write that she is to be asked how `order` was, from the next workday on. Safe to repeat."""
    if _question(session, order.id) is not None:
        return
    at = windows.return_visit_after(now)
    # Two of her orders that are completed at once make one call.
    session.execute(select(Person.id).where(Person.id == order.elder_id).with_for_update(key_share=True))
    same_day = (
        ReturnVisit.elder_id == order.elder_id,
        ReturnVisit.status == ReturnVisitStatus.OPEN,
        ReturnVisit.asked_on == local_date(at),
    )
    visit = session.scalar(select(ReturnVisit).where(*same_day).order_by(ReturnVisit.id).limit(1).with_for_update())
    fresh = visit is None
    if visit is None:
        visit = ReturnVisit(elder_id=order.elder_id, asked_on=local_date(at), created_at=now)
        session.add(visit)
    visit.questions.append(ReturnVisitQuestion(order_id=order.id))
    session.flush()
    if fresh:
        ring_her(session, visit, at, now)


def ring_her(session: Session, visit: ReturnVisit, at: datetime, now: datetime) -> None:
    """Have her rung from `at` on; without a number an agent has to ask."""
    numbers = numbers_of_elder(session, visit.elder_id)
    if numbers:
        new_attempt(session, visit, numbers[0].number_id, at)
    else:
        fail_return_visit(session, visit, None, now)


def _question(session: Session, order_id: int) -> ReturnVisitQuestion | None:
    """Return what is still to be asked about the order, its visit locked; None if nothing is."""
    still_open = ReturnVisitQuestion.order_id == order_id, ReturnVisitQuestion.closed_at.is_(None)
    question = session.scalar(select(ReturnVisitQuestion).where(*still_open).limit(1))
    if question is not None:
        session.get_one(ReturnVisit, question.return_visit_id, with_for_update=True, populate_existing=True)
    return question


def hear(session: Session, said: Said, now: datetime) -> str:
    """Write her score and what follows from it. Returns low (an agent rings her) or well. Safe to repeat.

    Raises:
        ValueError: the score is not 1–5.
    """
    # Before the order: an event that closes the attempt takes them in this order, too.
    of_call = select(Attempt).where(Attempt.call_id == said.call_id).with_for_update(of=Attempt)
    attempt = session.scalar(of_call) if said.call_id is not None else None
    order = lock_order(session, said.order_id)
    rate(session, OrderRating(order_id=order.id, score=said.score, call_id=said.call_id, at=now))
    if said.call_id is not None:
        note(session, said.call_id, Entry.ORDER_RATED, now, order_id=order.id, score=said.score)
    question = _question(session, order.id) if said.herself else None
    if said.score < CONTENT and not (said.agent_id is not None and _complained(session, order.id)):
        key = f"return:{question.id}" if question else _turn_key(session, order)
        data = {"score": said.score}
        new = tasks.for_order(TaskKind.DISSATISFIED, key, order, call_id=said.call_id, data=data)
        tasks.open_task(session, new, now)
    if said.herself and order.status == OrderStatus.COMPLETED:
        _asked(session, order, said, now)
    if question is not None:
        question.score, question.call_id = said.score, said.call_id
        _close(session, question, ReturnVisitStatus.DONE, now)
        if attempt is not None and question.visit.status == ReturnVisitStatus.DONE:
            close_attempt(session, attempt, Outcome.CONFIRMED, now)
    return "low" if said.score < CONTENT else "well"


def _complained(session: Session, order_id: int) -> bool:
    """Return whether an agent has the matter in hand already."""
    open_ones = Task.order_id == order_id, Task.kind == TaskKind.DISSATISFIED, Task.closed_at.is_(None)
    return session.scalar(select(Task.id).where(*open_ones, _PRESENT).limit(1)) is not None


def _turn_key(session: Session, order: Order) -> str:
    """Return what names a complaint that no return visit has asked for: one each time that the order was done."""
    again = OrderEvent.order_id == order.id, OrderEvent.to_status == OrderStatus.REOPENED
    times = session.scalar(select(func.count()).where(*again)) or 0
    return f"order:{order.id}" + (f":{times}" if times else "")


def is_past(session: Session, task: Task) -> bool:
    """Return whether the order was sent to be done again since the task was made: what follows is another matter."""
    return session.scalar(select(Task.id).where(Task.id == task.id, _PRESENT)) is None


def _asked(session: Session, order: Order, said: Said, now: datetime) -> None:
    """She was asked. With a good word the order has come to its end; with a bad one a person decides."""
    who = ("elder", order.elder_id) if said.agent_id is None else ("agent", said.agent_id)
    by = OrderEvent(actor=who[0], actor_id=who[1], call_id=said.call_id)
    move_order(session, order, OrderStatus.RETURN_VISITED, now, by)
    for kind in (TaskKind.LATE, TaskKind.UNREACHABLE):
        tasks.settle_all(session, kind, order.id, now)
    if said.score >= CONTENT:
        move_order(session, order, OrderStatus.SETTLED, now, OrderEvent(actor="system"))


def _close(session: Session, question: ReturnVisitQuestion, status: ReturnVisitStatus, now: datetime) -> None:
    """This is not to be asked any more; with the last question the visit ends."""
    question.closed_at, visit = now, question.visit
    session.flush()
    if visit.open_questions or visit.status not in (ReturnVisitStatus.OPEN, ReturnVisitStatus.FAILED):
        return
    answered = any(one.score is not None for one in visit.questions)
    visit.status, visit.closed_at = ReturnVisitStatus.DONE if answered else status, now
    call_off(session, visit, now)


def keep_word(session: Session, visit_id: int, audio_id: int, now: datetime) -> None:
    """A word of her own was recorded: it stands with her complaint, or is a task for an agent by itself."""
    visit = session.get_one(ReturnVisit, visit_id)
    visit.audio_id = audio_id
    orders = [question.order_id for question in visit.questions]
    complaints = (Task.order_id.in_(orders), Task.kind == TaskKind.DISSATISFIED, Task.closed_at.is_(None), _PRESENT)
    known = session.scalars(select(Task).where(*complaints)).all()
    for task in known:
        task.audio_id = audio_id
    if not known:
        order = session.get_one(Order, orders[0])
        new = tasks.for_order(TaskKind.WORD, f"audio:{audio_id}", order, audio_id=audio_id)
        tasks.open_task(session, new, now)


def reopen(session: Session, order_id: int, wanted: Wanted, by: OrderEvent, now: datetime) -> bool:
    """Have the order done again at another time; whoever did it is not preferred.

    Safe to repeat. Returns False where it cannot be: it is not done yet, or closed.
    """
    order = lock_order(session, order_id)
    if order.status == OrderStatus.REOPENED:
        return True
    if order.status not in DONE:
        return False
    _forget(session, order, now)
    order.wanted_on, order.wanted_part, order.wanted_at = wanted.on, wanted.part, wanted.at
    order.provider_id = None
    move_order(session, order, OrderStatus.REOPENED, now, by)
    post(session, "offer_order", order.id, now, by.call_id)
    return True


def conclude(session: Session, order_id: int, by: OrderEvent, now: datetime) -> bool:
    """Close the order after a complaint, or although she could not be asked. Safe to repeat; False: not done yet."""
    order = lock_order(session, order_id)
    if order.status == OrderStatus.SETTLED:
        return True
    if order.status not in DONE:
        return False
    _forget(session, order, now)
    move_order(session, order, OrderStatus.SETTLED, now, by)
    return True


def _forget(session: Session, order: Order, now: datetime) -> None:
    """She is not asked any more, and nobody is told that she was not."""
    question = _question(session, order.id)
    if question is not None:
        _close(session, question, ReturnVisitStatus.WITHDRAWN, now)
    tasks.settle_all(session, TaskKind.LATE, order.id, now)


def unasked(before: datetime) -> Select[int]:
    """Select the orders that were completed before `before` and of which nobody will ask her."""
    asked: ColumnElement[bool] = exists().where(
        ReturnVisitQuestion.order_id == Order.id, ReturnVisitQuestion.closed_at.is_(None)
    )
    lately = Order.changed_at < before, Order.changed_at > before - _FRESH
    return select(Order.id).where(Order.status == OrderStatus.COMPLETED, *lately, ~asked)
