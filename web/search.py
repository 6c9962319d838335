"""The search: elders by whatever a caller can tell, orders by their number. What it shows is audited."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template, request
from sqlalchemy import select

from agents import people
from agents.search import QUERY_MAX, Results, find
from models import clock
from models.orders import Order
from models.session import read, write
from models.settings import settings
from models.users import Role
from web.access import allow, user_row

routes = Blueprint("search", __name__)


def init_app(app: Flask) -> None:
    """Register the page."""
    app.register_blueprint(routes)


@routes.get("/search")
@allow(Role.AGENT)
def page() -> str:
    """Show who fits."""
    query, now = request.args.get("q", "").strip()[:QUERY_MAX], clock.now()
    with read() as db:
        found = find(db, query, clock.local_date(now), settings().area_code) if query else Results((), (), more=False)
    if found.elders or found.orders:
        with write() as db:
            # The line of an order shows whose it is.
            shown = [each.public_id for each in found.orders]
            whose = set(db.scalars(select(Order.elder_id).where(Order.public_id.in_(shown))))
            people.audit_read(db, user_row(db), sorted(whose | {each.id for each in found.elders}), now)
    return render_template("search.html", query=query, found=found, query_max=QUERY_MAX, now=now)
