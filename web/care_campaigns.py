"""Campaigns: the list with live figures, one campaign, the form that makes one; only supervisors change anything."""

from __future__ import annotations

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from agents import campaign_rows, campaigns
from agents.campaigns import CampaignError, IllegalMove, NotATable, Wish
from dispatch import campaign_rules
from dispatch.campaign_import import Checked
from models import clock
from models.campaigns import Campaign, CampaignMode, VisitStatus
from models.care_scripts import SCRIPTS
from models.duties import RISKS, Group
from models.session import read, write
from models.users import Role
from web.access import allow, audited, must_be_me, user_row
from web.security import takes_up_to

routes = Blueprint("care_campaigns", __name__)

# So many broken lines of a list are shown; who has more mends those first.
PROBLEMS_SHOWN = 200
_FORM = 64 * 1024


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(routes)


@routes.get("/care/campaigns")
@allow(Role.AGENT)
def home() -> str:
    """List the campaigns; the page asks for its figures again every two seconds (`?watch`)."""
    now = clock.now()
    with read() as db:
        rows = campaign_rows.listed(db, now)
    return render_template("care/campaigns.html", rows=rows, now=now)


@routes.get("/care/campaigns/<public_id>")
@allow(Role.AGENT)
def one(public_id: str) -> str:
    """Show one campaign: its figures, each with the elders behind it, its settings and its course."""
    return _page(public_id)


def _page(public_id: str, problem: str = "") -> str:
    now = clock.now()
    with read() as db:
        row = _found(db, public_id)
        return render_template(
            "care/campaign.html", one=campaign_rows.row_of(db, row, now), events=campaign_rows.events(db, row.id),
            problem=problem, now=now,
        )  # fmt: skip


@routes.get("/care/campaigns/<public_id>/elders")
@allow(Role.AGENT)
def elders(public_id: str) -> str:
    """Show the elders behind a figure of a campaign, with the calls to them; reading is audited."""
    now = clock.now()
    status, skip = request.args.get("status", ""), max(0, request.args.get("skip", 0, type=int))
    if status and status not in tuple(VisitStatus):
        abort(404)
    with read() as db:
        row = _found(db, public_id)
        total, rows = campaign_rows.visits(db, row.id, status, skip)
    audited("figure_opened", ("campaign", row.id), now)
    return render_template(
        "care/campaign_elders.html", name=row.name, public_id=public_id, status=status, total=total, rows=rows,
        skip=skip, page=campaign_rows.SHOWN, now=now,
    )  # fmt: skip


@routes.post("/care/campaigns/<public_id>/move")
@allow(Role.SUPERVISOR)
def move(public_id: str) -> BaseResponse | tuple[str, int]:
    """Begin, pause, resume or stop it."""
    try:
        with write() as db:
            campaigns.move(db, public_id, request.form.get("to", ""), user_row(db), clock.now())
    except KeyError:
        abort(404)
    except IllegalMove:
        return _page(public_id, "illegal"), 409
    return redirect(url_for("care_campaigns.one", public_id=public_id), 303)


@routes.get("/care/campaigns/new")
@allow(Role.SUPERVISOR)
def blank() -> str:
    """Show the form of a new campaign."""
    return _form({})


@routes.post("/care/campaigns/new")
@allow(Role.SUPERVISOR)
@takes_up_to(campaigns.LARGEST_LIST + _FORM)
def make() -> str | BaseResponse | tuple[str, int]:
    """Check the form and show whom it would ring; with `apply` write it. The check writes nothing."""
    now = clock.now()
    groups, areas = request.form.getlist("groups"), request.form.getlist("areas")
    try:
        asked = campaigns.wish(request.form, groups, areas, must_be_me().id)
        if request.form.get("apply") == "yes":
            with write() as db:
                public_id = campaigns.make(db, asked, campaigns.whom(db, asked, _cards()), user_row(db), now)
            return redirect(url_for("care_campaigns.one", public_id=public_id), 303)
        with read() as db:
            return _checked(db, asked, campaigns.whom(db, asked, _upload()))
    except CampaignError as error:
        return _form(error.problems), 422
    except NotATable as error:
        return _form({"list": "bad"}, str(error)), 422


def _checked(db: Session, asked: Wish, checked: Checked) -> str | tuple[str, int]:
    if checked.faults:
        return _form({"list": "bad"}, faults=checked), 422
    return render_template(
        "care/campaign_check.html", asked=asked, count=len(checked.elder_ids), fields=_fields(),
        cards=campaigns.cards_of(db, checked.elder_ids) if asked.new.source == "import" else [],
        window=campaign_rules.window_of(asked.new.window), pace=campaign_rules.pace_of(asked.new.pace),
    )  # fmt: skip


def _upload() -> bytes | None:
    file = request.files.get("list")
    return file.read(campaigns.LARGEST_LIST + 1) if file else None


def _cards() -> bytes | None:
    """The cards that the check has carried over, as the table they came in."""
    cards = request.form.get("cards", "").split()
    return "\n".join(["card_number", *cards]).encode() if cards else None


def _fields() -> list[tuple[str, str]]:
    """What the check carries over to the writing: every field of the form."""
    left_out = ("csrf_token", "apply", "cards")
    return [(name, value) for name, value in request.form.items(multi=True) if name not in left_out]


def _form(problems: dict[str, str], told: str = "", faults: Checked | None = None) -> str:
    with read() as db:
        areas = campaigns.areas(db)
    shown = faults.faults[:PROBLEMS_SHOWN] if faults else []
    return render_template(
        "care/campaign_form.html", problems=problems, told=told, faults=shown,
        more=len(faults.faults) - len(shown) if faults else 0, good=len(faults.elder_ids) if faults else 0,
        areas=areas, scripts=tuple(SCRIPTS), modes=tuple(CampaignMode), sources=campaigns.SOURCES,
        groups=tuple(group for group in Group if group not in RISKS), risks=RISKS, form=request.form,
        chosen_groups=request.form.getlist("groups"), chosen_areas=request.form.getlist("areas"),
        window=campaign_rules.Window(), pace=campaign_rules.Pace(), name_max=campaigns.NAME_MAX,
        fresh=request.method == "GET", source=request.args.get("source", ""),
    )  # fmt: skip


def _found(db: Session, public_id: str) -> Campaign:
    try:
        return campaigns.find(db, public_id)
    except KeyError:
        abort(404)
