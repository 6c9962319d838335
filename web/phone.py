"""The telephone in the page: its account, presence, and what an agent does with a call. JSON in, JSON out.

The browser only ever receives calls. Whatever else happens to one is asked for
here, where it is known who may do it; `dispatch` then moves the channels.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, jsonify, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from agents import presence, telephony
from agents.presence import PresenceRefused, PresenceView
from agents.telephony import Target, Whom
from models import clock
from models.presence import CallAsk
from models.session import read, write
from models.settings import Settings
from models.users import Role, User
from web import i18n, phone_words
from web.access import BY_ITSELF, allow, deadline, must_be_me, role_includes, user_row
from web.config import ConsoleSettings
from web.words import language_name

# Asterisk knows a new account within some tenths of a second (dispatch/mirror.py); after this it is away (s).
LIVE_WITHIN_S = 3.0
_LOOK_S = 0.03

Found = TypeVar("Found")
Answer = Response | tuple[Response, int]


def init_app(app: Flask, settings: Settings, console: ConsoleSettings) -> None:
    """Register the telephone's routes."""
    routes = Blueprint("phone", __name__, url_prefix="/phone")
    app.jinja_env.globals.update(
        phone_words=phone_words.said_by_script,
        phone_start=_start,
        phone_reasons=_reasons,
        may_outside=lambda: role_includes(settings.outside_role),
    )

    @routes.get("/state")
    @allow(Role.AGENT)
    def state() -> Response:
        """How she stands."""
        with read() as db:
            return jsonify(as_json(presence.view(db, must_be_me().id)))

    @routes.post("/line")
    @allow(Role.AGENT)
    def line() -> Answer:
        """Give this browser a SIP account; it works when the answer is there."""
        now = clock.now()
        until = datetime.fromtimestamp(deadline(console), UTC)
        with write() as db:
            account = presence.issue_account(db, user_row(db), until, now)
        if not _wait_live(must_be_me().id, account.serial):
            # No fault of the request: the page goes on asking, and its log is not to fill with failures.
            # Its number has gone up all the same: the page is not to take it for another computer's.
            return jsonify(error="away", text=phone_words.refusals()["away"], serial=account.serial)
        return jsonify(
            user=account.user,
            realm=account.realm,
            password=account.password,
            serial=account.serial,
            server=server(settings, console),
            renew_s=max(5.0, (account.expires_at - now).total_seconds() * 2 / 3),
        )

    @routes.get("/targets")
    @allow(Role.AGENT)
    def targets() -> Response:
        """Whom a call can be given to."""
        with read() as db:
            found = telephony.targets(db, must_be_me().id)
        return jsonify([{"value": f"{one.kind}:{one.id}", "name": _name(one), "free": one.free} for one in found])

    routes.add_url_rule("/dial", "dial", dial, methods=["POST"])
    routes.add_url_rule("/pass", "pass_on", pass_on, methods=["POST"])
    routes.add_url_rule("/then", "then", then, methods=["POST"])
    routes.add_url_rule("/presence", "choose", choose, methods=["POST"])
    routes.add_url_rule("/extend", "extend", extend, methods=["POST"])
    app.register_blueprint(routes)


@allow(Role.AGENT)
def choose() -> Answer:
    """Ready, pause, offline."""
    wish = wanted()
    return do(lambda db, user, now: presence.choose(db, user, (text(wish, "state"), text(wish, "reason") or None), now))


@allow(Role.AGENT)
def extend() -> Answer:
    """More time for the wrap-up; the page says when it asks by itself."""
    by_itself = BY_ITSELF in request.args
    return do(lambda db, user, now: presence.extend(db, user, now, by_itself))


@allow(Role.AGENT)
def dial() -> Answer:
    """Ring her, and then whom she wants."""
    wish = wanted()
    whom = Whom(*(text(wish, name) for name in ("task", "call", "number", "visit", "elder")))
    return asked(lambda db, user, now: telephony.dial(db, user, whom, now))


