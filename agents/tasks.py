"""Tasks: taken, locked while open, tried, closed with a result. `models.tasks.move_task` writes the states."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.accounts import record
from agents.lines import TaskLine, task_lines, tasks_query
from agents.reached import Firm, firm_of
from dispatch import care, returns
from models.audio import Audio
from models.calls import Call, Utterance
from models.orders import Order, OrderEvent
from models.phone import Number, NumberKind
from models.presence import TaskCall
from models.results import NOTE_MAX, OWN, CallOutcome, CallResult, Scope
from models.settings import settings
from models.tasks import Task, TaskKind, TaskState, TaskStep, move_task
from models.users import User

__all__ = [
    "NOTE_MAX",
    "TaskError",
    "TaskView",
    "clean_note",
    "finish",
    "give_back",
    "lock",
    "open_row",
    "take",
    "unlock",
    "view",
]

# With these the order waits for an agent, and has come to its end when they are closed.
_OF_DUTY = frozenset({TaskKind.CARE, TaskKind.GO_THERE})
_AFTER_SERVICE = frozenset({TaskKind.DISSATISFIED, TaskKind.UNREACHABLE})


# What she can say, as a form has it: bad to very good.
SCORES = ("1", "2", "3", "4", "5")


class TaskError(ValueError):
    """It cannot be done like this. `code`: closed, locked, result, note_missing, note_long, score."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the task cannot be worked on like this: {code}")
        self.code = code


@dataclass(frozen=True)
class Transcript:
    """What is said in the task's recording: the words as heard by the machine, or the state that says why not."""

    state: str  # models.audio.Transcript; empty: not tried yet
    text: str
    language: str


@dataclass(frozen=True)
class Try:
    """One result that was written down, and by whom."""

    code: str
    note: str
    by: str
    at: datetime


@dataclass(frozen=True)
class TaskView:
    """One task with what is needed to work it off: the whole number, the call, the recording, the tries so far."""

    id: int
    line: TaskLine
    elder_id: int | None
    number: str
    provider: Firm | None  # it is rung, not the elder
    order_status: str | None
    call: str | None
    recording: str | None
    transcript: Transcript | None
    tries: tuple[Try, ...]
    result: str | None
    note: str
    closed_by: str
    locked_by: str  # somebody else has it open: nobody but her may write
    dialled: str | None  # the newest call that was made for it and has no result yet
    asks_score: bool  # she can be asked how it was, and says it to the agent


def view(session: Session, public_id: str, who_id: int, now: datetime) -> TaskView | None:
    """Return the task of `public_id` as this user may work on it, or None."""
    task = session.scalar(tasks_query().where(Task.public_id == public_id))
    if task is None:
        return None
    call = session.get(Call, task.call_id) if task.call_id else None
    audio = session.get(Audio, task.audio_id) if task.audio_id else None
    by = session.get(User, task.closed_by_id) if task.closed_by_id else None
    return TaskView(
        id=task.id,
        line=task_lines([task])[0],
        elder_id=task.elder_id,
        number=Number(task.number.value, NumberKind(task.number.kind)).national if task.number else "",
        provider=firm_of(task),
        order_status=task.order.status if task.order else None,
        call=call.public_id if call else None,
        recording=audio.public_id if audio and audio.erased_at is None else None,
        transcript=_transcript(session, audio) if audio and audio.erased_at is None else None,
        tries=_tries(session, task.id),
        result=task.result,
        note=task.note,
        closed_by=by.name if by else "",
        locked_by=_locker(session, task, who_id, now),
        dialled=session.scalar(_undecided(task.id, who_id)),
        asks_score=_asks_score(session, task),
    )


def _asks_score(session: Session, task: Task) -> bool:
    order = session.get(Order, task.order_id) if task.order_id is not None else None
    if task.kind not in _AFTER_SERVICE or order is None or order.status not in returns.DONE:
        return False
    return not returns.is_past(session, task)


def _tries(session: Session, task_id: int) -> tuple[Try, ...]:
    rows = session.execute(
        select(CallOutcome, User.name)
        .outerjoin(User, User.id == CallOutcome.user_id)
        .where(CallOutcome.task_id == task_id)
        .order_by(CallOutcome.id)
    )
    return tuple(Try(row.code, row.note, name or "", row.at) for row, name in rows)


