"""Elders' files: .xlsx with all its traps, contacts and manners, template, export; what goes out comes in again."""

from __future__ import annotations

import contextlib
import io
import stat
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from sqlalchemy import Engine, delete, select

from models import calling_hours, elder_bulk, elder_columns, elder_export, elder_import, sheets
from models.callers import who_rings
from models.calling_hours import Hours
from models.contacts import Contact, Relation
from models.dialects import Dialect
from models.elder_import import check
from models.people import Elder, PersonNumber
from models.phone import normalise
from models.preferences import Because, ElderSetting, Origin, Preferences, Setting, history, preferences, put, undo
from models.register import NewContact, NewElder, add_contact, add_elder
from models.session import read, write
from models.sheet_files import Cells
from models.sheets import NotATable
from models.tables import metadata

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
HEAD = ("姓名", "电话", "出生日期", "卡号", "区", "社区")


def workbook(*lines: tuple[object, ...], change: Callable[[Any], object] = lambda sheet: None) -> bytes:
    """An .xlsx file with these lines; `change` is given its sheet before it is saved."""
    book = Workbook()
    sheet: Any = book.active
    for line in lines:
        sheet.append(line)
    change(sheet)
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def cells(data: bytes, sheet: str = "") -> list[dict[str, str]]:
    return [dict(row.cells) for row in elder_import.read(data, sheet).rows]


def bring_in(data: bytes) -> list[str]:
    """Import a file; return what was wrong with it."""
    table = elder_import.read(data)
    with read() as session:
        checked = check(session, table.rows)
    if not checked.problems:
        ready = elder_bulk.prepare(checked, NOW)
        with write() as session:
            elder_bulk.write(session, ready)
    return checked.problems


def test_a_workbook_as_an_office_writes_it(database: Engine) -> None:
    def dress(sheet: Any) -> None:
        sheet.insert_rows(1)
        sheet["A1"] = "河畔社区老人登记表"
        sheet.merge_cells("A1:F1")
        # One district and one community for all rows.
        sheet.merge_cells("E3:E5")
        sheet.merge_cells("F3:F4")
        sheet["D5"].number_format = "0000"

    data = workbook(
        HEAD,
        ("王秀英", 11000000001, date(1941, 3, 8), "D-0001", "道里区", "河畔社区"),
        ("李大山", "0451-10000002", "1938/10/01", 4711.0, None, None),
        ("赵桂兰", "110 0000 0003", None, 12, None, "松江社区"),
        change=dress,
    )
    assert [row.get("community") for row in cells(data)] == ["河畔社区", "河畔社区", "松江社区"]
    assert bring_in(data) == []
    with read() as session:
        elders = session.scalars(select(Elder).order_by(Elder.id)).all()
        assert [elder.card_number for elder in elders] == ["D-0001", "4711", "0012"]
        assert [elder.person.born_on for elder in elders] == [date(1941, 3, 8), date(1938, 10, 1), None]
        assert elders[0].person.numbers[0].number.value == "+8611000000001"
        assert {elder.area.parent.name for elder in elders if elder.area and elder.area.parent} == {"道里区"}


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("=CONCATENATE(1,2)", "is a formula"),
        ("=B3", "is a formula"),
        ("#N/A", "error of the spreadsheet"),
        (210105194103081234, "more than 15 digits"),
        (True, "not a telephone number"),
        (0.5, "not a telephone number"),
        (date(2026, 1, 2), "is a date"),
        (time(10, 30), "is a date"),
        ("0451-1000\n0002", "line break"),
    ],
)
def test_cells_that_hold_something_else_than_they_show(database: Engine, cell: object, why: str) -> None:
    def plant(sheet: Any) -> None:
        sheet["B3"].value = cell
        if cell == "#N/A":
            sheet["B3"].data_type = "e"

    data = workbook(HEAD, ("李大山", "0451-10000002"), ("王秀英", "x"), change=plant)
    (problem,) = bring_in(data)
    assert problem.startswith("line 3") and why in problem


