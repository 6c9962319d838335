"""What all imports and exports of the command line have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from models import sheets

SourceFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A CSV or .xlsx file.")]
TargetFile = Annotated[Path, typer.Argument(dir_okay=False, help="A .csv or .xlsx file to write.")]
Apply = Annotated[bool, typer.Option("--apply", help="Write them. Without it, only check.")]
Sheet = Annotated[str, typer.Option(help="Which sheet of a workbook; the first visible one if not given.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


def read_table(file: Path, sheet: str, read: Callable[[bytes, str], sheets.Table], progress: Console) -> sheets.Table:
    """Read the file and tell what was read of it; one that is no table ends the command."""
    try:
        with progress.status(f"Reading {file.name}"):
            table = read(file.read_bytes(), sheet)
    except sheets.NotATable as error:
        raise refuse(f"{file.name}: {error}") from error
    if table.other_sheets:
        others = ", ".join(table.other_sheets)
        typer.echo(f"{file.name}: sheet “{table.sheet}” is read, not: {others} (choose with --sheet).", err=True)
    if table.ignored:
        typer.echo(f"{file.name}: unknown columns are left out: {', '.join(table.ignored)}.", err=True)
    return table


def stop_at_problems(file: Path, problems: Sequence[str], rows: int) -> None:
    """Print every problem; with any the command ends here."""
    for problem in problems:
        typer.secho(f"{file.name}: {problem}", fg="red", err=True)
    if problems:
        typer.secho(f"{len(problems)} problems in {rows} rows: nothing was written.", err=True)
        raise typer.Exit(1)


def must_be_free(file: Path, force: bool) -> None:
    """End the command if the file is there and may not be replaced."""
    if file.exists() and not force:
        raise refuse(f"{file} is there already; --force replaces it")


def refuse(why: str) -> typer.Exit:
    """Say why, and return what ends the command."""
    typer.secho(why, fg="red", err=True)
    return typer.Exit(1)
