"""A provider's form: everything that a line of the providers' file says, and its workers."""

from __future__ import annotations

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from agents import admin_providers, changing
from agents.admin_providers import PROVIDER
from agents.changing import Refused, Values
from models.provider_columns import KINDS, LIMITS, WORKERS
from models.provider_columns import SERVICES as SERVICE_WORDS
from models.session import read
from models.sheet_cells import LANGUAGE_WORDS, parts
from models.users import Role
from web.access import allow
from web.admin import keep, status_of

routes = Blueprint("admin_providers", __name__)

Answer = str | BaseResponse | tuple[str, int]


def init_app(app: Flask) -> None:
    """Register the form."""
    app.register_blueprint(routes)


@routes.get("/providers/new")
@allow(Role.ADMIN)
def blank() -> str:
    """Show the form for a new provider."""
    return _form(None, {"kind": "企业", "language": "汉语", "position": "0"})


@routes.post("/providers/new")
@allow(Role.ADMIN)
def add() -> Answer:
    """Register a provider."""
    return _keep(None)


@routes.get("/providers/<public_id>/edit")
@allow(Role.ADMIN)
def edit(public_id: str) -> str:
    """Show the form with what stands."""
    return _form(public_id, _stands(public_id))


@routes.post("/providers/<public_id>/edit")
@allow(Role.ADMIN)
def change(public_id: str) -> Answer:
    """Change a provider."""
    return _keep(public_id)


def _key(public_id: str) -> str:
    try:
        with read() as db:
            return str(admin_providers.provider_id_of(db, public_id))
    except KeyError:
        abort(404)


def _stands(public_id: str) -> Values:
    key = _key(public_id)
    with read() as db:
        return PROVIDER.read(db, key) or {}


def _keep(public_id: str | None) -> Answer:
    form = request.form
    key, refused = keep(
        PROVIDER,
        _key(public_id) if public_id else None,
        lambda _db: admin_providers.provider_values(form, form.getlist("services")),
    )
    if refused is not None:
        stands = _stands(public_id) if public_id and refused.problems.get("") == "overtaken" else None
        return _form(public_id, stands, refused), status_of(refused)
    if public_id is None:
        with read() as db:
            public_id = admin_providers.public_id_of(db, str(key))
    return redirect(url_for("providers.roster", _anchor=f"provider-{public_id}"), 303)


def _form(public_id: str | None, values: Values | None, refused: Refused | None = None) -> str:
    """Show the form with `values`; None: with what was typed."""
    if values is None:
        typed, chosen = dict(request.form), request.form.getlist("services")
        sms, seen = request.form.get("sms") == "yes", request.form.get("seen", "")
    else:
        typed = admin_providers.form_of(values)
        chosen = [SERVICE_WORDS[word] for word in parts(str(values.get("services", "")))]
        sms, seen = values.get("sms") == "是", changing.token(values) if public_id else ""
    known = [number for number in range(1, WORKERS + 1) if any(typed.get(f"worker{number}_{of}") for of in _WORKER)]
    last = min(WORKERS, max(known, default=0) + admin_providers.WORKERS_MORE)
    return render_template(
        "provider_form.html", public_id=public_id, typed=typed, chosen=chosen, sms=sms, seen=seen, refused=refused,
        workers=range(1, last + 1), kinds={str(code): word for word, code in reversed(list(KINDS.items())) if word},
        languages={str(code): word for word, code in reversed(list(LANGUAGE_WORDS.items())) if word}, limits=LIMITS,
    )  # fmt: skip


_WORKER = ("name", "code", "phones")
