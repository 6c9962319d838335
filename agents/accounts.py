"""Accounts of the console: making users, checking passwords, ending sessions. There is no default password."""

from __future__ import annotations

import threading
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.session import read
from models.users import AuditEvent, Role, User

NAME_MIN, NAME_MAX = 2, 64
PASSWORD_MIN, PASSWORD_MAX = 12, 128
# Fewer different characters than this is a key held down or a pattern of a child.
PASSWORD_DISTINCT = 5

# Stands where no password has been chosen yet: no password has this hash.
NO_PASSWORD = "!"  # noqa: S105 (it is none)

# Each hash takes 64 MiB for some 50 ms: a flood of log-ins must not take all memory at once.
_HASHING = threading.BoundedSemaphore(2)
_HASHER = PasswordHasher()


class AccountError(ValueError):
    """The account cannot be made or changed like this; the message says why, for a person to read."""


class PasswordRefused(AccountError):
    """The password breaks a rule; the message names the rule, never the password."""


def clean_name(name: str) -> str:
    """Return a user's name in the one form in which it is stored and looked up."""
    return unicodedata.normalize("NFKC", name).strip()


def check_password_rules(name: str, password: str) -> None:
    """Refuse a password that is too short, too long or too plain.

    Raises:
        PasswordRefused: with the rule that was broken.
    """
    if len(password) < PASSWORD_MIN:
        raise PasswordRefused(f"The password needs at least {PASSWORD_MIN} characters.")
    if len(password) > PASSWORD_MAX:
        raise PasswordRefused(f"The password may have at most {PASSWORD_MAX} characters.")
    if len(set(password)) < PASSWORD_DISTINCT:
        raise PasswordRefused(f"The password needs at least {PASSWORD_DISTINCT} different characters.")
    if len(name) >= 3 and name.casefold() in password.casefold():
        raise PasswordRefused("The password must not contain the user's name.")


def create_user(session: Session, name: str, password: str, role: str, now: datetime) -> User:
    """Create a console user and return it, with its id.

    Raises:
        AccountError: a bad or taken name, an unknown role, a refused password.
    """
    name = clean_name(name)
    if not NAME_MIN <= len(name) <= NAME_MAX:
        raise AccountError(f"The name needs {NAME_MIN} to {NAME_MAX} characters.")
    if any(unicodedata.category(character).startswith("C") for character in name):
        raise AccountError("The name has characters that cannot be seen.")
    if role not in {known.value for known in Role}:
        raise AccountError("The role is one of: " + ", ".join(known.value for known in Role) + ".")
    if session.scalar(select(User.id).where(User.name == name)) is not None:
        raise AccountError(f"There is already a user named {name}.")
    check_password_rules(name, password)
    user = User(name=name, password_hash=_hash(password), role=Role(role).value, created_at=now)
    session.add(user)
    session.flush()
    record(session, user, "user_created", ("user", user.id), now)
    return user


@dataclass(frozen=True)
class Proof:
    """Whether a password was somebody's. `renewed`: its hash by the present rule, where the kept one is by an older.

    `against`: the hash that it was compared with; another one by now, and the password was changed or reset meanwhile.
    """

    user_id: int | None
    fits: bool
    renewed: str | None = None
    against: str = ""


def prove(name: str, password: str) -> Proof:
    """Compare a name and a password with what is kept; writes nothing, and holds no transaction meanwhile.

    Hashing takes a tenth of a second on purpose, and two at once have their turn: in the transaction that writes
    the log-in it would hold the lock that callers' requests wait for, for seconds when fifty agents begin their day.

    An unknown name takes as long as a wrong password, so that names cannot be
    found out by the clock, and a disabled user looks like a wrong password.
    """
    with read() as session:
        user = session.scalar(select(User).where(User.name == clean_name(name)[:NAME_MAX]))
    known = user.password_hash if user is not None and has_password(user) else _nobodys_hash()
    fits = _matches(known, password)
    if user is None or not fits or user.disabled_at is not None or not has_password(user):
        return Proof(user.id if user else None, False)
    renewed = _hash(password) if _HASHER.check_needs_rehash(user.password_hash) else None
    return Proof(user.id, True, renewed, user.password_hash)


def verify(session: Session, proof: Proof, now: datetime) -> User | None:
    """Return the user whose password was proved, or None; both outcomes are audited.

    Where a second factor is asked for, it is no log-in yet (agents/second_factor.py).
    """
    user = session.get(User, proof.user_id) if proof.fits else None
    if user is None or user.disabled_at is not None or user.password_hash != proof.against:
        record(session, None, "login_failed", ("user", proof.user_id), now)
        return None
    if proof.renewed is not None:
        user.password_hash = proof.renewed
    record(session, user, "password_given" if user.totp_since else "login", ("user", user.id), now)
    return user


def is_password(user: User, password: str) -> bool:
    """Whether this is the password of `user`, asked again before something weighty."""
    return _matches(user.password_hash, password)


def has_password(user: User) -> bool:
    """Whether `user` has chosen a password; without one nobody logs in under this name."""
    return user.password_hash != NO_PASSWORD


def change_password(session: Session, user: User, password: str, now: datetime) -> None:
    """Give `user` a new password; sessions opened with the old one end.

    Raises:
        PasswordRefused: with the rule that was broken.
    """
    check_password_rules(user.name, password)
    user.password_hash = _hash(password)
    end_sessions(user)
    record(session, user, "password_changed", ("user", user.id), now)


def disable(session: Session, user: User, by: User | None, now: datetime) -> None:
    """Lock `user` out, at once and everywhere; safe to repeat."""
    if user.disabled_at is None:
        user.disabled_at = now
        end_sessions(user)
        record(session, by, "user_disabled", ("user", user.id), now)


def end_sessions(user: User) -> None:
    """End every session of `user`, on whatever computer: cookies carry the old version from now on."""
    user.session_version += 1


def may(user: User, needed: Role) -> bool:
    """Whether the user's role includes `needed`; each role includes the ones before it."""
    order = list(Role)
    return order.index(Role(user.role)) >= order.index(needed)


def record(session: Session, user: User | None, action: str, subject: tuple[str, int | None], now: datetime) -> None:
    """Write one line of the audit: who did what to what. Ids and codes only."""
    kind, subject_id = subject
    user_id = user.id if user else None
    session.add(AuditEvent(at=now, user_id=user_id, action=action, subject=kind, subject_id=subject_id, data={}))


def _hash(password: str) -> str:
    with _HASHING:
        return _HASHER.hash(password)


@cache
def _nobodys_hash() -> str:
    return _hash("a password that nobody has")


def _matches(password_hash: str, password: str) -> bool:
    # What cannot have been set as a password is not worth hashing.
    if len(password) > PASSWORD_MAX:
        return False
    with _HASHING:
        try:
            return _HASHER.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
