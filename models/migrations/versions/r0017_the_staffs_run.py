"""the staff's run: campaigns that people ring, who works on whom, calls of visits, what came of them"""

import secrets

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# code: names, scope, final, retry after (s), needs a note, what it does to the visit
RESULTS = {
    "visit_well": ({"zh-CN": "平安", "ko": "안녕하심", "en": "Well"}, "visit", True, None, False, "reached"),
    "visit_follow_up": (
        {"zh-CN": "需跟进", "ko": "후속 조치 필요", "en": "Needs follow-up"}, "visit", True, None, True, "follow_up"),
    "visit_urgent": (
        {"zh-CN": "需紧急处置", "ko": "긴급 조치 필요", "en": "Urgent"}, "visit", True, None, True, "urgent"),
    "visit_no_answer": (
        {"zh-CN": "未接", "ko": "받지 않음", "en": "No answer"}, "visit", False, 600, False, "not_reached"),
    "visit_busy": ({"zh-CN": "忙", "ko": "통화 중", "en": "Busy"}, "visit", False, 300, False, "not_reached"),
    "visit_suspended": (
        {"zh-CN": "停机", "ko": "정지된 번호", "en": "Out of service"}, "visit", False, 86400, False, "bad_number"),
    "visit_invalid": ({"zh-CN": "空号", "ko": "없는 번호", "en": "No such number"}, "visit", True, None, False, "bad_number"),
    "visit_refused": ({"zh-CN": "拒访", "ko": "방문 거부", "en": "Refuses visits"}, "visit", True, None, True, "refused"),
    "visit_family": (
        {"zh-CN": "家属代接", "ko": "가족이 받음", "en": "Family answered"}, "visit", False, 14400, False, "not_reached"),
    "skip_later": ({"zh-CN": "稍后再打", "ko": "나중에", "en": "Later today"}, "skip", False, 3600, False, "skipped"),
    "skip_away": ({"zh-CN": "今天不在家", "ko": "오늘 부재", "en": "Not at home today"}, "skip", False, 72000, False, "skipped"),
    "skip_other": ({"zh-CN": "其他原因", "ko": "기타", "en": "Another reason"}, "skip", False, 3600, True, "skipped"),
}  # fmt: skip


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def fk(table: str, column: str, other: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{other}.id", name=op.f(f"fk_{table}_{column}"))


def new_id() -> str:
    return "".join(secrets.choice("23456789abcdefghjkmnpqrstuvwxyz") for _ in range(16))


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("mode", sa.String(32), nullable=False, server_default="machine"))
    op.add_column("call_results", sa.Column("effect", sa.String(32), nullable=True))
    visit = sa.Column("visit_id", big(), fk("call_outcomes", "visit_id", "care_visits"), nullable=True)
    op.add_column("call_outcomes", visit, inline_references=True)
    op.create_index(op.f("ix_call_outcomes_visit_id"), "call_outcomes", ["visit_id"])
    op.create_table(
        "care_holds",
        sa.Column("id", big(), nullable=False),
        sa.Column("elder_id", big(), fk("care_holds", "elder_id", "elders"), nullable=False),
        sa.Column("visit_id", big(), fk("care_holds", "visit_id", "care_visits"), nullable=False),
        sa.Column("user_id", big(), fk("care_holds", "user_id", "users"), nullable=False),
        sa.Column("from_user_id", big(), fk("care_holds", "from_user_id", "users"), nullable=True),
        sa.Column("since", when(), nullable=False),
        sa.Column("until", when(), nullable=False),
        sa.Column("answers", models.base.Json, nullable=False),
        sa.Column("result", sa.String(32), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_holds")),
        sa.UniqueConstraint("elder_id", name=op.f("uq_care_holds_elder_id")),
    )
    for column in ("visit_id", "user_id", "until"):
        op.create_index(op.f(f"ix_care_holds_{column}"), "care_holds", [column])
    op.create_table(
        "visit_calls",
        sa.Column("id", big(), nullable=False),
        sa.Column("visit_id", big(), fk("visit_calls", "visit_id", "care_visits"), nullable=False),
        sa.Column("call_id", big(), fk("visit_calls", "call_id", "calls"), nullable=False),
        sa.Column("user_id", big(), fk("visit_calls", "user_id", "users"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_calls")),
        sa.UniqueConstraint("call_id", name=op.f("uq_visit_calls_call_id")),
    )
    op.create_index(op.f("ix_visit_calls_visit_id"), "visit_calls", ["visit_id"])
    results = sa.table(
        "call_results",
        *(sa.column(name) for name in ("public_id", "code", "scope", "retry_s", "position", "effect")),
        sa.column("names", models.base.Json),
        sa.column("is_final", sa.Boolean()),
        sa.column("needs_note", sa.Boolean()),
    )
    rows = [
        {
            "public_id": new_id(), "code": code, "names": names, "scope": scope, "is_final": final, "retry_s": retry_s,
            "needs_note": note, "position": 100 + place, "effect": effect,
        }
        for place, (code, (names, scope, final, retry_s, note, effect)) in enumerate(RESULTS.items())
    ]  # fmt: skip
    op.bulk_insert(results, rows)


def downgrade() -> None:
    op.execute("DELETE FROM call_results WHERE scope IN ('visit', 'skip')")
    op.drop_table("visit_calls")
    op.drop_table("care_holds")
    op.drop_index(op.f("ix_call_outcomes_visit_id"), "call_outcomes")
    with op.batch_alter_table("call_outcomes") as table:
        table.drop_column("visit_id")
    with op.batch_alter_table("call_results") as table:
        table.drop_column("effect")
    with op.batch_alter_table("campaigns") as table:
        table.drop_column("mode")
