"""Accounts: rules for passwords, who is let in, what the audit says."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from agents import accounts
from agents.accounts import AccountError, PasswordRefused
from models import session
from models.users import AuditEvent, Role, User
from tests.web.world import PASSWORD, World


def actions() -> list[tuple[str, int | None, int | None]]:
    """The audit so far: action, who, about whom."""
    with session.read() as db:
        rows = db.execute(select(AuditEvent.action, AuditEvent.user_id, AuditEvent.subject_id).order_by(AuditEvent.id))
        return [(action, user_id, subject_id) for action, user_id, subject_id in rows]


def test_a_password_is_kept_only_as_an_argon2_hash(world: World) -> None:
    user = world.user("小陈")
    assert user.password_hash.startswith("$argon2id$")
    assert PASSWORD not in user.password_hash


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("short", "at least 12"),
        ("elevenchars", "at least 12"),
        ("x" * 129, "at most 128"),
        ("ababababababab", "different characters"),
        ("my-name-is-Chen-Wei", "user's name"),
        ("", "at least 12"),
    ],
)
def test_a_weak_password_is_refused_and_the_rule_is_named(world: World, password: str, rule: str) -> None:
    with pytest.raises(PasswordRefused, match=rule), world.rows() as db:
        accounts.create_user(db, "chen-wei", password, "agent", world.now)


@pytest.mark.parametrize(
    ("name", "role", "said"),
    [
        ("x", "agent", "2 to 64"),
        ("x" * 65, "agent", "2 to 64"),
        ("a\u200bb", "agent", "cannot be seen"),
        ("chen", "boss", "role is one of"),
        ("小陈", "agent", "already a user"),
        (" 小陈 ", "agent", "already a user"),
    ],
)
def test_a_bad_name_or_role_is_refused_and_nothing_is_written(world: World, name: str, role: str, said: str) -> None:
    world.user("小陈")
    with pytest.raises(AccountError, match=said), world.rows() as db:
        accounts.create_user(db, name, PASSWORD, role, world.now)
    with session.read() as db:
        assert len(db.scalars(select(User)).all()) == 1


def test_the_right_password_opens_and_everything_else_does_not(world: World) -> None:
    user = world.user("小陈")
    with world.rows() as db:
        found = accounts.verify(db, " 小陈 ", PASSWORD, world.now)
        assert found is not None
        assert found.id == user.id
        assert accounts.verify(db, "小陈", PASSWORD + "x", world.now) is None
        assert accounts.verify(db, "小陈", "", world.now) is None
        assert accounts.verify(db, "小陈", "y" * 100_000, world.now) is None
        assert accounts.verify(db, "nobody", PASSWORD, world.now) is None
        assert accounts.verify(db, "' OR 1=1 --", PASSWORD, world.now) is None
    failed = ("login_failed", None, user.id)
    nobody = ("login_failed", None, None)
    assert actions() == [
        ("user_created", user.id, user.id),
        ("login", user.id, user.id),
        failed,
        failed,
        failed,
        nobody,
        nobody,
    ]


def test_an_unknown_name_is_hashed_too_so_that_the_clock_tells_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    real = accounts._HASHER

    class Counting:
        def verify(self, password_hash: str, password: str) -> bool:
            checked.append(password_hash)
            return bool(real.verify(password_hash, password))

    accounts._nobodys_hash()
    monkeypatch.setattr(accounts, "_HASHER", Counting())
    with world.rows() as db:
        assert accounts.verify(db, "nobody", PASSWORD, world.now) is None
    assert len(checked) == 1


def test_a_disabled_user_is_out_everywhere(world: World) -> None:
    admin, user = world.user("admin", "admin"), world.user("小陈")
    with world.rows() as db:
        row = db.get_one(User, user.id)
        accounts.disable(db, row, db.get_one(User, admin.id), world.now)
        accounts.disable(db, row, db.get_one(User, admin.id), world.now)
        assert row.session_version == 1
        assert accounts.verify(db, "小陈", PASSWORD, world.now) is None
    assert actions().count(("user_disabled", admin.id, user.id)) == 1


def test_a_new_password_ends_old_sessions(world: World) -> None:
    user = world.user("小陈")
    with world.rows() as db:
        row = db.get_one(User, user.id)
        accounts.change_password(db, row, "another fine password", world.now)
        assert row.session_version == 1
        assert accounts.verify(db, "小陈", PASSWORD, world.now) is None
        assert accounts.verify(db, "小陈", "another fine password", world.now) is not None


def test_each_role_includes_the_ones_before_it(world: World) -> None:
    supervisor = world.user("班长", "supervisor")
    assert [accounts.may(supervisor, role) for role in Role] == [True, True, False]
