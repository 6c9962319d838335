"""the reminder on the evening before, and the return visit on the day after"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "reminders",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("order_id", big(), nullable=False),
        sa.Column("elder_id", big(), nullable=False),
        sa.Column("provider_id", big(), nullable=False),
        sa.Column("wanted_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("created_at", when(), nullable=False),
        sa.Column("closed_at", when(), nullable=True),
        refers("reminders", "order_id", "orders"),
        refers("reminders", "elder_id", "elders"),
        refers("reminders", "provider_id", "providers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminders")),
        sa.UniqueConstraint("public_id", name=op.f("uq_reminders_public_id")),
        sa.UniqueConstraint(
            "order_id", "provider_id", "wanted_on", name=op.f("uq_reminders_order_id_provider_id_wanted_on")
        ),
    )
    op.create_index(op.f("ix_reminders_order_id"), "reminders", ["order_id"])
    op.create_index(op.f("ix_reminders_elder_id"), "reminders", ["elder_id"])
    op.create_table(
        "return_visits",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("elder_id", big(), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("created_at", when(), nullable=False),
        sa.Column("closed_at", when(), nullable=True),
        sa.Column("audio_id", big(), nullable=True),
        refers("return_visits", "elder_id", "elders"),
        refers("return_visits", "audio_id", "audio"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_visits")),
        sa.UniqueConstraint("public_id", name=op.f("uq_return_visits_public_id")),
    )
    op.create_index("ix_return_visits_elder", "return_visits", ["elder_id", "status"])
    op.create_table(
        "return_visit_questions",
        sa.Column("id", big(), nullable=False),
        sa.Column("return_visit_id", big(), nullable=False),
        sa.Column("order_id", big(), nullable=False),
        sa.Column("score", big(), nullable=True),
        sa.Column("call_id", big(), nullable=True),
        sa.Column("closed_at", when(), nullable=True),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_return_visit_questions_score")),
        refers("return_visit_questions", "return_visit_id", "return_visits"),
        refers("return_visit_questions", "order_id", "orders"),
        refers("return_visit_questions", "call_id", "calls"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_visit_questions")),
    )
    for column in ("return_visit_id", "order_id"):
        op.create_index(op.f(f"ix_return_visit_questions_{column}"), "return_visit_questions", [column])
    for to in ("reminder", "return_visit"):
        key = sa.ForeignKey(f"{to}s.id", name=op.f(f"fk_attempts_{to}_id"))
        op.add_column("attempts", sa.Column(f"{to}_id", big(), key, nullable=True), inline_references=True)
        op.create_index(op.f(f"ix_attempts_{to}_id"), "attempts", [f"{to}_id"])
    op.add_column("callbacks", sa.Column("round", big(), nullable=False, server_default="1"))
    op.add_column("callbacks", sa.Column("since_attempt_id", big(), nullable=False, server_default="0"))


def downgrade() -> None:
    for column in ("since_attempt_id", "round"):
        op.drop_column("callbacks", column)
    for to in ("return_visit", "reminder"):
        op.drop_index(op.f(f"ix_attempts_{to}_id"), "attempts")
        op.drop_column("attempts", f"{to}_id")
    op.drop_table("return_visit_questions")
    op.drop_table("return_visits")
    op.drop_table("reminders")