def test_merged_names_are_a_fault_of_their_rows_only(database: Engine) -> None:
    data = workbook(
        HEAD,
        ("王秀英", "0451-10000002", None, "1"),
        (None, "0451-10000003", None, "2"),
        ("李大山", "0451-10000004", None, "3"),
        change=lambda sheet: sheet.merge_cells("A2:A3"),
    )
    problems = bring_in(data)
    assert [problem.split(":")[0] for problem in problems] == ["line 2", "line 3"]
    assert all("merged" in problem for problem in problems)


def test_several_sheets_the_first_visible_one_or_the_one_that_is_named() -> None:
    def more(sheet: Any) -> None:
        sheet.title = "旧"
        sheet.sheet_state = "hidden"
        for name in ("道里", "南岗"):
            other = sheet.parent.create_sheet(name)
            other.append(("姓名", "电话", "年龄"))
            other.append((name, "0451-10000002", 80))

    data = workbook(("姓名",), change=more)
    table = elder_import.read(data)
    assert (table.sheet, table.other_sheets, table.ignored) == ("道里", ("南岗",), ("年龄",))
    assert [row["name"] for row in cells(data, "南岗")] == ["南岗"]
    with pytest.raises(NotATable, match="no sheet is called '道外'; there are: 道里, 南岗"):
        elder_import.read(data, "道外")
    with pytest.raises(NotATable, match="has no sheets"):
        elder_import.read("姓名,电话\n".encode(), "道里")


def other_zip() -> bytes:
    saved = io.BytesIO()
    with zipfile.ZipFile(saved, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    return saved.getvalue()


WHOLE = workbook(HEAD, ("王秀英", "0451-10000002"))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(600), "password"),
        (other_zip(), "broken, or no .xlsx"),
        (WHOLE[: len(WHOLE) // 2], "cut off"),
        (b"PK\x03\x04" + bytes(100), "cut off"),
        (workbook(), "empty"),
        (workbook(("姓名", "年龄"), ("王", 80)), "missing: phones"),
        (workbook(("姓名", "电话", "联系方式"), ("王", 1, 2)), "twice: 联系方式"),
    ],
)
def test_what_is_no_workbook_is_refused_as_a_whole(data: bytes, why: str) -> None:
    with pytest.raises(NotATable, match=why):
        elder_import.read(data)


def test_a_workbook_that_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.workbook.LARGEST_UNPACKED", 1000)
    with pytest.raises(NotATable, match="when unpacked"):
        elder_import.read(WHOLE)


@effort(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(WHOLE) - 1), byte=st.integers(0, 255))
def test_no_broken_byte_breaks_more_than_its_file(at: int, byte: int) -> None:
    broken = WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 :]
    with contextlib.suppress(NotATable):
        elder_import.read(broken)


FULL = (
    "姓名,电话,语速,音量,人工优先,联系人,关系,联系电话,联系人权限,联系人2姓名,联系人2关系,联系人2电话\n"
    "王秀英,0451-10000001,慢,大,是,王小梅,女儿,110-0000-0003,代下单；知工单,孙管家,养老管家,0451-10000009\n"
    "李大山,0451-10000001,正常,,否,孙管家,管家,0451-10000009；110-0000-0008,order,王秀英,老伴,0451-10000001\n"
)


