"""`hotline hours`: when people answer. The machine takes orders at any time."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents import admin_hours, changing
from agents.changing import By, Values
from models import clock
from models.hours import SpecialDay, read_hours, spans_of, told
from models.session import read, write

hours = typer.Typer(no_args_is_help=True, help="Opening hours: when people answer.")

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
When = Annotated[str, typer.Argument(metavar="HOURS", help="08:00-11:30,13:00-17:00, or closed.")]


def _hours(text: str) -> str:
    """Return the hours as they are kept, "" for "closed".

    Raises:
        typer.BadParameter: no such time, a span that ends before it begins, or two that overlap.
    """
    try:
        spans = () if text == "closed" else spans_of(text)
    except ValueError as error:
        raise typer.BadParameter(f"{str(error)!r}: write 08:00-17:30, or closed; 24:00 is midnight") from error
    return told(spans)


def _weekdays(text: str) -> list[int]:
    """Return the weekdays of `mon-fri` or `sat,sun`."""
    first, _, last = text.partition("-")
    names = text.split(",") if not last else [first, last]
    if not set(names) <= set(DAYS):
        raise typer.BadParameter(f"{text!r}: write mon-fri, or sat,sun")
    days = [DAYS.index(name) for name in names]
    return list(range(days[0], days[1] + 1)) if last else days


@hours.command("show")
def show() -> None:
    """Show the week, and the special days to come."""
    today = clock.local_date(clock.now())
    with read() as session:
        known = read_hours(session, today)
        names = {row.day: row.name for row in session.scalars(select(SpecialDay).where(SpecialDay.day >= today))}
    if not known.weekly:
        typer.echo("every day  00:00-24:00")
    for weekday, name in enumerate(DAYS if known.weekly else ()):
        typer.echo(f"{name}        {told(known.weekly.get(weekday, ())) or 'closed'}")
    for day in sorted(known.special):
        typer.echo(f"{day} {told(known.special[day]) or 'closed'}  {names[day]}".rstrip())


@hours.command("set")
def set_weekdays(days: Annotated[str, typer.Argument(help="mon-fri, or sat,sun.")], when: When) -> None:
    """Set the hours of weekdays; once one is set, weekdays without hours are closed."""
    hours_then = _hours(when)
    with write() as session:
        week = admin_hours.WEEK.read(session, admin_hours.WEEK_KEY) or {}
        week |= {str(weekday): hours_then for weekday in _weekdays(days)}
        # A weekday without hours is closed; all seven of them would read as "round the clock".
        week = {weekday: text for weekday, text in week.items() if text}
        if not week:
            raise typer.BadParameter("the hotline would never be open")
        _change(session, admin_hours.WEEK, admin_hours.WEEK_KEY, week)
    show()


@hours.command("always")
def always() -> None:
    """Round the clock, as the standard asks; special days stay."""
    with write() as session:
        _change(session, admin_hours.WEEK, admin_hours.WEEK_KEY, {})
    show()


@hours.command("day")
def set_day(
    day: Annotated[str, typer.Argument(help="2027-02-06")],
    when: Annotated[str, typer.Argument(help="09:00-12:00, closed, or usual.")],
    name: Annotated[str, typer.Option(help="What day it is.")] = "",
) -> None:
    """Set one day apart from its weekday; "usual" takes that back."""
    try:
        on = date.fromisoformat(day)
    except ValueError as error:
        raise typer.BadParameter(f"{day!r}: write the day as 2027-02-06") from error
    hours_then = None if when == "usual" else _hours(when)
    if hours_then and "," in hours_then:
        raise typer.BadParameter("a special day has one span")
    with write() as session:
        wanted = None if hours_then is None else {"name": name[: admin_hours.NAME_MAX], "hours": hours_then}
        if wanted is not None or admin_hours.DAY.read(session, on.isoformat()) is not None:
            _change(session, admin_hours.DAY, on.isoformat(), wanted)
    show()


def _change(session: Session, kind: changing.Kind, key: str, wanted: Values | None) -> None:
    """Change it as the console does: audited, with what stood before."""
    changing.change(session, kind, (key, None), wanted, By(None, clock.now()))
