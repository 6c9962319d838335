"""The oracle of faults.md: what must be true of the rows, after whatever has happened. One function for all tests."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.calls import Call, CallEvent
from models.campaigns import CareVisit, EscalationStep, StepKind, VisitStatus
from models.dialing import Attempt, AttemptStatus, Callback, CallbackStatus, Offer, OfferStatus
from models.duties import CareProof, Duty, DutyStatus
from models.followups import Reminder, ReminderStatus, ReturnVisit, ReturnVisitQuestion, ReturnVisitStatus
from models.journal import Entry
from models.orders import DISPATCHING, ENDED, EXPECTED, ORDER_MOVES, Order, OrderEvent, OrderStatus
from models.outbox import OutboxEntry
from models.tasks import Task, TaskKind

# Somebody has answered and the matter is settled by it.
SETTLED = frozenset({"accepted", "declined", "confirmed"})


def problems(session: Session, at_rest: bool = False) -> list[str]:
    """Return everything that is wrong; an empty list is a clean bill.

    `at_rest`: nothing is under way any more, so that nothing may be left half-way either.
    """
    rows = _Rows(session)
    found = [*_moves(rows), *_winners(rows), *_nobody_is_lost(rows), *_asked(rows), *_answers(rows), *_journal(rows)]
    found += care_problems(session)
    if at_rest:
        found += [f"call {call.id} never ended" for call in rows.calls if call.ended_at is None]
        found += [f"attempt {one.id} is still {one.status}" for one in rows.attempts if one.status != "closed"]
        found += [f"errand {one.id} ({one.verb}) was never done" for one in rows.errands if one.done_at is None]
    return found


class _Rows:
    """All rows that matter, read once."""

    def __init__(self, session: Session) -> None:
        def all_of(kind: type) -> Sequence:  # type: ignore[type-arg]
            return session.scalars(select(kind).order_by(kind.id)).unique().all()  # type: ignore[attr-defined]

        self.orders: Sequence[Order] = all_of(Order)
        self.moves: Sequence[OrderEvent] = all_of(OrderEvent)
        self.offers: Sequence[Offer] = all_of(Offer)
        self.callbacks: Sequence[Callback] = all_of(Callback)
        self.reminders: Sequence[Reminder] = all_of(Reminder)
        self.visits: Sequence[ReturnVisit] = all_of(ReturnVisit)
        self.questions: Sequence[ReturnVisitQuestion] = all_of(ReturnVisitQuestion)
        self.attempts: Sequence[Attempt] = all_of(Attempt)
        self.calls: Sequence[Call] = all_of(Call)
        self.entries: Sequence[CallEvent] = all_of(CallEvent)
        self.errands: Sequence[OutboxEntry] = all_of(OutboxEntry)
        self.tasks: Sequence[Task] = all_of(Task)
        self.waiting = {(one.verb, one.subject_id) for one in self.errands if one.done_at is None}
        self.under_way = [one for one in self.attempts if one.status != AttemptStatus.CLOSED]


def _moves(rows: _Rows) -> list[str]:
    """Every order went by legal moves, without a gap, to where it stands; no request was applied twice."""
    found = []
    history = defaultdict(list)
    for move in rows.moves:
        history[move.order_id].append(move)
    for order in rows.orders:
        course = history[order.id]
        steps = [(one.from_status, one.to_status) for one in course]
        found += [f"order {order.id}: illegal {a} → {b}" for a, b in steps[1:] if (a, b) not in ORDER_MOVES]
        found += [
            f"order {order.id}: a gap before {b.to_status}" for a, b in pairwise(course) if a.to_status != b.from_status
        ]
        if not course or course[-1].to_status != order.status:
            found.append(f"order {order.id} is {order.status}, its history ends otherwise")
    # What is done may be asked for once more; what is still expected may not.
    wanted = Counter((o.elder_id, o.service, o.wanted_on, o.wanted_part) for o in rows.orders if o.status in EXPECTED)
    return found + [f"the request {what} stands {n} times" for what, n in wanted.items() if n > 1]


def _winners(rows: _Rows) -> list[str]:
    """Never two winners of one order, and the winner is the provider of the order."""
    found = []
    for order in rows.orders:
        won = [
            one.provider_id for one in rows.offers if one.order_id == order.id and one.status == OfferStatus.ACCEPTED
        ]
        times = sum(one.order_id == order.id and one.to_status == OrderStatus.ACCEPTED for one in rows.moves)
        if len(won) > max(1, times):
            found.append(f"order {order.id} was won {len(won)} times, accepted {times} times")
        if won and order.status == OrderStatus.ACCEPTED and order.provider_id not in won:
            found.append(f"order {order.id} is with {order.provider_id}, won by {won}")
    return found


def _nobody_is_lost(rows: _Rows) -> list[str]:
    """Every order is at its end, in front of a person, or somebody is at work on it; so is all that belongs to it."""
    found = []
    tasks = {one.order_id for one in rows.tasks}
    offers = {one.offer_id for one in rows.under_way}
    callbacks = {one.callback_id for one in rows.under_way}
    for order in rows.orders:
        mine = [one for one in rows.offers if one.order_id == order.id and one.status == OfferStatus.OPEN]
        worked_on = ("offer_order", order.id) in rows.waiting or any(one.id in offers for one in mine)
        if order.status in DISPATCHING and not worked_on:
            found.append(f"order {order.id} is {order.status} and nobody is at work on it")
        if order.status == OrderStatus.NEEDS_AGENT and order.id not in tasks:
            found.append(f"order {order.id} needs an agent and no agent knows")
        if order.status in ENDED and mine:
            found.append(f"order {order.id} has ended and is still offered")
    for one in rows.callbacks:
        if one.status == CallbackStatus.OPEN and one.id not in callbacks:
            found.append(f"callback {one.id} is open and nobody will ring her")
        if one.status == CallbackStatus.FAILED and one.order_id not in tasks:
            found.append(f"callback {one.id} failed and no agent knows")
    for attempt in rows.attempts:
        if attempt.status == AttemptStatus.DUE and ("dial", attempt.id) not in rows.waiting:
            found.append(f"attempt {attempt.id} is due and nobody will dial it")
    return found


def _asked(rows: _Rows) -> list[str]:
    """Whatever is done is asked about: by a return visit that rings her, or by a person; once, and answered once."""
    found = []
    visits = {visit.id: visit for visit in rows.visits}
    tasks = {(one.kind, one.order_id) for one in rows.tasks}
    rung = {one.return_visit_id for one in rows.under_way}
    for order in rows.orders:
        mine = [one for one in rows.questions if one.order_id == order.id]
        left = [visits[one.return_visit_id] for one in mine if one.closed_at is None]
        if len(left) > 1:
            found.append(f"order {order.id} is asked about by {len(left)} return visits")
        if order.status == OrderStatus.COMPLETED and not left:
            found.append(f"order {order.id} is completed and nobody will ask her")
        if order.status != OrderStatus.COMPLETED and left:
            found.append(f"order {order.id} is {order.status} and she is still to be asked")
        if order.status == OrderStatus.RETURN_VISITED and ("dissatisfied", order.id) not in tasks:
            found.append(f"order {order.id} was bad and no agent knows")
        if any(one.status == ReturnVisitStatus.FAILED for one in left) and ("unreachable", order.id) not in tasks:
            found.append(f"nobody could ask about order {order.id} and no agent knows")
        answered = sum(one.order_id == order.id and one.to_status == OrderStatus.RETURN_VISITED for one in rows.moves)
        if answered != sum(one.score is not None for one in mine):
            found.append(f"order {order.id}: {answered} times return-visited, and other scores")
    for visit in rows.visits:
        left_of_it = [one for one in rows.questions if one.return_visit_id == visit.id and one.closed_at is None]
        if visit.status == ReturnVisitStatus.OPEN and visit.id not in rung:
            found.append(f"return visit {visit.id} is open and nobody will ring her")
        if (visit.status in (ReturnVisitStatus.OPEN, ReturnVisitStatus.FAILED)) != bool(left_of_it):
            found.append(f"return visit {visit.id} is {visit.status} with {len(left_of_it)} questions left")
    reminding = {one.reminder_id for one in rows.under_way}
    for one in rows.reminders:
        if one.status == ReminderStatus.OPEN and one.id not in reminding:
            found.append(f"reminder {one.id} is open and nobody will ring her")
    return found


def _answers(rows: _Rows) -> list[str]:
    """At most one answered call settles a step, and no person is in two calls of ours at once."""
    found = []
    rounds = {one.id: one.since_attempt_id for one in rows.callbacks}

    def step_of(a: Attempt) -> tuple[object, ...]:
        # Told once more by the same provider is another step.
        again = a.callback_id is not None and a.id > rounds[a.callback_id]
        own = a.offer_id, a.callback_id, a.reminder_id, a.return_visit_id, a.care_visit_id, a.escalation_step_id
        return (*own, again)

    settled = Counter(step_of(a) for a in rows.attempts if a.outcome in SETTLED)
    found += [f"step {step} was settled by {n} answered calls" for step, n in settled.items() if n > 1]
    steps = Counter(step_of(a) for a in rows.under_way)
    found += [f"step {step} has {n} attempts under way" for step, n in steps.items() if n > 1]
    ringing = Counter(a.number_id for a in rows.under_way if a.status in ("dialing", "answered"))
    return found + [f"number {number} is rung {n} times at once" for number, n in ringing.items() if n > 1]


def _journal(rows: _Rows) -> list[str]:
    """The callers' list equals the journal: whoever has ended has one last entry, and nobody else has."""
    ends = Counter(entry.call_id for entry in rows.entries if entry.kind == Entry.ENDED)
    found = [
        f"call {call.id}: ended {call.ended_at}, and {ends[call.id]} entries of it"
        for call in rows.calls
        if ends[call.id] != (call.ended_at is not None)
    ]
    dialled = {attempt.call_id for attempt in rows.attempts if attempt.call_id}
    outbound = {call.id for call in rows.calls if call.direction == "out"}
    return found + [f"call {one} and its attempt do not belong together" for one in dialled ^ outbound]


