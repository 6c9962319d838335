"""who rings, for whom, and how each elder is spoken to"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import models.base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "contacts",
        sa.Column("id", big(), nullable=False),
        sa.Column("person_id", big(), nullable=False),
        sa.Column("elder_id", big(), nullable=False),
        sa.Column("relation", sa.String(32), nullable=False),
        sa.Column("position", big(), nullable=False),
        sa.Column("may_order", sa.Boolean(), nullable=False),
        sa.Column("may_hear_orders", sa.Boolean(), nullable=False),
        sa.Column("may_hear_money", sa.Boolean(), nullable=False),
        sa.Column("may_hear_health", sa.Boolean(), nullable=False),
        sa.Column("since", when(), nullable=False),
        sa.Column("ended_at", when(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_contacts_person_id")),
        sa.ForeignKeyConstraint(["elder_id"], ["elders.id"], name=op.f("fk_contacts_elder_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sa.UniqueConstraint("person_id", "elder_id", name=op.f("uq_contacts_person_id_elder_id")),
    )
    op.create_index(op.f("ix_contacts_elder_id"), "contacts", ["elder_id"])
    op.create_table(
        "elder_settings",
        sa.Column("id", big(), nullable=False),
        sa.Column("elder_id", big(), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.String(16), nullable=False),
        sa.Column("origin", sa.String(32), nullable=False),
        sa.Column("why", sa.String(32), nullable=False),
        sa.Column(
            "data", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("by_user_id", big(), nullable=True),
        sa.Column("at", when(), nullable=False),
        sa.Column("undone_at", when(), nullable=True),
        sa.Column("undone_by_id", big(), nullable=True),
        sa.ForeignKeyConstraint(["elder_id"], ["elders.id"], name=op.f("fk_elder_settings_elder_id")),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("fk_elder_settings_by_user_id")),
        sa.ForeignKeyConstraint(["undone_by_id"], ["users.id"], name=op.f("fk_elder_settings_undone_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_elder_settings")),
    )
    op.create_index("ix_elder_settings_elder", "elder_settings", ["elder_id", "name", "id"])
    op.create_table(
        "order_ratings",
        sa.Column("id", big(), nullable=False),
        sa.Column("order_id", big(), nullable=False),
        sa.Column("score", big(), nullable=False),
        sa.Column("call_id", big(), nullable=True),
        sa.Column("utterance_id", big(), nullable=True),
        sa.Column("at", when(), nullable=False),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_order_ratings_score")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_ratings_order_id")),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_order_ratings_call_id")),
        sa.ForeignKeyConstraint(["utterance_id"], ["utterances.id"], name=op.f("fk_order_ratings_utterance_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_ratings")),
        sa.UniqueConstraint("order_id", name=op.f("uq_order_ratings_order_id")),
    )
    # Plain ALTERs, which SQLite knows too. A copied table would be dropped, and foreign keys forbid that.
    op.add_column("orders", sa.Column("wanted_at", sa.Time(), nullable=True))
    op.add_column("orders", sa.Column("note", sa.String(200), nullable=False, server_default=""))
    op.add_column("calls", sa.Column("identified_by", sa.String(32), nullable=False, server_default="none"))
    op.add_column(
        "calls",
        sa.Column(
            "caller_person_id", big(), sa.ForeignKey("people.id", name=op.f("fk_calls_caller_person_id")), nullable=True
        ),
        inline_references=True,
    )
    op.add_column("elders", sa.Column("card_digits", sa.String(32), nullable=True))
    op.create_index(op.f("ix_elders_card_digits"), "elders", ["card_digits"])
    _fill_card_digits()


def _fill_card_digits() -> None:
    elders = sa.table("elders", sa.column("id"), sa.column("card_number"), sa.column("card_digits"))
    connection = op.get_bind()
    cards = connection.execute(sa.select(elders.c.id, elders.c.card_number).where(elders.c.card_number.is_not(None)))
    digits = [
        {"row": row, "digits": re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", number)) or None}
        for row, number in cards.all()
    ]
    if digits:
        change = elders.update().where(elders.c.id == sa.bindparam("row")).values(card_digits=sa.bindparam("digits"))
        connection.execute(change, digits)


def downgrade() -> None:
    op.drop_index(op.f("ix_elders_card_digits"), "elders")
    for table, column in (
        ("elders", "card_digits"),
        ("calls", "caller_person_id"),
        ("calls", "identified_by"),
        ("orders", "note"),
        ("orders", "wanted_at"),
    ):
        op.drop_column(table, column)
    for table in ("order_ratings", "elder_settings", "contacts"):
        op.drop_table(table)
