"""Text messages as lists show them: to whom, what kind, how it stands. Their words are kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload

from agents.lines import OrderRef, order_ref
from agents.parties import Party
from dispatch import sms
from models.people import Elder
from models.phone import mask
from models.sms import SmsMessage

# A page shows this many, the newest first.
SHOWN = 200


@dataclass(frozen=True)
class SmsLine:
    """One text message. `at` is when it was handed to the carrier, or is due; `error` a code of the carrier or ours."""

    public_id: str
    template: str
    status: str
    to: Party
    language: str
    order: OrderRef
    at: datetime
    closed_at: datetime | None
    attempts: int
    segments: int
    error: str
    again: bool  # it did not arrive, and may be sent once more


def sms_lines(session: Session, *where: ColumnElement[bool], limit: int = SHOWN) -> tuple[SmsLine, ...]:
    """Return the text messages for which `where` holds, the newest first."""
    together = (selectinload(SmsMessage.person), selectinload(SmsMessage.provider), selectinload(SmsMessage.order))
    query = select(SmsMessage).where(*where).options(*together).order_by(SmsMessage.id.desc()).limit(limit)
    rows = session.scalars(query).all()
    people = {row.person_id for row in rows}
    elders = set(session.scalars(select(Elder.id).where(Elder.id.in_(people))))
    keys = [sms.again_key(row) for row in rows if sms.may_again(row)]
    repeated = set(session.scalars(select(SmsMessage.dedupe_key).where(SmsMessage.dedupe_key.in_(keys))))
    return tuple(
        SmsLine(
            public_id=row.public_id,
            template=row.template,
            status=row.status,
            to=_to(row, row.person_id in elders),
            language=row.language,
            order=order_ref(row.order),
            at=row.sending_at or row.due_at,
            closed_at=row.closed_at,
            attempts=row.attempts,
            segments=row.segments,
            error=row.error or "",
            again=sms.may_again(row) and sms.again_key(row) not in repeated,
        )
        for row in rows
    )


def _to(row: SmsMessage, is_elder: bool) -> Party:
    masked = mask(row.number.value)
    if row.provider is not None:
        return Party("provider", row.provider.name, row.provider.public_id, masked)
    if row.person is None:
        return Party("number", number=masked)
    # A contact has no card of her own to link to.
    return (
        Party("elder", row.person.name, row.person.public_id, masked)
        if is_elder
        else Party("contact", row.person.name, number=masked)
    )
