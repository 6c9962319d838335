"""the desk: owned and locked tasks, results as data, notes, changes and merges of elders, the index of search"""

import secrets

import sqlalchemy as sa
from alembic import op

import models.base
from models.search import Term

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# code: names, scope, final, retry after (s), needs a note
RESULTS = {
    "done": ({"zh-CN": "已安排好", "ko": "처리 완료", "en": "Arranged"}, "both", True, None, False),
    "told": ({"zh-CN": "已联系并告知", "ko": "연락하여 알림", "en": "Reached and told"}, "both", True, None, False),
    "passed_on": ({"zh-CN": "已转交他人", "ko": "다른 곳에 넘김", "en": "Passed on"}, "both", True, None, True),
    "not_needed": ({"zh-CN": "无需处理", "ko": "처리 불필요", "en": "Not needed"}, "both", True, None, True),
    "enquiry": ({"zh-CN": "咨询已答复", "ko": "문의 답변", "en": "Question answered"}, "call", True, None, False),
    "cut_off": ({"zh-CN": "通话中断", "ko": "통화 끊김", "en": "Cut off"}, "call", True, None, False),
    "no_answer": ({"zh-CN": "无人接听", "ko": "받지 않음", "en": "No answer"}, "task", False, 600, False),
    "busy": ({"zh-CN": "占线", "ko": "통화 중", "en": "Busy"}, "task", False, 300, False),
    "silent": (
        {"zh-CN": "接通但无人说话", "ko": "받았으나 말이 없음", "en": "Answered, nobody spoke"},
        "task",
        False,
        600,
        False,
    ),
    "call_later": (
        {"zh-CN": "约定稍后再联系", "ko": "나중에 다시 연락", "en": "To be rung later"},
        "task",
        False,
        3600,
        True,
    ),
    "not_reached": (
        {"zh-CN": "多次未联系上", "ko": "여러 번 연락 안 됨", "en": "Not reached at all"},
        "task",
        True,
        None,
        True,
    ),
    "wrong_number": ({"zh-CN": "号码错误", "ko": "잘못된 번호", "en": "Wrong number"}, "both", True, None, True),
}


def big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def when() -> models.base.UtcDateTime:
    return models.base.UtcDateTime(timezone=True)


