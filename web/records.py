"""One order, one call, one elder, one task: each on its page; what shows a person is audited."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, send_file, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from agents import accounts, afterwards, merging, quality, waveform
from agents.cards import elder_card
from agents.journal import call_course
from dispatch.outbox import transaction
from models import audio, clock
from models.audio import Audio
from models.calls import Call
from models.session import read, write
from models.settings import Settings
from models.users import Role, User
from web import i18n
from web.access import allow, role_includes, user_row
from web.desk_deeds import order_page
from web.desk_tasks import task_page

routes = Blueprint("records", __name__)


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
            if row.kind == "call" and not may_hear_calls():
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
    """Show an order's course, and what can be done with it."""
    return order_page(public_id)


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
        return order_page(public_id, problem=error.code), 409 if error.code == "state" else 422
    return redirect(url_for("records.order", public_id=public_id), 303)


@routes.get("/calls/<public_id>")
@allow(Role.AGENT)
def call(public_id: str) -> str:
    """Show a call's course and what was heard in it."""
    return call_page(public_id)


def call_page(public_id: str, problem: str | None = None) -> str:
    """Return a call's page; `problem`: why it could not be marked so (agents/quality.py)."""
    with write() as db:
        found = call_course(db, public_id)
        if found is None:
            abort(404)
        call_id, course = found
        _audit(db, "read", ("call", call_id))
        row, user = db.get_one(Call, call_id), user_row(db)
        form = quality.form(db, row, user, i18n.language())
        marks = quality.of_call(db, row, user, i18n.language())
    store = current_app.extensions["audio_dir"]
    # Whom her whole call is not for sees no picture of it either.
    heard = [one for one in course.recordings if one.erased_at is None] if may_hear_calls() else []
    waves = {one.public_id: waveform.of(store, one.content_key) for one in heard}
    return render_template(
        "call.html", course=course, waves=waves, heard=heard, form=form, marks=marks, problem=problem, now=clock.now()
    )


def may_hear_calls() -> bool:
    """Whether whoever is logged in may hear whole calls: that is more than what a caller left to be heard."""
    return role_includes(Role.SUPERVISOR)


@routes.get("/elders/<public_id>")
@allow(Role.AGENT)
def elder(public_id: str) -> str | BaseResponse:
    """Show an elder's card; one who was merged away is the one that has stayed."""
    with read() as db:
        kept = merging.kept_by(db, public_id)
    if kept is not None:
        return redirect(url_for("records.elder", public_id=kept), 303)
    return elder_page(public_id)


def elder_page(public_id: str, problem: str | None = None) -> str:
    """Return an elder's card, with what went wrong if something did."""
    now = clock.now()
    with write() as db:
        found = elder_card(db, public_id, now)
        if found is None:
            abort(404)
        elder_id, card = found
        _audit(db, "read", ("elder", elder_id))
    return render_template("elder.html", card=card, problem=problem, now=now)


@routes.get("/tasks/<public_id>")
@allow(Role.AGENT)
def task(public_id: str) -> str:
    """Show a task, with the forms that work it off."""
    return task_page(public_id)


def _audit(db: Session, action: str, subject: tuple[str, int]) -> None:
    accounts.record(db, user_row(db), action, subject, clock.now())
