"""The roster of providers: what each does, where and when, how it is rated; supervisors pause and correct."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from agents import providers
from models import clock
from models.providers import PAUSE_REASON_MAX
from models.session import read, write
from models.users import Role
from web.access import allow, user_row

routes = Blueprint("providers", __name__)


def init_app(app: Flask) -> None:
    """Register the page and its forms."""
    app.register_blueprint(routes)


@routes.get("/providers")
@allow(Role.AGENT)
def roster() -> str:
    """Show every provider."""
    return _page(None)


@routes.post("/providers/<public_id>/pause")
@allow(Role.SUPERVISOR)
def pause(public_id: str) -> BaseResponse | tuple[str, int]:
    """Do not ask it before a day."""
    try:
        day = date.fromisoformat(request.form.get("until", ""))
    except ValueError:
        return _page((public_id, "day")), 422
    until = datetime.combine(day, time(), clock.zone())
    return _pause(public_id, until, request.form.get("reason", "").strip())


@routes.post("/providers/<public_id>/resume")
@allow(Role.SUPERVISOR)
def resume(public_id: str) -> BaseResponse | tuple[str, int]:
    """Ask it again."""
    return _pause(public_id, None, "")


@routes.post("/providers/<public_id>/items/<service>")
@allow(Role.SUPERVISOR)
def check_item(public_id: str, service: str) -> BaseResponse | tuple[str, int]:
    """Write what came of asking a provider that said "not ours": it offers the service after all, or not."""
    offers = {"yes": True, "no": False}.get(request.form.get("offers", ""))
    if offers is None:
        abort(400)
    return _do(
        public_id,
        lambda db: providers.checked(db, public_id, (service, offers), (user_row(db), clock.now())),
    )


def _pause(public_id: str, until: datetime | None, reason: str) -> BaseResponse | tuple[str, int]:
    return _do(public_id, lambda db: providers.pause(db, public_id, (until, reason), (user_row(db), clock.now())))


def _do(public_id: str, what: Callable[[Session], None]) -> BaseResponse | tuple[str, int]:
    try:
        with write() as db:
            what(db)
    except KeyError:
        abort(404)
    except providers.ProviderError as error:
        return _page((public_id, error.code)), 422
    return redirect(url_for("providers.roster", _anchor=f"provider-{public_id}"), 303)


def _page(problem: tuple[str, str] | None) -> str:
    now = clock.now()
    with read() as db:
        lines = providers.provider_lines(db, now)
    return render_template("providers.html", providers=lines, problem=problem, reason_max=PAUSE_REASON_MAX, now=now)
