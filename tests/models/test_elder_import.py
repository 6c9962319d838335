"""Import of elders: every encoding it promises, row-level errors, and nothing half-written."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from models import clock, elder_bulk, elder_import, sheets
from models.elder_import import Checked, check
from models.people import Area, Elder, Person, PersonNumber, PhoneNumber
from models.session import read, write
from models.sheets import NotATable, Row

GOOD = "姓名,电话,性别,出生日期,语言,区,社区,卡号\n王秀英,0451-8888-1234,女,1941-03-08,汉语,道里区,河畔社区,D1\n"
ENGLISH = "name,phones,address\n王秀英,88881234,河畔街1号\n李大山,88881235,河畔街2号\n"


def parse(data: bytes) -> list[Row]:
    return elder_import.read(data).rows


def write_all(session: Session, checked: Checked, now: datetime) -> None:
    elder_bulk.write(session, elder_bulk.prepare(checked, now))


def problems(text: str) -> list[str]:
    """What is wrong with a file, row by row."""
    with read() as session:
        return check(session, parse(text.encode())).problems


def count(session: Session, kind: type) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


def test_a_whole_file_is_written_with_all_it_says(database: Engine) -> None:
    with write() as session:
        checked = check(session, parse(GOOD.encode()))
        assert count(session, Elder) == 0, "checking writes nothing"
        write_all(session, checked, clock.now())
    with read() as session:
        elder = session.scalars(select(Elder)).one()
        person = elder.person
        assert (person.name, person.family_name, person.sex, person.language) == ("王秀英", "王", "f", "zh-CN")
        assert str(person.born_on) == "1941-03-08" and elder.card_number == "D1"
        assert [line.number.value for line in person.numbers] == ["+8645188881234"]
        assert elder.area and elder.area.name == "河畔社区" and elder.area.parent and elder.area.parent.name == "道里区"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_line_ends(encoding: str, end: str) -> None:
    rows = parse(GOOD.replace("\n", end).encode(encoding))
    assert [row.cells["name"] for row in rows] == ["王秀英"]
    assert rows[0].line == 2


def test_a_rare_character_of_gb18030() -> None:
    assert parse("姓名,电话\n王𠮷,88881234\n".encode("gb18030"))[0].cells["name"] == "王𠮷"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        ("姓名\n王\n".encode(), "phones"),
        (b"a,b\n1,2\n", "name"),
        (GOOD.encode("utf-16"), "neither"),
        (b"\xff\xfe\x00\x01", "neither"),
        ('name,phones\n"王秀英,88881234\n'.encode(), "cut off"),
        ('name,phones\n"王"秀英,88881234\n'.encode(), "quoting"),
        (ENGLISH.encode()[: ENGLISH.encode().index("街2".encode()) + 2], "cut off"),
        ("name,phones,address\n王秀英,88881234,x\n李大山,88881".encode(), "cut off"),
        (b"name,phones\n" + b"x" * sheets.LARGEST_BYTES, "larger"),
        (b'name,phones\n"' + b"x" * 200_000 + b'",1\n', "quoting"),
    ],
)
def test_what_is_no_table_is_refused_as_a_whole(data: bytes, why: str) -> None:
    with pytest.raises(NotATable, match=why):
        parse(data)


def test_half_a_file_writes_nothing(database: Engine) -> None:
    whole = ENGLISH.encode()
    for length in range(len(whole) - 1):
        try:
            with write() as session:
                write_all(session, check(session, parse(whole[:length])), clock.now())
                names = set(session.scalars(select(Person.name)))
                # What looks whole is: never a name or a number cut short.
                assert names <= {"王秀英", "李大山"}, (length, names)
                assert set(session.scalars(select(PhoneNumber.value))) <= {"+8645188881234", "+8645188881235"}
                session.rollback()
        except ValueError:
            continue
    with read() as session:
        assert count(session, Person) == 0


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (",88881234,x", "name is missing"),
        ("王,,x", "telephone number is missing"),
        ("王, ; ,x", "telephone number is missing"),
        ("王,abc,x", "not a telephone number"),
        ("王,120,x", "short code"),
        ("王,88881234,x,y,z", "2 cells more"),
        ('"王\nHANGUP",88881234,x', "line break"),
        ("王\x07,88881234,x", "control character"),
        ("王" * 81 + ",88881234,x", "longer than 80"),
        ("王," + "88881234,".strip(",") + "," + "x" * 4096, "longer than 200"),
    ],
)
def test_errors_name_their_row(database: Engine, row: str, why: str) -> None:
    (problem,) = problems(f"name,phones,address\n李大山,88881235,\n{row}\n")
    assert why in problem
    assert problem.startswith(("line 3", "line 4")), problem


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("sex", "x", "sex"),
        ("language", "fr", "language"),
        ("born_on", "1941-13-01", "born_on"),
        ("born_on", "41-03-08", "born_on"),
        ("born_on", "2024-01-01", "no elder"),
    ],
)
def test_cells_that_say_nothing_known(database: Engine, column: str, cell: str, why: str) -> None:
    (problem,) = problems(f"name,phones,{column}\n王,88881234,{cell}\n")
    assert why in problem


@pytest.mark.parametrize(
    "name", ['O\'Brien "Bob"', "Robert'); DROP TABLE people;--", "$(reboot)", "${EXTEN}", "王　秀英", "a|b", "王%s{0}"]
)
def test_strange_names_are_kept_as_they_are_and_known_again(database: Engine, name: str) -> None:
    text = 'name,phones\n"{}",88881234\n'.format(name.replace('"', '""'))
    with write() as session:
        write_all(session, check(session, parse(text.encode())), clock.now())
        assert session.scalars(select(Person.name)).one() == name
    assert "already registered" in problems(text)[0]


def test_duplicates_in_the_file_and_a_second_import_are_refused(database: Engine) -> None:
    twice = "name,phones,card_number\n王秀英,88881234,D1\n王秀英,0451-88881234,\n李,88881235,D1\n"
    assert [problem.split(":")[0] for problem in problems(twice)] == ["line 3", "line 4"]
    with write() as session:
        write_all(session, check(session, parse(GOOD.encode())), clock.now())
    assert "already registered" in problems(GOOD)[0]


def test_two_elders_of_one_household_share_the_number(database: Engine) -> None:
    text = "name,phones\n李大山,88881234\n赵桂兰,88881234;13912345678\n"
    with write() as session:
        write_all(session, check(session, parse(text.encode())), clock.now())
        roles = session.scalars(select(PersonNumber.role).order_by(PersonNumber.id))
        assert list(roles) == ["shared", "shared", "own"]


def test_with_any_problem_nothing_is_written(database: Engine) -> None:
    with write() as session:
        checked = check(session, parse("name,phones,区\n王,88881234,道里区\n李,abc,道里区\n".encode()))
        with pytest.raises(ValueError, match="not imported"):
            write_all(session, checked, clock.now())
        assert count(session, Person) == count(session, Area) == 0


def test_checking_asks_the_database_not_once_a_row(database: Engine) -> None:
    rows = parse(("name,phones\n" + "".join(f"王{i},8888{i:04}\n" for i in range(50))).encode())
    with read() as session:
        asked: list[str] = []
        session.connection()

        def listen(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            asked.append(statement)

        event.listen(database, "before_cursor_execute", listen)
        try:
            check(session, rows)
        finally:
            event.remove(database, "before_cursor_execute", listen)
    assert len(asked) < 5, len(asked)
