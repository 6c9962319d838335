"""The rows of a care visit's conversation: each answer with what it proves, and how the call ended.

Every function is one transaction, committed when it returns.
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session, object_session

from dispatch import care, tasks, waiting
from dispatch.attempts import close_attempt
from dispatch.calls import close_call
from dispatch.duties import Evidence
from dispatch.outbox import quick_transaction, transaction
from ivr import inbound_rows, outbound
from ivr.care_visit import of_visit
from ivr.inbound_rows import Turn
from ivr.turns import Heard, Her, State
from ivr.turns import care as care_turns
from models import clock
from models.calls import Call, CallEnd, CallEvent
from models.campaigns import CareAnswer
from models.dialing import Attempt, AttemptStatus, Outcome
from models.journal import Entry, note, note_all
from models.preferences import preferences
from models.prepared import Prepared
from models.rows import Rows, orm
from models.service_items import not_offered
from models.tasks import TaskKind

# Answers after which somebody rings her, unless the call itself brought what she wanted.
WANTS_SOMETHING = frozenset({("feel", "need"), ("company", "visit"), ("company", "chat")})
# Asked and written at every answer.
_ANSWERS = cast(Table, CareAnswer.__table__)
_SAID = Prepared(
    select(_ANSWERS.c.id).where(_ANSWERS.c.call_id == bindparam("of_call"), _ANSWERS.c.question == bindparam("asked"))
)
_ALL_SAID = Prepared(select(_ANSWERS.c.question, _ANSWERS.c.answer).where(_ANSWERS.c.call_id == bindparam("of_call")))
_SAYS_NOW = Prepared(
    update(_ANSWERS)
    .where(_ANSWERS.c.id == bindparam("answer_id"))
    .values(answer=bindparam("what"), how=bindparam("by"))
)
_INSERT = Prepared(
    insert(_ANSWERS), "visit_id", "elder_id", "call_id", "question", "answer", "how", "amount", "at"
)  # fmt: skip
_SERVED = (Entry.ORDER_PLACED, Entry.ORDER_KNOWN, Entry.TO_PERSON)


def asked(attempt: Attempt) -> State:
    """Return the beginning of the conversation with her whose telephone, or something at it, has answered."""
    session = object_session(attempt)
    # The dialplan's context and the attempt agree.
    assert session is not None and attempt.care_visit_id is not None  # noqa: S101
    visit = care.whole(session, attempt.care_visit_id)
    person, way = visit.elder.person, preferences(session, visit.elder_id)
    her = Her(
        visit.elder_id, person.family_name, person.sex, person.language, way.pace, way.volume, dialect=way.dialect
    )
    language = attempt.call.language if attempt.call is not None else person.language
    moment, care_visit = clock.local(clock.now()), of_visit(session, visit, back=False)
    # Nobody at this telephone is a worker who reports: it was we who rang.
    return State(
        moment, language, how="care", people=(her,), her=her, care=care_visit, at_door=False, off=not_offered(session)
    )


def keep(call_id: int, change: tuple[State, State], heard: Heard, turn: Turn) -> None:
    """Write one turn with the answers it brought; what proves that she is there counts from this moment on."""
    before, after = change
    assert before.care is not None and before.her is not None  # noqa: S101 (only in a care visit)
    elder_id, visit_id, now = before.her.elder_id, before.care.visit_id, clock.now()
    new = [one for one in (after.care.answers if after.care else ()) if one not in before.care.answers]
    kind = care_turns.proof(before, after, heard)
    # The answers that prove are on the disk before anything follows from them. For those after them the end of the call
    # does that; no killed process undoes them.
    with quick_transaction(synced=not care_turns.proved(before.care)) as rows:
        own = elder_id if before.how in ("one", "household", "care") else None
        note_all(rows, call_id, now, inbound_rows.written(rows, call_id, own, turn))
        for question, answer, how in new:
            _answer(rows, (visit_id, elder_id, call_id), {"question": question, "answer": answer, "how": how})
        if kind is not None and not care.was_proved(rows, call_id):
            with orm(rows) as session:
                care.reached(session, elder_id, Evidence(kind, now, call_id), now)


def keep_word(session: Session, state: State, call_id: int, length_ms: int) -> None:
    """She has said a free word: how long it was is one of her answers; the words are the recording's."""
    if state.care is not None and state.her is not None:
        values = {"question": "word", "answer": "said", "how": "word", "amount": length_ms}
        _answer(session, (state.care.visit_id, state.her.elder_id, call_id), values)


