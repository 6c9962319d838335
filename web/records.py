"""One order, one call, one elder, one task: each on its page; what shows a person is audited."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Blueprint, Flask, abort, redirect, render_template, request, send_file, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from agents import accounts, afterwards, tasks
from agents.cards import elder_card
from agents.course import order_course
from agents.journal import call_course
from dispatch.outbox import transaction
from models import audio, clock, vocabulary
from models.audio import Audio
from models.session import read, write
from models.settings import Settings
from models.users import Role, User
from web.access import allow, user_row

routes = Blueprint("records", __name__)

# An order that has moved lately may move again: its page looks after it by itself.
WATCHED_FOR = timedelta(hours=1)


def init_app(app: Flask, settings: Settings) -> None:
    """Register the pages."""
    app.extensions["audio_dir"] = settings.audio_dir

    @allow(Role.AGENT)
    def recording(public_id: str) -> BaseResponse:
        """Play a message that a caller has left, an answer that was not understood, or a whole call."""
        with write() as db:
            row = db.scalar(select(Audio).where(Audio.public_id == public_id, Audio.erased_at.is_(None)))
            if row is None:
                abort(404)
            if row.kind == "call" and not accounts.may(user_row(db), Role.SUPERVISOR):
                # Her whole call is more than what she has left for somebody to hear.
                abort(403)
            _audit(db, "listened", ("audio", row.id))
        path = audio.path_of(settings.audio_dir, row.content_key)
        if not path.is_file():
            abort(404)
        return send_file(path, mimetype="audio/wav", conditional=True, max_age=0)

    app.register_blueprint(routes)
    app.add_url_rule("/recordings/<public_id>", "records.recording", recording)


@routes.get("/orders/<public_id>")
@allow(Role.AGENT)
def order(public_id: str) -> str:
    """Show an order's course."""
    return _order_page(public_id, None)


@routes.post("/orders/<public_id>/again")
@allow(Role.AGENT)
def order_again(public_id: str) -> BaseResponse | tuple[str, int]:
    """Have an order done again at another time."""
    wanted = afterwards.Again(request.form.get("day", ""), request.form.get("part", ""))
    return _afterwards(public_id, lambda db, by: afterwards.have_it_done_again(db, public_id, wanted, by))


@routes.post("/orders/<public_id>/close")
@allow(Role.AGENT)
def close_order(public_id: str) -> BaseResponse | tuple[str, int]:
    """Close an order that is done."""
    return _afterwards(public_id, lambda db, by: afterwards.close(db, public_id, by))


def _afterwards(
    public_id: str, do: Callable[[Session, tuple[User, datetime]], None]
) -> BaseResponse | tuple[str, int]:  # fmt: skip
    try:
        with transaction() as db:
            do(db, (user_row(db), clock.now()))
    except KeyError:
        abort(404)
    except afterwards.AfterwardsError as error:
        return _order_page(public_id, error.code), 409 if error.code == "state" else 422
    return redirect(url_for("records.order", public_id=public_id), 303)


def _order_page(public_id: str, problem: str | None) -> str:
    with read() as db:
        course = order_course(db, public_id)
    if course is None:
        abort(404)
    now = clock.now()
    return render_template(
        "order.html",
        course=course,
        # A form that is being filled in is not replaced under her hands.
        watched=now - course.line.changed_at < WATCHED_FOR and problem is None and not course.done,
        problem=problem,
        first_day=afterwards.next_workday(clock.local_date(now)),
        parts=[part.code for part in vocabulary.PARTS],
        now=now,
    )


@routes.get("/calls/<public_id>")
@allow(Role.AGENT)
def call(public_id: str) -> str:
    """Show a call's course and what was heard in it."""
    with write() as db:
        found = call_course(db, public_id)
        if found is None:
            abort(404)
        call_id, course = found
        _audit(db, "read", ("call", call_id))
    return render_template("call.html", course=course, now=clock.now())


@routes.get("/elders/<public_id>")
@allow(Role.AGENT)
def elder(public_id: str) -> str:
    """Show an elder's card."""
    return elder_page(public_id)


def elder_page(public_id: str, problem: str | None = None) -> str:
    """Return an elder's card, with what went wrong if something did."""
    now = clock.now()
    with write() as db:
        found = elder_card(db, public_id, clock.local_date(now))
        if found is None:
            abort(404)
        elder_id, card = found
        _audit(db, "read", ("elder", elder_id))
    return render_template("elder.html", card=card, problem=problem, now=now)


@routes.get("/tasks/<public_id>")
@allow(Role.AGENT)
def task(public_id: str) -> str:
    """Show a task, with the form that closes it."""
    return _task_page(public_id, None)


@routes.post("/tasks/<public_id>/close")
@allow(Role.AGENT)
def close_task(public_id: str) -> BaseResponse | tuple[str, int]:
    """Close a task with its result and a note."""
    result, note = request.form.get("result", ""), request.form.get("note", "")
    try:
        with write() as db:
            tasks.close(db, public_id, result, note, (user_row(db), clock.now()))
    except KeyError:
        abort(404)
    except tasks.TaskError as error:
        return _task_page(public_id, error.code), 409 if error.code == "closed" else 422
    return redirect(url_for("records.task", public_id=public_id), 303)


def _task_page(public_id: str, problem: str | None) -> str:
    with write() as db:
        seen = tasks.view(db, public_id)
        if seen is None:
            abort(404)
        _audit(db, "read", ("task", seen.id))
    return render_template(
        "task.html",
        task=seen,
        problem=problem,
        result=request.form.get("result", ""),
        note=request.form.get("note", ""),
        results=list(tasks.TaskResult),
        note_max=tasks.NOTE_MAX,
        now=clock.now(),
    )


def _audit(db: Session, action: str, subject: tuple[str, int]) -> None:
    accounts.record(db, user_row(db), action, subject, clock.now())
