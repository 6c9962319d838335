"""`hotline prompts`: what the hotline says, and whether every language of it is whole."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ivr.prompts import completeness, overview
from models import clock
from models.session import read
from models.settings import settings

prompts = typer.Typer(no_args_is_help=True, help="What the hotline says.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Language = Annotated[str, typer.Option("--language", help="Only this language.")]


def _languages(wanted: str) -> tuple[str, ...]:
    if wanted and wanted not in settings().languages:
        raise typer.BadParameter(f"one of {', '.join(settings().languages)}", param_hint="--language")
    return (wanted,) if wanted else settings().languages


@prompts.command("list")
def list_prompts(language: Language = "", as_json: Json = False) -> None:
    """List every prompt: where it is spoken, its text, stand-in or recorded, by whom and when."""
    with read() as session:
        found = overview.listed(session, _languages(language))
        rows = [
            {
                "key": one.prompt.key,
                "place": str(one.prompt.place),
                "variables": list(one.prompt.variables),
                "language": spoken.language,
                "text": spoken.text,
                "voice": "recorded" if spoken.live else "stand-in",
                "by": spoken.live.made_by.name if spoken.live else None,
                "at": f"{clock.local(spoken.live.made_at):%Y-%m-%d %H:%M}" if spoken.live else None,
            }
            for one in found
            for spoken in one.spoken
        ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("Prompt", "Language", "Text", "Voice")
    for row in rows:
        voice = f"{row['by']}, {row['at']}" if row["by"] else str(row["voice"])
        table.add_row(f"{row['key']}\n[dim]{row['place']}[/dim]", str(row["language"]), escape(str(row["text"])), voice)
    Console().print(table)


@prompts.command("check")
def check(language: Language = "", as_json: Json = False) -> None:
    """Check that every language is whole: texts, variables, rendered, 7 s at most. Exit 1 where it is not."""
    problems = [problem for one in _languages(language) for problem in completeness.check(one)]
    if as_json:
        rows = [{"key": p.key, "language": p.language, "lack": p.lack, "detail": p.detail} for p in problems]
        typer.echo(json.dumps({"ok": not problems, "problems": rows}, ensure_ascii=False))
    else:
        for problem in problems:
            detail = f": {problem.detail}" if problem.detail else ""
            typer.secho(f"{problem.language} {problem.key}: {problem.lack}{detail}", fg="red", err=True)
        if not problems:
            typer.echo(f"Every prompt is whole in {', '.join(_languages(language))}.")
    raise typer.Exit(1 if problems else 0)
