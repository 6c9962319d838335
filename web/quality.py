"""Quality marks: the form on a call's page, and the list of marks: an agent's own, or all for a supervisor."""

from __future__ import annotations

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from agents import accounts, quality
from agents.quality import MarkRefused, Wish
from models import clock
from models.calls import Call
from models.session import write
from models.supervision import HIGHEST, LOWEST
from models.users import Role, User
from web import i18n
from web.access import allow, role_includes, user_row
from web.records import call_page

routes = Blueprint("quality", __name__)


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(routes)
    app.jinja_env.globals.update(mark_points=range(LOWEST, HIGHEST + 1), mark_comment_max=quality.COMMENT_MAX)


@routes.post("/calls/<public_id>/mark")
@allow(Role.SUPERVISOR)
def mark(public_id: str) -> BaseResponse | tuple[str, int]:
    """Keep what a supervisor thinks of a call."""
    # What is no number is no points, and is refused as such.
    points = {
        name.removeprefix("points-"): int(value) if value.isascii() and value.isdigit() and len(value) < 3 else None
        for name, value in request.form.items()
        if name.startswith("points-")
    }
    wish = Wish(request.form.get("agent", ""), points, request.form.get("comment", ""))
    try:
        with write() as db:
            call = db.scalar(select(Call).where(Call.public_id == public_id))
            if call is None:
                abort(404)
            quality.mark(db, user_row(db), call, wish, clock.now())
    except MarkRefused as error:
        return call_page(public_id, problem=error.code), 422
    return redirect(url_for("records.call", public_id=public_id, _anchor="quality"), 303)


@routes.get("/marks")
@allow(Role.AGENT)
def marks() -> str:
    """Show an agent her marks; a supervisor those of all, or of one (`?agent=`). Reading them is audited."""
    wanted = request.args.get("agent", "")
    with write() as db:
        me = user_row(db)
        whose: int | None = me.id
        if role_includes(Role.SUPERVISOR):
            whose = db.scalar(select(User.id).where(User.public_id == wanted)) if wanted else None
            if wanted and whose is None:
                abort(404)
        accounts.record(db, me, "marks_read", ("user", whose), clock.now())
        found = quality.of_agent(db, whose, i18n.language())
    return render_template("marks.html", marks=found, now=clock.now())
