"""Supervisors in running calls: listen, whisper, join, take over. JSON in and out, like the telephone's own routes."""

from __future__ import annotations

from flask import Blueprint, Flask

from agents import watching
from agents.watching import Whose
from models.settings import settings
from models.users import Role
from web import phone
from web.access import allow
from web.phone import Answer

routes = Blueprint("watching", __name__, url_prefix="/phone")


def init_app(app: Flask) -> None:
    """Register the route."""
    app.jinja_env.globals.update(watch_shown=lambda: settings().watch_shown)
    app.register_blueprint(routes)


@routes.post("/watch")
@allow(Role.SUPERVISOR)
def watch() -> Answer:
    """Bring her telephone into an agent's call, or change how it is there."""
    wish = phone.wanted()
    whose = Whose(phone.text(wish, "agent"), phone.text(wish, "call"))
    return phone.asked(lambda db, user, now: watching.watch(db, user, whose, phone.text(wish, "how"), now))
