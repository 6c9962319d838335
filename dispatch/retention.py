"""How long recordings are kept, by kind, and their erasure: after their days, or when a person asks for it.

The row stays and says when; the journal, which holds codes and ids only, is
never touched.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from dispatch.outbox import transaction
from models import audio
from models.audio import Audio
from models.calls import Call, Utterance
from models.campaigns import CareVisit
from models.care_runs import CareHold
from models.orders import ENDED, Order, OrderStatus
from models.people import Elder, NumberRole, PersonNumber
from models.results import CallOutcome, Note
from models.session import read
from models.settings import settings
from models.tasks import Task

log = logging.getLogger(__name__)

# Rows that have an agent's own words.
_Noted = type[CallOutcome] | type[Task] | type[CareHold]

# How many recordings one round of the sweep erases at most: it has other things to do.
_A_ROUND = 200
# Whose orders are over, so far as her own words to them matter.
_OVER = frozenset({*ENDED, OrderStatus.COMPLETED, OrderStatus.RETURN_VISITED})


def days() -> dict[str, int]:
    """Return for how many days each kind of recording is kept."""
    chosen = settings()
    return {
        "utterance": chosen.audio_keep_days,
        "call": chosen.recording_keep_days,
        "message": chosen.message_keep_days,
        "name": chosen.message_keep_days,
        "word": chosen.message_keep_days,
        "care_word": chosen.message_keep_days,
    }


def erase_expired(now: datetime) -> int:
    """Erase what has been kept for its days; what an open task waits for is kept longer. Returns how many."""
    expired = or_(*(_older(kind, now - timedelta(days=keep)) for kind, keep in days().items()))
    wanted = exists().where(Task.audio_id == Audio.id, Task.closed_at.is_(None))
    query = select(Audio.id).where(Audio.erased_at.is_(None), expired, ~wanted).order_by(Audio.id).limit(_A_ROUND)
    with read() as session:
        due = list(session.scalars(query))
    if due:
        with transaction() as session:
            for audio_id in due:
                audio.erase(session, settings().audio_dir, session.get_one(Audio, audio_id), now)
        log.info("%d recordings that were kept for their days are erased", len(due))
    return len(due)


def _older(kind: str, than: datetime) -> ColumnElement[bool]:
    return (Audio.kind == kind) & (Audio.created_at < than)


@dataclass(frozen=True)
class Erased:
    """What an erasure found: recordings, spoken words written down, words of hers to orders, agents' notes of her."""

    recordings: int
    words: int
    notes: int
    remarks: int


def erase_person(session: Session, person_id: int, now: datetime, really: bool = True) -> Erased:
    """Erase what is kept of one person's voice and words; `really` False only counts. Safe to repeat.

    Her calls are those in which she was known, and those from a telephone that is
    hers alone; a second registration that was merged into hers is she. Orders that are
    still open keep her words to them until they are over, and so do open tasks with what
    agents wrote of them: whoever helps her next reads it. The notes on her card go, those
    that were struck out too.
    """
    she = _registrations(session, person_id)
    hers = select(Call.id).where(
        or_(Call.elder_id.in_(she), Call.caller_person_id.in_(she), Call.number_id.in_(_alone_at(she)))
    )
    recordings = list(session.scalars(select(Audio).where(Audio.call_id.in_(hers), Audio.erased_at.is_(None))))
    spoken = Utterance.call_id.in_(hers), Utterance.text != ""
    words = list(session.scalars(select(Utterance.id).where(*spoken)))
    noted = Order.elder_id.in_(she), Order.note != "", Order.status.in_(sorted(_OVER))
    notes = list(session.scalars(select(Order.id).where(*noted)))
    remarks = _remarks(she, hers)
    found = [(kind, list(session.scalars(query))) for kind, query in remarks]
    on_card = list(session.scalars(select(Note.id).where(Note.elder_id.in_(she), Note.text != "")))
    if really:
        for recording in recordings:
            audio.erase(session, settings().audio_dir, recording, now)
        session.execute(update(Utterance).where(Utterance.id.in_(words)).values(text=""))
        session.execute(update(Order).where(Order.id.in_(notes)).values(note=""))
        for kind, ids in found:
            session.execute(update(kind).where(kind.id.in_(ids)).values(note=""))
        session.execute(update(Note).where(Note.id.in_(on_card)).values(text=""))
    return Erased(len(recordings), len(words), len(notes), len(on_card) + sum(len(ids) for _, ids in found))


def _remarks(she: Sequence[int], hers: Select[int]) -> tuple[tuple[_Noted, Select[int]], ...]:
    """Return, for each kind of row that has an agent's own words, the query for those about this person."""
    tasks = select(Task.id).where(or_(Task.elder_id.in_(she), Task.call_id.in_(hers)))
    visits = select(CareVisit.id).where(CareVisit.elder_id.in_(she))
    wanted = exists().where(Task.id == CallOutcome.task_id, Task.closed_at.is_(None))
    of_her = or_(CallOutcome.call_id.in_(hers), CallOutcome.task_id.in_(tasks), CallOutcome.visit_id.in_(visits))
    return (
        (CallOutcome, select(CallOutcome.id).where(of_her, CallOutcome.note != "", ~wanted)),
        (Task, tasks.where(Task.note != "", Task.closed_at.is_not(None))),
        (CareHold, select(CareHold.id).where(CareHold.elder_id.in_(she), CareHold.note != "")),
    )


def _registrations(session: Session, person_id: int) -> list[int]:
    """Return her id and those of the registrations that were merged into hers, one after another."""
    found = [person_id]
    for one in found:  # It grows as it is walked: what was merged may have taken in another one before.
        found += session.scalars(select(Elder.id).where(Elder.merged_into_id == one))
    return found


def _alone_at(she: Sequence[int]) -> Select[int]:
    """Return the query for numbers of hers at which no other person is known."""
    other = aliased(PersonNumber)
    shared = exists().where(other.number_id == PersonNumber.number_id, other.person_id.not_in(she))
    own = PersonNumber.person_id.in_(she), PersonNumber.role == NumberRole.OWN
    return select(PersonNumber.number_id).where(*own, ~shared)