def duty_problems(session: Session) -> list[str]:
    """Every duty is proved, pending in somebody's hands, or decided by a person; no proof stands on nothing."""
    found = []
    proofs = {one.id: one for one in session.scalars(select(CareProof))}
    by_elder = defaultdict(list)
    for one in proofs.values():
        by_elder[one.elder_id].append(one)
    for duty in session.scalars(select(Duty)):
        proof = proofs.get(duty.proof_id or 0)
        if duty.status == DutyStatus.PROVED and (proof is None or proof.elder_id != duty.elder_id):
            found.append(f"duty {duty.id} is proved by nothing")
        if proof is not None and proof.at < duty.opens_at:
            found.append(f"duty {duty.id} is proved by what was before it opened")
        if duty.status == DutyStatus.OPEN and any(
            one.at > duty.opens_at and one.kind in duty.rule.proof for one in by_elder[duty.elder_id]
        ):
            found.append(f"duty {duty.id} is open although she was reached")
        if duty.status == DutyStatus.DECIDED and duty.decision is None:
            found.append(f"duty {duty.id} was ended by nobody")
    answered = {one.call_id for one in session.scalars(select(Attempt).where(Attempt.answered_at.is_not(None)))}
    for proof in proofs.values():
        if proof.kind in ("key", "answers") and proof.call_id is None:
            found.append(f"proof {proof.id} names no call")
    calls = {one.id: one for one in session.scalars(select(Call))}
    for proof in proofs.values():
        call = calls.get(proof.call_id or 0)
        dialled = call is not None and call.direction == "out" and call.purpose == "care" and call.answered_at
        if dialled and call is not None and call.id not in answered:
            found.append(f"proof {proof.id} is of a call that nobody answered")
    return found


