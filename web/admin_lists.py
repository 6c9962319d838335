"""Lists that are data: reasons for a pause, results, what calls are marked by, dialects, what each service costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from agents import admin_lists, admin_services, changing
from agents.changing import Kind, Refused, Values
from models.results import Scope
from models.session import read
from models.users import Role
from models.vocabulary import LANGUAGES
from web.access import allow
from web.admin import keep, status_of

routes = Blueprint("admin_lists", __name__)

Answer = str | BaseResponse | tuple[str, int]


@dataclass(frozen=True)
class Listed:
    """One list: how it is called, what is on it, how a form is read. `blank`: values of a new one, if there may be."""

    endpoint: str
    title: Any
    icon: str
    kind: Kind
    all: Callable[[Session], list[tuple[str, Values]]]
    values: Callable[[Mapping[str, str]], Values]
    blank: Values | None


LISTS: Mapping[str, Listed] = {
    "pauses": Listed(
        "admin_lists.reasons", _l("Reasons for a pause"), "coffee", admin_lists.REASON, admin_lists.reasons,
        admin_lists.reason_values, {"names": {}, "position": 0, "is_shown": True},
    ),
    "results": Listed(
        "admin_lists.results", _l("Results"), "list-check", admin_lists.RESULT, admin_lists.results,
        admin_lists.result_values,
        {"names": {}, "scope": Scope.BOTH.value, "is_final": True, "retry_s": None, "needs_note": False,
         "position": 0, "is_shown": True},
    ),
    "quality": Listed(
        "admin_lists.quality", _l("What calls are marked by"), "star", admin_lists.QUALITY_ITEM,
        admin_lists.quality_items, admin_lists.quality_values,
        {"names": {}, "weight": 1, "position": 0, "is_shown": True},
    ),
    "dialects": Listed(
        "admin_lists.dialects", _l("Dialects"), "ear", admin_lists.DIALECT, admin_lists.all_dialects,
        admin_lists.dialect_values, {"names": {}, "language": LANGUAGES[0], "position": 0, "is_shown": True},
    ),
    "services": Listed(
        "admin_lists.services", _l("Services"), "clipboard-list", admin_services.SERVICE, admin_services.services,
        admin_services.service_values, None,
    ),
}  # fmt: skip


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(routes)


@routes.get("/admin/pauses")
@allow(Role.ADMIN)
def reasons() -> str:
    """Show the reasons for a pause."""
    return _list("pauses")


@routes.get("/admin/results")
@allow(Role.ADMIN)
def results() -> str:
    """Show the results of calls and tasks."""
    return _list("results")


@routes.get("/admin/quality")
@allow(Role.ADMIN)
def quality() -> str:
    """Show what calls are marked by."""
    return _list("quality")


@routes.get("/admin/dialects")
@allow(Role.ADMIN)
def dialects() -> str:
    """Show the dialects."""
    return _list("dialects")


@routes.get("/admin/services")
@allow(Role.ADMIN)
def services() -> str:
    """Show the services."""
    return _list("services")


@routes.get("/admin/<which>/new")
@allow(Role.ADMIN)
def blank(which: str) -> str:
    """Show the form for a new one."""
    listed = _of(which)
    if listed.blank is None:
        abort(404)
    return _form(which, "", listed.blank)


@routes.post("/admin/<which>/new")
@allow(Role.ADMIN)
def add(which: str) -> Answer:
    """Put a new one on the list."""
    if _of(which).blank is None:
        abort(404)
    return _keep(which, None)


@routes.get("/admin/<which>/item/<key>")
@allow(Role.ADMIN)
def item(which: str, key: str) -> str:
    """Show one of a list."""
    return _form(which, key, _stands(which, key))


@routes.post("/admin/<which>/item/<key>")
@allow(Role.ADMIN)
def change(which: str, key: str) -> Answer:
    """Change one of a list."""
    _stands(which, key)
    return _keep(which, key)


def _of(which: str) -> Listed:
    return LISTS.get(which) or abort(404)


def _list(which: str) -> str:
    with read() as db:
        items = _of(which).all(db)
    return render_template("admin/list.html", which=which, listed=_of(which), items=items)


def _keep(which: str, key: str | None) -> Answer:
    listed = _of(which)
    _, refused = keep(listed.kind, key, lambda _db: listed.values(request.form))
    if refused is None:
        return redirect(url_for(listed.endpoint), 303)
    overtaken = refused.problems.get("") == "overtaken"
    return _form(which, key or "", _stands(which, key) if overtaken and key else None, refused), status_of(refused)


def _stands(which: str, key: str) -> Values:
    if key.isdigit() or which == "services":
        with read() as db:
            found = _of(which).kind.read(db, key)
        if found is not None:
            return found
    abort(404)


def _form(which: str, key: str, values: Values | None, refused: Refused | None = None) -> str:
    """Show the form with `values`; None: with what was typed."""
    listed = _of(which)
    return render_template(
        "admin/item.html",
        which=which,
        listed=listed,
        key=key,
        typed=request.form if values is None else _as_form(values),
        seen=(request.form.get("seen", "") if values is None else changing.token(values)) if key else "",
        refused=refused,
        languages=LANGUAGES,
        scopes=_scopes(values or request.form),
        weight_max=admin_lists.WEIGHT_MAX,
        units=list(admin_services.Unit),
    )


def _scopes(values: Mapping[str, Any]) -> list[Scope]:
    """Return where a result may be moved to: one of the staff's run stays there."""
    staff = [scope for scope in admin_lists.STAFF if scope == values.get("scope")]
    return staff or [scope for scope in Scope if scope not in admin_lists.STAFF]


def _as_form(values: Values) -> dict[str, str]:
    """Return values as the form's fields have them."""
    fields = {f"name_{language}": text for language, text in values.get("names", {}).items()}
    fields["position"] = str(values.get("position", 0))
    fields["weight"] = str(values.get("weight", 1))
    fields["shown"] = "yes" if values.get("is_shown", True) else "no"
    fields["final"] = "yes" if values.get("is_final", True) else "no"
    fields["needs_note"] = "yes" if values.get("needs_note") else "no"
    fields["scope"] = values.get("scope", "")
    fields["language"] = values.get("language", "")
    fields["retry_min"] = str((values.get("retry_s") or 0) // 60 or "")
    fields["on"] = "yes" if values.get("is_offered", True) else "no"
    price = values.get("price_fen")
    fields["price"] = "" if price is None else f"{price / 100:.2f}"
    fields["unit"] = values.get("unit", "")
    return fields
