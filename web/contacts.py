"""An elder's contacts, changed from her card: who may ring for her, and what she has consented to."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from agents import changing, contacts, people
from agents.accounts import record
from agents.changing import Refused, Values
from agents.circle import RIGHTS
from agents.contacts import CONTACT
from models import clock
from models.contacts import Relation
from models.people import Elder
from models.session import read, write
from models.users import Role
from web.access import allow, user_row
from web.admin import keep, status_of

routes = Blueprint("contacts", __name__)

Answer = str | BaseResponse | tuple[str, int]


def init_app(app: Flask) -> None:
    """Register the form."""
    app.register_blueprint(routes)


@routes.get("/elders/<public_id>/contacts/new")
@allow(Role.AGENT)
def blank(public_id: str) -> str:
    """Show the form for a new contact."""
    return _form(public_id, "", {"name": "", "numbers": [], "relation": Relation.CHILD.value, "rights": []})


@routes.post("/elders/<public_id>/contacts/new")
@allow(Role.AGENT)
def add(public_id: str) -> Answer:
    """Add a contact."""
    return _keep(public_id, "")


@routes.get("/elders/<public_id>/contacts/<key>")
@allow(Role.AGENT)
def edit(public_id: str, key: str) -> str:
    """Show the form with what stands."""
    return _form(public_id, key, _stands(public_id, key))


@routes.post("/elders/<public_id>/contacts/<key>")
@allow(Role.AGENT)
def change(public_id: str, key: str) -> Answer:
    """Change a contact."""
    _stands(public_id, key)
    return _keep(public_id, key)


@routes.post("/elders/<public_id>/contacts/<key>/end")
@allow(Role.AGENT)
def end(public_id: str, key: str) -> Answer:
    """She is no contact of the elder's any more; what she has ordered keeps her name."""
    stands = _stands(public_id, key)
    _, refused = keep(CONTACT, key, lambda _db: None)
    if refused is not None:
        return _form(public_id, key, stands, refused), status_of(refused)
    return _to_card(public_id)


def _elder(db: Session, public_id: str) -> Elder:
    try:
        return people.find_elder(db, public_id)
    except KeyError:
        abort(404)


def _stands(public_id: str, key: str) -> Values:
    with write() as db:
        elder = _elder(db, public_id)
        try:
            row = contacts.contact_at(db, elder, key)
        except KeyError:
            abort(404)
        record(db, user_row(db), "read", ("contact", row.id), clock.now())
        return CONTACT.read(db, key) or {}


def _keep(public_id: str, key: str) -> Answer:
    form = request.form
    _, refused = keep(CONTACT, key or None, lambda db: contacts.contact_values(_elder(db, public_id), form))
    if refused is None:
        return _to_card(public_id)
    stands = _stands(public_id, key) if key and refused.problems.get("") == "overtaken" else None
    return _form(public_id, key, stands, refused), status_of(refused)


def _to_card(public_id: str) -> BaseResponse:
    return redirect(url_for("records.elder", public_id=public_id, _anchor="contacts"), 303)


def _form(public_id: str, key: str, values: Values | None, refused: Refused | None = None) -> str:
    """Show the form with `values`; None: with what was typed."""
    with read() as db:
        elder = _elder(db, public_id)
        row = contacts.contact_at(db, elder, key) if key else None
        shared = contacts.stands_by(db, row.person_id) if row else 0
        fixed = row is not None and contacts.is_elder(db, row.person_id)
        name = elder.person.name
    typed: dict[str, Any] = (
        {**request.form, "rights": [right for right in RIGHTS if request.form.get(right) == "yes"]}
        if values is None
        else {**values, "numbers": ", ".join(values["numbers"])}
    )
    return render_template(
        "contact_form.html", public_id=public_id, key=key, typed=typed, elder=name, shared=shared, fixed=fixed,
        seen=(request.form.get("seen", "") if values is None else changing.token(values)) if key else "",
        relations=list(Relation), rights=RIGHTS, refused=refused,
    )  # fmt: skip
