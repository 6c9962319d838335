"""`hotline sms list`: text messages and how they stand."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agents.texts import SmsLine, sms_lines
from hotline.cli_show import Json, Limit, show
from models.session import read
from models.sms import SmsMessage, SmsStatus

sms = typer.Typer(no_args_is_help=True, help="Text messages.")

COLUMNS = ("at", "template", "to", "order", "status", "error")


@sms.callback()
def _group() -> None:
    """Keep `list` a command of its own, for there will be others."""


@sms.command("list")
def list_sms(
    json: Json = False,
    limit: Limit = 50,
    status: Annotated[str, typer.Option(help=f"Only these: {', '.join(SmsStatus)}.")] = "",
) -> None:
    """List text messages, the newest first. Numbers are masked; the words are kept nowhere."""
    only = [SmsMessage.status == status] if status else []
    with read() as session:
        show([_row(line) for line in sms_lines(session, *only, limit=limit)], json, "Text messages", COLUMNS)


def _row(line: SmsLine) -> dict[str, Any]:
    return {
        "id": line.public_id,
        "at": line.at,
        "template": line.template,
        "to": line.to.name or line.to.number,
        "number": line.to.number,
        "language": line.language,
        "order": line.order.number,
        "status": line.status,
        "error": line.error or None,
        "attempts": line.attempts,
        "segments": line.segments,
        "closed_at": line.closed_at,
    }
