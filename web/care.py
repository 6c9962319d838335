"""The month of the duty ledger, with the elders and calls behind each figure; somebody was with her in person."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from agents import accounts, duty_figures, people
from agents.care_card import CareCard, care_card
from dispatch import care as core
from dispatch import care_hints, duty_month
from dispatch.duties import Evidence, NoProof
from models import clock
from models.duties import ProofKind
from models.people import Elder, Person
from models.session import read, write
from models.users import Role, User
from web import i18n
from web.access import allow, audited, must_be_me, user_row
from web.care_words import care_line
from web.records import elder_page

routes = Blueprint("care", __name__)

# Nobody remembers what was longer ago well enough to prove anything by it.
LONGEST_AGO = timedelta(days=31)


def init_app(app: Flask) -> None:
    """Register the pages; give the cards what they tell of care visits."""
    app.register_blueprint(routes)
    app.jinja_env.globals.update(
        care_line=care_line, care_of=_care_of, hint_words=lambda hint: care_hints.explained(hint, i18n.language())
    )


def chosen_month(now: datetime) -> date:
    """Return the month that is asked for; this one where none is."""
    try:
        return duty_figures.month_of(request.args.get("month", ""), clock.local_date(now))
    except ValueError:
        abort(404)


@routes.get("/care")
@allow(Role.AGENT)
def month() -> str:
    """Show a month: due, done, proved how, overdue, escalated, by group, community and butler."""
    now = clock.now()
    asked = chosen_month(now)
    with read() as db:
        view = duty_month.month_view(db, asked, now)
    return render_template(
        "care/month.html", view=view, month=asked, before=duty_figures.next_month(asked, -1),
        after=duty_figures.next_month(asked, 1), now=now,
        parts=[(by, duty_figures.lines(view, by)) for by in ("group", "community", "butler")],
    )  # fmt: skip


@routes.get("/care/duties")
@allow(Role.AGENT)
def duties() -> str:
    """Show the elders and the calls behind a figure of the month; reading them is audited."""
    now = clock.now()
    asked = chosen_month(now)
    by, name, what = (request.args.get(part, "") for part in ("by", "name", "what"))
    skip = request.args.get("skip", 0, type=int)
    with read() as db:
        try:
            figure = duty_figures.figure(duty_month.month_view(db, asked, now), by, name, what)
        except KeyError:
            abort(404)
        rows = duty_figures.behind(db, figure, max(0, skip), now)
    audited("figure_opened", ("duties", None), now)
    return render_template(
        "care/duties.html", rows=rows, total=len(figure), calls=len(figure.call_ids), month=asked, by=by, name=name,
        what=what, skip=max(0, skip), page=duty_figures.SHOWN, now=now,
    )  # fmt: skip


@routes.post("/elders/<public_id>/visited")
@allow(Role.AGENT)
def visited(public_id: str) -> BaseResponse | tuple[str, int]:
    """Write down that somebody was with her: who and when."""
    now = clock.now()
    try:
        at = datetime.fromisoformat(request.form.get("at", "")).replace(tzinfo=clock.zone())
    except ValueError:
        return elder_page(public_id, "visited_when"), 422
    if not now - LONGEST_AGO <= at <= now:
        return elder_page(public_id, "visited_when"), 422
    try:
        with write() as db:
            elder, user = people.find_elder(db, public_id), user_row(db)
            core.reached(db, elder.id, Evidence(ProofKind.VISIT, at, None, *_who(db, request.form.get("who", ""))), now)
            # Who noted it stands in the audit; who was there, in the proof.
            accounts.record(db, user, "visited_noted", ("elder", elder.id), now)
    except KeyError:
        abort(404)
    except NoProof:
        return elder_page(public_id, "visited_who"), 422
    return redirect(url_for("records.elder", public_id=public_id, _anchor="care"), 303)


def _who(db: Session, written: str) -> tuple[int | None, int | None]:
    """Return who was there: a person's id or a user's; neither where nobody is meant."""
    kind, _, public_id = written.partition(":")
    person = db.scalar(select(Person.id).where(Person.public_id == public_id)) if kind == "person" else None
    user = db.scalar(select(User.id).where(User.public_id == public_id)) if kind == "user" else None
    return person, user


def _care_of(public_id: str) -> CareCard | None:
    """Return what a card tells of an elder's care visits; the card's page is audited already."""
    now = clock.now()
    with read() as db:
        elder = db.scalar(select(Elder).join(Elder.person).where(Person.public_id == public_id))
        return care_card(db, elder, must_be_me().id, now) if elder is not None else None
