"""Error pages, in the user's language and without what went on inside."""

from __future__ import annotations

import logging

from flask import Flask, g, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable, TooManyRequests

log = logging.getLogger(__name__)


def words(status: int) -> tuple[str, str]:
    """Return what went wrong and what to do about it."""
    return {
        400: (_("The request was not understood"), _("Go back, reload the page and try again.")),
        401: (_("You are not logged in"), _("Log in and try again.")),
        403: (_("You may not see this"), _("Ask your supervisor if you need it for your work.")),
        404: (_("There is nothing here"), _("The address may be mistyped, or the record has been erased.")),
        405: (_("The request was not understood"), _("Go back, reload the page and try again.")),
        413: (_("That was too long"), _("Shorten the text and try again.")),
        429: (_("Too many attempts"), _("Wait a few minutes, then try again.")),
        503: (
            _("The console is not available just now"),
            _("Calls go on. Reload this page in a moment."),
        ),
    }.get(status, (_("Something went wrong"), _("It has been recorded. Try again in a moment.")))


def init_app(app: Flask) -> None:
    """Register the error pages."""

    @app.errorhandler(CSRFError)
    def _csrf(error: CSRFError) -> tuple[str, int]:
        title = _("This page had grown old")
        return _page(400, (title, _("Reload it and try again; nothing has been changed."))), 400

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> tuple[str, int, dict[str, str]]:
        status = error.code or 500
        headers = {"Retry-After": "60"} if isinstance(error, TooManyRequests | ServiceUnavailable) else {}
        if status == 405 and error.get_headers():
            headers = {k: v for k, v in error.get_headers() if k == "Allow"}
        text = words(status)
        if status == 413 and request.endpoint == "prompts.upload":
            text = (_("The file is too large"), _("A prompt lasts a few seconds: cut the recording and try again."))
        return _page(status, text), status, headers

    @app.errorhandler(OperationalError)
    def _database(_error: OperationalError) -> tuple[str, int, dict[str, str]]:
        # The statement's parameters can be names and numbers: the path is all that is logged.
        log.error("database not available at %s", request.endpoint)
        return _page(503, words(503)), 503, {"Retry-After": "5"}

    @app.errorhandler(InternalServerError)
    def _internal(_error: InternalServerError) -> tuple[str, int]:
        return _page(500, words(500)), 500


def _page(status: int, text: tuple[str, str]) -> str:
    g.setdefault("me", None)
    return render_template("error.html", status=status, title=text[0], advice=text[1])
