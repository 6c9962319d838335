"""Campaigns of calls to elders, their care visits, what she answered, and the escalation where she is not reached.

A care visit is one elder in one campaign: it may take several attempts to dial
(models/dialing.py), and it ends by a proof, by a person, or because the campaign
was stopped. How an escalation goes on is data of the campaign.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.calls import Call
from models.people import Elder, Person, PhoneNumber


class CampaignStatus(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"  # made, nobody is rung yet
    RUNNING = "running"
    PAUSED = "paused"  # nobody new is rung; whoever is on the line is talked to
    STOPPED = "stopped"  # for good: whoever was not reached yet is not rung by it
    DONE = "done"  # nobody is left to be rung by it


class CampaignMode(StrEnum):
    """Who rings."""

    MACHINE = "machine"
    STAFF = "staff"  # people, one by one; the machine leaves its visits alone


# Legal moves; nothing else ever changes a campaign's status.
CAMPAIGN_MOVES: Mapping[str, frozenset[str]] = {
    CampaignStatus.DRAFT: frozenset({CampaignStatus.RUNNING, CampaignStatus.STOPPED}),
    CampaignStatus.RUNNING: frozenset({CampaignStatus.PAUSED, CampaignStatus.STOPPED, CampaignStatus.DONE}),
    CampaignStatus.PAUSED: frozenset({CampaignStatus.RUNNING, CampaignStatus.STOPPED}),
    # New duties may come into the running ledger's campaign.
    CampaignStatus.DONE: frozenset({CampaignStatus.RUNNING, CampaignStatus.STOPPED}),
    CampaignStatus.STOPPED: frozenset(),
}


class VisitStatus(StrEnum):
    """Where a care visit stands."""

    WAITING = "waiting"  # to be rung at `due_at` or later
    CALLING = "calling"  # an attempt is under way
    AGENT = "agent"  # in front of a person, who decides
    ESCALATED = "escalated"  # not reached: others are asked to look in
    PROVED = "proved"  # she was reached
    UNREACHED = "unreached"  # not reached, by a campaign that does not escalate
    DECIDED = "decided"  # a person has ended it
    STOPPED = "stopped"  # the campaign was stopped, or she must not be rung


# Nothing of the machine's follows any more.
VISIT_ENDS = frozenset({VisitStatus.PROVED, VisitStatus.UNREACHED, VisitStatus.DECIDED, VisitStatus.STOPPED})


class Decision(StrEnum):
    """By what a person ends a duty without a proof."""

    HOSPITAL = "hospital"
    MOVED = "moved"
    DIED = "died"
    REFUSES = "refuses"  # she does not want to be rung or visited
    ABROAD = "away"  # with family for a while
    OTHER = "other"  # the task's note says what


class Campaign(Base):
    """One campaign. `window`, `pace`, `retry`, `steps`: changes to the defaults (dispatch.campaign_rules)."""

    __tablename__ = "campaigns"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    name: Mapped[str] = mapped_column(String(80))
    script: Mapped[Code]  # models.care_scripts
    source: Mapped[Code]  # ledger, filter, import
    mode: Mapped[Code] = mapped_column(default=CampaignMode.MACHINE)
    status: Mapped[Code] = mapped_column(default=CampaignStatus.DRAFT, index=True)
    attempts: Mapped[int] = mapped_column(default=3)
    window: Mapped[dict[str, Any]] = mapped_column(default=dict)
    pace: Mapped[dict[str, Any]] = mapped_column(default=dict)
    retry: Mapped[dict[str, Any]] = mapped_column(default=dict)
    escalate: Mapped[bool] = mapped_column(default=True)
    steps: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    paced_at: Mapped[datetime | None]  # when calls were last begun: the pace a second is kept by it
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class CampaignEvent(Base):
    """One move of a campaign: who, when."""

    __tablename__ = "campaign_events"

    id: Mapped[Pk]
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    at: Mapped[datetime]
    to_status: Mapped[Code]
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class CareVisit(Base):
    """One elder in one campaign."""

    __tablename__ = "care_visits"
    __table_args__ = (
        # She is in a campaign once for each duty (or once, where it is not made from the ledger).
        UniqueConstraint("campaign_id", "elder_id", "occasion"),
        # The next call is chosen by this index alone.
        Index("ix_care_visits_next", "campaign_id", "status", "rank", "due_at"),
        Index("ix_care_visits_elder", "elder_id", "status"),
    )

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"))
    occasion: Mapped[str] = mapped_column(String(40), default="")  # the deadline's day, where it is made from a duty
    status: Mapped[Code] = mapped_column(default=VisitStatus.WAITING)
    rank: Mapped[int] = mapped_column(default=2)  # 0 high risk, 1 key, 2 all others
    due_at: Mapped[datetime]  # not rung before
    deadline: Mapped[datetime | None]
    silences: Mapped[int] = mapped_column(default=0)  # so often she answered and kept silent
    # In which call it was proved, and when it came to its end.
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))
    decision: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    campaign: Mapped[Campaign] = relationship()
    elder: Mapped[Elder] = relationship()


class CareAnswer(Base):
    """What she answered to one question of one care call. Codes; a free word is a recording with its length."""

    __tablename__ = "care_answers"
    __table_args__ = (UniqueConstraint("call_id", "question"), Index("ix_care_answers_elder", "elder_id", "at"))

    id: Mapped[Pk]
    visit_id: Mapped[int] = mapped_column(ForeignKey("care_visits.id"), index=True)
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"))
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"))
    question: Mapped[Code]
    answer: Mapped[Code]
    how: Mapped[Code]  # key, word (exact), heard (understood, but not exact), agent (told to a person)
    amount: Mapped[int | None]  # of a free word: how long it is (ms)
    at: Mapped[datetime]


class CallRule(Base):
    """An exception of one elder: never rung by a machine, or only at these hours. The newest in force holds."""

    __tablename__ = "call_rules"

    id: Mapped[Pk]
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"), index=True)
    never: Mapped[bool] = mapped_column(default=False)
    spans: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {"spans": [[570, 690]]}: minutes of the day
    since: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class EscalationStatus(StrEnum):
    """Where an escalation stands."""

    OPEN = "open"
    PROVED = "proved"
    DECIDED = "decided"


class StepKind(StrEnum):
    """Who is asked to look in."""

    CONTACT = "contact"  # a family contact who may be told, by voice
    BUTLER = "butler"  # the butler of her grid, by voice
    AGAIN = "again"  # she is rung once more: somebody has promised to look in
    GO_THERE = "go_there"  # an agent's task: someone goes there, by a deadline


class Escalation(Base):
    """She was not reached: who is asked, one after another. Ends only by a proof or a person's decision."""

    __tablename__ = "escalations"

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    visit_id: Mapped[int] = mapped_column(ForeignKey("care_visits.id"), unique=True)
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"), index=True)
    status: Mapped[Code] = mapped_column(default=EscalationStatus.OPEN, index=True)
    why: Mapped[Code]  # the outcome that led here
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    visit: Mapped[CareVisit] = relationship()
    elder: Mapped[Elder] = relationship()
    steps: Mapped[list[EscalationStep]] = relationship(order_by="EscalationStep.id", viewonly=True)


class EscalationStep(Base):
    """One step, stamped when it began and ended. `outcome` is empty while it is under way."""

    __tablename__ = "escalation_steps"
    __table_args__ = (Index("ix_escalation_steps_open", "ended_at", "due_at"),)

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    escalation_id: Mapped[int] = mapped_column(ForeignKey("escalations.id"), index=True)
    kind: Mapped[Code]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    number_id: Mapped[int | None] = mapped_column(ForeignKey("phone_numbers.id"))
    began_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # by then something must have come of it
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(32))  # promised, cannot, not_reached, proved, decided, …
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))

    escalation: Mapped[Escalation] = relationship()
    person: Mapped[Person | None] = relationship()
    number: Mapped[PhoneNumber | None] = relationship()
    call: Mapped[Call | None] = relationship()
