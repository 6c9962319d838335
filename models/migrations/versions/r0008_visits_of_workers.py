"""what workers report from the place of an order"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "order_visits",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("order_id", big(), nullable=False),
        sa.Column("worker_id", big(), nullable=False),
        sa.Column("arrived_at", when(), nullable=True),
        sa.Column("arrived_call_id", big(), nullable=True),
        sa.Column("arrived_proof", sa.String(32), nullable=True),
        sa.Column("done_at", when(), nullable=True),
        sa.Column("done_call_id", big(), nullable=True),
        sa.Column("done_proof", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_visits_order_id")),
        sa.ForeignKeyConstraint(["worker_id"], ["workers.id"], name=op.f("fk_order_visits_worker_id")),
        sa.ForeignKeyConstraint(["arrived_call_id"], ["calls.id"], name=op.f("fk_order_visits_arrived_call_id")),
        sa.ForeignKeyConstraint(["done_call_id"], ["calls.id"], name=op.f("fk_order_visits_done_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_visits")),
        sa.UniqueConstraint("public_id", name=op.f("uq_order_visits_public_id")),
    )
    op.create_index(op.f("ix_order_visits_order_id"), "order_visits", ["order_id"])
    op.create_index(op.f("ix_order_visits_worker_id"), "order_visits", ["worker_id"])


def downgrade() -> None:
    op.drop_table("order_visits")
