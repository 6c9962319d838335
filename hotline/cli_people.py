"""`hotline users`, `hotline elders`, `hotline db`: people and the database."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from sqlalchemy import select

from agents import accounts, second_factor
from hotline.cli_files import (
    Apply,
    Force,
    Sheet,
    SourceFile,
    TargetFile,
    must_be_free,
    read_table,
    refuse,
    stop_at_problems,
)
from models import clock, elder_bulk, elder_columns, elder_import, schema
from models.session import engine, read, write
from models.users import Role, User

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


@users.command("second-factor-off")
def second_factor_off(name: Annotated[str, typer.Argument(help="The name of the user.")]) -> None:
    """Ask a user for no code any more: telephone and paper are both lost. Audited; all sessions of the user end."""
    with write() as session:
        user = session.scalar(select(User).where(User.name == accounts.clean_name(name)))
        if user is None:
            raise refuse(f"There is no user named {name}.")
        second_factor.switch_off(session, user, None, clock.now())
    typer.echo(f"{name} logs in by password alone.")


@elders.command("import")
def import_elders(
    file: SourceFile,
    apply: Apply = False,
    sheet: Sheet = "",
) -> None:
    """Import elders from .xlsx or CSV (UTF-8 with or without BOM, or GB18030). All rows, or none."""
    progress = Console(stderr=True)
    rows = read_table(file, sheet, elder_import.read, progress).rows
    # Checking and preparing take no lock: calls go on while they run.
    with read() as session:
        shown = track(rows, description="Checking", disable=len(rows) < 200, console=progress)
        result = elder_import.check(session, shown)
    stop_at_problems(file, result.problems, len(rows))
    if apply:
        with progress.status("Preparing"):
            ready = elder_bulk.prepare(result, clock.now())
        try:
            with progress.status("Writing"), write() as session:
                elder_bulk.write(session, ready)
                accounts.record(session, None, "elders_imported", ("elder", None), clock.now())
        except elder_bulk.Overtaken as error:
            raise refuse(f"{file.name}: {error}") from error
    done = "imported" if apply else "can be imported; repeat with --apply to write them"
    typer.echo(f"{len(result.elders)} elders {done}.")


@elders.command("export")
def export_elders(
    file: TargetFile,
    force: Force = False,
) -> None:
    """Export all elders with contacts and settings, in the import's columns. Audited; the file holds personal data."""
    from models import elder_export

    must_be_free(file, force)
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
            raise refuse(f"{file.name}: {error}") from error
    typer.echo(f"{done} elders exported to {file}. It holds personal data: only you can read it, delete it after use.")


@elders.command("template")
def template(
    file: TargetFile,
    force: Force = False,
) -> None:
    """Write an empty table with every column of the import; the .xlsx explains them on a second sheet."""
    from models import elder_export

    must_be_free(file, force)
    try:
        elder_export.write(file, elder_columns.columns(contacts=2), ())
    except (ValueError, OSError) as error:
        raise refuse(f"{file.name}: {error}") from error
    typer.echo(f"{file} is ready to be filled in.")
