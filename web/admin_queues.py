"""The queues: who is asked first in which language; how long it rings and waits; whose callers come first."""

from __future__ import annotations

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from agents import admin_queues, admin_skills, changing
from agents.changing import Refused
from models.session import read
from models.users import Role
from web.access import allow
from web.admin import keep, status_of

routes = Blueprint("admin_queues", __name__)


def init_app(app: Flask) -> None:
    """Register the page."""
    app.register_blueprint(routes)


@routes.get("/admin/queues")
@allow(Role.ADMIN)
def queues() -> str:
    """Show who is asked first in which language, and how long everything lasts."""
    return _page()


@routes.post("/admin/queues")
@allow(Role.ADMIN)
def change() -> BaseResponse | tuple[str, int]:
    """Set times and weights."""
    _, refused = keep(admin_queues.QUEUES, admin_queues.KEY, lambda _db: admin_queues.queue_values(request.form))
    if refused is not None:
        return _page(refused), status_of(refused)
    return redirect(url_for("admin_queues.queues", _anchor="waits"), 303)


def _page(refused: Refused | None = None) -> str:
    with read() as db:
        listed = admin_skills.queues(db)
        stands = admin_queues.QUEUES.read(db, admin_queues.KEY) or {}
    overtaken = refused is not None and refused.problems.get("") == "overtaken"
    return render_template(
        "admin/queues.html",
        queues=listed,
        times=admin_queues.TIMES,
        weight_field=admin_queues.weight_field,
        weight_max=admin_queues.WEIGHT_MAX,
        typed=request.form if refused and not overtaken else stands,
        seen=changing.token(stands),
        refused=refused,
    )
