"""`hotline speech fetch` and `hotline speech check`: models, and whether they know our words."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hotline import speech_models
from hotline.apt import FetchError
from ivr.speech import check as examination
from models.settings import settings

speech = typer.Typer(no_args_is_help=True, help="Speech recognition.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@speech.command("fetch")
def fetch(
    language: Annotated[str, typer.Argument(help="zh or en. Korean comes with the installation.")],
    site: Annotated[str, typer.Option(help="Where the models lie.")] = speech_models.SITE,
) -> None:
    """Fetch the speech model of a language; resumes, checks, and replaces nothing before it is whole."""
    try:
        folder = speech_models.fetch(language, settings().cache_dir, site)
    except FetchError as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"The model is in {folder}.")


@speech.command("check")
def check(json: Json = False) -> None:
    """Check for every phrase of every language whether its model knows the words; 1 if one is missing."""
    found = examination.check(settings().languages, settings().cache_dir)
    if json:
        typer.echo(json_format.dumps([asdict(one) | {"ok": one.ok} for one in found], ensure_ascii=False, indent=2))
    else:
        table = Table(box=None, padding=(0, 1))
        for column in ("language", "listens", "phrases", "not listed", "missing"):
            table.add_column(column)
        for one in found:
            state = "by voice and keys" if one.model else "keys only"
            missing = ", ".join(one.missing) if one.model else ""
            table.add_row(one.language, state, str(one.phrases), str(len(one.left_out)), missing)
        Console().print(table)
    raise typer.Exit(0 if all(one.ok for one in found) else 1)
