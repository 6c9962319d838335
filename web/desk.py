"""The agent's desk: what waits for her, who is on the line, and what came of the call."""

from __future__ import annotations

import time

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from agents import ahead as next_calls
from agents import desk, merging, people, pop, presence, tasks, visit_holds
from agents.accounts import record
from agents.ahead import Chance
from agents.search import find
from models import clock
from models.calls import Direction
from models.results import NOTE_MAX, Scope
from models.session import read, write
from models.settings import settings
from models.users import Role
from web import desk_orders
from web.access import AHEAD, allow, must_be_me, user_row

# The dispatcher hears of a ring within some tenths of a second.
ROW_WITHIN_S = 1.0

routes = Blueprint("desk", __name__)


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(routes)


@routes.get("/desk")
@allow(Role.AGENT)
def home() -> str:
    """Show what lies on the desk."""
    now = clock.now()
    with read() as db:
        seen = desk.desk(db, must_be_me().id, now)
        handed = [
            hold.visit.elder.person.name for hold in visit_holds.holds_of(db, must_be_me().id, now) if hold.from_user_id
        ]
    return render_template("desk.html", desk=seen, handed=handed, now=now)


@routes.get("/desk/calls/<public_id>")
@allow(Role.AGENT)
def call(public_id: str) -> str | BaseResponse:
    """Show who is on the line, what she has said so far, and what to do next.

    Asked for ahead of its ring, it is given only to those whose telephones may ring next; where no other than this one
    can ring it is shown at once and so read, else it is not read yet.
    """
    if AHEAD not in request.headers:
        try:
            return call_page(public_id)
        except NotFound:
            return redirect(url_for("desk.call", public_id=_by_channel(public_id)), 303)
    with read() as db:
        chance = next_calls.chance(db, must_be_me().id, public_id, clock.now())
    if chance == Chance.NONE:
        abort(404)
    return call_page(public_id, ahead=chance)


def _by_channel(channel_id: str) -> str:
    """Return the public id of her call whose channel this is.

    Where the conversation failed, the telephone at the ring knows the channel only; the row is made a moment later.
    """
    until = time.monotonic() + (ROW_WITHIN_S if "." in channel_id else 0)
    while True:
        with read() as db:
            hers = presence.call_for(db, must_be_me().id, channel_id)
        if hers is not None and hers.public_id != channel_id:
            return hers.public_id
        if time.monotonic() >= until:
            abort(404)
        time.sleep(0.05)


def call_page(public_id: str, problem: tuple[str, str] | None = None, ahead: Chance | None = None) -> str:
    """Return the page of a call; `problem` = (form, code) of what went wrong, `ahead` of its ring: if it rings here."""
    now = clock.now()
    query = request.args.get("q", "").strip()
    with write() as db:
        seen = pop.pop(db, public_id, clock.local_date(now))
        if seen is None:
            abort(404)
        user = user_row(db)
        audited = "given_ahead" if ahead == Chance.SOME else "read"
        record(db, user, audited, ("call", seen.call_id), now)
        if seen.elder_id is not None:
            record(db, user, audited, ("elder", seen.elder_id), now)
        # Nobody is known, or somebody wrongly: whoever is asked for is looked for here, and taken with one click.
        asked = query and (seen.elder is None or seen.line.direction == Direction.IN)
        found = find(db, query, clock.local_date(now), settings().area_code) if asked else None
        if found is not None:
            people.audit_read(db, user, [each.id for each in found.elders], now)
        results = tasks.results(db, Scope.CALL)
    return render_template(
        "pop.html", pop=seen, sure=ahead == Chance.SURE, problem=problem, results=results, note_max=NOTE_MAX,
        query=query, found=found, order=desk_orders.prefilled(seen), form=request.form, now=now,
    )  # fmt: skip


@routes.post("/desk/calls/<public_id>/elder")
@allow(Role.AGENT)
def attach(public_id: str) -> BaseResponse:
    """She has said who she is."""
    now = clock.now()
    try:
        with write() as db:
            elder = merging.present_elder(db, request.form.get("elder", ""))
            keep = request.form.get("keep") == "yes"
            people.attach(db, public_id, (elder, keep), user_row(db), now)
    except KeyError:
        abort(404)
    return redirect(url_for("desk.call", public_id=public_id), 303)


@routes.post("/desk/calls/<public_id>/register")
@allow(Role.AGENT)
def register(public_id: str) -> BaseResponse | tuple[str, int]:
    """Nobody knows her yet: she is registered with the number of this call, and the call is hers."""
    now = clock.now()
    try:
        with write() as db:
            user = user_row(db)
            elder = people.register(db, request.form, user, now)
            people.attach(db, public_id, (elder, False), user, now)
    except KeyError:
        abort(404)
    except people.PersonError as error:
        field, code = next(iter(error.problems.items()))
        return call_page(public_id, (field, code)), 422
    return redirect(url_for("desk.call", public_id=public_id), 303)


@routes.post("/desk/calls/<public_id>/result")
@allow(Role.AGENT)
def result(public_id: str) -> BaseResponse | tuple[str, int]:
    """Write what came of the call."""
    told = request.form.get("result", ""), request.form.get("note", "")
    try:
        with write() as db:
            desk.write_result(db, public_id, told, user_row(db), clock.now())
    except KeyError:
        abort(404)
    except tasks.TaskError as error:
        return call_page(public_id, ("result", error.code)), 409 if error.code == "closed" else 422
    return redirect(url_for("desk.home"), 303)
