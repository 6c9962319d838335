"""The list of those whom no machine rings, or only at their own hours; hours themselves are set on the card."""

from __future__ import annotations

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from agents import accounts, call_rules
from models import clock
from models.calling_hours import written_spans
from models.session import write
from models.users import Role
from web.access import allow, user_row

routes = Blueprint("care_rules", __name__)


def init_app(app: Flask) -> None:
    """Register the page."""
    app.register_blueprint(routes)
    app.jinja_env.filters["spans"] = written_spans


@routes.get("/care/do-not-call")
@allow(Role.AGENT)
def home() -> str:
    """Show who is never rung by a machine, or only at some hours; reading it is audited."""
    return _page()


def _page(problem: str = "") -> str:
    now = clock.now()
    with write() as db:
        rows = call_rules.in_force(db, now)
        accounts.record(db, user_row(db), "read", ("call_rules", None), now)
    written = request.form.get("elder", "")
    return render_template("care/rules.html", rows=rows, problem=problem, written=written, now=now)


@routes.post("/care/do-not-call")
@allow(Role.AGENT)
def put() -> BaseResponse | tuple[str, int]:
    """No machine rings her from now on; with `end` it is as with everybody again."""
    never = request.form.get("end") != "yes"
    try:
        with write() as db:
            call_rules.put(db, request.form.get("elder", "").strip(), never, user_row(db), clock.now())
    except KeyError:
        return _page("nobody"), 422
    return redirect(url_for("care_rules.home"), 303)
