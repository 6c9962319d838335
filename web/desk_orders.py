"""Orders by an agent: from the one vocabulary, by the same function as the telephone, read back in the same words."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from flask import Blueprint, Flask, abort, g, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from agents import admin_services
from agents.accounts import record
from agents.merging import present_elder
from agents.people import find_elder
from agents.pop import Pop
from dispatch import outbox
from dispatch.orders import OrderRequest, place_order
from ivr.turns.capture import possible
from ivr.turns.readback import read_back
from ivr.turns.state import Slots, State
from models import clock, vocabulary
from models.calls import Call
from models.orders import Order, OrderEvent
from models.session import read
from models.settings import settings
from models.users import Role
from web import i18n
from web.access import allow, user_row

routes = Blueprint("desk_orders", __name__)

NOTE_MAX = 200
# So far ahead an order may be placed (days).
AHEAD_DAYS = 366


def init_app(app: Flask) -> None:
    """Register the forms, and what they choose from."""
    app.jinja_env.globals.update(
        services=tuple(vocabulary.SERVICE), parts_of_day=tuple(vocabulary.PART), service_terms=service_terms
    )
    app.register_blueprint(routes)


def service_terms() -> dict[str, dict[str, Any]]:
    """Return what is set for each service; asked of the database once a page."""
    if "service_terms" not in g:
        with read() as db:
            g.service_terms = dict(admin_services.services(db))
    return cast("dict[str, dict[str, Any]]", g.service_terms)


@dataclass(frozen=True)
class OrderForm:
    """The form's fields as text; `key` makes the same form, sent twice, one order."""

    elder: str = ""
    call: str = ""
    service: str = ""
    day: str = ""
    part: str = ""
    at: str = ""
    note: str = ""
    key: str = ""

    @classmethod
    def of(cls, form: Mapping[str, str]) -> OrderForm:
        """Return the fields of a form that was sent."""
        return cls(**{name: form.get(name, "").strip() for name in cls.__dataclass_fields__})


def prefilled(pop: Pop) -> OrderForm:
    """Return the form with what the machine has understood in this call."""
    return for_elder(pop.elder.public_id if pop.elder else "", dict(pop.slots), pop.line.started_at, pop.line.public_id)


def for_elder(elder: str, slots: Mapping[str, str], said_at: datetime, call: str = "") -> OrderForm:
    """Return a form for `elder` with the slots of a request; a day's word counts from when it was said."""
    day = slots.get("day", "")
    if day in vocabulary.DAY:
        day = (clock.local_date(said_at) + timedelta(days=list(vocabulary.DAY).index(day))).isoformat()
    if day and day < clock.local_date(clock.now()).isoformat():
        day = ""
    return OrderForm(
        elder=elder, call=call, service=slots.get("service", ""), day=day, part=slots.get("part", ""),
        at=slots.get("at", ""), key=secrets.token_urlsafe(12),
    )  # fmt: skip


def slots_of(form: OrderForm, now: datetime) -> tuple[Slots, dict[str, str]]:
    """Return what the form asks for, and its mistakes: field to code (missing, past, bad)."""
    problems: dict[str, str] = {}
    day = at = None
    with suppress(ValueError):
        day = date.fromisoformat(form.day)
    if form.at:
        try:
            at = time.fromisoformat(form.at)
        except ValueError:
            problems["at"] = "bad"
    if form.service not in vocabulary.SERVICE:
        problems["service"] = "missing"
    if form.part not in vocabulary.PART:
        problems["part"] = "missing"
    today = clock.local_date(now)
    state = State(clock.local(now), i18n.DEFAULT)
    if day is None:
        problems["day"] = "missing"
    elif day < today or ("part" not in problems and not possible(state, day, form.part)):
        problems["day"] = "past"
    elif (day - today).days > AHEAD_DAYS:
        problems["day"] = "bad"
    if at is not None and "part" not in problems:
        begins, ends = settings().part_hours.get(form.part, (0, 24))
        if not begins <= at.hour < ends:
            problems["at"] = "outside"
        elif day == today and at <= state.moment.time():
            problems["at"] = "past"
    if len(form.note) > NOTE_MAX:
        problems["note"] = "long"
    return Slots(form.service, day, form.part, at, form.note), problems


