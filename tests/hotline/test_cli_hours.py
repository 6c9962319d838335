"""`hotline hours`: what is typed is what is shown, and nonsense changes nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from hotline.commands import app


def hours(*args: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["hours", *args])
    return done.exit_code, done.output


def test_the_week_and_a_special_day(database: Engine) -> None:
    assert hours("show") == (0, "every day  00:00-24:00\n")
    hours("set", "mon-fri", "8:00-11:30,13:00-17:00")
    code, said = hours("day", "2099-02-06", "9:00-12:00", "--name", "除夕")
    assert code == 0 and said.count("08:00-11:30, 13:00-17:00") == 5
    assert "sat        closed" in said and "2099-02-06 09:00-12:00  除夕" in said
    hours("day", "2099-02-06", "usual")
    assert hours("always") == (0, "every day  00:00-24:00\n")


@pytest.mark.parametrize(
    "args",
    [
        ("set", "mon-fri", "17:00-8:00"),
        ("set", "mon-fri", "8-17"),
        ("set", "mon-fri", "25:00-26:00"),
        ("set", "monday", "8:00-9:00"),
        ("set", "", "closed"),
        ("day", "06.02.2099", "closed"),
        ("day", "2099-02-06", "8:00-9:00,10:00-11:00"),
    ],
)
def test_nonsense_changes_nothing(database: Engine, args: tuple[str, ...]) -> None:
    assert hours(*args)[0] == 2
    assert hours("show") == (0, "every day  00:00-24:00\n")
