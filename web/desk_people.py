"""Elder cards that can be written on: registered, corrected, made one of two; notes; the whole history."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from agents import history, merging, notes, people
from agents.accounts import record
from agents.pop import pop_elder
from agents.tasks import TaskError
from models import clock
from models.people import Elder
from models.session import write
from models.users import Role
from models.vocabulary import LANGUAGES
from web.access import allow, user_row
from web.records import elder_page
from web.results import may_see_health

routes = Blueprint("desk_people", __name__)


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.jinja_env.globals.update(elder_languages=LANGUAGES)
    app.register_blueprint(routes)


@routes.get("/elders/new")
@allow(Role.AGENT)
def blank() -> str:
    """Show the form for an elder whom nobody knows yet."""
    values = {field: request.args.get(field, "") for field in people.FIELDS}
    return _form({**values, "language": values["language"] or "zh-CN"}, {}, None)


@routes.post("/elders/new")
@allow(Role.AGENT)
def register() -> BaseResponse | tuple[str, int]:
    """Register an elder."""
    try:
        with write() as db:
            public_id = people.register(db, _wished(), user_row(db), clock.now()).person.public_id
    except people.PersonError as error:
        return _form(dict(request.form), error.problems, None), 422
    return redirect(url_for("records.elder", public_id=public_id), 303)


@routes.get("/elders/<public_id>/edit")
@allow(Role.AGENT)
def edit(public_id: str) -> str:
    """Show the form with what stands."""
    with write() as db:
        elder = _found(partial(people.find_elder, db, public_id))
        record(db, user_row(db), "read", ("elder", elder.id), clock.now())
        values = people.values_of(db, elder)
    return _form(values, {}, public_id)


@routes.post("/elders/<public_id>/edit")
@allow(Role.AGENT)
def correct(public_id: str) -> BaseResponse | tuple[str, int]:
    """Correct the master data."""
    try:
        with write() as db:
            people.correct(db, public_id, _wished(), user_row(db), clock.now())
    except KeyError:
        abort(404)
    except people.PersonError as error:
        return _form(dict(request.form), error.problems, public_id), 422
    return redirect(url_for("records.elder", public_id=public_id), 303)


def _wished() -> dict[str, str]:
    """Return the form as far as her role goes: what she may not see she does not write, and it stays as it is."""
    closed = () if may_see_health() else ("needs", "seen_needs")
    return {field: value for field, value in request.form.items() if field not in closed}


def _form(values: dict[str, str], problems: dict[str, str], public_id: str | None) -> str:
    seen = {field: values.get(f"seen_{field}", values.get(field, "")) for field in people.FIELDS}
    return render_template(
        "elder_form.html", values=values, seen=seen, problems=problems, public_id=public_id, limits=people.LIMITS
    )


@routes.post("/changes/<public_id>/undo")
@allow(Role.AGENT)
def undo_change(public_id: str) -> BaseResponse | tuple[str, int]:
    """Take a correction back."""
    try:
        with write() as db:
            elder = people.undo(db, public_id, user_row(db), clock.now())
    except KeyError:
        abort(404)
    except people.PersonError:
        with write() as db:
            elder = people.elder_of_change(db, public_id)
        return elder_page(elder, "overtaken"), 409
    return redirect(url_for("records.elder", public_id=elder, _anchor="changes"), 303)


@routes.post("/elders/<public_id>/notes")
@allow(Role.AGENT)
def add_note(public_id: str) -> BaseResponse | tuple[str, int]:
    """Write a note on the card."""
    call = request.form.get("call", "")
    try:
        with write() as db:
            notes.add_note(db, public_id, (request.form.get("text", ""), call), user_row(db), clock.now())
    except KeyError:
        abort(404)
    except TaskError as error:
        return elder_page(public_id, error.code), 422
    if call:
        return redirect(url_for("desk.call", public_id=call), 303)
    return redirect(url_for("records.elder", public_id=public_id, _anchor="notes"), 303)


@routes.post("/notes/<public_id>/strike")
@allow(Role.AGENT)
def strike(public_id: str) -> BaseResponse:
    """Strike a note out, or restore it."""
    try:
        with write() as db:
            wish = public_id, request.form.get("struck") != "no"
            elder = notes.strike(db, wish, user_row(db), clock.now())
    except KeyError:
        abort(404)
    return redirect(url_for("records.elder", public_id=elder, _anchor="notes"), 303)


@routes.get("/elders/<public_id>/merge/<other_id>")
@allow(Role.AGENT)
def compare(public_id: str, other_id: str) -> str:
    """Show two registrations side by side."""
    return _compare(public_id, other_id, None)


def _compare(public_id: str, other_id: str, problem: str | None) -> str:
    now = clock.now()
    with write() as db:
        both = [_found(partial(people.find_elder, db, one)) for one in (public_id, other_id)]
        for elder in both:
            record(db, user_row(db), "read", ("elder", elder.id), now)
        cards = [pop_elder(db, elder, clock.local_date(now)) for elder in both]
        values = [people.values_of(db, elder) for elder in both]
    return render_template("merge.html", cards=cards, values=values, fields=people.FIELDS, problem=problem, now=now)


@routes.post("/elders/<public_id>/merge/<other_id>")
@allow(Role.AGENT)
def merge(public_id: str, other_id: str) -> BaseResponse | tuple[str, int]:
    """Make the other one this one."""
    try:
        with write() as db:
            merging.merge(db, public_id, other_id, user_row(db), clock.now())
    except KeyError:
        abort(404)
    except merging.MergeError as error:
        return _compare(public_id, other_id, error.code), 409
    return redirect(url_for("records.elder", public_id=public_id), 303)


@routes.post("/merges/<public_id>/undo")
@allow(Role.AGENT)
def undo_merge(public_id: str) -> BaseResponse | tuple[str, int]:
    """Make two of one again."""
    try:
        with write() as db:
            elder = merging.undo(db, public_id, user_row(db), clock.now())
    except KeyError:
        abort(404)
    except merging.MergeError:
        # It was taken back already, or another one came after it: the card shows what stands.
        with write() as db:
            elder = merging.elder_of_merge(db, public_id)
        return elder_page(elder, "overtaken"), 409
    return redirect(url_for("records.elder", public_id=elder), 303)


@routes.get("/elders/<public_id>/history/<kind>")
@allow(Role.AGENT)
def pages(public_id: str, kind: str) -> str:
    """Show all her orders, calls, tasks, notes or changes, page by page."""
    if kind not in history.KINDS:
        abort(404)
    before = request.args.get("before", type=int)
    with write() as db:
        elder = _found(partial(people.find_elder, db, public_id))
        record(db, user_row(db), "read", ("elder", elder.id), clock.now())
        name, page = elder.person.name, history.page(db, elder.id, kind, before)
    return render_template(
        "history.html", name=name, public_id=public_id, kind=kind, kinds=history.KINDS, page=page, now=clock.now()
    )


def _found(look: Callable[[], Elder]) -> Elder:
    try:
        return look()
    except KeyError:
        abort(404)
