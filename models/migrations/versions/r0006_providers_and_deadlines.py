"""providers' hours, capacity, workers; deadlines of orders; why an offer was made"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import models.base

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CLOCK = ("due_since", "warn_at", "due_at", "escalate_at")


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def json() -> sa.types.TypeEngine[Any]:
    return sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def refer(table: str, to: str) -> None:
    key = sa.ForeignKey(f"{to}s.id", name=op.f(f"fk_{table}_{to}_id"))
    op.add_column(table, sa.Column(f"{to}_id", big(), key, nullable=True), inline_references=True)


def upgrade() -> None:
    op.add_column("providers", sa.Column("capacity", big(), nullable=True))
    op.add_column("providers", sa.Column("wants_sms", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("providers", sa.Column("pause_reason", sa.String(80), nullable=False, server_default=""))
    op.add_column("provider_items", sa.Column("doubted_at", when(), nullable=True))
    op.create_table(
        "provider_hours",
        sa.Column("id", big(), nullable=False),
        sa.Column("provider_id", big(), nullable=False),
        sa.Column("weekday", big(), nullable=False),
        sa.Column("opens", big(), nullable=False),
        sa.Column("closes", big(), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_provider_hours_weekday")),
        sa.CheckConstraint("opens >= 0 AND opens < closes AND closes <= 1440", name=op.f("ck_provider_hours_span")),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("fk_provider_hours_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_hours")),
    )
    op.create_index(op.f("ix_provider_hours_provider_id"), "provider_hours", ["provider_id"])
    op.create_table(
        "workers",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("provider_id", big(), nullable=False),
        sa.Column("person_id", big(), nullable=False),
        sa.Column("code", sa.String(8), nullable=False),
        sa.Column("since", when(), nullable=False),
        sa.Column("ended_at", when(), nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("fk_workers_provider_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_workers_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
        sa.UniqueConstraint("public_id", name=op.f("uq_workers_public_id")),
        sa.UniqueConstraint("code", name=op.f("uq_workers_code")),
    )
    op.create_index(op.f("ix_workers_provider_id"), "workers", ["provider_id"])
    op.create_index(op.f("ix_workers_person_id"), "workers", ["person_id"])
    for name in CLOCK:
        op.add_column("orders", sa.Column(name, when(), nullable=True))
    op.create_index(op.f("ix_orders_escalate_at"), "orders", ["escalate_at"])
    op.create_index("ix_orders_slot", "orders", ["wanted_on", "wanted_part", "provider_id"])
    op.add_column("offers", sa.Column("reasons", json(), nullable=False, server_default="{}"))
    op.add_column("offers", sa.Column("decline_reason", sa.String(16), nullable=True))
    op.create_index("ix_offers_taken", "offers", ["status", "closed_at", "provider_id"])
    refer("tasks", "provider")
    refer("order_ratings", "provider")
    op.execute(
        "UPDATE order_ratings SET provider_id = "
        "(SELECT orders.provider_id FROM orders WHERE orders.id = order_ratings.order_id)"
    )
    op.create_index("ix_order_ratings_provider", "order_ratings", ["provider_id", "at", "score"])


def downgrade() -> None:
    for name, table in (
        ("ix_order_ratings_provider", "order_ratings"),
        ("ix_offers_taken", "offers"),
        ("ix_orders_slot", "orders"),
        ("ix_orders_escalate_at", "orders"),
    ):
        op.drop_index(name, table)
    op.drop_table("workers")
    op.drop_table("provider_hours")
    for table, column in (
        ("order_ratings", "provider_id"),
        ("tasks", "provider_id"),
        ("offers", "decline_reason"),
        ("offers", "reasons"),
        *(("orders", name) for name in CLOCK),
        ("provider_items", "doubted_at"),
        ("providers", "pause_reason"),
        ("providers", "wants_sms"),
        ("providers", "capacity"),
    ):
        op.drop_column(table, column)
