"""One task: opened by one at a time, taken, tried, closed with its result."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from agents import tasks
from agents.accounts import record
from agents.pop import pop_elder
from models import clock
from models.people import Elder
from models.results import Scope
from models.session import write
from models.settings import settings
from models.users import Role
from web import desk_orders
from web.access import allow, must_be_me, user_row

routes = Blueprint("desk_tasks", __name__)


def init_app(app: Flask) -> None:
    """Register the page and its forms."""
    app.register_blueprint(routes)


def task_page(public_id: str, problem: str | None = None) -> str:
    """Return the page of a task; whoever opens it keeps the others out while she works on it."""
    now, me = clock.now(), must_be_me()
    with write() as db:
        if problem is None:
            _lock(db, public_id)
        seen = tasks.view(db, public_id, me.id, now)
        if seen is None:
            abort(404)
        user = user_row(db)
        record(db, user, "read", ("task", seen.id), now)
        card = None
        if seen.elder_id is not None:
            record(db, user, "read", ("elder", seen.elder_id), now)
            card = pop_elder(db, db.get_one(Elder, seen.elder_id), clock.local_date(now))
        results = tasks.results(db, Scope.TASK, seen.line.kind)
    line = seen.line
    order = desk_orders.for_elder(card.public_id, dict(line.slots), line.created_at, seen.call or "") if card else None
    return render_template(
        "task.html", task=seen, card=card, order=order, results=results, problem=problem, mine=line.owner == me.name,
        chosen=request.form.get("result", ""), note=request.form.get("note", ""), note_max=tasks.NOTE_MAX,
        renew_s=settings().task_lock_s // 3, scores=tasks.SCORES, now=now,
    )  # fmt: skip


def _lock(db: Session, public_id: str) -> None:
    try:
        tasks.lock(db, public_id, must_be_me().id, clock.now())
    except KeyError:
        abort(404)


@routes.post("/tasks/<public_id>/lock")
@allow(Role.AGENT)
def lock(public_id: str) -> tuple[str, int]:
    """Say that the task is still open here (204), or that somebody else has it now (409)."""
    try:
        with write() as db:
            held = tasks.lock(db, public_id, must_be_me().id, clock.now())
    except KeyError:
        abort(404)
    return "", 204 if held else 409


@routes.post("/tasks/<public_id>/unlock")
@allow(Role.AGENT)
def unlock(public_id: str) -> tuple[str, int]:
    """Leave the task."""
    with write() as db:
        tasks.unlock(db, public_id, must_be_me().id)
    return "", 204


@routes.post("/tasks/<public_id>/take")
@allow(Role.AGENT)
def take(public_id: str) -> BaseResponse | tuple[str, int]:
    """It is mine."""
    return _do(public_id, lambda db: tasks.take(db, public_id, user_row(db), clock.now()))


@routes.post("/tasks/<public_id>/give-back")
@allow(Role.AGENT)
def give_back(public_id: str) -> BaseResponse | tuple[str, int]:
    """It is everybody's again."""
    return _do(public_id, lambda db: tasks.give_back(db, public_id, user_row(db), clock.now()), "desk.home")


@routes.post("/tasks/<public_id>/close")
@allow(Role.AGENT)
def finish(public_id: str) -> BaseResponse | tuple[str, int]:
    """Write down what came of it."""
    found = tasks.Finding(*(request.form.get(name, "") for name in ("result", "note", "call")))
    return _do(public_id, lambda db: tasks.finish(db, public_id, found, user_row(db), clock.now()))


@routes.post("/tasks/<public_id>/score")
@allow(Role.AGENT)
def score(public_id: str) -> BaseResponse | tuple[str, int]:
    """Write down how she says it was."""
    said = request.form.get("score", ""), request.form.get("call", "")
    return _do(public_id, lambda db: tasks.score(db, public_id, said, user_row(db), clock.now()))


def _do(
    public_id: str, what: Callable[[Session], object], then: str = "records.task"
) -> BaseResponse | tuple[str, int]:
    try:
        with write() as db:
            what(db)
    except KeyError:
        abort(404)
    except tasks.TaskError as error:
        return task_page(public_id, error.code), 409 if error.code in ("closed", "locked") else 422
    return redirect(url_for(then) if then == "desk.home" else url_for(then, public_id=public_id), 303)
