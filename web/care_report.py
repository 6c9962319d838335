"""The monthly report for the bureau: the visit rate, tries for a proof, hours; exported, each figure with its calls."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, abort, render_template, request
from flask_babel import gettext as _

from agents import care_report, duty_figures
from dispatch import duty_month
from dispatch.duty_month import Line
from models import clock
from models.session import read
from models.sheet_cells import Column
from models.sheet_files import Cells, Layout
from models.users import Role
from web.access import allow, audited
from web.care import chosen_month
from web.care_words import care_line
from web.supervision import TYPES, download, share
from web.words import word

routes = Blueprint("care_report", __name__)

# What a line of the export counts, in its order.
_COUNTS = ("due", "done", "in_time", "late", "pending", "overdue", "escalated", "decided", *care_report.KINDS)


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(routes)


@routes.get("/care/report")
@allow(Role.SUPERVISOR)
def report() -> str:
    """Show the month's report."""
    now = clock.now()
    asked = chosen_month(now)
    with read() as db:
        view = duty_month.month_view(db, asked, now)
        made = care_report.tries(db, asked)
        effort = care_report.effort(db, asked, made)
    return render_template(
        "care/report.html", view=view, month=asked, before=duty_figures.next_month(asked, -1),
        after=duty_figures.next_month(asked, 1), effort=effort, hours=care_report.by_hour(made),
        most=care_report.MOST, parts=[(by, duty_figures.lines(view, by)) for by in ("group", "community", "butler")],
        now=now,
    )  # fmt: skip


@routes.get("/care/report/calls")
@allow(Role.SUPERVISOR)
def calls() -> str:
    """Show the calls behind a figure of the report; reading them is audited."""
    now = clock.now()
    asked, what = chosen_month(now), request.args.get("what", "")
    only = request.args.get("hour", type=int), request.args.get("needed", type=int)
    with read() as db:
        try:
            total, rows = care_report.calls(db, asked, what, only)
        except KeyError:
            abort(404)
    audited("figure_opened", ("calls", None), now)
    return render_template(
        "care/report_calls.html", total=total, rows=rows, what=what, hour=only[0], needed=only[1], month=asked, now=now
    )


@routes.get("/care/report.<form>")
@allow(Role.SUPERVISOR)
def export(form: str) -> Response:
    """Give the visit rates as a file for the bureau; audited."""
    if form not in TYPES:
        abort(404)
    now = clock.now()
    asked = chosen_month(now)
    with read() as db:
        view = duty_month.month_view(db, asked, now)
    audited("care_report_exported", ("duties", None), now)
    lines = [_cells(by, line) for by, line in care_report.table(view)]
    layout = Layout("关怀探访", _columns(), wide=frozenset({"name"}))
    return download(f"care-visits-{asked:%Y%m}.{form}", layout, lines)


def _columns() -> tuple[Column, ...]:
    heads = {
        "by": _("By"),
        "name": _("Which one"),
        **{what: word("care_what", what) for what in _COUNTS},
        "rate": _("Share"),
    }
    return tuple(Column(name, heading) for name, heading in heads.items())


def _cells(by: str, line: Line) -> Cells:
    counts = {
        "due": line.count(),
        "done": line.count(duty_month.IN_TIME, duty_month.LATE),
        **{state: line.count(state) for state in duty_figures.STATES},
        "escalated": len(line.escalated),
        **{kind: len(line.proofs.get(kind, ())) for kind in care_report.KINDS},
    }
    cells: Cells = {"by": word("care_by", by), "name": care_line(by, line.name), "rate": share(line.rate)}
    return cells | {what: str(counts[what]) for what in _COUNTS}
