"""The application factory."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from flask import Flask

from models.settings import Settings
from models.settings import settings as process_settings
from web import (
    access,
    account,
    admin,
    admin_hours,
    admin_imports,
    admin_lists,
    admin_log,
    admin_providers,
    admin_queues,
    admin_users,
    board,
    care,
    care_campaigns,
    care_report,
    care_rules,
    care_runs,
    contacts,
    desk,
    desk_deeds,
    desk_orders,
    desk_people,
    desk_tasks,
    display,
    errors,
    health,
    i18n,
    keys,
    login,
    manners,
    metrics,
    navigation,
    phone,
    prompts,
    providers,
    quality,
    records,
    results,
    search,
    security,
    supervision,
    texts,
    watching,
)
from web.config import ConsoleSettings

STATIC = Path(__file__).parent / "static"


class NoSecret(RuntimeError):
    """The console refuses to start without a secret that signs its cookies."""


def create_app(settings: Settings | None = None, console: ConsoleSettings | None = None) -> Flask:
    """Return the console, ready to serve.

    Raises:
        NoSecret: HOTLINE_WEB_SECRET is not set, or too short to be one.
    """
    settings, console = settings or process_settings(), console or ConsoleSettings()
    if len(settings.web_secret) < 16:
        raise NoSecret(
            "the console needs HOTLINE_WEB_SECRET, 16 random characters or more, the same at every start; "
            "`hotline up` makes one and keeps it"
        )
    app = Flask("web")
    app.secret_key = settings.web_secret
    app.jinja_env.undefined = jinja2.StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    csrf = security.init_app(app, settings, console)
    access.init_app(app, console)
    i18n.init_app(app)
    display.init_app(app)
    navigation.init_app(app)
    errors.init_app(app)
    login.init_app(app)
    account.init_app(app)
    results.init_app(app, console)
    board.init_app(app, console)
    records.init_app(app, settings)
    for part in (desk, desk_orders, desk_deeds, desk_tasks, desk_people, search, keys):
        part.init_app(app)
    manners.init_app(app)
    for part in (
        admin,
        admin_users,
        admin_lists,
        admin_queues,
        admin_hours,
        admin_providers,
        admin_imports,
        admin_log,
        contacts,
    ):
        part.init_app(app)
    providers.init_app(app)
    prompts.init_app(app)
    texts.init_app(app, csrf)
    phone.init_app(app, settings, console)
    watching.init_app(app)
    quality.init_app(app)
    supervision.init_app(app)
    for part in (care, care_runs, care_campaigns, care_rules, care_report):
        part.init_app(app)
    health.init_app(app)
    metrics.init_app(app, console)

    @app.url_defaults
    def _version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values["v"] = content_version(values["filename"])

    undeclared = [endpoint for endpoint in app.view_functions if access.access_of(app, endpoint) is None]
    if undeclared:
        raise RuntimeError(f"views that do not say who may see them: {', '.join(undeclared)}")
    return app


@cache
def content_version(filename: str) -> str:
    """Return a short hash of a static file: part of its address, so that caches never serve an old one."""
    return hashlib.sha256((STATIC / filename).read_bytes()).hexdigest()[:12]
