"""Flask console: routes, log-in, templates, push."""

from web.app import NoSecret, create_app

__all__ = ["NoSecret", "create_app"]
