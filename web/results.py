"""How results are called: their rows say it, in each language, so that an operator can add some."""

from __future__ import annotations

from flask import Flask, current_app, g
from sqlalchemy import select

from models.results import CallResult
from models.session import read
from web import i18n
from web.access import me
from web.config import ConsoleSettings


def init_app(app: Flask, console: ConsoleSettings) -> None:
    """Give the templates the names of results, and whether health notes may be seen."""
    app.config["HEALTH_ROLES"] = console.health_roles
    app.jinja_env.globals.update(
        result_word=result_word,
        result_name=lambda row: _name(row.names, row.code),
        may_see_health=may_see_health,
    )


def may_see_health() -> bool:
    """Whether whoever is logged in may see, and so write, notes on an elder's health."""
    who = me()
    return who is not None and who.role in current_app.config["HEALTH_ROLES"]


def result_word(code: str | None) -> str:
    """Return what a result is called; asked of the database once a page."""
    if "result_names" not in g:
        with read() as db:
            g.result_names = dict(db.execute(select(CallResult.code, CallResult.names)).all())
    return _name(g.result_names.get(code or "", {}), code or "")


def _name(names: dict[str, str], code: str) -> str:
    return names.get(i18n.language()) or names.get(i18n.DEFAULT) or code
