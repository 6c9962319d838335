"""`hotline users`, `hotline elders`, `hotline db`: people and the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from agents import accounts
from models import clock, elder_import, schema
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
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A CSV file.")],
    apply: Annotated[bool, typer.Option("--apply", help="Write them. Without it, only check.")] = False,
) -> None:
    """Import elders from CSV (UTF-8 with or without BOM, or GB18030). All rows, or none."""
    try:
        rows = elder_import.parse(file.read_bytes())
    except elder_import.NotATable as error:
        typer.secho(f"{file.name}: {error}", fg="red", err=True)
        raise typer.Exit(1) from error
    # A mere check takes no lock: calls go on while it runs.
    with write() if apply else read() as session:
        result = elder_import.check(session, track(rows, description="Checking", disable=len(rows) < 200))
        for problem in result.problems:
            typer.secho(f"{file.name}: {problem}", fg="red", err=True)
        if result.problems:
            typer.secho(f"{len(result.problems)} problems in {len(rows)} rows: nothing was written.", err=True)
            raise typer.Exit(1)
        if apply:
            elder_import.write_all(session, result, clock.now())
    done = "imported" if apply else "can be imported; repeat with --apply to write them"
    typer.echo(f"{len(result.elders)} elders {done}.")
