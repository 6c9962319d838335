"""Registering people, and the one store of audio."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from models import audio, register
from models.base import new_public_id
from models.lookup import elders_at, number_row, numbers_of_elder
from models.people import Area, Person, PhoneNumber
from models.phone import normalise
from models.register import NewElder, family_name_of
from models.session import read, write

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
HOME, MOBILE = normalise("+8645110000001"), normalise("+8611012345678")


@pytest.mark.parametrize(
    ("name", "family"),
    [("王秀英", "王"), ("欧阳娜", "欧阳"), ("김영희", "김"), ("남궁민", "남궁"), ("Mary Ann Smith", "Smith"),
     ("Émile Zola", "Zola"), ("Иван Петров", "Петров"), ("", ""), ("x" * 80, "x" * 40)],
)  # fmt: skip
def test_family_names(name: str, family: str) -> None:
    assert family_name_of(name) == family


def test_a_long_western_name_fits_postgresql(postgres_database: Engine) -> None:
    with write() as session:
        register.add_elder(session, NewElder("x" * 80, [HOME]), NOW)


def test_a_household_and_the_order_in_which_she_is_rung(database: Engine) -> None:
    with write() as session:
        one = register.add_elder(session, NewElder("李大山", [HOME, MOBILE]), NOW)
        two = register.add_elder(session, NewElder("赵桂兰", [HOME]), NOW)
        assert elders_at(session, HOME) == [one, two]
        assert elders_at(session, MOBILE) == [one]
        assert [number.value for number in numbers_of_elder(session, one.id)] == [HOME.value, MOBILE.value]
        assert {line.role for line in (*one.person.numbers, *two.person.numbers)} == {"shared", "own"}


def test_areas_are_a_tree_and_made_once(database: Engine) -> None:
    with write() as session:
        grid = register.area_at(session, "道里区", "河畔社区", "一格")
        assert register.area_at(session, "道里区", "河畔社区", "一格") is grid
        other = register.area_at(session, "道外区", "河畔社区")
        assert other and grid and other.id != grid.parent_id
        assert register.area_at(session, "", "x") is None
        assert session.scalar(select(func.count()).select_from(Area)) == 5


@pytest.mark.parametrize("base", ["database", "postgres_database"])
def test_two_first_calls_from_one_new_number_make_one_row(base: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(base)
    both, ids = threading.Barrier(2), []

    def ring() -> None:
        both.wait(5)
        with write() as session:
            row = number_row(session, HOME)
            # The slower one finds the row of the faster one only after that has committed.
            threading.Event().wait(0.05)
            ids.append(row.id)

    callers = [threading.Thread(target=ring) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(10)
    assert len(ids) == 2 and len(set(ids)) == 1
    with read() as session:
        assert session.scalar(select(func.count()).select_from(PhoneNumber)) == 1


def test_erasing_a_person_leaves_no_number_behind_her_name(database: Engine) -> None:
    with write() as session:
        register.add_elder(session, NewElder("王秀英", [HOME]), NOW)
    with write() as session:
        person = session.scalars(select(Person)).one()
        person.name = person.family_name = ""
        person.numbers.clear()
    with read() as session:
        assert elders_at(session, HOME) == []


def test_audio_is_kept_once_by_its_content(tmp_path: Path) -> None:
    source = tmp_path / "1763766000.12.wav"
    source.write_bytes(b"RIFF sound")
    store = tmp_path / "store"
    key = audio.keep(store, source)
    assert audio.keep(store, source) == key and source.exists()
    assert audio.path_of(store, key).read_bytes() == b"RIFF sound"
    assert [path.name for path in store.rglob("*") if path.is_file()] == [f"{key}.wav"]


def test_public_ids_are_random_and_readable() -> None:
    ids = {new_public_id() for _ in range(500)}
    assert len(ids) == 500
    assert all(len(one) == 16 and not set(one) & set("01lio") - {"o", "i"} for one in ids)
