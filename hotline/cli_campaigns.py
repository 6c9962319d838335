"""`hotline campaigns`: care visits by telephone. Made from the ledger, a filter or a list; paused, resumed, stopped."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from sqlalchemy import select

from dispatch import campaign_import
from dispatch import campaigns as core
from dispatch.campaign_progress import Progress, behind, progress
from dispatch.campaigns import Filter, IllegalMove, NewCampaign
from dispatch.outbox import transaction
from models import clock
from models.campaigns import Campaign, CampaignStatus
from models.session import read
from models.sheets import NotATable

campaigns = typer.Typer(no_args_is_help=True, help="Care visits by telephone: campaigns.")

Number = Annotated[int, typer.Argument(metavar="ID")]
Changes = Annotated[str, typer.Option(help="Changes to the default, as a JSON object.")]


def _data(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise typer.BadParameter(f"no JSON: {error}") from error
    if not isinstance(found, dict):
        raise typer.BadParameter("a JSON object is wanted")
    return found


@campaigns.command("new")
def new(
    name: str,
    script: Annotated[str, typer.Option(help="care, short, cold, heat, storm, holiday")] = "care",
    elders: Annotated[str, typer.Option(help="ledger, groups:alone,high or a list of cards (.csv, .xlsx).")] = "ledger",
    settings: Changes = "{}",
    apply: Annotated[bool, typer.Option("--apply", help="Write it; otherwise it is only checked.")] = False,
) -> None:
    """Make a campaign, as a draft. Without --apply nothing is written.

    --settings: {"attempts": 3, "window": {…}, "pace": {…}, "retry": {…}, "steps": {…}, "escalate": true}
    """
    groups = elders.partition("groups:")[2]
    source = "ledger" if elders == "ledger" else "filter" if groups else "import"
    now = clock.now()
    with transaction() as session:
        try:
            row = core.create(session, NewCampaign(name, script, source, **_data(settings)), now)
        except (ValueError, TypeError) as error:
            raise typer.BadParameter(str(error)) from error
        ids: list[int] = []
        if source == "import":
            try:
                checked = campaign_import.check(session, Path(elders).read_bytes())
            except (NotATable, OSError) as error:
                raise typer.BadParameter(str(error)) from error
            for problem in checked.problems:
                typer.echo(problem, err=True)
            if checked.problems:
                # With any broken row nothing is written.
                session.rollback()
                raise typer.Exit(1)
            ids = checked.elder_ids
        elif groups:
            ids = core.filtered(session, Filter(groups=frozenset(groups.split(","))))
        core.add_elders(session, row, ids, now)
        typer.echo(f"{name}: {script}, from the {source}" + (f", {len(ids)} elders" if ids else ""))
        if not apply:
            session.rollback()
            typer.echo("only checked; --apply writes it")
            return
        typer.echo(f"campaign {row.id}; `hotline campaigns start {row.id}` begins it")


def _move(number: int, to: CampaignStatus) -> None:
    with transaction() as session:
        if session.get(Campaign, number) is None:
            raise typer.BadParameter(f"there is no campaign {number}")
        try:
            core.move(session, number, to, clock.now())
        except IllegalMove as error:
            raise typer.BadParameter(str(error)) from error


@campaigns.command("start")
def start(number: Number) -> None:
    """Begin a campaign, or go on with a paused one."""
    _move(number, CampaignStatus.RUNNING)


@campaigns.command("resume")
def resume(number: Number) -> None:
    """Go on with a paused campaign."""
    _move(number, CampaignStatus.RUNNING)


@campaigns.command("pause")
def pause(number: Number) -> None:
    """Ring nobody new; whoever is on the line is talked to."""
    _move(number, CampaignStatus.PAUSED)


@campaigns.command("stop")
def stop(number: Number) -> None:
    """Stop for good: whoever waits is not rung by it any more."""
    _move(number, CampaignStatus.STOPPED)


@campaigns.command("list")
def list_all(
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on showing it, until Ctrl-C.")] = False,
) -> None:
    """Show every campaign and how far it is."""
    if json_:
        typer.echo(json.dumps([_as_data(one) for one in _all()]))
        return
    if not watch:
        Console().print(_table(_all()))
        return
    with Live(_table(_all()), auto_refresh=False) as live:
        while True:
            time.sleep(1)
            live.update(_table(_all()), refresh=True)


def _all() -> list[Progress]:
    now = clock.now()
    with read() as session:
        return [progress(session, one, now) for one in session.scalars(select(Campaign.id).order_by(Campaign.id))]


def _as_data(one: Progress) -> dict[str, object]:
    ends = one.ends_at.isoformat(timespec="minutes") if one.ends_at else None
    figures = {name: value for name, value in vars(one).items() if name not in ("counts", "ends_at")}
    with read() as session:
        return {**figures, "ends_at": ends, "visits": behind(session, one.campaign_id)}


def _table(rows: list[Progress]) -> Table:
    names = ("id", "name", "status", "done", "reached", "proved", "queued", "calling", "agent", "escalated", "ends")
    table = Table(*names)
    for one in rows:
        ends = f"{clock.local(one.ends_at):%d.%m. %H:%M}" if one.ends_at else ""
        shares = f"{one.reached_share:.0%}", f"{one.proved_share:.0%}"
        waiting = (str(count) for count in (one.queued, one.calling, one.agent, one.escalated))
        table.add_row(str(one.campaign_id), one.name, one.status, f"{one.done}/{one.total}", *shares, *waiting, ends)
    return table
