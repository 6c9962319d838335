"""Whether the console works, for supervisors and load balancers: no log-in, no details."""

from __future__ import annotations

from flask import Blueprint, Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from models.session import read
from web.access import open_to_everybody

routes = Blueprint("health", __name__)


def init_app(app: Flask) -> None:
    """Register the health check."""
    app.register_blueprint(routes)


@routes.get("/livez")
@open_to_everybody
def livez() -> tuple[str, int, dict[str, str]]:
    """Answer 200 while the process answers at all: restarting it would not bring a database back."""
    return "ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}


@routes.get("/healthz")
@open_to_everybody
def healthz() -> tuple[str, int, dict[str, str]]:
    """Answer 200 if the database can be reached, else 503."""
    plain = {"Content-Type": "text/plain; charset=utf-8"}
    try:
        with read() as db:
            db.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return "database unreachable\n", 503, plain
    return "ok\n", 200, plain
