"""Users and their roles, as an administrator changes them; links that choose a password."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from agents import second_factor
from agents.accounts import (
    NAME_MAX,
    NAME_MIN,
    NO_PASSWORD,
    change_password,
    clean_name,
    end_sessions,
    has_password,
    record,
)
from agents.changing import By, Kind, Refused, Values, one_at_a_time
from models import dialects
from models.presence import AgentPresence, AgentSkill
from models.users import PasswordLink, Role, User
from models.vocabulary import LANGUAGES

# Chosen within a day, or asked for again.
LINK_LASTS = timedelta(hours=24)


@dataclass(frozen=True)
class UserLine:
    """One user as the list has her. `state`: how her telephone stands; language, and dialect's code, to penalty."""

    key: str
    public_id: str
    name: str
    role: str
    language: str
    disabled_at: datetime | None
    waits: bool  # no password has been chosen yet
    second_factor: bool
    state: str
    reason: str
    skills: Mapping[str, int]
    dialects: Mapping[str, int]


def user_lines(session: Session) -> list[UserLine]:
    """Return all users, those who may log in first."""
    stands = {row.user_id: (str(row.state), row.reason or "") for row in session.scalars(select(AgentPresence))}
    skills: dict[int, dict[str, int]] = {}
    for row in session.scalars(select(AgentSkill)):
        skills.setdefault(row.user_id, {})[row.language] = row.penalty
    spoken = dialects.spoken(session)
    return [
        UserLine(
            str(user.id), user.public_id, user.name, user.role, user.language, user.disabled_at, not has_password(user),
            second_factor.is_on(user), *stands.get(user.id, ("offline", "")), skills.get(user.id, {}),
            {code: penalty for (_, code), penalty in spoken.get(user.id, {}).items()},
        )
        for user in session.scalars(select(User).order_by(User.disabled_at.is_not(None), User.name))
    ]  # fmt: skip


def user_at(session: Session, public_id: str) -> User:
    """Return the user of this public id.

    Raises:
        KeyError: there is none.
    """
    user = session.scalar(select(User).where(User.public_id == public_id))
    if user is None:
        raise KeyError(public_id)
    return user


def user_values(form: Mapping[str, str]) -> Values:
    """Return what a form says of a user.

    Raises:
        Refused: with the fields that are wrong.
    """
    name = clean_name(form.get("name", ""))
    problems = {}
    if not NAME_MIN <= len(name) <= NAME_MAX:
        problems["name"] = "length"
    elif any(unicodedata.category(character).startswith("C") for character in name):
        problems["name"] = "bad"
    if form.get("role") not in {role.value for role in Role}:
        problems["role"] = "bad"
    if form.get("language") not in LANGUAGES:
        problems["language"] = "bad"
    if problems:
        raise Refused(problems)
    return {"name": name, "role": form["role"], "language": form["language"], "may_log_in": form.get("on") != "no"}


def _read_user(session: Session, key: str) -> Values | None:
    user = session.get(User, int(key))
    if user is None:
        return None
    return {"name": user.name, "role": user.role, "language": user.language, "may_log_in": user.disabled_at is None}


def _write_user(session: Session, key: str | None, values: Values | None, now: datetime) -> str:
    if values is None:
        raise Refused({"": "kept"})
    others = select(User.id).where(User.name == values["name"])
    if session.scalar(others.where(User.id != int(key)) if key else others) is not None:
        raise Refused({"name": "taken"})
    user = session.get_one(User, int(key)) if key else User(password_hash=NO_PASSWORD, created_at=now)
    session.add(user)
    user.name, user.role = values["name"], Role(values["role"]).value
    user.language = values["language"]
    if values["may_log_in"]:
        user.disabled_at = None
    elif user.disabled_at is None:
        user.disabled_at = now
        end_sessions(user)
    session.flush()
    _somebody_stays(session)
    return str(user.id)


def _somebody_stays(session: Session) -> None:
    """Refuse to leave the house without an administrator who can log in.

    Raises:
        Refused: "": last_admin.
    """
    able = (User.role == Role.ADMIN, User.disabled_at.is_(None), User.password_hash != NO_PASSWORD)
    if not session.scalar(select(func.count()).select_from(User).where(*able)):
        raise Refused({"": "last_admin"})


USER = Kind("user", _read_user, _write_user)


# Passwords: nobody but their user ever knows one.


def issue_link(session: Session, user: User, by: By) -> str:
    """Return what a new link for `user` carries; shown this once. Password and sessions so far, and older links, end.

    Raises:
        Refused: "": yourself (one's own password is changed under "My account").
    """
    if by.user is not None and by.user.id == user.id:
        raise Refused({"": "yourself"})
    one_at_a_time(session)
    secret = secrets.token_urlsafe(24)
    user.password_hash = NO_PASSWORD
    end_sessions(user)
    _void_links(session, user, by.now)
    session.add(PasswordLink(user_id=user.id, digest=_digest(secret), expires_at=by.now + LINK_LASTS))
    session.flush()
    _somebody_stays(session)
    record(session, by.user, "password_link", ("user", user.id), by.now)
    return secret


def invited(session: Session, secret: str, now: datetime) -> User:
    """Return whose link this is.

    Raises:
        KeyError: it was never given out, is used up, too old, or its user is locked out.
    """
    open_links = PasswordLink.used_at.is_(None), PasswordLink.expires_at > now, User.disabled_at.is_(None)
    query = select(User).join(PasswordLink, PasswordLink.user_id == User.id)
    user = session.scalar(query.where(PasswordLink.digest == _digest(secret), *open_links))
    if user is None:
        raise KeyError("link")
    return user


def redeem(session: Session, secret: str, password: str, now: datetime) -> User:
    """Give the link's user this password; the link is used up.

    Raises:
        KeyError: as `invited`.
        accounts.PasswordRefused: the password breaks a rule; the link stays good.
    """
    user = invited(session, secret, now)
    change_password(session, user, password, now)
    _void_links(session, user, now)
    return user


def _void_links(session: Session, user: User, now: datetime) -> None:
    mine = PasswordLink.user_id == user.id, PasswordLink.used_at.is_(None)
    session.execute(update(PasswordLink).where(*mine).values(used_at=now))


def _digest(secret: str) -> str:
    # 192 random bits need no slow hash.
    return hashlib.sha256(secret.encode()).hexdigest()
