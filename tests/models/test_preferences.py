"""Her way of using it: the newest value that was not undone; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from models import register
from models.people import Elder
from models.phone import normalise
from models.preferences import Because, Origin, Preferences, Setting, history, preferences, put, undo
from models.register import NewElder
from models.session import write

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
AGENT, LEARNT = Because(Origin.AGENT), Because(Origin.LEARNT, why="two_timeouts", call_ids=(4, 7))


@pytest.fixture(params=["database", "postgres_database"])
def wang(request: pytest.FixtureRequest) -> int:
    _engine: Engine = request.getfixturevalue(request.param)
    with write() as session:
        return register.add_elder(session, NewElder("王秀英", [normalise("+8645110000001")]), NOW).id


def test_nobody_has_set_anything(wang: int) -> None:
    with write() as session:
        assert preferences(session, wang) == Preferences("normal", "normal", False)
        assert undo(session, wang, Setting.PACE, None, NOW) is None


def test_the_newest_value_holds_until_it_is_undone(wang: int) -> None:
    with write() as session:
        put(session, wang, (Setting.PACE, "slow"), LEARNT, NOW)
        put(session, wang, (Setting.VOLUME, "loud"), AGENT, NOW)
        put(session, wang, (Setting.PERSON_FIRST, "yes"), AGENT, NOW)
        put(session, wang, (Setting.PACE, "normal"), AGENT, NOW)
        assert preferences(session, wang) == Preferences("normal", "loud", True)
        undo(session, wang, Setting.PACE, None, NOW)
        assert preferences(session, wang).pace == "slow"
        undone = undo(session, wang, Setting.PACE, None, NOW)
        assert undone and undone.data["call_ids"] == [4, 7] and undone.undone_at == NOW
        assert preferences(session, wang).pace == "normal"
        rows = [(row.value, row.undone_at is None) for row in history(session, wang) if row.name == Setting.PACE]
        assert rows == [("normal", False), ("slow", False)], "what was undone is still told"


def test_the_same_again_by_the_same_is_no_second_row(wang: int) -> None:
    with write() as session:
        assert put(session, wang, (Setting.PACE, "slow"), LEARNT, NOW)
        assert put(session, wang, (Setting.PACE, "slow"), LEARNT, NOW) is None
        assert put(session, wang, (Setting.PACE, "slow"), AGENT, NOW), "an agent confirms it: that is hers now"


def test_the_language_is_the_persons_and_goes_back(wang: int) -> None:
    with write() as session:
        put(session, wang, (Setting.LANGUAGE, "ko"), AGENT, NOW)
        assert session.get_one(Elder, wang).person.language == "ko"
        put(session, wang, (Setting.LANGUAGE, "en"), Because(Origin.CALLER), NOW)
        undo(session, wang, Setting.LANGUAGE, None, NOW)
        assert session.get_one(Elder, wang).person.language == "ko"
        undo(session, wang, Setting.LANGUAGE, None, NOW)
        assert session.get_one(Elder, wang).person.language == "zh-CN"


@pytest.mark.parametrize("setting", [(Setting.PACE, "fast"), (Setting.LANGUAGE, "fr"), (Setting.PERSON_FIRST, "")])
def test_values_that_do_not_exist(wang: int, setting: tuple[Setting, str]) -> None:
    with write() as session, pytest.raises(ValueError, match="can be"):
        put(session, wang, setting, AGENT, NOW)