def _undecided(task_id: int, user_id: int):  # type: ignore[no-untyped-def]
    return (
        select(Call.public_id)
        .join(TaskCall, TaskCall.call_id == Call.id)
        .outerjoin(CallOutcome, CallOutcome.call_id == Call.id)
        .where(TaskCall.task_id == task_id, TaskCall.user_id == user_id, CallOutcome.id.is_(None))
        .order_by(Call.id.desc())
        .limit(1)
    )


def _locker(session: Session, task: Task, who_id: int, now: datetime) -> str:
    if task.locked_by_id in (None, who_id) or task.locked_until is None or task.locked_until < now:
        return ""
    return session.get_one(User, task.locked_by_id).name


def _transcript(session: Session, audio: Audio) -> Transcript:
    words = session.scalar(select(Utterance).where(Utterance.audio_id == audio.id))
    if words is None:
        return Transcript(audio.transcript or "", "", "")
    return Transcript(audio.transcript or "", words.text, words.language)


def clean_note(note: str) -> str:
    """Return the note without what cannot be seen; line ends stay."""
    text = unicodedata.normalize("NFC", note).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c == "\n" or not unicodedata.category(c).startswith("C")).strip()


def results(session: Session, scope: Scope, kind: str = "") -> tuple[CallResult, ...]:
    """Return the results that may be chosen, in the operator's order; `kind`: of the task that they are for."""
    fits = CallResult.scope.in_((scope, Scope.BOTH))
    rows = session.scalars(
        select(CallResult).where(fits, CallResult.hidden_at.is_(None)).order_by(CallResult.position, CallResult.id)
    )
    return tuple(one for one in rows if _is_for(one, kind))


def _is_for(result: CallResult, kind: str) -> bool:
    """Whether a task of this kind may end so: what a result of the house's own says of a duty no ledger knows."""
    return not (kind in _OF_DUTY and result.is_final and result.code.startswith(OWN))


def lock(session: Session, public_id: str, user_id: int, now: datetime) -> bool:
    """Keep others out while this user has the task open; renewed while she works. False: somebody else has it.

    Safe to repeat. What is hers stays hers for as long as she works on it.

    Raises:
        KeyError: no such task.
    """
    task = _locked_row(session, public_id)
    if task.state == TaskState.CLOSED:
        return True
    if _locker(session, task, user_id, now):
        return False
    task.locked_by_id, task.locked_until = user_id, now + timedelta(seconds=settings().task_lock_s)
    if task.owner_id == user_id:
        task.owned_until = max(task.owned_until or now, now + timedelta(seconds=settings().task_owned_s))
    return True


def unlock(session: Session, public_id: str, user_id: int) -> None:
    """The user has left the task. Safe to repeat; another's lock stays."""
    task = session.scalar(select(Task).where(Task.public_id == public_id, Task.locked_by_id == user_id))
    if task is not None:
        task.locked_by_id = task.locked_until = None


def take(session: Session, public_id: str, user: User, now: datetime) -> None:
    """The task is this user's until she has done nothing for `task_owned_s`; a locked one cannot be taken away.

    Raises:
        KeyError: no such task.
        TaskError: closed, locked.
    """
    task = open_row(session, public_id, user.id, now)
    until = max(task.due_at or now, now) + timedelta(seconds=settings().task_owned_s)
    move_task(task, TaskStep(TaskState.OWNED, user.id, until, due_at=task.due_at), now)
    record(session, user, "task_taken", ("task", task.id), now)


def give_back(session: Session, public_id: str, user: User, now: datetime) -> None:
    """The task is everybody's again.

    Raises:
        KeyError: no such task.
        TaskError: closed, locked.
    """
    task = open_row(session, public_id, user.id, now)
    move_task(task, TaskStep(TaskState.POOL, due_at=task.due_at), now)
    task.locked_by_id = task.locked_until = None
    record(session, user, "task_given_back", ("task", task.id), now)


@dataclass(frozen=True)
class Finding:
    """What came of working on a task. `call`: public id of the call it is about, if one was made for it."""

    result: str
    note: str = ""
    call: str = ""


