"""what agents ask to be done with their calls"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "call_asks",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("user_id", big(), nullable=False),
        sa.Column("call_id", big(), nullable=False),
        sa.Column("verb", sa.String(32), nullable=False),
        sa.Column("agent_id", big(), nullable=True),
        sa.Column("number_id", big(), nullable=True),
        sa.Column("language", sa.String(8), nullable=True),
        sa.Column("created_at", when(), nullable=False),
        sa.Column("done_at", when(), nullable=True),
        sa.Column("outcome", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_call_asks_user_id")),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name=op.f("fk_call_asks_agent_id")),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_asks_call_id")),
        sa.ForeignKeyConstraint(["number_id"], ["phone_numbers.id"], name=op.f("fk_call_asks_number_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_asks")),
        sa.UniqueConstraint("public_id", name=op.f("uq_call_asks_public_id")),
    )
    op.create_index("ix_call_asks_open", "call_asks", ["done_at", "created_at"])
    op.create_index(op.f("ix_call_asks_call_id"), "call_asks", ["call_id"])


def downgrade() -> None:
    op.drop_table("call_asks")
