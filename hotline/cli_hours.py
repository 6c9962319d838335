"""`hotline hours`: when people answer. The machine takes orders at any time."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

import typer
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import clock
from models.hours import DAY_MINUTES, OpeningHours, Span, SpecialDay, read_hours
from models.session import read, write

hours = typer.Typer(no_args_is_help=True, help="Opening hours: when people answer.")

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([0-2]?\d):([0-5]\d)-([0-2]?\d):([0-5]\d)")
When = Annotated[str, typer.Argument(metavar="HOURS", help="08:00-11:30,13:00-17:00, or closed.")]


def _spans(text: str) -> list[Span]:
    """Return the spans of `text`, none for "closed".

    Raises:
        typer.BadParameter: no such time, or a span that ends before it begins.
    """
    spans: list[Span] = []
    for part in [] if text == "closed" else text.split(","):
        found = _SPAN.fullmatch(part.strip())
        opens, closes = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, 0)
        if not 0 <= opens < closes <= DAY_MINUTES:
            raise typer.BadParameter(f"{part!r}: write 08:00-17:30, or closed; 24:00 is midnight")
        spans.append((opens, closes))
    return spans


def _weekdays(text: str) -> list[int]:
    """Return the weekdays of `mon-fri` or `sat,sun`."""
    first, _, last = text.partition("-")
    names = text.split(",") if not last else [first, last]
    if not set(names) <= set(DAYS):
        raise typer.BadParameter(f"{text!r}: write mon-fri, or sat,sun")
    days = [DAYS.index(name) for name in names]
    return list(range(days[0], days[1] + 1)) if last else days


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _text(spans: tuple[Span, ...]) -> str:
    return ", ".join(f"{_clock(opens)}-{_clock(closes)}" for opens, closes in spans) or "closed"


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
        typer.echo(f"{name}        {_text(known.weekly.get(weekday, ()))}")
    for day in sorted(known.special):
        typer.echo(f"{day} {_text(known.special[day])}  {names[day]}".rstrip())


@hours.command("set")
def set_weekdays(days: Annotated[str, typer.Argument(help="mon-fri, or sat,sun.")], when: When) -> None:
    """Set the hours of weekdays; once one is set, weekdays without hours are closed."""
    spans = _spans(when)
    with write() as session:
        for weekday in _weekdays(days):
            session.execute(delete(OpeningHours).where(OpeningHours.weekday == weekday))
            session.add_all(OpeningHours(weekday=weekday, opens=opens, closes=closes) for opens, closes in spans)
    show()


@hours.command("always")
def always() -> None:
    """Round the clock, as the standard asks; special days stay."""
    with write() as session:
        session.execute(delete(OpeningHours))
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
    spans = [] if when == "usual" else _spans(when)
    if len(spans) > 1:
        raise typer.BadParameter("a special day has one span")
    with write() as session:
        session.execute(delete(SpecialDay).where(SpecialDay.day == on))
        if when != "usual":
            _add_day(session, on, name, spans)
    show()


def _add_day(session: Session, on: date, name: str, spans: list[Span]) -> None:
    opens, closes = spans[0] if spans else (None, None)
    session.add(SpecialDay(day=on, name=name[:40], opens=opens, closes=closes))