def care_problems(session: Session, at_rest: bool = False) -> list[str]:
    """No elder is rung by two visits at once, and whoever was not reached is in front of somebody.

    `at_rest`: no visit may still be waiting or being rung.
    """
    found = duty_problems(session)
    under_way = list(session.scalars(select(Attempt).where(Attempt.status != AttemptStatus.CLOSED)))
    ringing = Counter(one.elder_id for one in under_way if one.care_visit_id and one.status != AttemptStatus.DUE)
    found += [f"elder {elder} is rung {n} times at once" for elder, n in ringing.items() if n > 1]
    open_tasks = {(task.kind, task.elder_id) for task in session.scalars(select(Task).where(Task.closed_at.is_(None)))}
    steps = list(session.scalars(select(EscalationStep).where(EscalationStep.ended_at.is_(None))))
    at_steps = {step.escalation.visit_id for step in steps}
    of_visit = {one.care_visit_id for one in under_way}
    for visit in session.scalars(select(CareVisit)):
        if visit.status == VisitStatus.CALLING and visit.id not in of_visit:
            found.append(f"visit {visit.id} is being rung by nobody")
        if visit.status == VisitStatus.AGENT and (TaskKind.CARE, visit.elder_id) not in open_tasks:
            found.append(f"visit {visit.id} waits for an agent who does not know")
        if visit.status == VisitStatus.ESCALATED and visit.id not in at_steps:
            found.append(f"visit {visit.id} is escalated and nobody is asked")
        if at_rest and visit.status in (VisitStatus.WAITING, VisitStatus.CALLING):
            found.append(f"visit {visit.id} is still {visit.status}")
    for step in steps:
        if step.kind == StepKind.GO_THERE and (TaskKind.GO_THERE, step.escalation.elder_id) not in open_tasks:
            found.append(f"step {step.id}: nobody knows that somebody has to go there")
    return found
