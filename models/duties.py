"""The duty ledger: which groups have to be reached how often, whom that concerns, by when, and what has proved it.

Rules are rows with dates; nothing of them is code. A duty is one elder's one
obligation: she has to be reached between `opens_at` and `deadline`. It ends by a
proof, or by a person's decision, and by nothing else.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Pk, PublicId
from models.calls import Call
from models.people import Area, Elder, Person


class Group(StrEnum):
    """Why an elder is looked after; the rules name them."""

    ALONE = "alone"  # 独居
    EMPTY_NEST = "empty_nest"  # 空巢
    LEFT_BEHIND = "left_behind"  # 留守
    DISABLED = "disabled"  # 失能
    SEVERELY_DISABLED = "severely_disabled"  # 重残
    FAMILY_PLANNING = "family_planning"  # 计划生育特殊家庭
    HIGH = "high"  # risk classes: at most one of the three at a time
    KEY = "key"
    GENERAL = "general"


RISKS = (Group.HIGH, Group.KEY, Group.GENERAL)


class Period(StrEnum):
    """How often. A week is counted from the last proof; a month and a quarter are those of the calendar."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class ProofKind(StrEnum):
    """What proves that she was reached."""

    KEY = "key"  # a living person pressed a key in a call
    ANSWERS = "answers"  # fitting exact answers to two different questions in one call
    AGENT = "agent"  # an agent has talked with her
    VISIT = "visit"  # somebody was with her


class DutyStatus(StrEnum):
    """Where a duty stands. All but OPEN are final."""

    OPEN = "open"
    PROVED = "proved"
    DECIDED = "decided"  # a person has decided that it ends without a proof: in hospital, moved away, has died


class DutyRule(Base):
    """One rule of the authorities: this group, so often, since when. `proof` lists the kinds that count."""

    __tablename__ = "duty_rules"
    __table_args__ = (UniqueConstraint("group", "valid_from"),)

    id: Mapped[Pk]
    group: Mapped[Code]
    period: Mapped[Code]
    first_within_h: Mapped[int | None]  # after she has come into the group; empty: by the end of the period
    proof: Mapped[list[str]] = mapped_column(JSON().with_variant(JSONB(), "postgresql"))
    source: Mapped[str] = mapped_column(String(120), default="")
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]  # the last day, inclusive


class ElderGroup(Base):
    """An elder belongs to a group from a moment on; a change of her risk ends one row and begins another."""

    __tablename__ = "elder_groups"
    __table_args__ = (
        Index("ix_elder_groups_elder", "elder_id", "ended_at"),
        UniqueConstraint("elder_id", "group", "since"),
    )

    id: Mapped[Pk]
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"))
    group: Mapped[Code]
    since: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    elder: Mapped[Elder] = relationship()


class CareProof(Base):
    """She was reached: when, how, in which call or by whom. Never changed."""

    __tablename__ = "care_proofs"
    __table_args__ = (Index("ix_care_proofs_elder", "elder_id", "at"), UniqueConstraint("call_id", "kind"))

    id: Mapped[Pk]
    public_id: Mapped[PublicId]
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"))
    kind: Mapped[Code]
    at: Mapped[datetime]
    noted_at: Mapped[datetime]
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))
    by_person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))  # who was with her
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # the agent, or who noted it

    call: Mapped[Call | None] = relationship()
    by_person: Mapped[Person | None] = relationship()


class Duty(Base):
    """One obligation towards one elder. `group` and the rule are its reason."""

    __tablename__ = "duties"
    __table_args__ = (
        UniqueConstraint("elder_id", "group", "opens_at"),
        Index("ix_duties_open", "status", "deadline"),
        Index("ix_duties_deadline", "deadline"),
    )

    id: Mapped[Pk]
    elder_id: Mapped[int] = mapped_column(ForeignKey("elders.id"), index=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("duty_rules.id"))
    group: Mapped[Code]
    opens_at: Mapped[datetime]
    deadline: Mapped[datetime]
    status: Mapped[Code] = mapped_column(default=DutyStatus.OPEN)
    proof_id: Mapped[int | None] = mapped_column(ForeignKey("care_proofs.id"), index=True)
    closed_at: Mapped[datetime | None]
    decision: Mapped[str | None] = mapped_column(String(32))  # models.care.Decision
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    elder: Mapped[Elder] = relationship()
    rule: Mapped[DutyRule] = relationship()
    proof: Mapped[CareProof | None] = relationship()


class AreaButler(Base):
    """Who is the butler (养老管家) of a grid, a complex or a community."""

    __tablename__ = "area_butlers"

    id: Mapped[Pk]
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    since: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    area: Mapped[Area] = relationship()
    person: Mapped[Person] = relationship()


# The groups of a rule that speaks of all of them (ministries' guidance 2022; a regional rule 2022).
_EVERYBODY_NAMED = (
    Group.ALONE, Group.EMPTY_NEST, Group.LEFT_BEHIND, Group.DISABLED, Group.SEVERELY_DISABLED, Group.FAMILY_PLANNING,
)  # fmt: skip
ANY_PROOF = [kind.value for kind in ProofKind]


def default_rules(since: date) -> list[dict[str, Any]]:
    """Return the rules that hold where nobody has written others, as rows."""
    monthly = [(group, Period.MONTH, 7 * 24) for group in _EVERYBODY_NAMED]
    risks = [(Group.HIGH, Period.WEEK, 24), (Group.KEY, Period.MONTH, 7 * 24), (Group.GENERAL, Period.QUARTER, 30 * 24)]
    return [
        {
            "group": group.value, "period": period.value, "first_within_h": first, "proof": ANY_PROOF,
            "source": "guidance 2022", "valid_from": since, "valid_to": None,
        }
        for group, period, first in (*risks, *monthly)
    ]  # fmt: skip
