"""opening hours, places among the waiting, transcripts of messages"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "opening_hours",
        sa.Column("id", big(), nullable=False),
        sa.Column("weekday", big(), nullable=False),
        sa.Column("opens", big(), nullable=False),
        sa.Column("closes", big(), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_opening_hours_weekday")),
        sa.CheckConstraint("opens >= 0 AND opens < closes AND closes <= 1440", name=op.f("ck_opening_hours_span")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_hours")),
    )
    op.create_table(
        "special_days",
        sa.Column("id", big(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("opens", big(), nullable=True),
        sa.Column("closes", big(), nullable=True),
        sa.CheckConstraint(
            "(opens IS NULL AND closes IS NULL) OR (opens >= 0 AND opens < closes AND closes <= 1440)",
            name=op.f("ck_special_days_span"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_special_days")),
        sa.UniqueConstraint("day", name=op.f("uq_special_days_day")),
    )
    op.add_column("calls", sa.Column("waiting_since", models.base.UtcDateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_calls_waiting_since"), "calls", ["waiting_since"])
    op.add_column("audio", sa.Column("transcript", sa.String(32), nullable=True))
    op.add_column(
        "utterances",
        sa.Column("audio_id", big(), sa.ForeignKey("audio.id", name=op.f("fk_utterances_audio_id")), nullable=True),
        inline_references=True,
    )
    op.create_index(op.f("ix_utterances_audio_id"), "utterances", ["audio_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_utterances_audio_id"), "utterances")
    op.drop_index(op.f("ix_calls_waiting_since"), "calls")
    for table, column in (("utterances", "audio_id"), ("audio", "transcript"), ("calls", "waiting_since")):
        op.drop_column(table, column)
    for table in ("special_days", "opening_hours"):
        op.drop_table(table)
