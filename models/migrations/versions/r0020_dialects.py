"""dialects, and the agents who speak them"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# What elders of the north-east speak beside its usual speech; each house changes the list by page.
DIALECTS = (
    ("shandong", "zh-CN", {"zh-CN": "山东话", "ko": "산둥 방언", "en": "Shandong"}),
    ("shanxi", "zh-CN", {"zh-CN": "山西话", "ko": "산시 방언", "en": "Shanxi"}),
    ("hamgyong", "ko", {"zh-CN": "咸镜道话", "ko": "함경도 말", "en": "Hamgyong"}),
    ("pyongan", "ko", {"zh-CN": "平安道话", "ko": "평안도 말", "en": "Pyongan"}),
    ("gyeongsang", "ko", {"zh-CN": "庆尚道话", "ko": "경상도 말", "en": "Gyeongsang"}),
)


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    dialects = op.create_table(
        "dialects",
        sa.Column("id", big(), nullable=False),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("names", models.base.Json, nullable=False),
        sa.Column("position", big(), nullable=False),
        sa.Column("hidden_at", models.base.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialects")),
        sa.UniqueConstraint("code", name=op.f("uq_dialects_code")),
    )
    op.create_table(
        "agent_dialects",
        sa.Column("id", big(), nullable=False),
        sa.Column("user_id", big(), nullable=False),
        sa.Column("dialect_id", big(), nullable=False),
        sa.Column("penalty", big(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_agent_dialects_user_id")),
        sa.ForeignKeyConstraint(["dialect_id"], ["dialects.id"], name=op.f("fk_agent_dialects_dialect_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_dialects")),
        sa.UniqueConstraint("user_id", "dialect_id", name=op.f("uq_agent_dialects_user_id_dialect_id")),
    )
    rows = [
        {"code": code, "language": language, "names": names, "position": place}
        for place, (code, language, names) in enumerate(DIALECTS)
    ]
    op.bulk_insert(dialects, rows)


def downgrade() -> None:
    op.drop_table("agent_dialects")
    op.drop_table("dialects")
