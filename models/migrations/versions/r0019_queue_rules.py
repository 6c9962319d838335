"""times and weights of the queues, set by page"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "queue_rules",
        sa.Column("id", big(), nullable=False),
        sa.Column("ring_s", big(), nullable=False),
        sa.Column("wrap_up_s", big(), nullable=False),
        sa.Column("wrap_up_more_s", big(), nullable=False),
        sa.Column("lap_s", big(), nullable=False),
        sa.Column("wait_s", big(), nullable=False),
        sa.Column("weights", models.base.Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_rules")),
    )


def downgrade() -> None:
    op.drop_table("queue_rules")
