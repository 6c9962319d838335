"""When people answer: the week, special days, the weeks to come, and what the hotline would do at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from agents import admin_hours, changing
from agents.changing import Refused, Values
from models import clock
from models.session import read
from models.settings import settings
from models.users import Role
from web import i18n
from web.access import allow
from web.admin import keep, status_of

routes = Blueprint("admin_hours", __name__)

Answer = str | BaseResponse | tuple[str, int]
SHOWN_DAYS = 35


def init_app(app: Flask) -> None:
    """Register the page."""
    app.register_blueprint(routes)


@routes.get("/admin/hours")
@allow(Role.ADMIN)
def hours() -> str:
    """Show when people answer; `at` asks what would happen then."""
    return _page()


@routes.post("/admin/hours/week")
@allow(Role.ADMIN)
def week() -> Answer:
    """Set the week."""
    _, refused = keep(admin_hours.WEEK, admin_hours.WEEK_KEY, lambda _db: admin_hours.week_values(request.form))
    return _answer(refused, "week")


@routes.post("/admin/hours/days")
@allow(Role.ADMIN)
def day() -> Answer:
    """Set one day apart from its weekday."""
    today = clock.local_date(clock.now())
    try:
        key, values = admin_hours.day_values(request.form, today)
    except Refused as refused:
        return _answer(refused, "day")
    return _answer(keep(admin_hours.DAY, key, lambda _db: values)[1], "day")


@routes.post("/admin/hours/days/<day>/remove")
@allow(Role.ADMIN)
def remove(day: str) -> Answer:
    """Make it a day like its weekday again."""

    def gone(db: Session) -> Values | None:
        return None

    try:
        _, refused = keep(admin_hours.DAY, day, gone)
    except (KeyError, ValueError):
        abort(404)
    return _answer(refused, "day")


def _answer(refused: Refused | None, part: str) -> Answer:
    if refused is None:
        return redirect(url_for("admin_hours.hours", _anchor=part), 303)
    return _page(refused, part), status_of(refused)


def _page(refused: Refused | None = None, part: str = "") -> str:
    now = clock.now()
    today = clock.local_date(now)
    asked, at = request.args.get("at", ""), now
    bad_moment = False
    if asked:
        try:
            at = datetime.fromisoformat(asked).replace(tzinfo=clock.zone())
        except ValueError:
            bad_moment = True
    with read() as db:
        stands = admin_hours.WEEK.read(db, admin_hours.WEEK_KEY) or {}
        days = admin_hours.calendar(db, today - timedelta(days=today.weekday()), SHOWN_DAYS, i18n.language())
        special = admin_hours.special_days(db, today)
        then = admin_hours.outlook(db, at, i18n.language())
    overtaken = refused is not None and refused.problems.get("") == "overtaken"
    typed: Mapping[str, str] = request.form if refused and not overtaken else {}
    return render_template(
        "admin/hours.html",
        week={weekday: typed.get(f"day_{weekday}", stands.get(str(weekday), "")) for weekday in range(7)},
        always=not stands if part != "week" or not typed else typed.get("always") == "yes",
        seen=changing.token(stands),
        typed=typed if part == "day" else {},
        days=days,
        special=special,
        then=then,
        asked=asked or clock.local(at).strftime("%Y-%m-%dT%H:%M"),
        bad_moment=bad_moment,
        on_call=bool(settings().on_call_number),
        refused=refused,
        part=part,
        today=today,
        now=now,
    )