@allow(Role.AGENT)
def pass_on() -> Answer:
    """Transfer, or ask somebody in."""
    wish = wanted()
    how = (text(wish, "deed"), text(wish, "kind"), text(wish, "target"))
    return asked(lambda db, user, now: telephony.pass_on(db, user, how, now))


@allow(Role.AGENT)
def then() -> Answer:
    """All together, hand over, or back to the caller."""
    deed = text(wanted(), "deed")
    return asked(lambda db, user, now: telephony.then(db, user, deed, now))


def asked(deed: Callable[[Session, User, datetime], CallAsk]) -> Answer:
    """Ask dispatch for something, and answer what has become of it."""
    try:
        with write() as db:
            ask_id = deed(db, user_row(db), clock.now()).id
    except PresenceRefused as error:
        return refusal(error.code, 409)
    outcome = _wait(lambda db: telephony.outcome(db, ask_id))
    if outcome != "done":
        return refusal(outcome or "away", 503)
    with read() as db:
        return jsonify(as_json(presence.view(db, must_be_me().id)))


def _name(target: Target) -> str:
    return language_name(target.id) if target.kind == "queue" else target.name


def wanted() -> dict[str, Any]:
    """Return the request's JSON object; anything else is an empty one."""
    found = request.get_json(silent=True)
    return found if isinstance(found, dict) else {}


def text(wish: dict[str, Any], name: str) -> str:
    """Return a text of the request, empty if it is none."""
    value = wish.get(name)
    return value[:64] if isinstance(value, str) else ""


def do(deed: Callable[[Session, User, datetime], object]) -> Answer:
    """Do it in a transaction; answer how she stands now, or why not."""
    try:
        with write() as db:
            deed(db, user_row(db), clock.now())
    except PresenceRefused as error:
        return refusal(error.code, 409)
    with read() as db:
        return jsonify(as_json(presence.view(db, must_be_me().id)))


def refusal(code: str, status: int) -> tuple[Response, int]:
    """Answer why not, for the script and for her."""
    return jsonify(error=code, text=phone_words.refusals().get(code, phone_words.refusals()["illegal"])), status


def _wait_live(user_id: int, serial: int) -> bool:
    return _wait(lambda db: presence.is_live(db, user_id, serial) or None) is True


def _wait(look: Callable[[Session], Found | None]) -> Found | None:
    """Look at the rows until there is something; None: Asterisk, or dispatch, is away."""
    until = time.monotonic() + LIVE_WITHIN_S
    while time.monotonic() < until:
        with read() as db:
            found = look(db)
        if found is not None:
            return found
        time.sleep(_LOOK_S)
    return None


def server(settings: Settings, console: ConsoleSettings) -> str:
    """Return where the browser reaches Asterisk: behind the same proxy as the console, or on this machine."""
    if console.phone_url:
        return console.phone_url
    host = urlsplit(f"//{request.host}")
    if console.https or request.is_secure:
        return f"wss://{host.netloc}/ws"
    return f"ws://{host.hostname}:{settings.asterisk_http_port}/ws"


def as_json(view: PresenceView) -> dict[str, Any]:
    """Return how somebody stands, for the script."""
    return {
        "state": view.state,
        "reason": view.reason,
        "since": view.since and view.since.isoformat(),
        "until": view.until and view.until.isoformat(),
        "following": view.following,
        "call": view.call,
        "direction": view.direction,
        "language": view.language,
        "task": view.task,
        "registered": view.registered,
        "serial": view.serial,
        "watched": view.watched,
        "watching": view.watching,
        "whom": view.whom,
        "now": clock.now().isoformat(),
    }


def _start() -> dict[str, Any]:
    """Return what the bar is drawn from on the first load; an error page is drawn without the database."""
    try:
        with read() as db:
            return as_json(presence.view(db, must_be_me().id))
    except SQLAlchemyError:
        return as_json(PresenceView())


def _reasons() -> list[tuple[str, str]]:
    try:
        with read() as db:
            return presence.reasons(db, i18n.language())
    except SQLAlchemyError:
        return []
