"""An elder's way of using the hotline, changed and taken back from her card; both are audited."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Flask, abort, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from agents import manners
from models import clock
from models.session import write
from models.users import Role
from web.access import allow, user_row
from web.records import elder_page

routes = Blueprint("manners", __name__)


def init_app(app: Flask) -> None:
    """Register the two forms."""
    app.register_blueprint(routes)


@routes.post("/elders/<public_id>/manners/<name>")
@allow(Role.AGENT)
def change(public_id: str, name: str) -> BaseResponse | tuple[str, int]:
    """Set a value."""
    value = request.form.get("value", "")
    return _do(public_id, lambda db: manners.change(db, public_id, (name, value), (user_row(db), clock.now())))


@routes.post("/elders/<public_id>/manners/<name>/undo")
@allow(Role.AGENT)
def undo(public_id: str, name: str) -> BaseResponse | tuple[str, int]:
    """Take back the value that the page has shown."""
    seen = request.form.get("seen", "")
    return _do(public_id, lambda db: manners.take_back(db, public_id, (name, seen), (user_row(db), clock.now())))


def _do(public_id: str, what: Callable[[Session], None]) -> BaseResponse | tuple[str, int]:
    try:
        with write() as db:
            what(db)
    except KeyError:
        abort(404)
    except manners.MannerError as error:
        if error.code == "unknown":
            abort(400)
        return elder_page(public_id, error.code), 409
    return redirect(url_for("records.elder", public_id=public_id, _anchor="manners"), 303)