def _answer(unit: Session | Rows, whose: tuple[int, int, int], values: dict[str, Any]) -> None:
    """Write what she has answered; of two answers to one question in a call the later one stands."""
    visit_id, elder_id, call_id = whose
    known = _SAID.scalar(unit, {"of_call": call_id, "asked": values["question"]})
    if known is not None:
        _SAYS_NOW.run(unit, {"answer_id": known, "what": values["answer"], "by": values["how"]})
        return
    ids = {"visit_id": visit_id, "elder_id": elder_id, "call_id": call_id}
    _INSERT.run(unit, {**ids, "amount": None, **values, "at": clock.now()})


def to_person(channel_id: str, reason: str) -> None:
    """The call goes to a person; an emergency is an alarm task at once."""
    now = clock.now()
    with transaction() as session:
        attempt = outbound.attempt_of(session, channel_id)
        call = session.get_one(Call, attempt.call_id)
        waiting.begin(session, call, reason, now)
        _close(session, attempt, Outcome.PERSON)


def end(channel_id: str, how: CallEnd, silent: bool = False) -> None:
    """The conversation is over. `silent`: nobody answered our questions, although the call was answered."""
    now = clock.now()
    with transaction() as session:
        attempt = outbound.attempt_of(session, channel_id)
        call = session.get_one(Call, attempt.call_id)
        if how == CallEnd.HUNG_UP and call.ended_at is None:
            note(session, call.id, Entry.HUNG_UP, now)
        if attempt.status != AttemptStatus.CLOSED:
            if silent:
                _close(session, attempt, care.silent(session, attempt, care.talked(session, call.id, now), now))
            else:
                _close(session, attempt, Outcome.HUNG_UP if how == CallEnd.HUNG_UP else Outcome.NO_KEY)
        wants_something(session, call)
        close_call(session, call, how, now)


def wants_something(session: Session, call: Call) -> None:
    """She needs something, or wants a visit or a chat, and the call brought nothing of it: somebody rings her."""
    wanted = WANTS_SOMETHING & set(_ALL_SAID.all(session, {"of_call": call.id}))
    if not wanted:
        return
    served = select(CallEvent.id).where(CallEvent.call_id == call.id, CallEvent.kind.in_(_SERVED)).limit(1)
    if session.scalar(served) is not None:
        return
    data = {"reason": "care", "slots": {}, "answers": sorted(":".join(one) for one in wanted)}
    new = tasks.NewTask(
        TaskKind.RING_BACK, f"call:{call.id}", call_id=call.id, elder_id=call.elder_id, number_id=call.number_id,
        data=data,
    )  # fmt: skip
    tasks.open_task(session, new, clock.now())


def hung_up(channel_id: str) -> None:
    """She has put the receiver down before the end."""
    end(channel_id, CallEnd.HUNG_UP)


def give_up(channel_id: str) -> None:
    """Something of ours broke: she is not blamed for it; the call itself goes on to a person."""
    outbound.give_up(channel_id, care.proved_or)


def _close(session: Session, attempt: Attempt, outcome: Outcome) -> None:
    """Close the attempt: whatever it came to, a call that proved that she is there has reached her."""
    close_attempt(session, attempt, care.proved_or(session, attempt, outcome), clock.now())
