"""`hotline orders list`, `hotline calls list`, `hotline call show`: what happened, as a table or as JSON."""

from __future__ import annotations

import json as json_format
from datetime import datetime
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from agents.course import order_course
from agents.why import Why, whys
from models import clock
from models.calls import Call
from models.dialing import Attempt
from models.orders import FIRST_ORDER_NUMBER, Order
from models.phone import mask
from models.session import read

orders = typer.Typer(no_args_is_help=True, help="Orders.")
calls = typer.Typer(no_args_is_help=True, help="Calls.")
call = typer.Typer(no_args_is_help=True, help="One call.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")]

NOT_FOUND = 2
# What fits a terminal of 80 columns; --json has everything.
ORDER_COLUMNS = ("number", "status", "service", "wanted_on", "wanted_part", "elder", "provider")
CALL_COLUMNS = ("id", "started_at", "purpose", "who", "end")


def _text(value: object) -> str:
    """A cell for people: local time to the second, nothing for nothing."""
    if isinstance(value, datetime):
        return f"{clock.local(value):%m-%d %H:%M:%S}"
    return "" if value is None else str(value)


def show(rows: list[dict[str, Any]], as_json: bool, title: str, columns: tuple[str, ...] = ()) -> None:
    """Print rows as JSON for programs (everything, times as ISO 8601 UTC), or some `columns` as a table for people."""
    if as_json:
        typer.echo(json_format.dumps(rows, ensure_ascii=False, indent=2, default=str))
        return
    names = columns or tuple(rows[0] if rows else ("nothing yet",))
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for name in names:
        table.add_column(name, no_wrap=name in ("id", "at", "when"))
    for row in rows:
        table.add_row(*(_text(row[name]) for name in names))
    Console().print(table)


def _show_one(row: dict[str, Any], title: str) -> None:
    """Print one record, a line a field."""
    table = Table(title=title, title_justify="left", box=None, show_header=False)
    for name, value in row.items():
        if value is not None:
            table.add_row(name, _text(value))
    Console().print(table)


def _order_row(order: Order) -> dict[str, Any]:
    return {
        "id": order.public_id,
        "number": order.number,
        "status": order.status,
        "service": order.service,
        "wanted_on": order.wanted_on.isoformat(),
        "wanted_part": order.wanted_part,
        "elder": order.elder.person.family_name,
        "provider": order.provider.name if order.provider else None,
        "created_at": order.created_at,
    }


def _who(one: Call) -> str:
    """Whom the call was with: the elder's family name, the provider, or the masked number."""
    if one.elder:
        return one.elder.person.family_name
    if one.provider:
        return one.provider.name
    return mask(one.number.value) if one.number else "withheld"


def _call_row(one: Call) -> dict[str, Any]:
    return {
        "id": one.public_id,
        "direction": one.direction,
        "purpose": one.purpose,
        "state": one.state,
        "end": one.end,
        "number": mask(one.number.value) if one.number else None,
        "elder": one.elder.person.family_name if one.elder else None,
        "provider": one.provider.name if one.provider else None,
        "who": _who(one),
        "started_at": one.started_at,
        "answered_at": one.answered_at,
        "ended_at": one.ended_at,
    }


@orders.command("list")
def list_orders(json: Json = False, limit: Limit = 50, status: str = "") -> None:
    """List orders, the newest first."""
    together = (selectinload(Order.elder), selectinload(Order.provider))
    query = select(Order).options(*together).order_by(Order.id.desc()).limit(limit)
    if status:
        query = query.where(Order.status == status)
    with read() as session:
        show([_order_row(order) for order in session.scalars(query)], json, "Orders", ORDER_COLUMNS)


@orders.command("why")
def why_order(
    number: Annotated[str, typer.Argument(metavar="ID", help="The id or the spoken number of an order.")],
    json: Json = False,
) -> None:
    """Say why each provider was asked: the points by reason, and what barred the others."""
    with read() as session:
        spoken = int(number) - FIRST_ORDER_NUMBER if number.isascii() and number.isdigit() and len(number) < 16 else 0
        order = session.scalar(select(Order).where(or_(Order.public_id == number, Order.id == spoken)))
        if order is None:
            typer.secho(f"No order has the id {number}; `hotline orders list` shows them.", fg="red", err=True)
            raise typer.Exit(NOT_FOUND)
        rows = [row for offer in whys(session, order.id) for row in _why_rows(offer)]
        show(rows, json, f"Why whom was asked for order {order.number}")


def _why_rows(offer: Why) -> list[dict[str, Any]]:
    return [
        {
            "at": offer.at,
            "provider": one.name,
            "how": offer.status if one is offer.chosen else "not fit" if one.bars else "fit",
            "points": one.points,
            "reasons": ", ".join(one.bars or (f"{code} {points:+g}" for code, points in one.why)),
        }
        for one in (offer.chosen, *offer.others)
    ]


@calls.command("list")
def list_calls(json: Json = False, limit: Limit = 50) -> None:
    """List calls, the newest first. Numbers are masked."""
    with read() as session:
        together = (selectinload(Call.number), selectinload(Call.elder), selectinload(Call.provider))
        rows = session.scalars(select(Call).options(*together).order_by(Call.id.desc()).limit(limit)).unique()
        show([_call_row(one) for one in rows], json, "Calls", CALL_COLUMNS)


@call.command("show")
def show_call(
    call_id: Annotated[str, typer.Argument(metavar="ID", help="The id of `calls list`.")], json: Json = False
) -> None:
    """Show the whole course of one call: its journal, and the order and dialling that belong to it."""
    with read() as session:
        one = session.scalar(select(Call).where(Call.public_id == call_id))
        if one is None:
            typer.secho(f"No call has the id {call_id}; `hotline calls list` shows them.", fg="red", err=True)
            raise typer.Exit(NOT_FOUND)
        order = session.scalar(select(Order).where(Order.call_id == one.id))
        attempt = session.scalar(select(Attempt).where(Attempt.call_id == one.id))
        course: dict[str, Any] = {
            "call": _call_row(one),
            "journal": [{"at": event.at, "what": event.kind, "data": event.data} for event in one.events],
            "attempt": attempt and {"id": attempt.public_id, "outcome": attempt.outcome, "cause": attempt.cause},
            "order": order and _order_row(order),
            "order_course": _order_course(session, order) if order else [],
        }
    if json:
        typer.echo(json_format.dumps(course, ensure_ascii=False, indent=2, default=str))
        return
    _show_one(course["call"], "Call")
    for entry in course["journal"]:
        entry["data"] = " ".join(f"{name}={value}" for name, value in entry["data"].items())
    show(course["journal"], False, "Journal")
    for name in ("attempt", "order"):
        if course[name]:
            _show_one(course[name], f"\n{name.capitalize()}")
    if course["order_course"]:
        show(course["order_course"], False, "\nThe order's course")


def _order_course(session: Session, order: Order) -> list[dict[str, Any]]:
    """What became of the order: moves, offers, attempts, the callback; each with its call's id."""
    course = order_course(session, order.public_id)
    return [
        {
            "at": moment.at,
            "what": moment.kind,
            "how": moment.sentence or moment.code,
            "who": moment.name,
            "id": moment.call,
        }
        for moment in (course.moments if course else ())
    ]
