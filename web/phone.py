"""The telephone in the page: its account, presence, and what an agent does with a call. JSON in, JSON out.

The browser only ever receives calls. Whatever else happens to one is asked for
here, where it is known who may do it; `dispatch` then moves the channels.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, jsonify, request
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from agents import presence
from agents.presence import PresenceRefused, PresenceView
from models import clock
from models.session import read, write
from models.settings import Settings
from models.users import Role, User
from web import i18n
from web.access import allow, deadline, must_be_me, user_row
from web.config import ConsoleSettings

# Asterisk knows a new account within some tenths of a second (dispatch/mirror.py); after this it is away (s).
LIVE_WITHIN_S = 3.0
_LOOK_S = 0.03

Answer = Response | tuple[Response, int]


def init_app(app: Flask, settings: Settings, console: ConsoleSettings) -> None:
    """Register the telephone's routes."""
    routes = Blueprint("phone", __name__, url_prefix="/phone")
    app.jinja_env.globals.update(phone_words=words, phone_start=_start, phone_reasons=_reasons)

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
            return refusal("away", 503)
        return jsonify(
            user=account.user,
            realm=account.realm,
            password=account.password,
            server=server(settings, console),
            renew_s=max(30.0, (account.expires_at - now).total_seconds() * 2 / 3),
        )

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
    """More time for the wrap-up."""
    return do(presence.extend)


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
    return jsonify(error=code, text=_refusals().get(code, _refusals()["illegal"])), status


def _wait_live(user_id: int, serial: int) -> bool:
    until = time.monotonic() + LIVE_WITHIN_S
    while time.monotonic() < until:
        with read() as db:
            if presence.is_live(db, user_id, serial):
                return True
        time.sleep(_LOOK_S)
    return False


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


def _refusals() -> dict[str, str]:
    return {
        "away": _("The telephone exchange does not answer. It is tried again."),
        "no_line": _("Your telephone is not connected yet."),
        "reason": _("There is no such reason."),
        "not_in_wrap_up": _("There is nothing to be wrapped up."),
        "illegal": _("That is not possible just now."),
    }


def words() -> dict[str, str]:
    """Return the sentences that the script says by itself."""
    return {
        "offline": _("Offline"),
        "ready": _("Ready"),
        "pause": _("Pause"),
        "ringing": _("Ringing"),
        "talking": _("In a call"),
        "wrap_up": _("Wrap-up"),
        "missed": _("Call missed"),
        "lost": _("Connection lost"),
        "connecting": _("The telephone is being connected …"),
        "connected": _("Telephone connected"),
        "away": _("The telephone exchange does not answer. It is tried again."),
        "elsewhere": _("Your telephone is open in another tab."),
        "taken": _("Another tab has taken over the telephone."),
        "no_microphone": _("The microphone is not allowed."),
        "no_device": _("No microphone was found. Plug in the headset."),
        "busy_device": _("Another program uses the microphone. Close it and try again."),
        "insecure": _("A microphone works only over HTTPS or on this computer."),
        "hold": _("On hold"),
        "muted": _("Microphone off"),
        "dialing": _("Dialling …"),
        "leaving": _("You are in a call. Leave all the same?"),
        "ended_caller": _("The caller has hung up."),
        "ended_done": _("Call ended."),
        "ended_lost": _("The call was cut off. The caller is put through again."),
        "ended_missed": _("You did not answer; the call goes to somebody else."),
        "ended_rejected": _("Rejected; the call goes to somebody else."),
        "ended_transferred": _("Transferred."),
        "after": _("After this call: {0}"),
        "unknown_caller": _("Incoming call"),
        "good": _("Good line"),
        "fair": _("The line is fair"),
        "poor": _("The line is bad"),
        "quality": _("loss {0} %, jitter {1} ms, delay {2} ms"),
        "seconds": _("{0} s"),
    }