@pytest.mark.parametrize("base", ["database", "postgres_database"])
def test_contacts_a_butler_of_both_a_wife_and_manners(base: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(base)
    assert bring_in(FULL.encode()) == []
    with read() as session:
        wang, li = session.scalars(select(Elder).order_by(Elder.id)).all()
        assert preferences(session, wang.id) == Preferences("slow", "loud", True)
        assert history(session, li.id) == [], "the usual is nothing that anybody has set"
        assert {row.origin for row in session.scalars(select(ElderSetting))} == {"import"}
        (daughter,) = who_rings(session, normalise("11000000003")).helpers
        (charge,) = daughter.charges
        assert (charge.relation, charge.may_order, charge.may_hear_orders, charge.may_hear_money) == (
            "child", True, True, False,
        )  # fmt: skip
        (butler,) = who_rings(session, normalise("11000000008")).helpers
        assert {c.elder.name: c.may_order for c in butler.charges} == {"王秀英": False, "李大山": True}
        home = who_rings(session, normalise("0451-10000001"))
        assert [elder.name for elder in home.elders] == ["王秀英", "李大山"]
        assert [(h.who.person_id, h.charges[0].elder.name) for h in home.helpers] == [(wang.id, "李大山")]
        assert set(session.scalars(select(PersonNumber.role).where(PersonNumber.person_id == li.id))) == {"shared"}


def test_a_later_file_finds_the_butler_and_makes_the_line_a_household(database: Engine) -> None:
    assert bring_in(FULL.encode()) == []
    later = (
        "姓名,电话,联系人,关系,联系电话\n"
        "张三,0451-10000007,孙管家,管家,0451-10000009\n"
        "钱七,110-0000-0003,,,\n孙八,110-0000-0003,,,\n"
    )
    assert bring_in(later.encode()) == []
    with read() as session:
        (butler,) = who_rings(session, normalise("0451-10000009")).helpers
        assert len(butler.charges) == 3
        assert len(who_rings(session, normalise("11000000003")).elders) == 2
    assert bring_in("姓名,电话\n周九,0451-10000007\n".encode()) == []
    with read() as session:
        shared = (
            select(PersonNumber.role).join(PersonNumber.number).where(PersonNumber.number.has(value="+8645110000007"))
        )
        assert set(session.scalars(shared)) == {"shared"}


@pytest.mark.parametrize("base", ["database", "postgres_database"])
def test_a_dialect_by_its_name_in_any_language_and_out_again(
    base: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    request.getfixturevalue(base)
    with write() as session:
        names = {"zh-CN": "胶东话", "ko": "자오둥 방언", "en": "Jiaodong"}
        session.add(Dialect(code="own_jiaodong", language="zh-CN", names=names))
    cells_of = {
        "王,0451-10000001": "胶东话",
        "李,0451-10000002": "jiaodong",
        "赵,0451-10000003": "东北话",
        "钱,0451-10000004": "",
    }
    lines = "".join(f"{who},{dialect}\n" for who, dialect in cells_of.items())
    assert bring_in(f"姓名,电话,方言\n{lines}".encode()) == []
    with read() as session:
        found = [preferences(session, one.id).dialect for one in session.scalars(select(Elder).order_by(Elder.id))]
        assert found == ["own_jiaodong", "own_jiaodong", "", ""]
        assert len(session.scalars(select(ElderSetting)).all()) == 2, "the usual is nothing that anybody has set"
    # What is off the list goes out all the same, and comes in again.
    with write() as session:
        session.scalars(select(Dialect).where(Dialect.code == "own_jiaodong")).one().hidden_at = NOW
    assert [line.get("dialect") for line in exported(tmp_path / "elders.csv")] == ["胶东话", "胶东话", None, None]
    assert bring_in("姓名,电话,方言\n孙,0451-10000005,胶东话\n".encode()) == []
    (problem,) = bring_in("姓名,电话,方言\n周,0451-10000006,火星话\n".encode())
    assert "dialect is '火星话'; it can be" in problem


@pytest.mark.parametrize("base", ["database", "postgres_database"])
def test_a_wife_who_was_only_a_contact_is_registered_and_stays_one_person(
    base: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(base)
    husband = "姓名,电话,联系人,关系,联系电话\n李大山,0451-10000001,王秀英,妻子,0451-10000001；110-0000-0005\n"
    assert bring_in(husband.encode()) == []
    wife = "姓名,电话,性别,出生日期\n王秀英,0451-10000001；0451-10000006,女,1941-03-08\n钱七,0451-10000006,,\n"
    assert bring_in(wife.encode()) == []
    with read() as session:
        home = who_rings(session, normalise("0451-10000001"))
        assert {elder.name for elder in home.elders} == {"王秀英", "李大山"}
        (helper,) = home.helpers
        wang = session.get_one(Elder, helper.who.person_id)
        assert (wang.person.name, str(wang.person.born_on), helper.charges[0].elder.name) == (
            "王秀英", "1941-03-08", "李大山",
        )  # fmt: skip
        roles = {link.number.value[-1]: link.role for link in wang.person.numbers}
        assert roles == {"1": "shared", "5": "own", "6": "shared"}


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("语速", "飞快", "pace is '飞快'; it can be 正常, 慢"),
        ("音量", "xxx", "volume"),
        ("联系人", "王小梅", "contact1 needs a name, a relation and a telephone number"),
        ("可接电话时间", "上午", "call_hours"),
        ("可接电话时间", "12:00-11:00", "call_hours"),
        ("不打电话的日子", "明天", "not_on"),
        ("联系人9电话", "0451-10000003", "contact9 needs"),
        ("联系人,关系,联系电话", "王小梅,外星人,0451-10000003", "contact1_relation is '外星人'"),
        ("联系人,关系,联系电话", "王小梅,女儿,abc", "not a telephone number"),
        ("联系人,关系,联系电话", "王,女儿,0451-10000001", "contact1 is the elder herself"),
        ("联系人,关系,联系电话,联系人权限", "王小梅,女儿,0451-10000003,一切", "contact1_rights is '一切'"),
        ("联系人,关系,联系电话,联系人2,联系人2关系", "x" * 81 + ",女儿,0451-10000003,,", "longer than 80"),
    ],
)
def test_contacts_and_manners_that_say_nothing_known(database: Engine, column: str, cell: str, why: str) -> None:
    (problem,) = bring_in(f"姓名,电话,{column}\n王,0451-10000001,{cell}\n".encode())
    assert why in problem


def test_who_was_registered_meanwhile_stops_the_whole_file(database: Engine) -> None:
    with read() as session:
        checked = check(session, elder_import.read(FULL.encode()).rows)
    ready = elder_bulk.prepare(checked, NOW)
    assert bring_in("姓名,电话\n李大山,0451-10000001\n".encode()) == []
    with pytest.raises(elder_bulk.Overtaken), write() as session:
        elder_bulk.write(session, ready)
    with read() as session:
        assert len(session.scalars(select(Elder)).all()) == 1


def test_the_template_comes_in_again_with_what_was_filled_in(database: Engine, tmp_path: Path) -> None:
    file = tmp_path / "登记表.xlsx"
    assert elder_export.write(file, elder_columns.columns(contacts=2), ()) == 0
    assert elder_import.read(file.read_bytes()).rows == []
    book = load_workbook(file)
    sheet: Any = book["老人"]
    assert sheet.column_dimensions["B"].number_format == "@", "a number keeps its zeros"
    assert {"女,男" in str(one.formula1) for one in sheet.data_validations.dataValidation} == {True, False}
    # The notes' own examples are accepted where they belong.
    notes = list(book["说明"].iter_rows(min_row=2, values_only=True))
    for at, (heading, example, _) in enumerate(notes, start=1):
        assert sheet.cell(1, at).value == heading
        sheet.cell(2, at).value = example if not str(heading).startswith("联系人2") else None
    book.save(file)
    assert bring_in(file.read_bytes()) == []
    empty = tmp_path / "t.csv"
    elder_export.write(empty, elder_columns.columns(contacts=2), ())
    assert elder_import.read(empty.read_bytes()).ignored == ()


NASTY = ("=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(1)", "'=x", "''", 'O\'Brien, "B"', "{{7*7}} $(reboot)", "王　秀英")


def town() -> None:
    """Elders with everything a file can say, and names that a spreadsheet would run."""
    with write() as session:
        for at, name in enumerate(NASTY):
            new = NewElder(
                name, [normalise(f"04511000{at:04}"), normalise("+82212345678")], sex="f", born_on=date(1941, 3, 8),
                language="ko", address=name, card_number=f"0{at}{'9' * 17}", needs=name,
            )  # fmt: skip
            elder = add_elder(session, new, NOW)
            for n in range(at % 4):
                number, relation = normalise(f"1100000{at}{n:03}"), list(Relation)[n]
                contact = NewContact(name + str(n), [number], relation, may_order=n == 0, may_hear_money=n == 1)
                add_contact(session, elder, contact, NOW)
            put(session, elder.id, (Setting.PACE, "slow"), Because(Origin.LEARNT), NOW)
            put(session, elder.id, (Setting.VOLUME, "loud"), Because(Origin.AGENT), NOW)
            if at % 3:
                own = Hours(((600, 690), (840, 1080)), frozenset({3, 7})) if at % 3 == 1 else Hours(never=True)
                calling_hours.put(session, elder.id, own, None, NOW)
            if at % 2:
                undo(session, elder.id, Setting.VOLUME, None, NOW)


def exported(file: Path) -> list[Cells]:
    with read() as session:
        wanted = elder_export.columns_needed(session)
        lines = list(elder_export.rows(session))
        assert elder_export.write(file, wanted, lines) == elder_export.count(session) == len(lines)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return lines


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize("base", ["database", "postgres_database"])
def test_what_goes_out_comes_in_again(base: str, suffix: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    engine: Engine = request.getfixturevalue(base)
    town()
    file = tmp_path / f"elders.{suffix}"
    before = exported(file)
    assert bring_in(file.read_bytes())[0].startswith("line 2: already registered")
    with engine.begin() as connection:
        for table in (
            "call_rules",
            "elder_settings",
            "contacts",
            "person_numbers",
            "elders",
            "people",
            "phone_numbers",
        ):
            connection.execute(delete(metadata.tables[table]))
    assert bring_in(file.read_bytes()) == []
    assert exported(tmp_path / f"again.{suffix}") == before


def test_no_cell_of_ours_is_a_formula(database: Engine, tmp_path: Path) -> None:
    town()
    for suffix in ("csv", "xlsx"):
        exported(tmp_path / f"e.{suffix}")
    lines = (tmp_path / "e.csv").read_bytes().decode("utf-8-sig").splitlines()
    assert (tmp_path / "e.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert not [cell for line in lines for cell in line.split(",") if cell.lstrip('"').startswith(sheets.FORMULA)]
    book = load_workbook(tmp_path / "e.xlsx")
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert kinds == {"s", "d"}


def test_a_file_is_written_whole_or_not_at_all(database: Engine, tmp_path: Path) -> None:
    def breaks() -> Any:
        yield {"name": "王"}
        raise OSError("no space left on device")

    file = tmp_path / "elders.csv"
    file.write_text("before")
    with pytest.raises(OSError, match="no space"):
        elder_export.write(file, elder_columns.columns(1), breaks())
    assert file.read_text() == "before" and [one.name for one in tmp_path.iterdir() if "elders" in one.name] == [
        "elders.csv"
    ]
    with pytest.raises(ValueError, match=r"\.csv or \.xlsx"):
        elder_export.write(tmp_path / "elders.pdf", elder_columns.columns(1), ())


def test_more_contacts_than_a_file_has_room_for(database: Engine) -> None:
    with write() as session:
        elder = add_elder(session, NewElder("王秀英", [normalise("0451-10000001")]), NOW)
        for n in range(10):
            add_contact(session, elder, NewContact(f"王{n}", [normalise(f"1100000000{n}")], Relation.CHILD), NOW)
        with pytest.raises(elder_export.TooMuch, match="10 contacts"):
            elder_export.columns_needed(session)
        session.scalars(select(Contact)).first().ended_at = NOW  # type: ignore[union-attr]
        session.flush()
        assert len(elder_export.columns_needed(session)) == len(elder_columns.columns(9))
