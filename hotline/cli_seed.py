"""`hotline seed`: an invented town, as large as wanted."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hotline import seed
from models import clock, schema
from models.session import engine


def fill(
    elders: Annotated[int, typer.Option(min=1, max=5_000_000, help="How many elders.")],
    calls: Annotated[int, typer.Option(min=0, max=50_000_000, help="How many calls of the last two years.")] = 0,
    dice: Annotated[int, typer.Option(help="The same number makes the same town.")] = 12349,
) -> None:
    """Fill an EMPTY database with invented people and their past; refuses where anybody is registered."""
    schema.upgrade(engine())
    if not seed.is_empty():
        typer.secho("There are people in this database. Invented ones are never put among them.", fg="red", err=True)
        raise typer.Exit(1)
    size, now = seed.Size(elders, calls, dice), clock.now()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        first = progress.add_task("elders", total=elders)
        who = seed.people(size, now, lambda count: progress.advance(first, count))
        second = progress.add_task("calls", total=calls)
        seed.past(size, who, now, lambda count: progress.advance(second, count))
    typer.echo(f"{elders} invented elders, {calls} calls.")