def finish(session: Session, public_id: str, found: Finding, user: User, now: datetime) -> bool:
    """Write down what came of it. A final result closes the task, once and for good; another one has it tried again.

    Returns whether the task is closed.

    Raises:
        KeyError: no such task.
        TaskError: closed already, somebody else has it open, no such result, the note is missing or too long.
    """
    task = open_row(session, public_id, user.id, now)
    result = session.scalar(
        select(CallResult).where(
            CallResult.code == found.result,
            CallResult.scope.in_((Scope.TASK, Scope.BOTH)),
            CallResult.hidden_at.is_(None),
        )
    )
    if result is None or not _is_for(result, task.kind):
        raise TaskError("result")
    note = clean_note(found.note)
    if result.needs_note and not note:
        raise TaskError("note_missing")
    if len(note) > NOTE_MAX:
        raise TaskError("note_long")
    call_id = _call_of(session, task.id, found.call)
    # The note stands in rows that can be erased; the audit gets ids and codes only.
    session.add(CallOutcome(call_id=call_id, task_id=task.id, user_id=user.id, code=result.code, note=note, at=now))
    if result.is_final:
        move_task(task, TaskStep(TaskState.CLOSED, result=result.code, note=note), now, user.id)
        record(session, user, "task_closed", ("task", task.id), now)
        # Of a care visit: she was reached, somebody was there, or the next one is asked.
        care.task_closed(session, task, now)
        if task.kind in _AFTER_SERVICE and task.order_id is not None and not returns.is_past(session, task):
            # She has been talked to, or cannot be asked. Of what was done again since she is asked anew.
            returns.conclude(session, task.order_id, OrderEvent(actor="agent", actor_id=user.id), now)
        return True
    due = now + timedelta(seconds=result.retry_s or 0)
    # Whoever tried it tries it again; nobody else rings her meanwhile without knowing of it.
    until = due + timedelta(seconds=settings().task_owned_s)
    move_task(task, TaskStep(TaskState.OWNED, user.id, until, due_at=due), now)
    task.tries += 1
    task.locked_by_id = task.locked_until = None
    record(session, user, "task_tried", ("task", task.id), now)
    return False


def score(session: Session, public_id: str, said: tuple[str, str], user: User, now: datetime) -> None:
    """Write how she says it was, told to the agent who has reached her. `said` = (1–5, the task's call or nothing).

    What follows is what follows from her own key: with a good word the order is settled, a bad one stays with a person.

    Raises:
        KeyError: no such task.
        TaskError: closed, locked; score: it is none, or the order is not one that she is asked about.
    """
    task = open_row(session, public_id, user.id, now)
    if said[0] not in SCORES or not _asks_score(session, task) or task.order_id is None:
        raise TaskError("score")
    call_id = _call_of(session, task.id, said[1])
    returns.hear(session, returns.Said(task.order_id, int(said[0]), call_id, agent_id=user.id), now)
    record(session, user, "order_scored", ("order", task.order_id), now)


def _call_of(session: Session, task_id: int, public_id: str) -> int | None:
    """Return the id of the task's call, unless it has its result already: the first one stands."""
    if not public_id:
        return None
    query = (
        select(Call.id)
        .join(TaskCall, TaskCall.call_id == Call.id)
        .outerjoin(CallOutcome, CallOutcome.call_id == Call.id)
        .where(TaskCall.task_id == task_id, Call.public_id == public_id, CallOutcome.id.is_(None))
    )
    return session.scalar(query)


def _locked_row(session: Session, public_id: str) -> Task:
    # The row is locked, so that of two agents exactly one gets it.
    query = select(Task).where(Task.public_id == public_id).with_for_update(of=Task)
    task = session.scalar(query.execution_options(populate_existing=True))
    if task is None:
        raise KeyError(public_id)
    return task


def open_row(session: Session, public_id: str, user_id: int, now: datetime) -> Task:
    """Return the task, locked in the database, if this user may work on it now.

    Raises:
        KeyError: no such task.
        TaskError: closed, locked.
    """
    task = _locked_row(session, public_id)
    if task.state == TaskState.CLOSED:
        raise TaskError("closed")
    if _locker(session, task, user_id, now):
        raise TaskError("locked")
    return task
