"""The commands of `hotline`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hotline import (
    cli_campaigns,
    cli_duties,
    cli_erase,
    cli_hours,
    cli_people,
    cli_prompts,
    cli_providers,
    cli_seed,
    cli_show,
    cli_sms,
    cli_speech,
)
from models import logs
from models.settings import settings

if TYPE_CHECKING:
    from hotline.backup import Report

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The 12349 elder-care hotline.",
)
for group, name in (
    (cli_show.orders, "orders"),
    (cli_show.calls, "calls"),
    (cli_show.call, "call"),
    (cli_people.users, "users"),
    (cli_people.elders, "elders"),
    (cli_providers.providers, "providers"),
    (cli_sms.sms, "sms"),
    (cli_people.db, "db"),
    (cli_hours.hours, "hours"),
    (cli_duties.duties, "duties"),
    (cli_campaigns.campaigns, "campaigns"),
    (cli_speech.speech, "speech"),
    (cli_prompts.prompts, "prompts"),
):
    app.add_typer(group, name=name)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def _everywhere() -> None:
    logs.configure()


app.command()(cli_erase.erase)
app.command("seed")(cli_seed.fill)


@app.command()
def up() -> None:
    """Run the hotline: all processes under one supervisor, until Ctrl-C."""
    from hotline import up as wiring

    wiring.run()


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop after the journey; exit 0 only if it was whole.")] = False,
    json: Json = False,
) -> None:
    """Run the hotline with an invented world, and let one elder ring."""
    from hotline.demo import run

    raise typer.Exit(run(once=once, as_json=json))


@app.command()
def doctor(json: Json = False) -> None:
    """Check everything the hotline needs, and name what is missing with its remedy."""
    from hotline import doctor as examination
    from hotline.up import use_secrets

    findings = examination.check(use_secrets())
    if json:
        typer.echo(examination.as_json(findings))
    else:
        Console().print(examination.render_table(findings))
    raise typer.Exit(0 if examination.healthy(findings) else 1)


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="A folder (the next one copies only what is new), or FILE.tar.")],
) -> None:
    """Copy the database and all recordings, while the hotline runs."""
    from hotline import backup as keeping

    _keep(lambda: keeping.backup(settings(), target, typer.echo))


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="What `hotline backup` has written.")],
    yes: Annotated[bool, typer.Option("--yes", help="Replace the database that is there.")] = False,
) -> None:
    """Put a backup in place; the hotline must be stopped."""
    from hotline import backup as keeping

    _keep(lambda: keeping.restore(settings(), source, yes, typer.echo))


def _keep(do: Callable[[], Report]) -> None:
    from hotline.backup import BackupError

    try:
        report = do()
    except BackupError as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"done: {report.files} files, {report.copied} copied, {report.size / 1e6:.1f} MB")
