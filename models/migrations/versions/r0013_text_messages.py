"""text messages, who may be sent them and who wants them"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.add_column("phone_numbers", sa.Column("no_sms", sa.String(32), nullable=True))
    op.add_column("contacts", sa.Column("wants_sms", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "sms_messages",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("dedupe_key", sa.String(80), nullable=False),
        sa.Column("template", sa.String(32), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("number_id", big(), nullable=False),
        sa.Column("person_id", big(), nullable=True),
        sa.Column("provider_id", big(), nullable=True),
        sa.Column("order_id", big(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("attempts", big(), nullable=False),
        sa.Column("segments", big(), nullable=False),
        sa.Column("text_digest", sa.String(64), nullable=True),
        sa.Column("carrier_id", sa.String(64), nullable=True),
        sa.Column("error", sa.String(32), nullable=True),
        sa.Column("created_at", when(), nullable=False),
        sa.Column("due_at", when(), nullable=False),
        sa.Column("sending_at", when(), nullable=True),
        sa.Column("sent_at", when(), nullable=True),
        sa.Column("closed_at", when(), nullable=True),
        sa.Column("look_at", when(), nullable=True),
        sa.ForeignKeyConstraint(["number_id"], ["phone_numbers.id"], name=op.f("fk_sms_messages_number_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sms_messages_person_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("fk_sms_messages_provider_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_sms_messages_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_messages")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sms_messages_public_id")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_sms_messages_dedupe_key")),
        sa.UniqueConstraint("carrier_id", name=op.f("uq_sms_messages_carrier_id")),
    )
    op.create_index("ix_sms_messages_status", "sms_messages", ["status", "id"])
    op.create_index(op.f("ix_sms_messages_number_id"), "sms_messages", ["number_id"])
    op.create_index(op.f("ix_sms_messages_order_id"), "sms_messages", ["order_id"])
    op.create_index(op.f("ix_sms_messages_look_at"), "sms_messages", ["look_at"])


def downgrade() -> None:
    op.drop_table("sms_messages")
    op.drop_column("contacts", "wants_sms")
    op.drop_column("phone_numbers", "no_sms")
