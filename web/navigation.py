"""The console's pages as its bar names them: one line each, in the order of the bar.

Whoever adds a page adds its line here and nothing to the templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, request
from flask_babel import lazy_gettext as _l

from models.users import Role
from web.access import me


@dataclass(frozen=True)
class Entry:
    """One page of the bar. `pages`: blueprints or endpoints that count as being there; `key`: action of web/keys.py."""

    endpoint: str
    title: Any
    icon: str
    role: Role = Role.AGENT
    pages: tuple[str, ...] = ()
    key: str = ""

    def is_here(self, endpoint: str | None, blueprint: str | None) -> bool:
        """Whether the page that is shown belongs to this entry."""
        return endpoint == self.endpoint or endpoint in self.pages or (blueprint or "") in self.pages


_CARE = ("care", "care_runs", "care_campaigns", "care_rules", "care_report")

ENTRIES: tuple[Entry, ...] = (
    Entry("desk.home", _l("Desk"), "headset", pages=("desk", "desk_tasks", "records.task"), key="desk"),
    Entry("board.board", _l("Board"), "layout-dashboard", key="board"),
    Entry(
        "care.month",
        _l("Care visits"),
        "heart",
        pages=_CARE,
    ),
    Entry("providers.roster", _l("Providers"), "building-store", pages=("providers", "admin_providers")),
    Entry("texts.texts", _l("Text messages"), "message", pages=("texts",)),
    Entry("supervision.wall", _l("Wallboard"), "eye", Role.SUPERVISOR),
    Entry("supervision.statistics", _l("Statistics"), "chart-bar", Role.SUPERVISOR, ("supervision.calls",)),
    Entry("prompts.catalogue", _l("Prompts"), "microphone", Role.SUPERVISOR, ("prompts",)),
    Entry(
        "admin.index",
        _l("Settings"),
        "settings",
        Role.ADMIN,
        ("admin_users", "admin_lists", "admin_queues", "admin_hours", "admin_imports", "admin_log"),
    ),
    Entry("metrics.machine", _l("Machine"), "gauge", Role.ADMIN),
)


def init_app(app: Flask) -> None:
    """Give the templates the entries of whoever is logged in."""
    app.jinja_env.globals.update(navigation=entries, swapped=swapped)


def swapped() -> bool:
    """Whether htmx has asked, which takes <main> and the bar out of the answer and throws the rest away."""
    back = "HX-History-Restore-Request" in request.headers
    return request.headers.get("HX-Request") == "true" and not back


def entries() -> list[tuple[Entry, bool]]:
    """Return the entries that this user may see, each with whether it is the page shown."""
    who = me()
    if who is None:
        return []
    rank = list(Role).index
    return [
        (entry, entry.is_here(request.endpoint, request.blueprint))
        for entry in ENTRIES
        if rank(who.role) >= rank(entry.role)
    ]
