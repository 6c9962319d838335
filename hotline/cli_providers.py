"""`hotline providers`: businesses and volunteers, in and out of files, paused and resumed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from sqlalchemy import select

from agents import accounts
from agents import providers as roster
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
from hotline.cli_show import NOT_FOUND, Json, show
from models import clock, provider_columns, provider_export, provider_files, provider_updates
from models.providers import Provider
from models.session import read, write
from models.sheets import Row

providers = typer.Typer(no_args_is_help=True, help="Service providers and their workers.")

Update = Annotated[
    bool,
    typer.Option("--update", help="Also change providers known by a number, a worker's code or the name."),
]
COLUMNS = ("name", "services", "areas", "score", "lately", "paused_until")
Name = Annotated[str, typer.Argument(help="The provider's name, as in `providers list`.")]


@providers.command("list")
def list_providers(json: Json = False) -> None:
    """List providers in the operator's order: what they do and where, how they are rated, how busy they were."""
    with read() as session:
        show([_row(line) for line in roster.provider_lines(session, clock.now())], json, "Providers", COLUMNS)


@providers.command("import")
def import_providers(file: SourceFile, apply: Apply = False, sheet: Sheet = "", update: Update = False) -> None:
    """Import providers and their workers from .xlsx or CSV. All rows, or none."""
    rows = read_table(file, sheet, provider_files.read, Console(stderr=True)).rows
    if update:
        _update_providers(file, rows, apply)
        return
    with read() as session:
        checked = provider_files.check(session, rows)
    stop_at_problems(file, checked.problems, len(rows))
    if apply:
        with write() as session:
            # Asked again under the lock: somebody may have imported the same file meanwhile.
            checked = provider_files.check(session, rows)
            if not checked.problems:
                provider_files.add(session, checked, clock.now())
                accounts.record(session, None, "providers_imported", ("provider", None), clock.now())
        stop_at_problems(file, checked.problems, len(rows))
    done = "imported" if apply else "can be imported; repeat with --apply to write them"
    typer.echo(f"{len(checked.providers)} providers {done}.")


def _update_providers(file: Path, rows: Sequence[Row], apply: bool) -> None:
    """Tell what the file changes; write it if it is to be applied."""
    with read() as session:
        planned = provider_updates.plan(session, rows)
    stop_at_problems(file, planned.problems, len(rows))
    if apply:
        with write() as session:
            # Asked again under the lock: somebody may have changed a provider meanwhile.
            planned = provider_updates.plan(session, rows)
            if not planned.problems:
                provider_updates.apply(session, planned, clock.now())
                accounts.record(session, None, "providers_imported", ("provider", None), clock.now())
        stop_at_problems(file, planned.problems, len(rows))
    for change in planned.changes:
        for told in change.told:
            typer.echo(f"{change.entry.provider.name}: {told}")
    done = "written" if apply else "to be written; repeat with --apply"
    typer.echo(f"{len(planned.new)} new, {len(planned.changes)} changed, {planned.same} as they were: {done}.")


@providers.command("export")
def export_providers(file: TargetFile, force: Force = False) -> None:
    """Export all providers and workers, in the import's columns. Audited; the file holds personal data."""
    must_be_free(file, force)
    with write() as session:
        accounts.record(session, None, "providers_exported", ("provider", None), clock.now())
    with read() as session:
        try:
            done = provider_export.write(file, provider_export.columns_needed(session), provider_export.rows(session))
        except (ValueError, OSError) as error:
            raise refuse(f"{file.name}: {error}") from error
    typer.echo(f"{done} providers exported to {file}. It holds personal data: only you can read it.")


@providers.command("template")
def template(file: TargetFile, force: Force = False) -> None:
    """Write an empty table with every column of the import; the .xlsx explains them on a second sheet."""
    must_be_free(file, force)
    try:
        provider_export.write(file, provider_columns.columns(workers=3), ())
    except (ValueError, OSError) as error:
        raise refuse(f"{file.name}: {error}") from error
    typer.echo(f"{file} is ready to be filled in.")


@providers.command("pause")
def pause(
    name: Name,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day from which it is asked again.")],
    reason: Annotated[str, typer.Option(help="Why; shown in the console.")] = "",
) -> None:
    """Do not ask a provider until a day."""
    moment = datetime.combine(until.date(), time(), clock.zone())
    _change(name, moment, reason)
    typer.echo(f"{name} is not asked before {until:%Y-%m-%d}.")


@providers.command("resume")
def resume(name: Name) -> None:
    """Ask a paused provider again."""
    _change(name, None, "")
    typer.echo(f"{name} is asked again.")


def _change(name: str, until: datetime | None, reason: str) -> None:
    with write() as session:
        provider = session.scalar(select(Provider).where(Provider.name == name).order_by(Provider.id))
        if provider is None:
            typer.secho(f"No provider is called {name}; `hotline providers list` shows them.", fg="red", err=True)
            raise typer.Exit(NOT_FOUND)
        try:
            roster.pause(session, provider.public_id, (until, reason), (None, clock.now()))
        except roster.ProviderError as error:
            raise refuse(str(error)) from error


def _row(line: roster.ProviderLine) -> dict[str, Any]:
    return {
        "id": line.public_id,
        "name": line.name,
        "kind": line.kind,
        "services": ", ".join(service for service, _ in line.services),
        "doubted": [service for service, doubted in line.services if doubted],
        "areas": ", ".join(" ".join(path) for path in line.areas),
        "hours": list(line.hours),
        "capacity": line.capacity,
        "score": line.score,
        "ratings": line.ratings,
        "lately": line.lately,
        "paused_until": line.paused_until,
        "pause_reason": line.pause_reason,
        "workers": len(line.workers),
    }
