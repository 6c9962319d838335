"""`hotline orders list`, `hotline calls list`, `hotline call show`: what happened, as a table or as JSON."""

from __future__ import annotations

import json as json_format
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from models import clock
from models.calls import Call
from models.dialing import Attempt
from models.orders import Order
from models.phone import mask
from models.session import read

orders = typer.Typer(no_args_is_help=True, help="Orders.")
calls = typer.Typer(no_args_is_help=True, help="Calls.")
call = typer.Typer(no_args_is_help=True, help="One call.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")]

NOT_FOUND = 2


def _time(moment: datetime | None) -> str:
    return "" if moment is None else f"{clock.local(moment):%Y-%m-%d %H:%M:%S}"


def show(rows: list[dict[str, Any]], as_json: bool, title: str) -> None:
    """Print rows as a table for people, or as JSON for programs (times as ISO 8601, UTC)."""
    if as_json:
        typer.echo(json_format.dumps(rows, ensure_ascii=False, indent=2, default=str))
        return
    table = Table(title=title, title_justify="left")
    for name in rows[0] if rows else ("nothing yet",):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(_time(v) if isinstance(v, datetime) else "" if v is None else str(v) for v in row.values()))
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
        show([_order_row(order) for order in session.scalars(query)], json, "Orders")


@calls.command("list")
def list_calls(json: Json = False, limit: Limit = 50) -> None:
    """List calls, the newest first. Numbers are masked."""
    with read() as session:
        together = (selectinload(Call.number), selectinload(Call.elder), selectinload(Call.provider))
        rows = session.scalars(select(Call).options(*together).order_by(Call.id.desc()).limit(limit)).unique()
        show([_call_row(one) for one in rows], json, "Calls")


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
        journal: list[dict[str, Any]] = [{"at": e.at, "what": e.kind, **e.data} for e in one.events]
        order = session.scalar(select(Order).where(Order.call_id == one.id))
        attempt = session.scalar(select(Attempt).where(Attempt.call_id == one.id))
        course = {
            "call": _call_row(one),
            "journal": journal,
            "order": _order_row(order) if order else None,
            "attempt": {"id": attempt.public_id, "outcome": attempt.outcome, "cause": attempt.cause}
            if attempt
            else None,
        }
    if json:
        typer.echo(json_format.dumps(course, ensure_ascii=False, indent=2, default=str))
        return
    show([course["call"]], False, "Call")  # type: ignore[list-item]
    rows = [
        {"at": e.pop("at"), "what": e.pop("what"), "details": " ".join(f"{k}={v}" for k, v in e.items())}
        for e in journal
    ]
    show(rows, False, "Journal")
    for name in ("order", "attempt"):
        if course[name]:
            show([course[name]], False, name.capitalize())  # type: ignore[list-item]
