"""Elders and providers from a file: chosen, checked line by line, and written whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from agents import imports
from agents.changing import By
from agents.imports import Finding, ImportRefused, What
from models import clock, elder_columns, elder_export, provider_columns, provider_export
from models.session import write
from models.users import Role
from web.access import allow, user_row
from web.security import takes_up_to

routes = Blueprint("admin_imports", __name__)

Answer = str | tuple[str, int]
# What is around the file in a form (bytes).
_FORM = 16 * 1024
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(routes)


@routes.get("/admin/imports")
@allow(Role.ADMIN)
def start() -> str:
    """Show the form that takes a file."""
    return _page()


@routes.post("/admin/imports")
@allow(Role.ADMIN)
@takes_up_to(imports.LARGEST + _FORM)
def check() -> Answer:
    """Say what the file would do; nothing is written but the file itself, for a day."""
    file, what = request.files.get("file"), request.form.get("what", "")
    name = Path(file.filename or "").name if file else ""
    if file is None or not name.lower().endswith((".csv", ".xlsx")):
        return _page(problem=ImportRefused("table", "")), 422
    data = file.read(imports.LARGEST + 1)
    file.close()
    try:
        found = imports.check(what, data)
    except ImportRefused as refused:
        return _page(problem=refused, name=name), 422
    if found.problems:
        return _page(found, what=what, name=name), 422
    with write() as db:
        public_id = imports.keep(db, (what, name, data), found.rows, By(user_row(db), clock.now()))
    return _page(found, what=what, name=name, public_id=public_id)


@routes.post("/admin/imports/<public_id>/apply")
@allow(Role.ADMIN)
def apply(public_id: str) -> Answer:
    """Write the file."""
    try:
        found = imports.apply(public_id, lambda db: By(user_row(db), clock.now()))
    except KeyError:
        abort(404)
    except ImportRefused as refused:
        return _page(problem=refused), 409
    return (_page(found), 409) if found.problems else _page(found, done=True)


@routes.get("/admin/imports/template/<what>")
@allow(Role.ADMIN)
def template(what: str) -> BaseResponse:
    """Give an empty table with every column, explained on its second sheet."""
    if what not in {one.value for one in What}:
        abort(404)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{what}.xlsx"
        if what == What.ELDERS:
            elder_export.write(path, elder_columns.columns(contacts=2), ())
        else:
            provider_export.write(path, provider_columns.columns(workers=4), ())
        data = path.read_bytes()
    return Response(data, mimetype=_XLSX, headers={"Content-Disposition": f'attachment; filename="{what}.xlsx"'})


def _page(found: Finding | None = None, **more: object) -> str:
    known = {"what": "", "name": "", "public_id": "", "done": False, "problem": None, **more}
    return render_template("admin/imports.html", found=found, kinds=list(What), shown=imports.SHOWN, **known)
