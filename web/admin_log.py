"""The audit: who did what, when, what stood before; and taking it back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from agents import audit, audit_subjects, changing
from agents.admin_skills import dialect_field
from agents.changing import By, Refused
from models import clock, dialects
from models.session import read, write
from models.users import Role
from web.access import allow, user_row
from web.admin import KINDS

routes = Blueprint("admin_log", __name__)

# Where the page of a subject is.
PAGES = {"elder": "records.elder", "order": "records.order", "call": "records.call", "task": "records.task"}


def init_app(app: Flask) -> None:
    """Register the page."""
    app.register_blueprint(routes)


@routes.get("/admin/log")
@allow(Role.ADMIN)
def log() -> str:
    """Show the audit, the newest first."""
    return _page()


@routes.post("/admin/log/<public_id>/undo")
@allow(Role.ADMIN)
def undo(public_id: str) -> BaseResponse | tuple[str, int]:
    """Take a change back: what stood before is written as a new change."""
    try:
        with write() as db:
            changing.undo(db, public_id, By(user_row(db), clock.now()), KINDS)
    except KeyError:
        abort(404)
    except Refused as refused:
        return _page(refused), 409
    return redirect(url_for("admin_log.log", group="settings"), 303)


def _page(refused: Refused | None = None) -> str:
    asked = request.args
    wish = audit.Wish(
        group=asked.get("group", "settings" if not asked and not refused else ""),
        user=asked.get("user", ""),
        subject=asked.get("subject", ""),
        elder=asked.get("elder", ""),
        since=_day(asked.get("since", "")),
        until=_day(asked.get("until", ""), 1),
        before=asked.get("before", type=int),
    )
    with read() as db:
        lines = audit.lines(db, wish, KINDS)
        users = audit.users(db)
        elder = audit_subjects.elder_named(db, wish.elder) if wish.elder else None
        spoken = {dialect_field(one.code): one.names for one in dialects.dialects(db, hidden=True)}
    return render_template(
        "admin/log.html", lines=lines, wish=wish, asked=asked, users=users, groups=[*audit.GROUPS, "deeds"],
        kinds=list(KINDS), page=audit.PAGE, refused=refused, now=clock.now(), dialects=spoken,
        elder=elder[1] if elder else "", pages=PAGES,
    )  # fmt: skip


def _day(text: str, later: int = 0) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=later), time(), clock.zone())
    except (ValueError, OverflowError):
        return None
