"""What an agent does with an order that stands: another time, cancelled, a provider chosen by hand."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from agents import afterwards, audit
from agents.accounts import record
from agents.choices import choices
from agents.course import order_course
from dispatch import by_hand, changes, outbox
from models import clock, vocabulary
from models.orders import CHANGEABLE, IllegalMove, Order, OrderEvent
from models.people import Person
from models.providers import Provider
from models.session import read, write
from models.users import Role
from web.access import allow, must_be_me, user_row
from web.desk_orders import OrderForm, check_page, slots_of

routes = Blueprint("desk_deeds", __name__)


def init_app(app: Flask) -> None:
    """Register the forms."""
    app.register_blueprint(routes)


@routes.get("/orders/<public_id>/change")
@allow(Role.AGENT)
def change_form(public_id: str) -> str | tuple[str, int]:
    """Show the form of an order that stands."""
    stands = _standing(public_id)
    if stands is None:
        return order_page(public_id, "too_late"), 409
    form, who = stands
    return render_template("order_form.html", order=form, problems={}, who=who, changing=public_id, now=clock.now())


@routes.post("/orders/<public_id>/change")
@allow(Role.AGENT)
def check_change(public_id: str) -> str | tuple[str, int]:
    """Read the change back, unless it is too late for one already."""
    stands = _standing(public_id)
    if stands is None:
        return order_page(public_id, "too_late"), 409
    return check_page(_changed(stands[0]), public_id)


@routes.post("/orders/<public_id>/change/confirm")
@allow(Role.AGENT)
def change(public_id: str) -> BaseResponse | str | tuple[str, int]:
    """Change the time of an order."""
    stands = _standing(public_id)
    if stands is None:
        return order_page(public_id, "too_late"), 409
    form = _changed(stands[0])
    slots, problems = slots_of(form, clock.now())
    if problems or slots.day is None or slots.part is None:
        return check_page(form, public_id)
    wanted = changes.Wanted(slots.day, slots.part, slots.at)

    def do(db: Session, order: Order, by: OrderEvent) -> None:
        # Somebody may have accepted it since it was looked at above: the row is locked in there.
        if not changes.change_order(db, order.id, wanted, by, clock.now()):
            raise by_hand.ByHandError("too_late")

    return _do(public_id, "order_changed", do)


def _standing(public_id: str) -> tuple[OrderForm, Person] | None:
    """Return the form of an order as it stands, and whose it is; None where its time cannot be changed any more."""
    with read() as db:
        order = db.scalar(select(Order).where(Order.public_id == public_id))
        if order is None:
            abort(404)
        if order.status not in CHANGEABLE:
            return None
        who = order.elder.person
        form = OrderForm(
            elder=who.public_id, service=order.service, day=order.wanted_on.isoformat(), part=order.wanted_part,
            at=f"{order.wanted_at:%H:%M}" if order.wanted_at else "", note=order.note, key=secrets.token_urlsafe(12),
        )  # fmt: skip
        return form, who


def _changed(stands: OrderForm) -> OrderForm:
    """Return the form with the time that was sent. Whose order it is, and for what, its row says and no form does."""
    sent = OrderForm.of(request.form)
    return replace(stands, day=sent.day, part=sent.part, at=sent.at)


@routes.post("/orders/<public_id>/cancel")
@allow(Role.AGENT)
def cancel(public_id: str) -> BaseResponse | tuple[str, int]:
    """Cancel an order."""

    def do(db: Session, order: Order, by: OrderEvent) -> None:
        if not changes.cancel_order(db, order.id, by, clock.now()):
            raise by_hand.ByHandError("too_late")

    return _do(public_id, "order_cancelled", do)


@routes.post("/orders/<public_id>/provider")
@allow(Role.AGENT)
def provider(public_id: str) -> BaseResponse | tuple[str, int]:
    """Choose the provider by hand: have it rung (ask), or write that it has agreed (assign)."""
    deed = {"ask": by_hand.ask, "assign": by_hand.assign}.get(request.form.get("deed", ""))
    if deed is None:
        abort(400)
    chosen, had = request.form.get("provider", ""), request.form.get("had", "")

    def do(db: Session, order: Order, by: OrderEvent) -> None:
        rows = select(Provider.public_id, Provider.id).where(Provider.public_id.in_((chosen, had)))
        ids: dict[str, int] = dict(db.execute(rows).all())
        if chosen not in ids:
            raise KeyError(chosen)
        pick = by_hand.Pick(ids[chosen], request.form.get("status", ""), ids.get(had))
        deed(db, order.id, pick, by, clock.now())

    return _do(public_id, f"provider_{request.form['deed']}", do)


def _do(
    public_id: str, action: str, what: Callable[[Session, Order, OrderEvent], None]
) -> BaseResponse | tuple[str, int]:
    try:
        with outbox.transaction() as db:
            order = db.scalar(select(Order).where(Order.public_id == public_id))
            if order is None:
                raise KeyError(public_id)
            what(db, order, OrderEvent(actor="agent", actor_id=must_be_me().id))
            record(db, user_row(db), action, ("order", order.id), clock.now())
    except KeyError:
        abort(404)
    except by_hand.ByHandError as error:
        return order_page(public_id, error.code), 409
    except IllegalMove:
        return order_page(public_id, "too_late"), 409
    return redirect(url_for("records.order", public_id=public_id), 303)


# What an order that was met by a second one may keep otherwise than that one had it.
STANDS = ("hour", "note")
# An order that has moved lately may move again: its page looks after it by itself.
WATCHED_FOR = timedelta(hours=1)


def order_page(public_id: str, wrong: str | None = None, problem: str | None = None) -> str:
    """Return an order's course, what can be done with it, and the providers in the order of the ranking.

    `wrong`: what kept a deed from being done; `problem`: what is wrong with the form after the service.
    """
    now = clock.now()
    with read() as db:
        course = order_course(db, public_id)
        if course is None:
            abort(404)
        ranked = choices(db, public_id, now)
        order_id, elder_id = db.execute(select(Order.id, Order.elder_id).where(Order.public_id == public_id)).one()
        reader = must_be_me().id
        # The page asks for itself every few seconds while the order moves: that is one reading, not hundreds.
        again = "watch" in request.args and audit.has_read(db, reader, ("order", order_id), now - WATCHED_FOR)
        holder = select(Provider.public_id).join(Order, Order.provider_id == Provider.id)
        had = db.scalar(holder.where(Order.public_id == public_id)) or ""
    if not again:
        with write() as db:
            record(db, user_row(db), "read", ("order", order_id), now)
            record(db, user_row(db), "read", ("elder", elder_id), now)
    # A form that is being filled in is not replaced under her hands.
    lately = now - course.line.changed_at < WATCHED_FOR
    return render_template(
        "order.html", course=course, watched=lately and not (wrong or problem or course.done), ranked=ranked, had=had,
        may=_may(course.line.status), wrong=wrong, problem=problem, known=request.args.get("known") == "1",
        stands=[one for one in request.args.getlist("stands") if one in STANDS],
        first_day=afterwards.next_workday(clock.local_date(now)), parts=tuple(vocabulary.PART), now=now,
    )  # fmt: skip


def _may(status: str) -> frozenset[str]:
    allowed = {"change": CHANGEABLE, "cancel": changes.CANCELLABLE, "provider": by_hand.ASSIGNABLE}
    return frozenset(deed for deed, statuses in allowed.items() if status in statuses)
