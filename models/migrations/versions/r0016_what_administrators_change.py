"""what administrators change, with what stood before; links that choose a password; files that wait to be applied"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_index("ix_audit_user", "audit_events", ["user_id", "id"])
    op.create_index("ix_audit_action", "audit_events", ["action", "id"])
    op.create_table(
        "setting_changes",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("audit_id", big(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("before", models.base.Json, nullable=True),
        sa.Column("after", models.base.Json, nullable=True),
        sa.Column("undoes_id", big(), nullable=True),
        sa.ForeignKeyConstraint(["audit_id"], ["audit_events.id"], name=op.f("fk_setting_changes_audit_id")),
        sa.ForeignKeyConstraint(["undoes_id"], ["setting_changes.id"], name=op.f("fk_setting_changes_undoes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting_changes")),
        sa.UniqueConstraint("public_id", name=op.f("uq_setting_changes_public_id")),
        sa.UniqueConstraint("audit_id", name=op.f("uq_setting_changes_audit_id")),
        sa.UniqueConstraint("undoes_id", name=op.f("uq_setting_changes_undoes_id")),
    )
    op.create_index("ix_setting_changes_subject", "setting_changes", ["kind", "key"])
    op.create_table(
        "service_items",
        sa.Column("id", big(), nullable=False),
        sa.Column("service", sa.String(32), nullable=False),
        sa.Column("is_offered", sa.Boolean(), nullable=False),
        sa.Column("price_fen", big(), nullable=True),
        sa.Column("unit", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_items")),
        sa.UniqueConstraint("service", name=op.f("uq_service_items_service")),
    )
    op.create_table(
        "uploads",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("user_id", big(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", when(), nullable=False),
        sa.Column("applied_at", when(), nullable=True),
        sa.Column("rows", big(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_uploads_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
        sa.UniqueConstraint("public_id", name=op.f("uq_uploads_public_id")),
    )
    op.create_table(
        "password_links",
        sa.Column("id", big(), nullable=False),
        sa.Column("user_id", big(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("expires_at", when(), nullable=False),
        sa.Column("used_at", when(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_password_links_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_links")),
        sa.UniqueConstraint("digest", name=op.f("uq_password_links_digest")),
    )
    op.create_index(op.f("ix_password_links_user_id"), "password_links", ["user_id"])


def downgrade() -> None:
    for table in ("password_links", "uploads", "service_items", "setting_changes"):
        op.drop_table(table)
    op.drop_index("ix_audit_action", "audit_events")
    op.drop_index("ix_audit_user", "audit_events")
