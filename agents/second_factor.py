"""The second factor of a log-in: a code of six digits from an app (TOTP, RFC 6238), and codes on paper for a lost one.

Optional, each user's own choice. The secret stands in the users' row: whoever reads the database
could log in anyway, and without the password it opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from agents.accounts import end_sessions, record
from models.users import RecoveryCode, User

ISSUER = "12349"
STEP_S = 30
# A clock on a desk may be half a minute off; RFC 6238 advises one step either way at most.
STEPS_OFF = 1
RECOVERY_CODES = 8


def is_on(user: User) -> bool:
    """Whether `user` has to give a code at the log-in."""
    return user.totp_since is not None


def begin(user: User) -> str:
    """Make a fresh secret for `user` and return its `otpauth://` address; nothing is asked until it is confirmed.

    Raises:
        ValueError: the second factor is on already.
    """
    if is_on(user):
        raise ValueError("the second factor is on already")
    user.totp_secret, user.totp_step = pyotp.random_base32(), None
    return address(user)


def address(user: User) -> str:
    """Return the `otpauth://` address that the app reads as a picture; empty without a secret."""
    if not user.totp_secret:
        return ""
    return str(pyotp.TOTP(user.totp_secret).provisioning_uri(name=user.name, issuer_name=ISSUER))


def confirm(session: Session, user: User, code: str, now: datetime) -> list[str] | None:
    """Switch the factor on if `code` is the app's; return the codes for paper, shown this once, or None."""
    if is_on(user) or not _fits_app(session, user, code, now):
        return None
    user.totp_since = now
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [secrets.token_hex(5) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user.id, digest=_digest(code)) for code in codes)
    record(session, user, "second_factor_on", ("user", user.id), now)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def check(session: Session, user: User, code: str, now: datetime) -> bool:
    """Whether `code` opens the log-in now: the app's or one from paper, each once; both outcomes are audited."""
    if _fits_app(session, user, code, now):
        return True
    if _from_paper(session, user, code, now):
        record(session, user, "recovery_code_used", ("user", user.id), now)
        return True
    record(session, None, "second_factor_failed", ("user", user.id), now)
    return False


def switch_off(session: Session, user: User, by: User | None, now: datetime) -> None:
    """Ask `user` for no code any more; sessions that are open elsewhere end. Safe to repeat."""
    if user.totp_secret is None and user.totp_since is None:
        return
    user.totp_secret = user.totp_since = user.totp_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    end_sessions(user)
    record(session, by, "second_factor_off", ("user", user.id), now)


def codes_left(session: Session, user: User) -> int:
    """Return how many codes on paper are unused."""
    unused = select(RecoveryCode.id).where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    return len(session.scalars(unused).all())


def _fits_app(session: Session, user: User, code: str, now: datetime) -> bool:
    code = "".join(code.split())
    if not user.totp_secret or len(code) != 6:
        return False
    totp, present = pyotp.TOTP(user.totp_secret), int(now.timestamp()) // STEP_S
    # All are compared, so that the clock does not tell which one fitted.
    fitting = [
        step
        for step in range(present - STEPS_OFF, present + STEPS_OFF + 1)
        if hmac.compare_digest(totp.generate_otp(step), code)
    ]
    if not fitting:
        return False
    # A code that somebody has read over a shoulder opens nothing: the row takes each step once, and only forwards.
    fresh = (User.totp_step.is_(None)) | (User.totp_step < fitting[-1])
    taken = session.execute(
        update(User).where(User.id == user.id, fresh).values(totp_step=fitting[-1]).returning(User.id)
    ).first()
    return taken is not None


def _from_paper(session: Session, user: User, code: str, now: datetime) -> bool:
    digest = _digest(code)
    unused = (RecoveryCode.user_id == user.id, RecoveryCode.digest == digest, RecoveryCode.used_at.is_(None))
    used = session.execute(update(RecoveryCode).where(*unused).values(used_at=now).returning(RecoveryCode.id)).first()
    return used is not None


def _digest(code: str) -> str:
    # Forty random bits need no slow hash: five guesses in five minutes are allowed.
    plain = "".join(character for character in code.casefold() if character.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
