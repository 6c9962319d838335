"""agents at work: presence, telephones in the browser, skills, pauses, calls of tasks"""

import secrets

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

REASONS = {
    "break": {"zh-CN": "休息", "ko": "휴식", "en": "Break"},
    "meal": {"zh-CN": "用餐", "ko": "식사", "en": "Meal"},
    "desk_work": {"zh-CN": "处理工单", "ko": "서류 처리", "en": "Desk work"},
    "meeting": {"zh-CN": "会议", "ko": "회의", "en": "Meeting"},
    "training": {"zh-CN": "培训", "ko": "교육", "en": "Training"},
}


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "presences",
        sa.Column("id", big(), nullable=False),
        sa.Column("user_id", big(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(32), nullable=True),
        sa.Column("since", when(), nullable=False),
        sa.Column("until", when(), nullable=True),
        sa.Column("call_id", big(), nullable=True),
        sa.Column("leg_id", sa.String(64), nullable=True),
        sa.Column("following", sa.String(32), nullable=True),
        sa.Column("resume", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_presences_user_id")),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_presences_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presences")),
        sa.UniqueConstraint("user_id", name=op.f("uq_presences_user_id")),
    )
    op.create_index(op.f("ix_presences_leg_id"), "presences", ["leg_id"])
    op.create_table(
        "presence_spells",
        sa.Column("id", big(), nullable=False),
        sa.Column("user_id", big(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(32), nullable=True),
        sa.Column("call_id", big(), nullable=True),
        sa.Column("began_at", when(), nullable=False),
        sa.Column("ended_at", when(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_presence_spells_user_id")),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_presence_spells_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presence_spells")),
    )
    op.create_index("ix_presence_spells_of", "presence_spells", ["user_id", "began_at"])
    op.create_index(op.f("ix_presence_spells_ended_at"), "presence_spells", ["ended_at"])
    op.create_table(
        "agent_lines",
        sa.Column("id", big(), nullable=False),
        sa.Column("user_id", big(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("serial", big(), nullable=False),
        sa.Column("live_serial", big(), nullable=False),
        sa.Column("session_version", big(), nullable=False),
        sa.Column("issued_at", when(), nullable=False),
        sa.Column("expires_at", when(), nullable=False),
        sa.Column("registered_at", when(), nullable=True),
        sa.Column("gone_at", when(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_agent_lines_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_lines")),
        sa.UniqueConstraint("user_id", name=op.f("uq_agent_lines_user_id")),
    )
    op.create_table(
        "agent_skills",
        sa.Column("id", big(), nullable=False),
        sa.Column("user_id", big(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("penalty", big(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_agent_skills_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_skills")),
        sa.UniqueConstraint("user_id", "language", name=op.f("uq_agent_skills_user_id_language")),
    )
    reasons = op.create_table(
        "pause_reasons",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("names", models.base.Json, nullable=False),
        sa.Column("position", big(), nullable=False),
        sa.Column("hidden_at", when(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pause_reasons")),
        sa.UniqueConstraint("public_id", name=op.f("uq_pause_reasons_public_id")),
        sa.UniqueConstraint("code", name=op.f("uq_pause_reasons_code")),
    )
    op.create_table(
        "task_calls",
        sa.Column("id", big(), nullable=False),
        sa.Column("task_id", big(), nullable=False),
        sa.Column("call_id", big(), nullable=False),
        sa.Column("user_id", big(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_calls_task_id")),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_task_calls_call_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_task_calls_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_calls")),
        sa.UniqueConstraint("call_id", name=op.f("uq_task_calls_call_id")),
    )
    op.create_index(op.f("ix_task_calls_task_id"), "task_calls", ["task_id"])
    op.add_column(
        "calls",
        sa.Column("agent_id", big(), sa.ForeignKey("users.id", name=op.f("fk_calls_agent_id")), nullable=True),
        inline_references=True,
    )
    op.create_index(op.f("ix_calls_agent_id"), "calls", ["agent_id"])
    # A list that can be changed begins with what every call centre has.
    alphabet = "23456789abcdefghjkmnpqrstuvwxyz"
    rows = [
        {
            "public_id": "".join(secrets.choice(alphabet) for _ in range(16)),
            "code": code,
            "names": names,
            "position": place,
        }
        for place, (code, names) in enumerate(REASONS.items())
    ]
    op.bulk_insert(reasons, rows)


def downgrade() -> None:
    op.drop_index(op.f("ix_calls_agent_id"), "calls")
    op.drop_column("calls", "agent_id")
    for table in ("task_calls", "pause_reasons", "agent_skills", "agent_lines", "presence_spells", "presences"):
        op.drop_table(table)