def fk(table: str, column: str, other: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{other}.id", name=op.f(f"fk_{table}_{column}"))


def new_id() -> str:
    return "".join(secrets.choice("23456789abcdefghjkmnpqrstuvwxyz") for _ in range(16))


def upgrade() -> None:
    add = op.add_column
    add("users", sa.Column("shortcuts", models.base.Json, nullable=False, server_default="{}"))
    add("elders", sa.Column("merged_into_id", big(), fk("elders", "merged_into_id", "elders")), inline_references=True)
    add("elders", sa.Column("indexed_at", when()))
    op.create_index(op.f("ix_elders_merged_into_id"), "elders", ["merged_into_id"])
    op.create_index(op.f("ix_elders_indexed_at"), "elders", ["indexed_at"])
    add("tasks", sa.Column("state", sa.String(32), nullable=False, server_default="pool"))
    add("tasks", sa.Column("owner_id", big(), fk("tasks", "owner_id", "users")), inline_references=True)
    add("tasks", sa.Column("owned_until", when()))
    add("tasks", sa.Column("locked_by_id", big(), fk("tasks", "locked_by_id", "users")), inline_references=True)
    add("tasks", sa.Column("locked_until", when()))
    add("tasks", sa.Column("due_at", when()))
    add("tasks", sa.Column("tries", big(), nullable=False, server_default="0"))
    add("tasks", sa.Column("changed_at", when(), nullable=False, server_default="2026-01-01 00:00:00"))
    op.execute("UPDATE tasks SET state = CASE WHEN closed_at IS NULL THEN 'pool' ELSE 'closed' END")
    op.execute("UPDATE tasks SET changed_at = COALESCE(closed_at, created_at)")
    for column in ("owner_id", "owned_until", "changed_at"):
        op.create_index(op.f(f"ix_tasks_{column}"), "tasks", [column])
    results = op.create_table(
        "call_results",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("names", models.base.Json, nullable=False),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("retry_s", big(), nullable=True),
        sa.Column("needs_note", sa.Boolean(), nullable=False),
        sa.Column("position", big(), nullable=False),
        sa.Column("hidden_at", when(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_results")),
        sa.UniqueConstraint("public_id", name=op.f("uq_call_results_public_id")),
        sa.UniqueConstraint("code", name=op.f("uq_call_results_code")),
    )
    rows = [
        {
            "public_id": new_id(), "code": code, "names": names, "scope": scope, "is_final": final,
            "retry_s": retry_s, "needs_note": note, "position": place,
        }
        for place, (code, (names, scope, final, retry_s, note)) in enumerate(RESULTS.items())
    ]  # fmt: skip
    op.bulk_insert(results, rows)
    op.create_table(
        "call_outcomes",
        sa.Column("id", big(), nullable=False),
        sa.Column("call_id", big(), fk("call_outcomes", "call_id", "calls"), nullable=True),
        sa.Column("task_id", big(), fk("call_outcomes", "task_id", "tasks"), nullable=True),
        sa.Column("user_id", big(), fk("call_outcomes", "user_id", "users"), nullable=True),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", when(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_outcomes")),
        sa.UniqueConstraint("call_id", name=op.f("uq_call_outcomes_call_id")),
    )
    op.create_index(op.f("ix_call_outcomes_task_id"), "call_outcomes", ["task_id"])
    op.create_index(op.f("ix_call_outcomes_user_id"), "call_outcomes", ["user_id"])
    op.create_table(
        "elder_notes",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("elder_id", big(), fk("elder_notes", "elder_id", "elders"), nullable=False),
        sa.Column("user_id", big(), fk("elder_notes", "user_id", "users"), nullable=False),
        sa.Column("call_id", big(), fk("elder_notes", "call_id", "calls"), nullable=True),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("at", when(), nullable=False),
        sa.Column("struck_at", when(), nullable=True),
        sa.Column("struck_by_id", big(), fk("elder_notes", "struck_by_id", "users"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_elder_notes")),
        sa.UniqueConstraint("public_id", name=op.f("uq_elder_notes_public_id")),
    )
    op.create_index(op.f("ix_elder_notes_elder_id"), "elder_notes", ["elder_id"])
    op.create_table(
        "elder_changes",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("elder_id", big(), fk("elder_changes", "elder_id", "elders"), nullable=False),
        sa.Column("user_id", big(), fk("elder_changes", "user_id", "users"), nullable=True),
        sa.Column("at", when(), nullable=False),
        sa.Column("before", models.base.Json, nullable=False),
        sa.Column("after", models.base.Json, nullable=False),
        sa.Column("undone_at", when(), nullable=True),
        sa.Column("undone_by_id", big(), fk("elder_changes", "undone_by_id", "users"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_elder_changes")),
        sa.UniqueConstraint("public_id", name=op.f("uq_elder_changes_public_id")),
    )
    op.create_index(op.f("ix_elder_changes_elder_id"), "elder_changes", ["elder_id"])
    op.create_table(
        "elder_merges",
        sa.Column("id", big(), nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("kept_id", big(), nullable=False),
        sa.Column("gone_id", big(), nullable=False),
        sa.Column("user_id", big(), fk("elder_merges", "user_id", "users"), nullable=True),
        sa.Column("at", when(), nullable=False),
        sa.Column("moved", models.base.Json, nullable=False),
        sa.Column("filled", models.base.Json, nullable=False),
        sa.Column("undone_at", when(), nullable=True),
        sa.Column("undone_by_id", big(), fk("elder_merges", "undone_by_id", "users"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_elder_merges")),
        sa.UniqueConstraint("public_id", name=op.f("uq_elder_merges_public_id")),
    )
    op.create_index(op.f("ix_elder_merges_kept_id"), "elder_merges", ["kept_id"])
    op.create_index(op.f("ix_elder_merges_gone_id"), "elder_merges", ["gone_id"])
    op.create_table(
        "search_terms",
        sa.Column("term", Term, nullable=False),
        sa.Column("elder_id", big(), nullable=False),
        sa.ForeignKeyConstraint(["elder_id"], ["elders.id"], name=op.f("fk_search_terms_elder_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("term", "elder_id", name=op.f("pk_search_terms")),
    )
    op.create_index("ix_search_terms_elder_id_term", "search_terms", ["elder_id", "term"])


def downgrade() -> None:
    for table in ("search_terms", "elder_merges", "elder_changes", "elder_notes", "call_outcomes", "call_results"):
        op.drop_table(table)
    for column in ("owner_id", "owned_until", "changed_at"):
        op.drop_index(op.f(f"ix_tasks_{column}"), "tasks")
    for column in ("changed_at", "tries", "due_at", "locked_until", "locked_by_id", "owned_until", "owner_id", "state"):
        op.drop_column("tasks", column)
    for column in ("indexed_at", "merged_into_id"):
        op.drop_index(op.f(f"ix_elders_{column}"), "elders")
        op.drop_column("elders", column)
    op.drop_column("users", "shortcuts")
