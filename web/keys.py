"""Keyboard shortcuts: one list, shown by `?`, changed by each user for herself.

Single keys, taken only while nothing is typed: no browser and no screen reader has them for itself.
"""

from __future__ import annotations

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from agents.accounts import record
from models import clock
from models.session import write
from models.users import Role
from web.access import allow, me, user_row

routes = Blueprint("keys", __name__)

# Action to usual key and words. A template marks what an action does with data-key="ACTION".
ACTIONS: dict[str, tuple[str, object]] = {
    "help": ("?", _l("Show the shortcuts")),
    "search": ("/", _l("Search")),
    "desk": ("d", _l("To the desk")),
    "board": ("b", _l("To the board")),
    "next": ("j", _l("Next line")),
    "previous": ("k", _l("Previous line")),
    "waiting": ("w", _l("Open the call that rings or has waited longest")),
    "dial": ("c", _l("Ring her")),
    "order": ("o", _l("New order")),
    "result": ("r", _l("Write the result")),
    "note": ("n", _l("Write a note")),
    "take": ("t", _l("Take the task, or give it back")),
    "edit": ("e", _l("Change what stands here")),
    "skip": ("s", _l("Pass this elder over")),
    "confirm": ("y", _l("Confirm")),
    "back": ("u", _l("Back")),
    "presence": ("p", _l("My state: ready, a pause, offline")),
    "answer": ("a", _l("Answer")),
    "hold": ("h", _l("Hold, and go on")),
    "mute": ("m", _l("Microphone off, and on")),
    "hang_up": ("-", _l("Hang up, or reject")),  # No letter: nobody who means to write strikes it first.
    "done": ("f", _l("End the wrap-up")),
}  # fmt: skip
_POSSIBLE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789?/.,;=-[]")


def init_app(app: Flask) -> None:
    """Register the page; give every page the keys of its user."""
    words = {name: words for name, (_, words) in ACTIONS.items()}
    app.jinja_env.globals.update(shortcuts=shortcuts, shortcut_words=words)
    app.register_blueprint(routes)


def shortcuts() -> dict[str, str]:
    """Return action to key for whoever is logged in."""
    who = me()
    if who is None:
        return {}
    return {name: who.shortcuts.get(name, usual) for name, (usual, _) in ACTIONS.items()}


@routes.get("/shortcuts")
@allow(Role.AGENT)
def page() -> str:
    """Show the form of the keys."""
    return render_template("shortcuts.html", keys=shortcuts(), problem=None, usual=_usual())


@routes.post("/shortcuts")
@allow(Role.AGENT)
def change() -> BaseResponse | tuple[str, int]:
    """Keep the keys; none may do two things."""
    if request.form.get("reset") == "yes":
        wanted = _usual()
    else:
        wanted = {name: request.form.get(name, usual).strip().lower()[:1] for name, usual in _usual().items()}
    taken = [key for key in wanted.values() if key]
    problem = "twice" if len(taken) != len(set(taken)) else "bad" if not set(taken) <= _POSSIBLE else None
    if problem:
        return render_template("shortcuts.html", keys=wanted, problem=problem, usual=_usual()), 422
    with write() as db:
        user = user_row(db)
        user.shortcuts = {name: key for name, key in wanted.items() if key != _usual()[name]}
        record(db, user, "shortcuts_changed", ("user", user.id), clock.now())
    return redirect(url_for("keys.page"), 303)


def _usual() -> dict[str, str]:
    return {name: usual for name, (usual, _) in ACTIONS.items()}
