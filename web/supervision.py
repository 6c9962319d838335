"""For supervisors: the wallboard, the figures of a period with the calls behind each, and their export."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, render_template, request
from flask_babel import lazy_gettext as _l

from agents import figures, wallboard
from agents.figures import KINDS, AgentFigures, Period
from models import clock, sheet_files
from models.session import read
from models.sheet_cells import Column
from models.sheet_files import Cells, Layout
from models.users import Role
from web import i18n
from web.access import allow, audited
from web.display import duration

routes = Blueprint("supervision", __name__)

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class BadPeriod(ValueError):
    """The two days make no period that can be counted."""


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(routes)
    app.jinja_env.filters.update(share=share)


@routes.get("/wallboard")
@allow(Role.SUPERVISOR)
def wall() -> str:
    """Show the wallboard; the page asks for itself again every two seconds (`?watch`)."""
    now = clock.now()
    with read() as db:
        seen = wallboard.read(db, i18n.language(), now)
    return render_template("wallboard.html", wall=seen, now=now, goal=figures.CONNECTED_GOAL)


@routes.get("/statistics")
@allow(Role.SUPERVISOR)
def statistics() -> str | tuple[str, int]:
    """Show a period: how callers were served, hour by hour, and what each agent did."""
    now, problem = clock.now(), None
    try:
        first, last, period = _period(now)
    except BadPeriod:
        problem = _l("The first day must not be after the last, and at most 92 days can be counted.")
        first = last = clock.local_date(now)
        period = wallboard.today(now)
    with read() as db:
        asked = figures.asked(db, period)
        agents = figures.agents(db, period, now)
    page = render_template(
        "statistics.html",
        service=figures.service(asked),
        hours=figures.by_hour(asked),
        agents=agents,
        first=first,
        last=last,
        problem=problem,
        goal=figures.CONNECTED_GOAL,
        now=now,
    )
    return (page, 400) if problem else page


@routes.get("/statistics/calls")
@allow(Role.SUPERVISOR)
def calls() -> str:
    """Show the calls that a figure counts; reading them is audited."""
    now, kind, agent = clock.now(), request.args.get("kind", ""), request.args.get("agent", "")
    if kind not in KINDS:
        abort(404)
    try:
        first, last, period = _period(now)
    except BadPeriod:
        abort(404)
    with read() as db:
        total, rows = figures.calls_behind(db, period, kind, agent)
    audited("figure_opened", ("calls", None), now)
    return render_template(
        "statistics_calls.html", total=total, rows=rows, kind=kind, first=first, last=last, agent=agent, now=now
    )


@routes.get("/statistics/agents.<form>")
@allow(Role.SUPERVISOR)
def export(form: str) -> Response:
    """Give the agents' figures as a file; audited."""
    if form not in TYPES:
        abort(404)
    now = clock.now()
    try:
        first, last, period = _period(now)
    except BadPeriod:
        abort(400)
    with read() as db:
        lines = [_cells(one) for one in figures.agents(db, period, now)]
    audited("statistics_exported", ("users", None), now)
    layout = Layout("坐席", _columns(), wide=frozenset({"name"}))
    return download(f"agents-{first:%Y%m%d}-{last:%Y%m%d}.{form}", layout, lines)


def download(name: str, layout: Layout, lines: Iterable[Cells]) -> Response:
    """Return a table as a file of this name, which ends in one of TYPES."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        sheet_files.write(path, layout, lines)
        data = path.read_bytes()
    kind = TYPES[name.rpartition(".")[2]]
    return Response(data, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def share(part: float | None) -> str:
    """A share in per cent; a dash where there is nothing to divide by. Never rounded up to the whole."""
    return "–" if part is None else f"{int(part * 1000) / 10:g}%"


def _period(now: datetime) -> tuple[date, date, Period]:
    """The days asked for, both included; without any, today.

    Raises:
        BadPeriod: no days, in the wrong order, or too many.
    """
    today = clock.local_date(now)
    try:
        first = date.fromisoformat(request.args.get("first") or today.isoformat())
        last = date.fromisoformat(request.args.get("last") or max(first, today).isoformat())
    except ValueError as error:
        raise BadPeriod from error
    if last < first or last - first > figures.LONGEST or last.year > today.year + 1:
        raise BadPeriod
    begin = datetime.combine(first, time(), clock.zone())
    return first, last, Period(begin, datetime.combine(last + timedelta(days=1), time(), clock.zone()))


def _columns() -> tuple[Column, ...]:
    headings = {
        "name": _l("Agent"),
        "rung": _l("Rung"),
        "answered": _l("Answered"),
        "missed": _l("Missed"),
        "dialled": _l("Dialled"),
        "talk": _l("Talk"),
        "wrap": _l("Wrap-up"),
        "handle": _l("Handling on average"),
        "ready": _l("Ready"),
        "pause": _l("Pause"),
        "logged": _l("Logged in"),
        "tasks": _l("Tasks closed"),
        "quality": _l("Quality"),
        "marks": _l("Calls marked"),
    }
    return tuple(Column(name, str(heading)) for name, heading in headings.items())


def _cells(one: AgentFigures) -> Cells:
    return {
        "name": one.name,
        "rung": str(one.rung),
        "answered": str(one.answered),
        "missed": str(one.missed),
        "dialled": str(one.dialled),
        "talk": duration(one.talk_s),
        "wrap": duration(one.wrap_s),
        "handle": duration(one.handle_s),
        "ready": duration(one.ready_s),
        "pause": duration(one.pause_s),
        "logged": duration(one.logged_s),
        "tasks": str(one.tasks),
        "quality": f"{one.quality.total:.2f}" if one.quality else "",
        "marks": str(one.quality.marks if one.quality else 0),
    }
