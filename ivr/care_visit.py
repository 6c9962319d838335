"""What is still to be asked in a care visit."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from dispatch import care
from ivr.turns import Care
from models import clock
from models.campaigns import CareAnswer, CareVisit
from models.care_scripts import SCRIPTS, questions
from models.prepared import Prepared

_SAID = Prepared(select(CareAnswer.question).where(CareAnswer.visit_id == bindparam("of_visit")))


def of_visit(session: Session, visit: CareVisit, back: bool) -> Care:
    """Return what is still to be asked in this visit: what she has answered already is not asked again."""
    script = SCRIPTS[visit.campaign.script]
    said = {question for (question,) in _SAID.all(session, {"of_visit": visit.id})}
    left = tuple(one for one in questions(script.code, clock.local_date(clock.now())) if one not in said)
    return Care(
        visit.id,
        # How she is, is asked in any case: it is the question that shows a living person.
        left if "feel" in left else ("feel", *left),
        notice=script.notice,
        word=script.word and "word" not in said,
        insist=visit.rank == care.HIGH or visit.silences > 0,
        back=back,
    )
