"""Providers from files and back: every row is checked, what is written comes out again as it went in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from models import provider_export, provider_files
from models.provider_columns import columns
from models.provider_export import hours_text, rows
from models.provider_files import add, check, read
from models.providers import Provider, ProviderArea, ProviderHours, ProviderItem, ProviderNumber, Worker
from models.session import read as reading
from models.session import write

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
HEAD = (
    "名称,类型,电话,服务项目,服务区域,服务时间,每时段单数,短信,顺序,暂停至,暂停原因,"
    "服务人员1姓名,服务人员1工号,服务人员1电话"
)
SOUND = (
    f"{HEAD}\n"
    "康乐助浴,企业,0451-10000101；11000000101,助浴；助医,道里区>河畔社区；南岗区,"
    "一-五 08:00-17:00；六 09:00-12:00,3,是,1,2027-02-28,春节休息,刘洋,301,11000000301\n"
    "邻里帮,志愿者,0451-10000103,陪聊；助餐,,,,,,,,,,\n"
)


def checked(text: str) -> provider_files.Checked:
    """What the import says of a file."""
    with reading() as session:
        return check(session, read(text.encode()).rows)


def apply(text: str) -> None:
    """Import a file that is sound."""
    with write() as session:
        found = check(session, read(text.encode()).rows)
        assert found.problems == []
        add(session, found, NOW)


def test_every_column_of_a_provider_is_kept(database: Engine) -> None:
    apply(SOUND)
    with reading() as session:
        first, second = session.scalars(select(Provider).order_by(Provider.id))
        assert [line.number.value for line in first.numbers] == ["+8645110000101", "+8611000000101"]
        assert [item.service for item in first.items] == ["bathing", "accompaniment"]
        assert (first.capacity, first.wants_sms, first.position, first.pause_reason) == (3, True, 1, "春节休息")
        assert first.paused_until == datetime(2027, 2, 27, 16, 0, tzinfo=UTC)
        assert [(span.weekday, span.opens, span.closes) for span in first.hours] == [
            *((day, 480, 1020) for day in range(5)), (5, 540, 720),
        ]  # fmt: skip
        (worker,) = first.workers
        assert (worker.person.name, worker.code, worker.person.numbers[0].number.value) == (
            "刘洋", "301", "+8611000000301",
        )  # fmt: skip
        assert (second.kind, second.capacity, second.areas, second.hours) == ("volunteers", None, [], [])


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_what_is_exported_is_imported_as_the_same(database: Engine, tmp_path: Path, suffix: str) -> None:
    apply(SOUND)
    files = [tmp_path / f"{name}{suffix}" for name in ("one", "two")]
    for file in files:
        with reading() as session:
            exported = list(rows(session))
            assert provider_export.write(file, provider_export.columns_needed(session), exported) == 2
        with write() as session:
            for kind in (Worker, ProviderHours, ProviderArea, ProviderItem, ProviderNumber, Provider):
                session.execute(delete(kind))
            add(session, check(session, read(file.read_bytes()).rows), NOW)
    with reading() as session:
        assert list(rows(session)) == exported and exported[1]["areas"] == "道里区>河畔社区；南岗区"


def test_the_template_is_understood_and_empty(tmp_path: Path) -> None:
    file = tmp_path / "template.xlsx"
    provider_export.write(file, columns(workers=3), ())
    table = read(file.read_bytes())
    assert (table.rows, table.ignored) == ([], ())


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ("甲,商店,0451-10000101,助浴", "kind is '商店'; it can be 企业"),
        ("甲,,12349,助浴", "short code"),
        ("甲,,0451-10000101,搓背机", "services is '搓背机'"),
        ("甲,,0451-10000101,", "the services are missing"),
        (",,0451-10000101,助浴", "the name is missing"),
        ("甲,,0451-10000101,助浴,道里区>,", "write district>community>grid"),
        ("甲,,0451-10000101,助浴,,一-五 8点", "write 一-五 08:00-17:00"),
        ("甲,,0451-10000101,助浴,,五-一 08:00-17:00", "begins on Monday"),
        ("甲,,0451-10000101,助浴,,一 17:00-08:00", "end after it begins"),
        ("甲,,0451-10000101,助浴,,,三个", "capacity is '三个'"),
        ("甲,,0451-10000101,助浴,,,,大概", "sms is '大概'"),
        ("甲,,0451-10000101,助浴,,,,,,明年", "paused_until is '明年'"),
        ("甲,,0451-10000101,助浴,,,,,,,,刘洋", "needs a name and a code"),
        ("甲,,0451-10000101,助浴,,,,,,,,刘洋,12", "3 to 8 digits"),
    ],
)
def test_each_fault_is_named_with_its_line(database: Engine, cells: str, problem: str) -> None:
    (found,) = checked(f"{HEAD}\n{cells}\n").problems
    assert found.startswith("line 2: ") and problem in found


def test_names_and_codes_are_given_out_once(database: Engine) -> None:
    apply(SOUND)
    again = checked(SOUND).problems
    assert again == [f"line {n}: name {name} is registered already" for n, name in ((2, "康乐助浴"), (3, "邻里帮"))]
    row = "{},,0451-10000109,助浴,,,,,,,,刘洋,{}"
    lines = [HEAD, row.format("甲", "301"), row.format("乙", "400"), row.format("丙", "400")]
    assert checked("\n".join([*lines, ""])).problems == [
        "line 2: worker's code 301 was given out already",
        "line 4: worker's code 400 is in line 3 too",
    ]


@given(
    st.frozensets(
        st.tuples(
            st.integers(0, 6),
            st.tuples(st.integers(0, 700), st.integers(701, 1440)),
        ),
        max_size=8,
    )
)
def test_hours_in_words_mean_the_same_hours(spans: frozenset[tuple[int, tuple[int, int]]]) -> None:
    said = "；".join(hours_text(spans))
    found = {span for part in said.split("；") if part for span in provider_files._spans(part)}
    assert found == spans
