"""Administration: the index of what can be set, and what all of its forms share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from babel.dates import get_day_names
from flask import Blueprint, Flask, render_template, request
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from agents import admin_hours, admin_index, admin_lists, admin_skills, admin_users, changing, contacts
from agents.admin_providers import PROVIDER
from agents.admin_queues import QUEUES
from agents.admin_services import SERVICE
from agents.changing import By, Kind, Refused, Values
from models import clock
from models.session import read, write
from models.users import Role
from web import admin_words, file_words, i18n, words
from web.access import allow, user_row

routes = Blueprint("admin", __name__)

# Every kind of setting that the audit can tell of and take back.
KINDS: Mapping[str, Kind] = {
    kind.code: kind
    for kind in (
        admin_users.USER, admin_skills.SKILLS, admin_lists.REASON, admin_lists.RESULT, admin_lists.QUALITY_ITEM,
        admin_lists.DIALECT, SERVICE,
        admin_hours.WEEK, admin_hours.DAY, QUEUES, PROVIDER, contacts.CONTACT,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Room:
    """One page of administration. `count`: the name of how much there is of it (agents/admin_index.py)."""

    endpoint: str
    title: Any
    more: Any
    icon: str
    count: str = ""


ROOMS: tuple[Room, ...] = (
    Room("admin_users.users", _l("Users and agents"), _l("roles, languages, passwords"), "users", "users"),
    Room("admin_hours.hours", _l("Opening hours"), _l("the week, holidays, what happens when"), "calendar", "days"),
    Room("providers.roster", _l("Providers"), _l("services, areas, hours, workers"), "building-store", "providers"),
    Room("admin_lists.services", _l("Services"), _l("offered or not, prices"), "clipboard-list", "services"),
    Room("admin_lists.results", _l("Results"), _l("what comes of calls and tasks"), "list-check", "results"),
    Room("admin_lists.reasons", _l("Reasons for a pause"), _l("what agents choose from"), "coffee", "reasons"),
    Room("admin_lists.quality", _l("What calls are marked by"), _l("the items of the form"), "star", "items"),
    Room("admin_lists.dialects", _l("Dialects"), _l("whose callers reach whom first"), "ear", "dialects"),
    Room("admin_queues.queues", _l("Queues"), _l("who is asked first, how long it rings"), "headset"),
    Room("prompts.catalogue", _l("Prompts"), _l("what callers hear, and whose voice"), "microphone"),
    Room("admin_imports.start", _l("Imports"), _l("elders and providers from a file"), "upload"),
    Room("admin_log.log", _l("Audit"), _l("who did what, and take it back"), "history"),
)  # fmt: skip


def init_app(app: Flask) -> None:
    """Register the index, and give the templates the words for what is wrong."""
    app.register_blueprint(routes)
    app.jinja_env.globals.update(
        setting_problem=admin_words.setting_problem,
        file_said=file_words.file_said,
        field_word=admin_words.field_word,
        weekday_name=lambda weekday: get_day_names("wide", locale=get_locale())[weekday],
        result_name_of=lambda names: names.get(i18n.language()) or names.get(i18n.DEFAULT) or "",
        setting_text=lambda field, value: admin_words.setting_text(field, value, words.word),
    )


@routes.get("/admin")
@allow(Role.ADMIN)
def index() -> str:
    """Show what can be set."""
    with read() as db:
        counts = admin_index.counts(db, clock.local_date(clock.now()))
    return render_template("admin/index.html", rooms=ROOMS, counts=counts)


def keep(kind: Kind, key: str | None, values: Callable[[Session], Values | None]) -> tuple[str | None, Refused | None]:
    """Bring a setting to what a form says; returns its key, or why not. The form's `seen` is what it has shown.

    Raises:
        KeyError: there is no such setting.
    """
    try:
        with write() as db:
            by = By(user_row(db), clock.now())
            return changing.change(db, kind, (key, request.form.get("seen")), values(db), by) or key, None
    except Refused as refused:
        return None, refused


def status_of(refused: Refused) -> int:
    """Return how HTTP says it: somebody was faster, or the form is wrong."""
    return 409 if refused.problems.get("") == "overtaken" else 422
