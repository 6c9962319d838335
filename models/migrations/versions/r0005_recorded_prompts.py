"""prompts recorded by people, and the codes to record them by telephone"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "prompt_recordings",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("content_key", sa.String(64), nullable=False),
        sa.Column("duration_ms", big(), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("made_by_id", big(), nullable=False),
        sa.Column("made_at", when(), nullable=False),
        sa.Column("live_at", when(), nullable=True),
        sa.Column("retired_at", when(), nullable=True),
        sa.ForeignKeyConstraint(["made_by_id"], ["users.id"], name=op.f("fk_prompt_recordings_made_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompt_recordings")),
        sa.UniqueConstraint("public_id", name=op.f("uq_prompt_recordings_public_id")),
    )
    op.create_index("ix_prompt_recordings_prompt", "prompt_recordings", ["key", "language", "id"])
    op.create_table(
        "studio_codes",
        sa.Column("id", big(), nullable=False),
        sa.Column("code", sa.String(6), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("user_id", big(), nullable=False),
        sa.Column("created_at", when(), nullable=False),
        sa.Column("expires_at", when(), nullable=False),
        sa.Column("used_at", when(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_studio_codes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studio_codes")),
    )
    op.create_index(op.f("ix_studio_codes_code"), "studio_codes", ["code"])


def downgrade() -> None:
    op.drop_table("studio_codes")
    op.drop_table("prompt_recordings")
