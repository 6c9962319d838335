"""Users, their roles and passwords; which calls an agent takes."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, Flask, abort, redirect, render_template, request, session, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from agents import accounts, admin_skills, admin_users, changing, second_factor
from agents.changing import By, Refused
from dispatch import roster
from models import clock, dialects
from models.session import read, write
from models.settings import settings
from models.users import Role, User
from models.vocabulary import LANGUAGES
from web.access import allow, open_to_everybody, user_row
from web.admin import keep, status_of

routes = Blueprint("admin_users", __name__)

Answer = str | BaseResponse | tuple[str, int]


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(routes)


@routes.get("/admin/users")
@allow(Role.ADMIN)
def users() -> str:
    """Show all users."""
    with read() as db:
        lines = admin_users.user_lines(db)
        spoken = {one.code: one.names for one in dialects.dialects(db)}
    return render_template(
        "admin/users.html", users=lines, dialects=spoken, usual=roster.usual_skills(), now=clock.now()
    )


@routes.get("/admin/users/new")
@allow(Role.ADMIN)
def blank() -> str:
    """Show the form for a new user."""
    values = {"name": "", "role": Role.AGENT.value, "language": LANGUAGES[0], "may_log_in": True}
    return _blank(values)


@routes.post("/admin/users/new")
@allow(Role.ADMIN)
def add() -> Answer:
    """Add a user, and show the link by which she chooses her password."""
    key, refused = keep(admin_users.USER, None, lambda _db: admin_users.user_values(request.form))
    if refused is not None:
        return _blank(_typed(), refused), status_of(refused)
    with read() as db:
        public_id = db.get_one(User, int(str(key))).public_id
    return _linked(public_id)


@routes.get("/admin/users/<public_id>")
@allow(Role.ADMIN)
def user(public_id: str) -> str:
    """Show one user."""
    return _page(public_id)


@routes.post("/admin/users/<public_id>")
@allow(Role.ADMIN)
def change(public_id: str) -> Answer:
    """Change name, role, language, and whether she may log in."""
    _, refused = keep(admin_users.USER, _key(public_id), lambda _db: admin_users.user_values(request.form))
    if refused is not None:
        return _page(public_id, refused), status_of(refused)
    return redirect(url_for("admin_users.user", public_id=public_id), 303)


@routes.post("/admin/users/<public_id>/skills")
@allow(Role.ADMIN)
def skills(public_id: str) -> Answer:
    """Change which calls she takes, and which dialects she speaks."""
    key = _key(public_id)

    def said(db: Session) -> changing.Values:
        return admin_skills.skill_values(request.form, [one.code for one in admin_skills.dialects_of(db, int(key))])

    _, refused = keep(admin_skills.SKILLS, key, said)
    if refused is not None:
        return _page(public_id, refused, "skills"), status_of(refused)
    return redirect(url_for("admin_users.user", public_id=public_id, _anchor="skills"), 303)


@routes.post("/admin/users/<public_id>/link")
@allow(Role.ADMIN)
def link(public_id: str) -> Answer:
    """End her password and sessions, and show a link by which she chooses a new one."""
    return _linked(public_id)


@routes.post("/admin/users/<public_id>/factor-off")
@allow(Role.ADMIN)
def factor_off(public_id: str) -> Answer:
    """Ask her for no code any more: telephone and paper are both lost."""
    _key(public_id)
    with write() as db:
        second_factor.switch_off(db, admin_users.user_at(db, public_id), user_row(db), clock.now())
    return redirect(url_for("admin_users.user", public_id=public_id), 303)


# The link: its user is not logged in.


@routes.get("/welcome/<secret>")
@open_to_everybody
def welcome(secret: str) -> Answer:
    """Let a user choose her password."""
    return _welcome(secret)


@routes.post("/welcome/<secret>")
@open_to_everybody
def choose(secret: str) -> Answer:
    """Take the password; she logs in with it."""
    new = request.form.get("new", "")
    if new != request.form.get("again"):
        return _welcome(secret, "differ")
    try:
        with write() as db:
            admin_users.redeem(db, secret, new, clock.now())
    except KeyError:
        return _welcome(secret)
    except accounts.PasswordRefused:
        return _welcome(secret, "rule")
    # Whoever sat at this computer before is not the one who has just chosen.
    language = session.get("language")
    session.clear()
    session["language"] = language
    return redirect(url_for("login.form"), 303)


def _welcome(secret: str, problem: str = "") -> Answer:
    try:
        with read() as db:
            who = admin_users.invited(db, secret, clock.now())
    except KeyError:
        return render_template("welcome.html", who=None, problem=""), 410
    page = render_template("welcome.html", who=who, problem=problem)
    return (page, 422) if problem else page


def _linked(public_id: str) -> Answer:
    _key(public_id)
    try:
        with write() as db:
            by = By(user_row(db), clock.now())
            secret = admin_users.issue_link(db, admin_users.user_at(db, public_id), by)
    except Refused as refused:
        return _page(public_id, refused), 422
    return _page(public_id, secret=secret)


def _key(public_id: str) -> str:
    with read() as db:
        return str(_user(db, public_id).id)


def _user(db: Session, public_id: str) -> User:
    try:
        return admin_users.user_at(db, public_id)
    except KeyError:
        abort(404)


def _typed() -> dict[str, Any]:
    return {
        **{name: request.form.get(name, "") for name in ("name", "role", "language")},
        "may_log_in": request.form.get("on") != "no",
    }


def _blank(values: dict[str, Any], refused: Refused | None = None) -> str:
    return render_template(
        "admin/user.html", user=None, values=values, seen="", refused=refused, part="", roles=list(Role)
    )


def _page(public_id: str, refused: Refused | None = None, part: str = "", secret: str = "") -> str:
    with read() as db:
        row = _user(db, public_id)
        stands = partial(admin_users.USER.read, db)(str(row.id)) or {}
        taken = admin_skills.SKILLS.read(db, str(row.id)) or {}
        spoken = admin_skills.dialects_of(db, row.id)
        factor, waits = second_factor.is_on(row), not accounts.has_password(row)
    overtaken = refused is not None and refused.problems.get("") == "overtaken"
    return render_template(
        "admin/user.html",
        user=row,
        values=_typed() if refused and not overtaken and not part else stands,
        seen=changing.token(stands),
        skills={language: penalty for language, penalty in taken.items() if language in LANGUAGES},
        taken=taken,
        dialects=[(admin_skills.dialect_field(one.code), one) for one in spoken],
        skills_seen=changing.token(taken),
        usual=roster.usual_skills(),
        penalty_max=admin_skills.PENALTY_MAX,
        languages=settings().languages,
        roles=list(Role),
        factor=factor,
        waits=waits,
        link=url_for("admin_users.welcome", secret=secret, _external=True) if secret else "",
        refused=refused,
        part=part,
    )
