"""Accounts: rules for passwords, who is let in, what the audit says."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from agents import accounts
from agents.accounts import AccountError, PasswordRefused
from models import session
from models.users import AuditEvent, Role, User
from tests.web.world import PASSWORD, World
from web.app import create_app


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


def logs_in(world: World, name: str, password: str) -> User | None:
    """As the log-in page does: the proof first, then the transaction that writes what became of it."""
    proof = accounts.prove(name, password)
    with world.rows() as db:
        return accounts.verify(db, proof, world.now)


def test_the_right_password_opens_and_everything_else_does_not(world: World) -> None:
    user = world.user("小陈")
    found = logs_in(world, " 小陈 ", PASSWORD)
    assert found is not None
    assert found.id == user.id
    assert logs_in(world, "小陈", PASSWORD + "x") is None
    assert logs_in(world, "小陈", "") is None
    assert logs_in(world, "小陈", "y" * 100_000) is None
    assert logs_in(world, "nobody", PASSWORD) is None
    assert logs_in(world, "' OR 1=1 --", PASSWORD) is None
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
    assert logs_in(world, "nobody", PASSWORD) is None
    assert len(checked) == 1


def test_a_password_is_hashed_while_others_may_write(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller's request must not wait for the log-ins of fifty agents."""
    world.user("小陈")
    real, written = accounts._HASHER, []

    class Slow:
        check_needs_rehash = staticmethod(real.check_needs_rehash)

        def verify(self, password_hash: str, password: str) -> bool:
            world.elder("王桂兰")
            written.append(1)
            return bool(real.verify(password_hash, password))

    monkeypatch.setattr(accounts, "_HASHER", Slow())
    app = create_app()
    app.config["WTF_CSRF_ENABLED"] = False
    assert app.test_client().post("/login", data={"name": "小陈", "password": PASSWORD}).status_code == 303
    assert written == [1]


def test_who_is_locked_out_between_the_proof_and_the_log_in_stays_out(world: World) -> None:
    user = world.user("小陈")
    proof = accounts.prove("小陈", PASSWORD)
    with world.rows() as db:
        accounts.disable(db, db.get_one(User, user.id), None, world.now)
    with world.rows() as db:
        assert proof.fits and accounts.verify(db, proof, world.now) is None


def test_a_disabled_user_is_out_everywhere(world: World) -> None:
    admin, user = world.user("admin", "admin"), world.user("小陈")
    with world.rows() as db:
        row = db.get_one(User, user.id)
        accounts.disable(db, row, db.get_one(User, admin.id), world.now)
        accounts.disable(db, row, db.get_one(User, admin.id), world.now)
        assert row.session_version == 1
    assert logs_in(world, "小陈", PASSWORD) is None
    assert actions().count(("user_disabled", admin.id, user.id)) == 1


def test_a_new_password_ends_old_sessions(world: World) -> None:
    user = world.user("小陈")
    with world.rows() as db:
        row = db.get_one(User, user.id)
        accounts.change_password(db, row, "another fine password", world.now)
        assert row.session_version == 1
    assert logs_in(world, "小陈", PASSWORD) is None
    assert logs_in(world, "小陈", "another fine password") is not None


def test_each_role_includes_the_ones_before_it(world: World) -> None:
    supervisor = world.user("班长", "supervisor")
    assert [accounts.may(supervisor, role) for role in Role] == [True, True, False]
