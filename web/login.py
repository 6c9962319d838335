"""Log-in, log-out, and the two preferences that work without a log-in: language and colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, g, make_response, redirect, render_template, request, session, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from agents import accounts, second_factor
from models import clock
from models.session import write
from models.users import Role, User
from web import i18n
from web.access import allow, local_target, me, must_be_me, open_session, open_to_everybody, user_row

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "theme"
YEAR_S = 365 * 24 * 3600

# Failed log-ins only. By name and address together, so that nobody can lock a colleague out from elsewhere;
# by address, against lists of names; by name alone, wide, against many addresses.
# The counters live in this process: there is one, and a restart forgives some minutes of guessing at most.
BY_NAME_AND_ADDRESS = "5 per 5 minutes"
BY_ADDRESS = "30 per 15 minutes"
BY_NAME = "60 per hour"
# Between the password and the code; a page left open longer starts again.
CODE_WITHIN_S = 300
CODE_MAX = 32


@dataclass(frozen=True)
class _Failure:
    """A log-in that was refused, for the form to show."""

    name: str


def _name() -> str:
    return accounts.clean_name(request.form.get("name", ""))[: accounts.NAME_MAX]


def init_app(app: Flask) -> None:
    """Register the log-in, its limits and the preferences."""
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", strategy="moving-window")
    routes = Blueprint("login", __name__)
    routes.add_url_rule("/login", "form", form)
    routes.add_url_rule("/login", "submit", _limited(limiter, submit, _name), methods=["POST"])
    routes.add_url_rule("/login/code", "code_form", code_form)
    routes.add_url_rule("/login/code", "code", _limited(limiter, code, _pending_name), methods=["POST"])
    routes.add_url_rule("/logout", "logout", logout, methods=["POST"])
    routes.add_url_rule("/session", "alive", alive)
    routes.add_url_rule("/preferences", "preferences", preferences, methods=["POST"])
    app.register_blueprint(routes)
    app.jinja_env.globals.update(theme=theme, themes=THEMES)


def _limited(limiter: Limiter, view: Callable[..., Any], whose: Callable[[], str]) -> Callable[..., Any]:
    """Return `view` with guessing stopped; `whose` names the account that is guessed at."""
    for limit, key in (
        (BY_NAME_AND_ADDRESS, lambda: f"{get_remote_address()}|{whose()}"),
        (BY_ADDRESS, get_remote_address),
        (BY_NAME, lambda: f"name|{whose()}"),
    ):
        view = limiter.limit(limit, key_func=key, deduct_when=_failed)(view)
    return view


def _pending_name() -> str:
    return f"code|{session.get('pending', '')}"


def _failed(response: BaseResponse) -> bool:
    return response.status_code == 401


@open_to_everybody
def form() -> str | BaseResponse:
    """Show the log-in page."""
    if me() is not None:
        return redirect(local_target(request.args.get("next")), 303)
    return render_template("login.html", failure=None, ended=session.pop("ended", False))


@open_to_everybody
def submit() -> BaseResponse | tuple[str, int]:
    """Check name and password; on success begin a fresh session."""
    now = clock.now()
    proof = accounts.prove(_name(), request.form.get("password", ""))
    with write() as db:
        user = accounts.verify(db, proof, now)
    if user is None:
        return render_template("login.html", failure=_Failure(_name()), ended=False), 401
    target = local_target(request.form.get("next"))
    if second_factor.is_on(user):
        language = session.get("language")
        session.clear()
        session.update(pending=user.public_id, pending_since=now.timestamp(), language=language)
        return redirect(url_for("login.code_form", next=target if target != "/" else None), 303)
    open_session(user, now)
    return redirect(target, 303)


@open_to_everybody
def code_form() -> str | BaseResponse:
    """Ask for the code of the second factor, after the password."""
    if _pending() is None:
        return redirect(url_for("login.form", next=request.args.get("next")), 303)
    return render_template("login_code.html", wrong=False)


@open_to_everybody
def code() -> BaseResponse | tuple[str, int]:
    """Check the code; on success begin a fresh session."""
    now, public_id = clock.now(), _pending()
    if public_id is None:
        return redirect(url_for("login.form", next=request.form.get("next")), 303)
    with write() as db:
        user = db.scalar(select(User).where(User.public_id == public_id, User.disabled_at.is_(None)))
        fits = user is not None and second_factor.check(db, user, request.form.get("code", "")[:CODE_MAX], now)
        if user is not None and fits:
            accounts.record(db, user, "login", ("user", user.id), now)
    if user is None or not fits:
        return render_template("login_code.html", wrong=True), 401
    open_session(user, now)
    return redirect(local_target(request.form.get("next")), 303)


def _pending() -> str | None:
    since = float(session.get("pending_since", 0))
    return session.get("pending") if clock.now().timestamp() - since < CODE_WITHIN_S else None


@allow(Role.AGENT)
def logout() -> BaseResponse:
    """End every session of this user.

    A cookie that was copied must not outlive the log-out, and the server keeps
    no list of single sessions: so all of them end, open streams included.
    """
    with write() as db:
        user = user_row(db)
        accounts.end_sessions(user)
        accounts.record(db, user, "logout", ("user", user.id), clock.now())
    language = i18n.language()
    session.clear()
    session["language"] = language
    g.me = None
    return redirect(url_for("login.form"), 303)


@allow(Role.AGENT)
def alive() -> tuple[str, int]:
    """Say that the session is open (204), and keep it open: the page asks while somebody works at it."""
    return "", 204


@open_to_everybody
def preferences() -> BaseResponse:
    """Keep the chosen language or colours, and go back to the page."""
    response = make_response(redirect(local_target(request.form.get("next")), 303))
    chosen = request.form.get("language")
    if chosen in i18n.LOCALES:
        _keep(response, i18n.COOKIE, chosen)
        session["language"] = chosen
        if me() is not None and must_be_me().language != chosen:
            with write() as db:
                user_row(db).language = chosen
    if request.form.get("theme") in THEMES:
        _keep(response, THEME_COOKIE, request.form["theme"])
    return response


def theme() -> str:
    """Return the chosen colours; `auto` follows the operating system."""
    chosen = request.cookies.get(THEME_COOKIE, "auto")
    return chosen if chosen in THEMES else "auto"


def _keep(response: BaseResponse, cookie: str, value: str) -> None:
    response.set_cookie(
        cookie, value, max_age=YEAR_S, httponly=True, samesite="Lax", secure=request.is_secure, path="/"
    )
