"""the duty ledger, campaigns, care visits, escalations"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import models.base

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def data() -> "sa.types.TypeEngine[Any]":
    return sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    op.create_table(
        "duty_rules",
        sa.Column("id", big(), nullable=False),
        sa.Column("group", sa.String(32), nullable=False),
        sa.Column("period", sa.String(32), nullable=False),
        sa.Column("first_within_h", big(), nullable=True),
        sa.Column("proof", data(), nullable=False),
        sa.Column("source", sa.String(120), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_rules")),
        sa.UniqueConstraint("group", "valid_from", name=op.f("uq_duty_rules_group_valid_from")),
    )
    op.create_table(
        "area_butlers",
        sa.Column("id", big(), nullable=False),
        sa.Column("area_id", big(), nullable=False),
        sa.Column("person_id", big(), nullable=False),
        sa.Column("since", when(), nullable=False),
        sa.Column("ended_at", when(), nullable=True),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_area_butlers_area_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_area_butlers_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area_butlers")),
    )
    op.create_index(op.f("ix_area_butlers_area_id"), "area_butlers", ["area_id"])
    op.create_table(
        "campaigns",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("script", sa.String(32), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("attempts", big(), nullable=False),
        sa.Column("window", data(), nullable=False),
        sa.Column("pace", data(), nullable=False),
        sa.Column("retry", data(), nullable=False),
        sa.Column("escalate", sa.Boolean(), nullable=False),
        sa.Column("steps", data(), nullable=False),
        sa.Column("created_at", when(), nullable=False),
        sa.Column("started_at", when(), nullable=True),
        sa.Column("ended_at", when(), nullable=True),
        sa.Column("paced_at", when(), nullable=True),
        sa.Column("by_user_id", big(), nullable=True),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("fk_campaigns_by_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("public_id", name=op.f("uq_campaigns_public_id")),
    )
    op.create_index(op.f("ix_campaigns_status"), "campaigns", ["status"])
    op.create_table(
        "call_rules",
        sa.Column("id", big(), nullable=False),
        sa.Column("elder_id", big(), nullable=False),
        sa.Column("never", sa.Boolean(), nullable=False),
        sa.Column("spans", data(), nullable=False),
        sa.Column("since", when(), nullable=False),
        sa.Column("ended_at", when(), nullable=True),
        sa.Column("by_user_id", big(), nullable=True),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("fk_call_rules_by_user_id")),
        sa.ForeignKeyConstraint(["elder_id"], ["elders.id"], name=op.f("fk_call_rules_elder_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_rules")),
    )
    op.create_index(op.f("ix_call_rules_elder_id"), "call_rules", ["elder_id"])
    op.create_table(
        "campaign_events",
        sa.Column("id", big(), nullable=False),
        sa.Column("campaign_id", big(), nullable=False),
        sa.Column("at", when(), nullable=False),
        sa.Column("to_status", sa.String(32), nullable=False),
        sa.Column("by_user_id", big(), nullable=True),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("fk_campaign_events_by_user_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_events_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_events")),
    )
    op.create_index(op.f("ix_campaign_events_campaign_id"), "campaign_events", ["campaign_id"])
    op.create_table(
        "elder_groups",
        sa.Column("id", big(), nullable=False),
        sa.Column("elder_id", big(), nullable=False),
        sa.Column("group", sa.String(32), nullable=False),
        sa.Column("since", when(), nullable=False),
        sa.Column("ended_at", when(), nullable=True),
        sa.Column("by_user_id", big(), nullable=True),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("fk_elder_groups_by_user_id")),
        sa.ForeignKeyConstraint(["elder_id"], ["elders.id"], name=op.f("fk_elder_groups_elder_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_elder_groups")),
        sa.UniqueConstraint("elder_id", "group", "since", name=op.f("uq_elder_groups_elder_id_group_since")),
    )
    op.create_index(op.f("ix_elder_groups_elder"), "elder_groups", ["elder_id", "ended_at"])
    op.create_table(
        "care_proofs",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("elder_id", big(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at", when(), nullable=False),
        sa.Column("noted_at", when(), nullable=False),
        sa.Column("call_id", big(), nullable=True),
        sa.Column("by_person_id", big(), nullable=True),
        sa.Column("by_user_id", big(), nullable=True),
        sa.ForeignKeyConstraint(["by_person_id"], ["people.id"], name=op.f("fk_care_proofs_by_person_id")),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("fk_care_proofs_by_user_id")),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_care_proofs_call_id")),
        sa.ForeignKeyConstraint(["elder_id"], ["elders.id"], name=op.f("fk_care_proofs_elder_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_proofs")),
        sa.UniqueConstraint("call_id", "kind", name=op.f("uq_care_proofs_call_id_kind")),
        sa.UniqueConstraint("public_id", name=op.f("uq_care_proofs_public_id")),
    )
    op.create_index(op.f("ix_care_proofs_elder"), "care_proofs", ["elder_id", "at"])
    op.create_table(
        "care_visits",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("campaign_id", big(), nullable=False),
        sa.Column("elder_id", big(), nullable=False),
        sa.Column("occasion", sa.String(40), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("rank", big(), nullable=False),
        sa.Column("due_at", when(), nullable=False),
        sa.Column("deadline", when(), nullable=True),
        sa.Column("silences", big(), nullable=False),
        sa.Column("call_id", big(), nullable=True),
        sa.Column("decision", sa.String(32), nullable=True),
        sa.Column("created_at", when(), nullable=False),
        sa.Column("closed_at", when(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_care_visits_call_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_care_visits_campaign_id")),
        sa.ForeignKeyConstraint(["elder_id"], ["elders.id"], name=op.f("fk_care_visits_elder_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_visits")),
        sa.UniqueConstraint(
            "campaign_id", "elder_id", "occasion", name=op.f("uq_care_visits_campaign_id_elder_id_occasion")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_care_visits_public_id")),
    )
    op.create_index(op.f("ix_care_visits_elder"), "care_visits", ["elder_id", "status"])
    op.create_index(op.f("ix_care_visits_next"), "care_visits", ["campaign_id", "status", "rank", "due_at"])
    op.create_table(
        "care_answers",
        sa.Column("id", big(), nullable=False),
        sa.Column("visit_id", big(), nullable=False),
        sa.Column("elder_id", big(), nullable=False),
        sa.Column("call_id", big(), nullable=False),
        sa.Column("question", sa.String(32), nullable=False),
        sa.Column("answer", sa.String(32), nullable=False),
        sa.Column("how", sa.String(32), nullable=False),
        sa.Column("amount", big(), nullable=True),
        sa.Column("at", when(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_care_answers_call_id")),
        sa.ForeignKeyConstraint(["elder_id"], ["elders.id"], name=op.f("fk_care_answers_elder_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["care_visits.id"], name=op.f("fk_care_answers_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_answers")),
        sa.UniqueConstraint("call_id", "question", name=op.f("uq_care_answers_call_id_question")),
    )
    op.create_index(op.f("ix_care_answers_elder"), "care_answers", ["elder_id", "at"])
    op.create_index(op.f("ix_care_answers_visit_id"), "care_answers", ["visit_id"])
    op.create_table(
        "duties",
        sa.Column("id", big(), nullable=False),
        sa.Column("elder_id", big(), nullable=False),
        sa.Column("rule_id", big(), nullable=False),
        sa.Column("group", sa.String(32), nullable=False),
        sa.Column("opens_at", when(), nullable=False),
        sa.Column("deadline", when(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("proof_id", big(), nullable=True),
        sa.Column("closed_at", when(), nullable=True),
        sa.Column("decision", sa.String(32), nullable=True),
        sa.Column("decided_by_id", big(), nullable=True),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name=op.f("fk_duties_decided_by_id")),
        sa.ForeignKeyConstraint(["elder_id"], ["elders.id"], name=op.f("fk_duties_elder_id")),
        sa.ForeignKeyConstraint(["proof_id"], ["care_proofs.id"], name=op.f("fk_duties_proof_id")),
        sa.ForeignKeyConstraint(["rule_id"], ["duty_rules.id"], name=op.f("fk_duties_rule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duties")),
        sa.UniqueConstraint("elder_id", "group", "opens_at", name=op.f("uq_duties_elder_id_group_opens_at")),
    )
    op.create_index(op.f("ix_duties_deadline"), "duties", ["deadline"])
    op.create_index(op.f("ix_duties_elder_id"), "duties", ["elder_id"])
    op.create_index(op.f("ix_duties_open"), "duties", ["status", "deadline"])
    op.create_index(op.f("ix_duties_proof_id"), "duties", ["proof_id"])
    op.create_table(
        "escalations",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("visit_id", big(), nullable=False),
        sa.Column("elder_id", big(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("why", sa.String(32), nullable=False),
        sa.Column("created_at", when(), nullable=False),
        sa.Column("closed_at", when(), nullable=True),
        sa.Column("closed_by_id", big(), nullable=True),
        sa.ForeignKeyConstraint(["closed_by_id"], ["users.id"], name=op.f("fk_escalations_closed_by_id")),
        sa.ForeignKeyConstraint(["elder_id"], ["elders.id"], name=op.f("fk_escalations_elder_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["care_visits.id"], name=op.f("fk_escalations_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
        sa.UniqueConstraint("public_id", name=op.f("uq_escalations_public_id")),
        sa.UniqueConstraint("visit_id", name=op.f("uq_escalations_visit_id")),
    )
    op.create_index(op.f("ix_escalations_elder_id"), "escalations", ["elder_id"])
    op.create_index(op.f("ix_escalations_status"), "escalations", ["status"])
    op.create_table(
        "escalation_steps",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("escalation_id", big(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("person_id", big(), nullable=True),
        sa.Column("number_id", big(), nullable=True),
        sa.Column("began_at", when(), nullable=False),
        sa.Column("due_at", when(), nullable=True),
        sa.Column("ended_at", when(), nullable=True),
        sa.Column("outcome", sa.String(32), nullable=True),
        sa.Column("call_id", big(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_escalation_steps_call_id")),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalations.id"], name=op.f("fk_escalation_steps_escalation_id")),
        sa.ForeignKeyConstraint(["number_id"], ["phone_numbers.id"], name=op.f("fk_escalation_steps_number_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_escalation_steps_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_steps")),
        sa.UniqueConstraint("public_id", name=op.f("uq_escalation_steps_public_id")),
    )
    op.create_index(op.f("ix_escalation_steps_escalation_id"), "escalation_steps", ["escalation_id"])
    op.create_index(op.f("ix_escalation_steps_open"), "escalation_steps", ["ended_at", "due_at"])

    for to in ("care_visit", "escalation_step"):
        key = sa.ForeignKey(f"{to}s.id", name=op.f(f"fk_attempts_{to}_id"))
        op.add_column("attempts", sa.Column(f"{to}_id", big(), key, nullable=True), inline_references=True)
        op.create_index(op.f(f"ix_attempts_{to}_id"), "attempts", [f"{to}_id"])
    op.add_column("contacts", sa.Column("may_look_in", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("contacts", "may_look_in")
    for to in ("escalation_step", "care_visit"):
        op.drop_index(op.f(f"ix_attempts_{to}_id"), "attempts")
        op.drop_column("attempts", f"{to}_id")
    for table in (
        "escalation_steps", "escalations", "care_answers", "duties", "care_visits", "care_proofs", "elder_groups",
        "campaign_events", "call_rules", "campaigns", "area_butlers", "duty_rules",
    ):  # fmt: skip
        op.drop_table(table)
