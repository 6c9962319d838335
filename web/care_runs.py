"""The staff's run: the lists, and one elder after the other with her card, the script, the call and its result."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from agents import campaigns, visit_holds, visit_scripts, visit_view, visits
from agents.accounts import record
from agents.visits import Draft, VisitError
from models import clock
from models.campaigns import CampaignStatus, CareVisit
from models.results import NOTE_MAX, Scope
from models.session import read, write
from models.settings import settings
from models.users import Role, User
from web.access import allow, must_be_me, user_row

routes = Blueprint("care_runs", __name__)

# The page says so often within the time of the hold that it is still open.
_SIGNS = 5


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(routes)
    app.jinja_env.globals.update(spoken=visit_scripts.spoken)


@routes.get("/care/runs")
@allow(Role.AGENT)
def home() -> str:
    """Show the lists that may be worked on, and whom this agent has already."""
    return _home()


def _home(problem: str = "") -> str:
    now, me = clock.now(), must_be_me()
    with read() as db:
        holds = [
            (hold.visit.public_id, hold.visit.elder.person.name, hold.visit.campaign.name,
             hold.from_user.name if hold.from_user else "")
            for hold in visit_holds.holds_of(db, me.id, now)
        ]  # fmt: skip
        lines = visit_view.runs(db, me.id, now)
    return render_template("care/runs.html", holds=holds, lines=lines, problem=problem, now=now)


@routes.get("/care/runs/<public_id>")
@allow(Role.AGENT)
def next_one(public_id: str) -> str | BaseResponse:
    """Go to the elder this agent works on in a campaign, else to the next free one."""
    now = clock.now()
    with write() as db:
        try:
            campaign = campaigns.find(db, public_id)
        except KeyError:
            abort(404)
        visit = visit_holds.take(db, campaign, user_row(db), now)
        found = visit.public_id if visit else None
    if found:
        return redirect(url_for("care_runs.visit", public_id=found), 303)
    # One that is done has nobody left; one that rests has, and says why nobody of them is rung.
    rests = "" if visit_holds.is_worked_on(campaign) or campaign.status == CampaignStatus.DONE else campaign.status
    with read() as db:
        standing = visit_view.standing(db, campaign, must_be_me().id, now)
    return render_template("care/run_end.html", name=campaign.name, rests=rests, standing=standing)


@routes.get("/care/visits/<public_id>")
@allow(Role.AGENT)
def visit(public_id: str) -> str | BaseResponse | tuple[str, int]:
    """Show one elder to the agent who works on her; the card is audited, what the page asks by itself is not."""
    return _page(public_id)


def _page(public_id: str, problem: str = "", status: int = 200) -> str | tuple[str, int]:
    now = clock.now()
    with write() as db:
        user = user_row(db)
        try:
            row = visits.open_one(db, public_id, user, now)
        except KeyError:
            abort(404)
        except VisitError as error:
            return _home(error.code), 409
        if "watch" not in request.args:
            record(db, user, "read", ("elder", row.elder_id), now)
    # What is shown is read without the lock that callers wait for: the page asks every two seconds.
    with read() as db:
        try:
            seen = visit_view.view(db, db.get_one(CareVisit, row.id), user.id, now)
        except NoResultFound:
            return _home("gone"), 409  # She was let go in this very moment, from another page of the agent's.
        results, reasons = visits.results(db, Scope.VISIT), visits.results(db, Scope.SKIP)
    page = render_template(
        "care/visit.html", run=seen, results=results, reasons=reasons, problem=problem, note_max=NOTE_MAX,
        renew_s=settings().care_hold_s // _SIGNS, now=now,
    )  # fmt: skip
    return page if status == 200 else (page, status)


@routes.post("/care/visits/<public_id>/keep")
@allow(Role.AGENT)
def keep(public_id: str) -> tuple[str, int]:
    """Say that she is still worked on here (204), or that somebody else has her now (409)."""
    with write() as db:
        held = visits.keep(db, public_id, must_be_me().id, clock.now())
    return "", 204 if held else 409


@routes.post("/care/visits/<public_id>/draft")
@allow(Role.AGENT)
def draft(public_id: str) -> tuple[str, int]:
    """Keep what was entered so far, for a reload or for a colleague."""
    try:
        with write() as db:
            visits.draft(db, public_id, Draft.of(request.form), user_row(db), clock.now())
    except VisitError:
        return "", 409
    return "", 204


@routes.post("/care/visits/<public_id>/result")
@allow(Role.AGENT)
def finish(public_id: str) -> BaseResponse | str | tuple[str, int]:
    """Write what came of it, and go on with the next elder."""
    return _do(public_id, lambda db, user, entered: visits.finish(db, public_id, entered, user, clock.now()))


@routes.post("/care/visits/<public_id>/skip")
@allow(Role.AGENT)
def skip(public_id: str) -> BaseResponse | str | tuple[str, int]:
    """Pass her over, and go on with the next elder."""
    return _do(public_id, lambda db, user, entered: visits.skip(db, public_id, entered, user, clock.now()))


@routes.post("/care/visits/<public_id>/hand-over")
@allow(Role.AGENT)
def hand_over(public_id: str) -> BaseResponse | str | tuple[str, int]:
    """Give her to a colleague, and go on with the next elder."""
    to = request.form.get("to", "")
    return _do(public_id, lambda db, user, _entered: visits.hand_over(db, public_id, to, user, clock.now()))


@routes.post("/care/visits/<public_id>/let-go")
@allow(Role.AGENT)
def let_go(public_id: str) -> BaseResponse | str | tuple[str, int]:
    """End the run: she is free for others."""
    return _do(public_id, lambda db, user, _entered: visits.let_go(db, public_id, user, clock.now()), on=False)


def _do(
    public_id: str, deed: Callable[[Session, User, Draft], None], on: bool = True
) -> BaseResponse | str | tuple[str, int]:
    try:
        with write() as db:
            row = visits.found(db, public_id)
            campaign = row.campaign.public_id
            deed(db, user_row(db), Draft.of(request.form))
    except KeyError:
        abort(404)
    except VisitError as error:
        if error.code == "gone":
            return _home("gone"), 409
        return _page(public_id, error.code, 422)
    target = url_for("care_runs.next_one", public_id=campaign) if on else url_for("care_runs.home")
    return redirect(target, 303)
