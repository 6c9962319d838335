"""One's own account: password, and the second factor of the log-in."""

from __future__ import annotations

import segno
from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from agents import accounts, second_factor
from models import clock
from models.session import read, write
from models.users import Role, User
from web.access import allow, open_session, user_row

routes = Blueprint("account", __name__)

Answer = str | BaseResponse | tuple[str, int]


def init_app(app: Flask) -> None:
    """Register the page."""
    app.register_blueprint(routes)


@routes.get("/account")
@allow(Role.AGENT)
def mine() -> Answer:
    """Show what protects this account."""
    return _page()


@routes.post("/account/password")
@allow(Role.AGENT)
def password() -> Answer:
    """Change one's own password; every other session of this user ends."""
    new, now = request.form.get("new", ""), clock.now()
    with write() as db:
        user = user_row(db)
        if not accounts.is_password(user, request.form.get("old", "")):
            accounts.record(db, user, "password_refused", ("user", user.id), now)
            problem = _l("The present password is wrong.")
        elif new != request.form.get("again"):
            problem = _l("The two new passwords differ.")
        else:
            problem = None
            try:
                accounts.change_password(db, user, new, now)
            except accounts.PasswordRefused:
                problem = _l("12 to 128 characters, at least 5 different ones, without your name in it.")
    if problem is not None:
        return _page(problem=problem, part="password"), 400
    open_session(user, now)
    return redirect(url_for("account.mine", done="password"), 303)


@routes.post("/account/factor")
@allow(Role.AGENT)
def begin() -> Answer:
    """Make a secret and show it; it is asked for only once a code has proved that the app has it."""
    with write() as db:
        user = user_row(db)
        if not second_factor.is_on(user):
            second_factor.begin(user)
    return redirect(url_for("account.mine"), 303)


@routes.post("/account/factor/confirm")
@allow(Role.AGENT)
def confirm() -> Answer:
    """Switch the factor on, and show the codes for paper: this once."""
    with write() as db:
        codes = second_factor.confirm(db, user_row(db), request.form.get("code", ""), clock.now())
    if codes is None:
        return _page(problem=_l("The code does not fit. Is the clock of the telephone right?"), part="factor"), 400
    return _page(codes=codes)


@routes.post("/account/factor/off")
@allow(Role.AGENT)
def switch_off() -> Answer:
    """Switch the factor off; the password is asked for, because an open page may be anybody's."""
    now = clock.now()
    with write() as db:
        user = user_row(db)
        sure = accounts.is_password(user, request.form.get("password", ""))
        if sure:
            second_factor.switch_off(db, user, user, now)
    if not sure:
        return _page(problem=_l("The present password is wrong."), part="factor"), 400
    open_session(user, now)
    return redirect(url_for("account.mine", done="off"), 303)


def _page(problem: object = None, part: str = "", codes: list[str] | None = None) -> str:
    with read() as db:
        user = user_row(db)
        left = second_factor.codes_left(db, user)
    shown = second_factor.address(user) if user.totp_secret and not second_factor.is_on(user) else ""
    return render_template(
        "account.html",
        user=user,
        is_on=second_factor.is_on(user),
        secret=_in_fours(user) if shown else "",
        picture=_picture(shown) if shown else "",
        codes=codes,
        codes_left=left,
        problem=problem,
        part=part,
        done=request.args.get("done", ""),
    )


def _in_fours(user: User) -> str:
    secret = user.totp_secret or ""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def _picture(address: str) -> Markup:
    # Made here, of letters and digits alone: nothing of a user's reaches the markup.
    svg = segno.make(address, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff")
    return Markup(svg)  # noqa: S704
