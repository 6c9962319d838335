"""supervisors in running calls, and their marks"""

import secrets

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# Code to weight and names. A form that can be changed begins with what most call centres ask.
ITEMS = {
    "greeting": (1, {"zh-CN": "开场问候", "ko": "첫인사", "en": "Greeting"}),
    "listening": (3, {"zh-CN": "耐心倾听", "ko": "경청", "en": "Listening"}),
    "correctness": (3, {"zh-CN": "答复与记录准确", "ko": "안내와 기록의 정확성", "en": "Correctness"}),
    "wording": (2, {"zh-CN": "用语清楚、尊重", "ko": "알기 쉽고 공손한 말", "en": "Clear, respectful words"}),
    "closing": (1, {"zh-CN": "结束与确认", "ko": "마무리와 확인", "en": "Closing"}),
}


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "call_watches",
        sa.Column("id", big(), nullable=False),
        sa.Column("user_id", big(), nullable=False),
        sa.Column("agent_id", big(), nullable=False),
        sa.Column("call_id", big(), nullable=False),
        sa.Column("mode", sa.String(32), nullable=False),
        sa.Column("channel_id", sa.String(64), nullable=False),
        sa.Column("began_at", when(), nullable=False),
        sa.Column("ended_at", when(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_call_watches_user_id")),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name=op.f("fk_call_watches_agent_id")),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_watches_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_watches")),
    )
    op.create_index("ix_call_watches_open", "call_watches", ["ended_at", "agent_id"])
    op.create_index(op.f("ix_call_watches_call_id"), "call_watches", ["call_id"])
    op.create_index(op.f("ix_call_watches_channel_id"), "call_watches", ["channel_id"])
    items = op.create_table(
        "quality_items",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("names", models.base.Json, nullable=False),
        sa.Column("weight", big(), nullable=False),
        sa.Column("position", big(), nullable=False),
        sa.Column("hidden_at", when(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_items")),
        sa.UniqueConstraint("public_id", name=op.f("uq_quality_items_public_id")),
        sa.UniqueConstraint("code", name=op.f("uq_quality_items_code")),
    )
    op.create_table(
        "quality_marks",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("call_id", big(), nullable=False),
        sa.Column("user_id", big(), nullable=False),
        sa.Column("agent_id", big(), nullable=False),
        sa.Column("points", models.base.Json, nullable=False),
        sa.Column("total", big(), nullable=False),
        sa.Column("comment", sa.String(1000), nullable=False),
        sa.Column("marked_at", when(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_quality_marks_call_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_quality_marks_user_id")),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name=op.f("fk_quality_marks_agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_marks")),
        sa.UniqueConstraint("public_id", name=op.f("uq_quality_marks_public_id")),
        sa.UniqueConstraint("call_id", "user_id", name=op.f("uq_quality_marks_call_id_user_id")),
    )
    op.create_index(op.f("ix_quality_marks_agent_id"), "quality_marks", ["agent_id"])
    op.create_table(
        "quality_mark_versions",
        sa.Column("id", big(), nullable=False),
        sa.Column("mark_id", big(), nullable=False),
        sa.Column("agent_id", big(), nullable=False),
        sa.Column("points", models.base.Json, nullable=False),
        sa.Column("total", big(), nullable=False),
        sa.Column("comment", sa.String(1000), nullable=False),
        sa.Column("marked_at", when(), nullable=False),
        sa.ForeignKeyConstraint(["mark_id"], ["quality_marks.id"], name=op.f("fk_quality_mark_versions_mark_id")),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name=op.f("fk_quality_mark_versions_agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_mark_versions")),
    )
    op.create_index(op.f("ix_quality_mark_versions_mark_id"), "quality_mark_versions", ["mark_id"])
    alphabet = "23456789abcdefghjkmnpqrstuvwxyz"
    rows = [
        {
            "public_id": "".join(secrets.choice(alphabet) for _ in range(16)),
            "code": code,
            "names": names,
            "weight": weight,
            "position": place,
        }
        for place, (code, (weight, names)) in enumerate(ITEMS.items())
    ]
    op.bulk_insert(items, rows)


def downgrade() -> None:
    for table in ("quality_mark_versions", "quality_marks", "quality_items", "call_watches"):
        op.drop_table(table)
