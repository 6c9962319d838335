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
from flask_babel import gettext as _
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
from web import i18n
from web.access import allow, deadline, must_be_me, user_row
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
            # No fault of the request: the page goes on asking, and its log is not to fill with failures.
            return jsonify(error="away", text=_refusals()["away"])
        return jsonify(
            user=account.user,
            realm=account.realm,
            password=account.password,
            serial=account.serial,
            server=server(settings, console),
            renew_s=max(30.0, (account.expires_at - now).total_seconds() * 2 / 3),
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
    """More time for the wrap-up."""
    return do(presence.extend)


@allow(Role.AGENT)
def dial() -> Answer:
    """Ring her, and then whom she wants."""
    wish = wanted()
    whom = Whom(*(text(wish, name) for name in ("task", "call", "number", "visit")))
    return _asked(lambda db, user, now: telephony.dial(db, user, whom, now))


@allow(Role.AGENT)
def pass_on() -> Answer:
    """Transfer, or ask somebody in."""
    wish = wanted()
    how = (text(wish, "deed"), text(wish, "kind"), text(wish, "target"))
    return _asked(lambda db, user, now: telephony.pass_on(db, user, how, now))


@allow(Role.AGENT)
def then() -> Answer:
    """All together, hand over, or back to the caller."""
    deed = text(wanted(), "deed")
    return _asked(lambda db, user, now: telephony.then(db, user, deed, now))


def _asked(deed: Callable[[Session, User, datetime], CallAsk]) -> Answer:
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
    return jsonify(error=code, text=_refusals().get(code, _refusals()["illegal"])), status


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
        "not_yours": _("Somebody else works on this visit now. Take the next one."),
        "away": _("The telephone exchange does not answer. It is tried again."),
        "no_line": _("Your telephone is not connected yet."),
        "reason": _("There is no such reason."),
        "not_in_wrap_up": _("There is nothing to be wrapped up."),
        "in_call": _("You are in a call already."),
        "no_call": _("There is no call."),
        "own_call": _("A call of your own cannot be passed on; ask the other side to wait and dial again."),
        "number": _("That is no telephone number."),
        "forbidden": _("This number may not be dialled from here."),
        "engaged": _("That line is engaged just now."),
        "full": _("All lines of the trunk are taken. Try again in a moment."),
        "nobody": _("Nobody is there, or has not answered yet."),
        "gone": _("The call has ended."),
        "refused": _("The telephone exchange has refused it."),
        "too_late": _("It took too long and was not done. Try again."),
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
        "colleague": _("A colleague asks"),
        "emergency": _("Emergency"),
        "consulting": _("The caller holds"),
        "together": _("All together"),
        "busy_elsewhere": _("A call is under way in the other tab."),
        "other_computer": _("Another computer has taken over the telephone."),
        "unknown_caller": _("Incoming call"),
        "good": _("Good line"),
        "fair": _("The line is fair"),
        "poor": _("The line is bad"),
        "quality": _("loss {0} %, jitter {1} ms, delay {2} ms"),
        "seconds": _("{0} s"),
    }
