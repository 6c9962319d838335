"""dead numbers, the trunk's limit, and the processes that live"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.add_column("phone_numbers", sa.Column("dead_since", when(), nullable=True))
    op.create_table(
        "trunks",
        sa.Column("id", big(), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("second", when(), nullable=True),
        sa.Column("begun", big(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trunks")),
        sa.UniqueConstraint("name", name=op.f("uq_trunks_name")),
    )
    op.create_table(
        "process_beats",
        sa.Column("id", big(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("host", sa.String(80), nullable=False),
        sa.Column("pid", big(), nullable=False),
        sa.Column("started_at", when(), nullable=False),
        sa.Column("beat_at", when(), nullable=False),
        sa.Column("done", big(), nullable=False),
        sa.Column("last_error", sa.String(80), nullable=True),
        sa.Column("last_error_at", when(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_beats")),
        sa.UniqueConstraint("kind", "host", "pid", name=op.f("uq_process_beats_kind_host_pid")),
    )


def downgrade() -> None:
    op.drop_table("process_beats")
    op.drop_table("trunks")
    op.drop_column("phone_numbers", "dead_since")
