"""An invented town: whole, found by search, and never put among real people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner

from hotline import seed
from hotline.commands import app
from models.calls import Call
from models.orders import Order
from models.people import Elder, PhoneNumber
from models.search import SearchTerm
from models.session import read

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize("name", ["database", "postgres_database"])
def test_a_town_is_whole_on_both_databases(name: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(name)
    size = seed.Size(40, 300)
    who = seed.people(size, NOW, lambda count: None)
    seed.past(size, who, NOW, lambda count: None)
    with read() as session:
        counts = [session.scalar(select(func.count()).select_from(kind)) for kind in (Elder, Call)]
        assert counts == [40, 300]
        assert session.scalar(select(func.count()).select_from(Order)) > 5  # type: ignore[operator]
        found = session.scalar(select(func.count(func.distinct(SearchTerm.elder_id))))
        assert found == 40
        assert all(value.startswith("+86110") for value in session.scalars(select(PhoneNumber.value)))


def test_it_is_refused_where_anybody_is_registered(database: Engine) -> None:
    first = CliRunner().invoke(app, ["seed", "--elders", "3", "--calls", "5"])
    assert first.exit_code == 0, first.output
    again = CliRunner().invoke(app, ["seed", "--elders", "3"])
    assert again.exit_code == 1
    with read() as session:
        assert session.scalar(select(func.count()).select_from(Elder)) == 3