def off_problem(form: OrderForm) -> dict[str, str]:
    """Return the mistake that a service is not offered at present; an order that stands may still be moved."""
    terms = service_terms().get(form.service)
    return {"service": "off"} if terms is not None and not terms["is_offered"] else {}


def spoken(slots: Slots, language: str, now: datetime, change: bool = False) -> str:
    """Return the telephone's own read-back of the request, without its keys."""
    lines = read_back(State(clock.local(now), language, slots=slots), change)
    return " ".join(_first_sentence(one.text(language)) for one in lines)


def _first_sentence(text: str) -> str:
    ends = [at + len(end) for end in ("。", ". ") if (at := text.find(end)) >= 0]
    return text[: min(ends)].strip() if ends else text


@routes.post("/orders/check")
@allow(Role.AGENT)
def check() -> str | tuple[str, int]:
    """Read the order back: nothing is written yet."""
    return check_page(OrderForm.of(request.form))


def check_page(form: OrderForm, changing: str = "") -> str | tuple[str, int]:
    now = clock.now()
    slots, problems = slots_of(form, now)
    problems |= {} if changing else off_problem(form)
    with read() as db:
        try:
            elder = find_elder(db, form.elder)
        except KeyError:
            abort(404)
        who = elder.person
    if problems:
        return render_template(
            "order_form.html", order=form, problems=problems, who=who, changing=changing, now=now
        ), 422
    told = [
        (language, spoken(slots, language, now, bool(changing)))
        for language in dict.fromkeys((who.language, i18n.language()))
    ]
    return render_template("order_check.html", order=form, told=told, who=who, slots=slots, changing=changing, now=now)


@routes.get("/elders/<public_id>/order")
@allow(Role.AGENT)
def blank(public_id: str) -> str:
    """Show an empty form for an elder."""
    now = clock.now()
    with read() as db:
        try:
            who = find_elder(db, public_id).person
        except KeyError:
            abort(404)
    form = for_elder(public_id, {}, now)
    return render_template("order_form.html", order=form, problems={}, who=who, changing="", now=now)


@routes.post("/orders/edit")
@allow(Role.AGENT)
def edit() -> str:
    """Back from the read-back to the form, with everything as it was."""
    form = OrderForm.of(request.form)
    with read() as db:
        try:
            who = find_elder(db, form.elder).person
        except KeyError:
            abort(404)
    changing = request.form.get("changing", "")
    return render_template("order_form.html", order=form, problems={}, who=who, changing=changing, now=clock.now())


@routes.post("/orders/place")
@allow(Role.AGENT)
def place() -> BaseResponse | str | tuple[str, int]:
    """Write the order: by the same function as the telephone, and once, however often the form is sent."""
    form, now = OrderForm.of(request.form), clock.now()
    slots, problems = slots_of(form, now)
    problems |= off_problem(form)
    if problems or not form.key:
        return check_page(form)
    assert slots.service and slots.day and slots.part  # noqa: S101 (without mistakes they are there)
    try:
        with outbox.transaction() as db:
            elder = present_elder(db, form.elder)
            call = db.scalar(select(Call).where(Call.public_id == form.call)) if form.call else None
            wanted = OrderRequest(
                key=f"agent:{form.key}"[:80], channel="agent", elder_id=elder.id, service=slots.service,
                wanted_on=slots.day, wanted_part=slots.part, wanted_at=slots.at, note=slots.note,
                language=elder.person.language, call_id=call.id if call else None,
            )  # fmt: skip
            placed = place_order(db, wanted, now)
            user = user_row(db)
            # The function knows the entrance; who sat at it stands in the history.
            just_now = OrderEvent.order_id == placed.order_id, OrderEvent.at == now, OrderEvent.actor == "agent"
            for event in db.scalars(select(OrderEvent).where(*just_now)):
                event.actor_id = user.id
            record(db, user, "order_placed" if placed.created else "order_known", ("order", placed.order_id), now)
            public_id = db.get_one(Order, placed.order_id).public_id
    except KeyError:
        abort(404)
    known = None if placed.created else 1
    return redirect(url_for("records.order", public_id=public_id, known=known, stands=placed.stands), 303)
