"""Who may see what. Every view says so; a view that says nothing is seen by nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from flask import Flask, Response, abort, g, redirect, request, session, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from werkzeug.wrappers import Response as BaseResponse

from agents import accounts
from models import clock
from models.presence import ENGAGED, AgentPresence, Presence
from models.session import read, write
from models.users import Role, User
from web.config import ConsoleSettings

View = TypeVar("View", bound=Callable[..., Any])

EVERYBODY = "everybody"
# A page asks ahead for what may have to be shown there (static/ahead.js).
AHEAD = "Hotline-Ahead"
# In the address of what a page asks for by itself.
BY_ITSELF = "by_itself"
# Moving this mark with every request would send a cookie with every answer.
SEEN_STEP_S = 60


@dataclass(frozen=True)
class Me:
    """The user who is logged in, as far as pages need to know."""

    id: int
    public_id: str
    name: str
    role: Role
    language: str
    session_version: int
    shortcuts: Mapping[str, str]


def allow(role: Role) -> Callable[[View], View]:
    """Declare that a view needs `role`, or one that includes it."""

    def declare(view: View) -> View:
        view.access = role  # type: ignore[attr-defined]
        return view

    return declare


def open_to_everybody(view: View) -> View:
    """Declare that a view needs no log-in."""
    view.access = EVERYBODY  # type: ignore[attr-defined]
    return view


def access_of(app: Flask, endpoint: str) -> Role | str | None:
    """Return what the view of `endpoint` declares; None means that nobody may see it."""
    if endpoint == "static":
        return EVERYBODY
    return getattr(app.view_functions.get(endpoint), "access", None)


def open_session(user: User, now: datetime) -> None:
    """Begin a session for `user`. What the browser brought along is thrown away first."""
    session.clear()
    session.update(
        user=user.public_id,
        version=user.session_version,
        language=user.language,
        since=now.timestamp(),
        seen=now.timestamp(),
    )


def me() -> Me | None:
    """Return who is logged in."""
    return cast("Me | None", g.get("me"))


def must_be_me() -> Me:
    """Return who is logged in, in a view that needs a log-in."""
    found = me()
    if found is None:
        abort(401)
    return found


def user_row(db: DbSession) -> User:
    """Return the logged-in user's row in `db`."""
    user = db.get(User, must_be_me().id)
    if user is None:
        abort(401)
    return user


def audited(action: str, subject: tuple[str, int | None], now: datetime) -> None:
    """Write that the logged-in user reads this, before it is shown. What costs time was read before: callers wait."""
    with write() as db:
        accounts.record(db, user_row(db), action, subject, now)


def still_valid(who: Me) -> bool:
    """Whether the session of `who` has not been ended from elsewhere; asked while a stream is open."""
    with read() as db:
        return _find(db, who.public_id, who.session_version) is not None


def deadline(console: ConsoleSettings) -> float:
    """Return when this session ends if nobody touches it, as a timestamp."""
    return min(
        float(session.get("seen", 0)) + console.idle_s,
        float(session.get("since", 0)) + console.session_s,
    )


def init_app(app: Flask, console: ConsoleSettings) -> None:
    """Put the guard before every request."""

    @app.before_request
    def _guard() -> BaseResponse | None:
        endpoint = request.endpoint
        if endpoint == "static":
            return None
        if endpoint is None:
            # No such page; the page that says so still shows who is logged in.
            g.me = _load(console)
            return None
        needs = access_of(app, endpoint)
        if needs is None:
            abort(403)
        # The health check must answer when the database does not.
        if not endpoint.startswith("health.") and endpoint != "metrics.metrics":
            g.me = _load(console)
        if needs == EVERYBODY:
            return None
        who = me()
        if who is None:
            return _to_login()
        if not _includes(who.role, cast("Role", needs)):
            abort(403)
        return None

    @app.context_processor
    def _context() -> dict[str, object]:
        return {"me": me(), "role_includes": role_includes}


def role_includes(needed: str) -> bool:
    """Return whether whoever is logged in has the role `needed`, or one that includes it."""
    who = me()
    return who is not None and _includes(who.role, Role(needed))


def _includes(role: Role, needed: Role) -> bool:
    order = list(Role)
    return order.index(role) >= order.index(needed)


def _load(console: ConsoleSettings) -> Me | None:
    public_id, version = session.get("user"), session.get("version")
    if public_id is None:
        return None
    now = clock.now().timestamp()
    with read() as db:
        found = _find(db, public_id, version) if now < deadline(console) else None
    if found is None:
        language = session.get("language")
        session.clear()
        session["language"], session["ended"] = language, True
        return None
    # An open page is not a person at the keyboard: what it fetches by itself does not keep a session alive.
    by_itself = (
        request.endpoint in ("board.events", "desk_tasks.lock", "care_runs.keep", "phone.line")
        or "watch" in request.args
        or BY_ITSELF in request.args
        or AHEAD in request.headers
    )
    if now - session["seen"] > SEEN_STEP_S and (not by_itself or _on_duty(found)):
        session["seen"] = now
    return found


def _on_duty(who: Me) -> bool:
    """Whether her telephone is renewed while she has a call, or is ready for one.

    A long call is work without a hand on the keys. Who is ready has said that she is there, and the first ring that
    she does not hear pauses her: callers of a quiet night are not to find nobody because she has touched nothing.
    """
    if request.endpoint != "phone.line":
        return False
    duty = AgentPresence.state.in_((Presence.READY, *ENGAGED))
    with read() as db:
        return db.scalar(select(AgentPresence.id).where(AgentPresence.user_id == who.id, duty)) is not None


def _find(db: DbSession, public_id: str, version: int | None) -> Me | None:
    user = db.scalar(select(User).where(User.public_id == public_id))
    if user is None or user.disabled_at is not None or user.session_version != version:
        return None
    return Me(user.id, user.public_id, user.name, Role(user.role), user.language, user.session_version, user.shortcuts)


def _to_login() -> BaseResponse:
    if request.headers.get("HX-Request"):
        # The answer goes into a part of a page: the page itself must go to the log-in.
        return Response(status=401, headers={"HX-Redirect": url_for("login.form")})
    if request.method != "GET" or request.endpoint in ("board.events", "login.alive"):
        return Response(status=401) if request.method == "GET" else redirect(url_for("login.form"), 303)
    wanted = request.full_path.rstrip("?")
    return redirect(url_for("login.form", next=wanted if wanted != "/" else None), 303)


def local_target(target: str | None) -> str:
    """Return `target` if it is a page of ours, else the board: a link must not lead out of the house."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or not target.isprintable():
        return "/"
    return target
