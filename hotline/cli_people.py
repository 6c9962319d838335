"""`hotline users`, `hotline elders`, `hotline db`: people and the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from agents import accounts
from models import clock, elder_bulk, elder_columns, elder_import, schema, sheets
from models.session import engine, read, write
from models.users import Role

users = typer.Typer(no_args_is_help=True, help="People who log in to the console.")
elders = typer.Typer(no_args_is_help=True, help="Elders.")
db = typer.Typer(no_args_is_help=True, help="The database.")


@db.command("upgrade")
def upgrade() -> None:
    """Bring the database to the newest schema; safe to repeat."""
    schema.upgrade(engine())
    typer.echo(f"The database stands at revision {schema.current(engine())}.")


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="The name to log in with.")],
    role: Annotated[Role, typer.Option(help="agent, supervisor or admin")] = Role.AGENT,
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for if not given.")
    ] = "",
) -> None:
    """Add a user. There is no default password: you choose one, of 12 characters or more."""
    try:
        with write() as session:
            accounts.create_user(session, name, password, role, clock.now())
    except accounts.AccountError as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{name} can log in as {role}.")


@elders.command("import")
def import_elders(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A CSV or .xlsx file.")],
    apply: Annotated[bool, typer.Option("--apply", help="Write them. Without it, only check.")] = False,
    sheet: Annotated[str, typer.Option(help="Which sheet of a workbook; the first visible one if not given.")] = "",
) -> None:
    """Import elders from .xlsx or CSV (UTF-8 with or without BOM, or GB18030). All rows, or none."""
    progress = Console(stderr=True)
    try:
        with progress.status(f"Reading {file.name}"):
            table = elder_import.read(file.read_bytes(), sheet)
    except sheets.NotATable as error:
        raise _refuse(f"{file.name}: {error}") from error
    _tell_what_was_read(file, table)
    rows = table.rows
    # Checking and preparing take no lock: calls go on while they run.
    with read() as session:
        shown = track(rows, description="Checking", disable=len(rows) < 200, console=progress)
        result = elder_import.check(session, shown)
    for problem in result.problems:
        typer.secho(f"{file.name}: {problem}", fg="red", err=True)
    if result.problems:
        typer.secho(f"{len(result.problems)} problems in {len(rows)} rows: nothing was written.", err=True)
        raise typer.Exit(1)
    if apply:
        with progress.status("Preparing"):
            ready = elder_bulk.prepare(result, clock.now())
        try:
            with progress.status("Writing"), write() as session:
                elder_bulk.write(session, ready)
                accounts.record(session, None, "elders_imported", ("elder", None), clock.now())
        except elder_bulk.Overtaken as error:
            raise _refuse(f"{file.name}: {error}") from error
    done = "imported" if apply else "can be imported; repeat with --apply to write them"
    typer.echo(f"{len(result.elders)} elders {done}.")


@elders.command("export")
def export_elders(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="A .csv or .xlsx file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Export all elders with contacts and settings, in the import's columns. Audited; the file holds personal data."""
    from models import elder_export

    _must_be_free(file, force)
    with write() as session:
        # The audit stands before the first name leaves the house.
        accounts.record(session, None, "elders_exported", ("elder", None), clock.now())
    with read() as session:
        try:
            columns = elder_export.columns_needed(session)
            many = elder_export.count(session)
            console = Console(stderr=True)
            shown = track(
                elder_export.rows(session), description="Exporting", total=many, disable=many < 200, console=console
            )
            done = elder_export.write(file, columns, shown)
        except (elder_export.TooMuch, ValueError, OSError) as error:
            raise _refuse(f"{file.name}: {error}") from error
    typer.echo(f"{done} elders exported to {file}. It holds personal data: only you can read it, delete it after use.")


@elders.command("template")
def template(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="A .csv or .xlsx file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write an empty table with every column of the import; the .xlsx explains them on a second sheet."""
    from models import elder_export

    _must_be_free(file, force)
    try:
        elder_export.write(file, elder_columns.columns(contacts=2), ())
    except (ValueError, OSError) as error:
        raise _refuse(f"{file.name}: {error}") from error
    typer.echo(f"{file} is ready to be filled in.")


def _tell_what_was_read(file: Path, table: sheets.Table) -> None:
    if table.other_sheets:
        others = ", ".join(table.other_sheets)
        typer.echo(f"{file.name}: sheet “{table.sheet}” is read, not: {others} (choose with --sheet).", err=True)
    if table.ignored:
        typer.echo(f"{file.name}: unknown columns are left out: {', '.join(table.ignored)}.", err=True)


def _must_be_free(file: Path, force: bool) -> None:
    if file.exists() and not force:
        raise _refuse(f"{file} is there already; --force replaces it")


def _refuse(why: str) -> typer.Exit:
    typer.secho(why, fg="red", err=True)
    return typer.Exit(1)
