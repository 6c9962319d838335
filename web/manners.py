"""An elder's way of using the hotline and her own hours, changed from her card and audited."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Flask, abort, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from agents import calling, manners
from models import clock
from models.session import write
from models.users import Role
from web.access import allow, user_row
from web.records import elder_page

routes = Blueprint("manners", __name__)


def init_app(app: Flask) -> None:
    """Register the forms."""
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


@routes.post("/elders/<public_id>/hours")
@allow(Role.AGENT)
def hours(public_id: str) -> BaseResponse | tuple[str, int]:
    """Set when she may be rung."""
    begins, ends, not_on = (request.form.getlist(name) for name in ("begins", "ends", "not_on"))
    if len(begins) != len(ends):
        abort(400)
    form = calling.HoursForm(begins, ends, not_on, never="never" in request.form)
    return _do(public_id, lambda db: calling.change(db, public_id, form, (user_row(db), clock.now())))


def _do(public_id: str, what: Callable[[Session], None]) -> BaseResponse | tuple[str, int]:
    try:
        with write() as db:
            what(db)
    except KeyError:
        abort(404)
    except calling.HoursError:
        return elder_page(public_id, "hours"), 422
    except manners.MannerError as error:
        if error.code == "unknown":
            abort(400)
        return elder_page(public_id, error.code), 409
    return redirect(url_for("records.elder", public_id=public_id, _anchor="manners"), 303)
