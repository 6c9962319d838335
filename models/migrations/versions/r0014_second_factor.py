"""the second factor of a log-in"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.add_column("users", sa.Column("totp_secret", sa.String(64), nullable=True))
    op.add_column("users", sa.Column("totp_since", when(), nullable=True))
    op.add_column("users", sa.Column("totp_step", big(), nullable=True))
    op.create_table(
        "recovery_codes",
        sa.Column("id", big(), nullable=False),
        sa.Column("user_id", big(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("used_at", when(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_user_id"), "recovery_codes", ["user_id"])


def downgrade() -> None:
    op.drop_table("recovery_codes")
    for column in ("totp_step", "totp_since", "totp_secret"):
        op.drop_column("users", column)
